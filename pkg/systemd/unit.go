package systemd

import (
	"slices"
	"strings"
)

// Unit is a unit file, or several that belong together: the file first, then its drop-ins in the order in which systemd
// reads them.
type Unit struct {
	// Lines are all lines of all files.
	Lines []Line
	// Headers are the section headers in the order of the files, and Assignments the lines NAME=VALUE that systemd looks
	// at, those of unknown sections included.
	Headers     []Header
	Assignments []Assignment
	// Problems are the lines that systemd cannot read.
	Problems []Problem
}

// Line is one physical line without its end.
type Line struct {
	File   string
	Number int // from 1
	Text   string
}

// Header is a line [Section].
type Header struct {
	File    string
	Line    int
	Section string
}

// Assignment is a line NAME=VALUE, with its continuations joined as systemd joins them.
type Assignment struct {
	File      string
	Line      int // where it begins
	Last      int // where it ends
	Section   string
	Name      string
	Value     string // without blanks at both ends
	Continued bool   // it has a continuation line
}

// ProblemKind says what systemd makes of a line that it cannot read.
type ProblemKind string

// The kinds of problems.
const (
	ProblemHeader  ProblemKind = "header"  // a section header without ]: the whole unit is refused
	ProblemUTF8    ProblemKind = "utf8"    // not UTF-8: the whole unit is refused
	ProblemLong    ProblemKind = "long"    // longer than 1 MiB: the whole unit is refused
	ProblemOutside ProblemKind = "outside" // before any section: the line is ignored
	ProblemNoEqual ProblemKind = "noequal" // neither header nor NAME=VALUE: the line is ignored
	ProblemNoName  ProblemKind = "noname"  // nothing before "=": the line is ignored
)

// Problem is a line that systemd cannot read.
type Problem struct {
	File string
	Line int
	Kind ProblemKind
	Text string
}

// Append adds a drop-in, which is read after everything that u holds.
func (u *Unit) Append(dropIn *Unit) {
	u.Lines = append(u.Lines, dropIn.Lines...)
	u.Headers = append(u.Headers, dropIn.Headers...)
	u.Assignments = append(u.Assignments, dropIn.Assignments...)
	u.Problems = append(u.Problems, dropIn.Problems...)
}

// Last is the assignment that counts for a directive with one value: the last one. An empty value resets it, which gives
// false.
func (u *Unit) Last(section, name string) (Assignment, bool) {
	for _, a := range slices.Backward(u.Assignments) {
		if a.Section == section && a.Name == name {
			return a, a.Value != ""
		}
	}
	return Assignment{}, false
}

// Value is the value that counts for a directive with one value, "" when it is not set.
func (u *Unit) Value(section, name string) string {
	a, _ := u.Last(section, name)
	return a.Value
}

// All are the assignments of a list in order, without those that a later empty one resets.
func (u *Unit) All(section, name string) []Assignment {
	var all []Assignment
	for _, a := range u.Assignments {
		switch {
		case a.Section != section || a.Name != name:
		case a.Value == "":
			all = nil
		default:
			all = append(all, a)
		}
	}
	return all
}

// Bool is a boolean directive's value as parse_boolean (src/basic/parse-util.c) reads it; what it does not read is false.
func (u *Unit) Bool(section, name string) bool {
	return truth(u.Value(section, name))
}

func truth(value string) bool {
	switch strings.ToLower(value) {
	case "1", "yes", "y", "true", "t", "on":
		return true
	}
	return false
}
