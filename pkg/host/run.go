package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// runOutput bounds what Run keeps of a program's output, in bytes.
const runOutput = 64 << 20

// waitDelay is how long a program that ignores its end keeps its pipes before they are closed.
const waitDelay = 2 * time.Second

// Command is a program to run on the live host.
type Command struct {
	Argv      []string    // the program and its arguments; Argv[0] is looked up in PATH unless it holds a slash
	Env       []string    // the whole environment; nil is this process's with the C locale
	As        *Credential // the user to run as, nil for the process's own
	MaxOutput int64       // bytes of standard output; more is an error that wraps ErrTooLarge; 0 is 64 MiB
}

// Credential is the user and the group that a program runs as, without supplementary groups.
type Credential struct{ UID, GID uint32 }

// Run runs a program with the C locale and no input, and returns its standard output. A program
// that fails is an error that holds the end of its standard error and wraps *exec.ExitError. A Root
// refuses with ErrOffline.
func (h *Host) Run(ctx context.Context, argv ...string) ([]byte, error) {
	return h.Exec(ctx, Command{Argv: argv})
}

// Exec is Run with an environment, a user and a limit of its own. The output is returned beside the
// error as far as it was read.
func (h *Host) Exec(ctx context.Context, c Command) ([]byte, error) {
	if !h.Live() {
		return nil, ErrOffline
	}
	if len(c.Argv) == 0 {
		return nil, errors.New("no program to run")
	}
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Env = c.Env
	if cmd.Env == nil {
		cmd.Env = append(os.Environ(), "LC_ALL=C", "LANGUAGE=")
	}
	cmd.WaitDelay = waitDelay
	if c.As != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.As.UID, Gid: c.As.GID}}
	}
	limit := c.MaxOutput
	if limit == 0 {
		limit = runOutput
	}
	out := &limited{max: limit}
	stderr := &limited{max: 4096, drop: true}
	cmd.Stdout, cmd.Stderr = out, stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case out.over:
		err = fmt.Errorf("%w: output over %d bytes", ErrTooLarge, limit)
	}
	if err != nil {
		if text := strings.TrimSpace(stderr.buf.String()); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
		return out.buf.Bytes(), fmt.Errorf("running %s: %w", c.Argv[0], err)
	}
	return out.buf.Bytes(), nil
}

// limited keeps the first max bytes. What follows is dropped, or refused so that the program's pipe
// breaks.
type limited struct {
	buf  bytes.Buffer // not embedded: its ReadFrom would go past the limit
	max  int64
	drop bool
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	room := l.max - int64(l.buf.Len())
	if int64(len(p)) <= room {
		return l.buf.Write(p)
	}
	l.over = true
	l.buf.Write(p[:room])
	if l.drop {
		return len(p), nil
	}
	return int(room), ErrTooLarge
}
