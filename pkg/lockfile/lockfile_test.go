package lockfile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/opsctl/opsctl/pkg/lockfile"
)

// holderEnv makes the test binary a second process that holds the lock it names
// until its standard input ends.
const holderEnv = "LOCKFILE_TEST_HOLD"

func TestMain(m *testing.M) {
	if path := os.Getenv(holderEnv); path != "" {
		os.Exit(hold(path))
	}
	os.Exit(m.Run())
}

func hold(path string) int {
	lock, err := lockfile.Acquire(path)
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, "held")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil || lock.Release() != nil {
		return 1
	}
	return 0
}

// holder starts a second process and waits until it holds the lock.
func holder(t *testing.T, path string) (cmd *exec.Cmd, stdin io.Closer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), holderEnv+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return cmd, in
}

func TestASecondProcessIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd, in := holder(t, path)
	_, err := lockfile.Acquire(path)
	held, ok := errors.AsType[*lockfile.HeldError](err)
	if !ok || held.PID != cmd.Process.Pid || held.Path != path {
		t.Fatalf("got %v", err)
	}
	comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
	if want := strings.TrimSpace(string(comm)); held.Command != want || !strings.Contains(err.Error(), strconv.Itoa(held.PID)) {
		t.Errorf("names %q, not %q: %v", held.Command, want, err)
	}
	if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	acquireAndRelease(t, path)
}

func TestTheLockOfAKilledProcessIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd, _ := holder(t, path)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if text, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(text)) != strconv.Itoa(cmd.Process.Pid) {
		t.Fatalf("holds %q, %v", text, err)
	}
	acquireAndRelease(t, path)
}

func acquireAndRelease(t *testing.T, path string) {
	t.Helper()
	lock, err := lockfile.Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != strconv.Itoa(os.Getpid())+"\n" {
		t.Errorf("holds %q, %v", text, err)
	}
	if err := errors.Join(lock.Release(), lock.Release()); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("after the release: %v, %v", info, err)
	}
}

func TestOneProcessHoldsALockOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := lockfile.Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockfile.Acquire(path); err == nil || !strings.Contains(err.Error(), "is held by process") {
		t.Errorf("got %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	acquireAndRelease(t, path)
}

func TestTheModeIsReadableWhateverTheUmask(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "lock")
	acquireAndRelease(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestWhatIsNoPlainFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(
		os.WriteFile(victim, []byte("precious"), 0o600),
		os.Symlink(victim, at("link")),
		os.Symlink("nowhere", at("dangling")),
		os.Link(victim, at("hard")),
		syscall.Mkfifo(at("pipe"), 0o600),
		os.Mkdir(at("folder"), 0o700),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "dangling", "hard", "pipe", "folder"} {
		if _, err := lockfile.Acquire(at(name)); err == nil || strings.Count(err.Error(), at(name)) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Lstat(at("nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link's target was created: %v", err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
		t.Errorf("the victim holds %q, %v", text, err)
	}
	if _, err := lockfile.Acquire(at("no/such/folder")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestOfManyWhoRaceOneWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	results := make(chan *lockfile.Lock, 16)
	for range cap(results) {
		go func() {
			lock, err := lockfile.Acquire(path)
			if _, held := errors.AsType[*lockfile.HeldError](err); err != nil && !held {
				t.Error(err)
			}
			results <- lock
		}()
	}
	var winners []*lockfile.Lock
	for range cap(results) {
		if lock := <-results; lock != nil {
			winners = append(winners, lock)
		}
	}
	if len(winners) != 1 {
		t.Fatalf("%d hold the lock", len(winners))
	}
	if err := winners[0].Release(); err != nil {
		t.Error(err)
	}
}

func TestWhatTheHolderWroteMayBeAnything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := lockfile.Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	for _, text := range []string{"", "x", "-5\n", "0", strings.Repeat("9", 100)} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := lockfile.Acquire(path)
		if held, ok := errors.AsType[*lockfile.HeldError](err); !ok || held.PID != 0 || !strings.Contains(err.Error(), "another process") {
			t.Errorf("%q: %v", text, err)
		}
	}
	// A process that is no more.
	if err := os.WriteFile(path, []byte("2147483646\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := lockfile.Acquire(path); err == nil || strings.Contains(err.Error(), "(") {
		t.Errorf("got %v", err)
	}
}
