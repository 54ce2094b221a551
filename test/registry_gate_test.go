package test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// gate holds the registry's first call that touches a path: strace delays it by more than a test lasts, and lets it go when it is
// told to end. All other threads go on.
type gate struct {
	t       *testing.T
	cmd     *exec.Cmd
	reached chan struct{}
}

// gateAt closes a gate at a path below the store, and returns when it is closed.
func (r *realRegistry) gateAt(name string) *gate {
	t := r.t
	t.Helper()
	testpeers.RequireProgram(t, "strace")
	const calls = "openat,newfstatat,renameat,renameat2,linkat"
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("strace", "-f", "-e", "quiet=exit,personality,path-resolution,thread-execve", "-e", "signal=none", "-o", "/dev/fd/3",
		"-P", filepath.Join(layout.Dir(r.root), name), "-e", "trace="+calls, "-e", "inject="+calls+":delay_enter=600s", "-p", strconv.Itoa(r.pid))
	cmd.ExtraFiles = []*os.File{in}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	lines := bufio.NewScanner(said)
	attached := false
	for !attached && lines.Scan() {
		attached = strings.Contains(lines.Text(), "attached")
	}
	if !attached {
		t.Fatalf("strace does not attach: %v", cmd.Wait())
	}
	g := &gate{t, cmd, make(chan struct{})}
	go func() { // strace writes the beginning of a call before it delays it
		defer func() { _ = out.Close() }()
		if n, _ := out.Read(make([]byte, 1)); n > 0 {
			close(g.reached)
		}
	}()
	go func() {
		for lines.Scan() { // nothing may stand in its way
		}
	}()
	return g
}

// open lets the call go, and all that come after it.
func (g *gate) open() {
	g.t.Helper()
	if err := g.cmd.Process.Signal(os.Interrupt); err != nil {
		g.t.Error(err)
	}
	_ = g.cmd.Wait() // which tells of the signal
}

// held is a collection that goes on when it is told to.
type held struct {
	t    *testing.T
	at   chan sweep.Step
	on   chan struct{}
	done chan error
	// stands: it is at a step.
	stands bool
}

// hold begins a collection and holds it at each step.
func (r *realRegistry) hold(o sweep.Options) *held {
	r.t.Helper()
	h := &held{t: r.t, at: make(chan sweep.Step), on: make(chan struct{}), done: make(chan error, 1)}
	o.Step = func(step sweep.Step) { h.at <- step; <-h.on }
	c := r.collector(o)
	go func() {
		_, err := c.Collect(context.Background())
		h.done <- err
		close(h.at)
	}()
	return h
}

// until goes on to the nth time from now that the step is come to, and false says that it has ended before.
func (h *held) until(step sweep.Step, n int) bool {
	h.t.Helper()
	for {
		if h.stands {
			h.on <- struct{}{}
			h.stands = false
		}
		select {
		case at, more := <-h.at:
			if !more {
				return false
			}
			h.stands = true
			if at == step {
				n--
			}
			if n == 0 {
				return true
			}
		case <-time.After(time.Minute):
			h.t.Fatal("the collection hangs")
		}
	}
}

// end lets the collection go on to its end.
func (h *held) end() {
	h.t.Helper()
	h.until("", 1)
	if err := <-h.done; err != nil {
		h.t.Error(err)
	}
}
