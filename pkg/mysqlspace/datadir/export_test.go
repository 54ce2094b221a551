package datadir

// For tests of what is not exported.
var ParseIndex = parseIndex
