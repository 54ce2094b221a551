// Package cli is what every command of opsctl shares: the outside world as one
// value (Env), errors with exit codes, and a cobra that refuses what it does
// not understand. Only packages under cmd import it.
package cli

import (
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/opsctl/opsctl/pkg/cli/config"
)

// Env is the outside world of one run. Tests build their own; System returns
// the real one. Commands keep the pointer: Main fills in what flags and
// configuration decide before it runs the command.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	// InTerm, OutTerm and ErrTerm say whether each stream is a terminal.
	InTerm, OutTerm, ErrTerm bool
	// Width is the number of columns of Out, 0 when it is not known.
	Width int

	// Getenv and Environ stand for the process environment.
	Getenv   func(string) string
	Environ  func() []string
	Hostname func() (string, error)
	Now      func() time.Time
	// Location is the zone of times in tables unless UTC is set.
	Location *time.Location
	Version  string

	// Args is the command line without the program's name, as it was typed. Set by Main.
	Args []string
	// Set by Main, from flags and configuration, before a command runs.
	Config  *config.Resolved
	Log     *slog.Logger
	Format  Format
	UTC     bool
	Color   bool
	Quiet   bool
	NoInput bool
}

// System returns the Env of this process.
func System(version string) *Env {
	width := 0
	outTerm := term.IsTerminal(int(os.Stdout.Fd()))
	if outTerm {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			width = w
		}
	}
	return &Env{
		In:       os.Stdin,
		Out:      os.Stdout,
		Err:      os.Stderr,
		InTerm:   term.IsTerminal(int(os.Stdin.Fd())),
		OutTerm:  outTerm,
		ErrTerm:  term.IsTerminal(int(os.Stderr.Fd())),
		Width:    width,
		Getenv:   os.Getenv,
		Environ:  os.Environ,
		Hostname: os.Hostname,
		Now:      time.Now,
		Location: time.Local,
		Version:  version,
		Log:      slog.New(slog.DiscardHandler),
		Format:   Table,
	}
}

// Zone is the zone in which tables show times.
func (e *Env) Zone() *time.Location {
	if e.UTC || e.Location == nil {
		return time.UTC
	}
	return e.Location
}
