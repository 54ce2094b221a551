package journal_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/journal"
)

// writerEnv makes the test binary a second process that appends steps to the
// journal it names, and says each that is on disk.
const writerEnv = "JOURNAL_TEST_WRITE"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		fmt.Fprintln(os.Stderr, write(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func write(path string) error {
	j, err := journal.Open(path, time.Now)
	if err != nil {
		return err
	}
	r, err := j.Begin(nil, []byte(`"`+strings.Repeat("plan ", 5000)+`"`))
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		if err := errors.Join(r.StepBegun(i), r.StepDone(i)); err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, i)
	}
}

func TestAKilledProcessLosesNothingItWasToldOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	for round := range 5 {
		said := killedAfter(t, path, 3+round)
		j := open(t, path)
		r := j.Last()
		if len(j.Unfinished()) != round+1 || r.Status != journal.Unfinished || len(r.Steps) < said || r.Steps[said-1].Done.IsZero() {
			t.Fatalf("round %d, %d steps said: %+v", round, said, r)
		}
	}
}

// killedAfter starts a writer, kills it after some steps, and says how many it
// had reported by then.
func killedAfter(t *testing.T, path string, steps int) int {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := 0
	for lines := bufio.NewScanner(out); lines.Scan(); said++ {
		if said == steps {
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if said < steps {
		t.Fatalf("the writer ended after %d steps", said)
	}
	return said
}
