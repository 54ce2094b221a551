package scrape

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/opsctl/opsctl/pkg/host"
)

// ErrRefused says that promtool refuses the new configuration and accepted the old one.
var ErrRefused = errors.New("promtool refuses the result")

// Verdict is what promtool says about an edit.
type Verdict string

// The verdicts.
const (
	// Accepted: promtool accepts the new configuration.
	Accepted Verdict = "accepted"
	// RefusedBefore: promtool refuses the new configuration, as it did the old one.
	RefusedBefore Verdict = "refused-before"
	// Unchecked: there is no promtool.
	Unchecked Verdict = "unchecked"
)

// CheckWith lets promtool judge a new text of the configuration file at path. The text lies in a temporary file beside it
// meanwhile, since names in it are relative to its folder. An error wraps [ErrRefused] when promtool refuses the new text
// and not the old one.
func CheckWith(ctx context.Context, promtool, path string, after []byte) (Verdict, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".opsctl-")
	if err != nil {
		return Unchecked, fmt.Errorf("checking %s: %w", path, cause(err))
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // a file of no consequence
	_, err = temp.Write(after)
	if err := errors.Join(err, temp.Close()); err != nil {
		return Unchecked, fmt.Errorf("checking %s: %w", path, cause(err))
	}
	refused, err := promtoolRefuses(ctx, promtool, temp.Name())
	if err != nil || refused == nil {
		return Accepted, err
	}
	before, err := promtoolRefuses(ctx, promtool, path)
	if err != nil || before != nil {
		return RefusedBefore, err
	}
	return Unchecked, &Error{File: path, Err: fmt.Errorf("%w: %w", ErrRefused, refused), Hint: "nothing was changed"}
}

// promtoolRefuses runs promtool. refused holds what it says against the file; err says that it cannot be run.
func promtoolRefuses(ctx context.Context, promtool, path string) (refused, err error) {
	_, err = host.Local().Run(ctx, promtool, "check", "config", path)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return err, nil
	}
	return nil, err
}
