package authlog

// MapFileRange is NewFileRange with a window of the test's.
var MapFileRange = newFileRange
