// Package scrape edits the scrape jobs and the alertmanagers of a Prometheus configuration file without touching another
// byte. A YAML parser says where things stand, the edit splices the text, and before the new text is given out it is
// parsed again and compared with the old one: everything must mean what it meant, but for the one thing that was asked
// for. What cannot be edited like that is refused with the line and the reason.
//
// Positions come from go.yaml.in/yaml/v3, of the family that Prometheus itself reads its files with, so both agree on what
// a file says and where its lines end (CR, NEL, LS and PS included).
package scrape

import (
	"fmt"
)

// Job is a scrape job as [Add] writes it. Zero fields are left to Prometheus's defaults and are not written.
type Job struct {
	Name string
	// Targets are HOST:PORT, with brackets around an IPv6 address.
	Targets []string
	// Labels are put onto every target.
	Labels      map[string]string
	HonorLabels bool
	MetricsPath string // begins with /
	Scheme      string // http or https
	// FileSD are patterns of target files, ending in .json, .yml or .yaml.
	FileSD []string
}

// Error is a file that cannot be read as a configuration, or an edit that was refused. Nothing was changed.
type Error struct {
	File string
	Line int // 1 for the first, 0 when the fault has no line
	// Reason is lower case and names what stands there.
	Reason string
	// Hint is the next step for a person, "" when there is none but to edit by hand.
	Hint string
	// Err is the cause of another package, or nil.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Reason
	if e.Err != nil {
		text = e.Err.Error()
		if e.Reason != "" {
			text = e.Reason + ": " + text
		}
	}
	if e.Line == 0 {
		return e.File + ": " + text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
