package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/cli"
)

// childVar makes the test binary behave as the toy program, so that signals and
// pipes meet a real process.
const childVar = "CLI_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(toyMain())
	}
	os.Exit(m.Run())
}

func toyMain() int {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := cli.WithSignals(context.Background())
	defer stop()
	return int(cli.Main(ctx, cli.System("1.2.3"), toyRoot, os.Args[1:]))
}

func child(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), childVar+"=1", "HOME="+t.TempDir())
	return cmd
}

// startReady starts a child and waits until it says that it is ready.
func startReady(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := child(t, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stderr).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child says %q: %v", line, err)
	}
	return cmd
}

func exitOf(t *testing.T, err error) *exec.ExitError {
	t.Helper()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("the child ended with %v", err)
	}
	return exit
}

func TestOneSignalEndsACommandInOrder(t *testing.T) {
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		cmd := startReady(t, "end", "wait")
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if exit := exitOf(t, cmd.Wait()); exit.ExitCode() != code {
			t.Errorf("%v: %v, want exit code %d", signal, exit, code)
		}
	}
}

func TestASecondSignalKillsACommandThatHangs(t *testing.T) {
	cmd := startReady(t, "end", "hang")
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	// The first signal is absorbed; how soon the handlers are gone after it
	// nobody can see from outside, so send until it works.
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			status, ok := exitOf(t, err).Sys().(syscall.WaitStatus)
			if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
				t.Errorf("ended with %v, not by the signal", err)
			}
			return
		case <-tick.C:
			// The process may have ended in between.
			_ = cmd.Process.Signal(syscall.SIGINT)
		case <-deadline:
			t.Fatal("the second signal did not kill")
		}
	}
}

func TestAReaderThatClosesThePipeIsNormal(t *testing.T) {
	cmd := child(t, "end", "much")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "line\n" {
		t.Fatalf("%q: %v", line, err)
	}
	if err := stdout.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("ended with %v and %q", err, stderr.String())
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("needs /dev/full: %v", err)
	}
	defer func() { _ = full.Close() }()
	cmd := child(t, "ssh", "audit")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	if exit := exitOf(t, cmd.Run()); exit.ExitCode() != 1 || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("%v, stderr %q", exit, stderr.String())
	}
}
