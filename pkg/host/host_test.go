package host

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func newRoot(t *testing.T, files map[string]string) (*Host, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "->"); ok {
			err = os.Symlink(target, full)
		} else {
			err = os.WriteFile(full, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := Root(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h, dir
}

func TestRootFollowsLinksAsTheHostWould(t *testing.T) {
	h, _ := newRoot(t, map[string]string{
		"etc/passwd":    "inside",
		"abs":           "->/etc/passwd",
		"rel":           "->etc/passwd",
		"up":            "->../../../../../etc/passwd",
		"home/u/etc":    "->/etc",
		"home/u/back":   "->../../etc/passwd",
		"chain":         "->/home/u/etc/passwd",
		"dot":           "->.",
		"loop":          "->loop",
		"outside":       "->/proc/self/status",
		"home/v/parent": "->/home/u/etc",
	})
	for _, name := range []string{
		"/etc/passwd", "etc/passwd", "/abs", "/rel", "/up", "/home/u/etc/passwd", "/home/u/back", "/chain",
		"/dot/dot/etc/passwd", "/../../etc/passwd", "/home/v/parent/../etc/passwd", "//etc//./passwd",
	} {
		if data, err := h.ReadFile(name, 100); err != nil || string(data) != "inside" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	for name, want := range map[string]error{
		"/loop": syscall.ELOOP, "/outside": fs.ErrNotExist, "/etc/passwd/x": syscall.ENOTDIR,
		"/etc/passwd/..": syscall.ENOTDIR, "/none": fs.ErrNotExist, "/etc": ErrNotRegular,
	} {
		if _, err := h.ReadFile(name, 100); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if resolved, err := h.RealPath("/chain"); err != nil || resolved != "/etc/passwd" {
		t.Errorf("RealPath: %q, %v", resolved, err)
	}
	if info, err := h.Lstat("/abs"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("Lstat: %v, %v", info, err)
	}
	if info, err := h.Stat("/abs"); err != nil || !info.Mode().IsRegular() {
		t.Errorf("Stat: %v, %v", info, err)
	}
}

func TestTraverseVisitsEveryFolderThatIsSearched(t *testing.T) {
	h, dir := newRoot(t, map[string]string{"a/b/f": "", "link": "->/a/b", "a/up": "->../link/f"})
	var seen []string
	resolved, err := h.Traverse("/a/up", func(name string, info fs.FileInfo) error {
		if !info.IsDir() {
			t.Errorf("%s is no folder", name)
		}
		seen = append(seen, name)
		return nil
	})
	// ".." is looked up in /a; the absolute link starts at "/" once more.
	if want := "/ /a /a / / /a /a/b"; err != nil || resolved != "/a/b/f" || strings.Join(seen, " ") != want {
		t.Errorf("%s, %v, %v", resolved, seen, err)
	}
	if resolved, err := Local().Traverse(dir+"/a/b/../b/f", nil); err != nil || !strings.HasSuffix(resolved, "/a/b/f") {
		t.Errorf("%s, %v", resolved, err)
	}
	stop := errors.New("stop")
	if _, err := h.Traverse("/a/b/f", func(string, fs.FileInfo) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestErrorsNameTheRealFileOnce(t *testing.T) {
	h, dir := newRoot(t, nil)
	_, err := h.ReadFile("/etc/shadow", 10)
	if want := "open " + dir + "/etc/shadow: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestOpenNeverWaits(t *testing.T) {
	h, dir := newRoot(t, map[string]string{"big": strings.Repeat("x", 100)})
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, target := range []*Host{h, Local()} {
		name := "/fifo"
		if target.Live() {
			name = filepath.Join(dir, "fifo")
		}
		if _, err := target.Open(name); !errors.Is(err, ErrNotRegular) {
			t.Errorf("fifo: %v", err)
		}
	}
	if _, err := Local().Open("/dev/zero"); !errors.Is(err, ErrNotRegular) {
		t.Errorf("device: %v", err)
	}
	if _, err := h.ReadFile("/big", 99); !errors.Is(err, ErrTooLarge) {
		t.Errorf("limit: %v", err)
	}
	if data, err := h.ReadFile("/big", 100); err != nil || len(data) != 100 {
		t.Errorf("at the limit: %d bytes, %v", len(data), err)
	}
}

func TestNameComesFromEtcHostname(t *testing.T) {
	h, _ := newRoot(t, map[string]string{"etc/hostname": "# ours\n\nweb1\n"})
	if h.Name() != "web1" {
		t.Errorf("got %q", h.Name())
	}
	if h, _ := newRoot(t, nil); h.Name() != "" {
		t.Errorf("got %q", h.Name())
	}
}

func TestGlob(t *testing.T) {
	h, _ := newRoot(t, map[string]string{
		"c/10-a.conf": "", "c/20-b.conf": "", "c/.hidden.conf": "", "c/x[1]": "", "c/sub/z": "", "d": "->/c", "c/dangling": "->/none",
	})
	for pattern, want := range map[string]string{
		"/c/*.conf":           "/c/10-a.conf /c/20-b.conf",
		"/d/*.conf":           "/d/10-a.conf /d/20-b.conf",
		"/c/.*.conf":          "/c/.hidden.conf",
		"/c/[12]?-?.conf":     "/c/10-a.conf /c/20-b.conf",
		"/c/[!1]0-?.conf":     "/c/20-b.conf",
		"/c/[[:digit:]]0*":    "/c/10-a.conf /c/20-b.conf",
		"/?/sub/z":            "/c/sub/z /d/sub/z",
		`/c/x\[1\]`:           "/c/x[1]",
		"/c/x[[]1]":           "/c/x[1]",
		"/c/dangling":         "/c/dangling",
		"/none/*":             "",
		"/c/[z-a]*":           "",
		"/*/*/z":              "/c/sub/z /d/sub/z",
		"/c/**10*a*conf*":     "/c/10-a.conf",
		"/c/10-a.conf/*":      "",
		"/c/[x":               "",
		"/c/[[:digit:]-z]0-*": "/c/10-a.conf /c/20-b.conf",
	} {
		got, err := h.Glob(pattern)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v, want %q", pattern, got, err, want)
		}
	}
}

func TestRun(t *testing.T) {
	ctx := t.Context()
	h, _ := newRoot(t, nil)
	if _, err := h.Run(ctx, "true"); !errors.Is(err, ErrOffline) {
		t.Errorf("root: %v", err)
	}
	local := Local()
	if out, err := local.Run(ctx, "sh", "-c", "echo $LC_ALL; echo noise >&2"); err != nil || string(out) != "C\n" {
		t.Errorf("%q, %v", out, err)
	}
	_, err := local.Run(ctx, "sh", "-c", "echo why >&2; exit 3")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(err.Error(), "why") {
		t.Errorf("failure: %v", err)
	}
	out, err := local.Exec(ctx, Command{Argv: []string{"cat", "/dev/zero"}, MaxOutput: 1000})
	if !errors.Is(err, ErrTooLarge) || len(out) != 1000 {
		t.Errorf("endless output: %d bytes, %v", len(out), err)
	}
	soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := local.Exec(soon, Command{Argv: []string{"sleep", "60"}, Env: []string{}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("time limit: %v", err)
	}
}

func TestOpenReadsFromTheStart(t *testing.T) {
	h, _ := newRoot(t, map[string]string{"f": "text"})
	f, err := h.Open("/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if data, err := io.ReadAll(f); err != nil || string(data) != "text" {
		t.Errorf("%q, %v", data, err)
	}
}

func FuzzWildcard(f *testing.F) {
	f.Add("[!a-z]*\\?[[:digit:]", "x")
	f.Add("*a*a*a*a*b", strings.Repeat("a", 50))
	f.Fuzz(func(t *testing.T, pattern, name string) {
		wildcard(pattern, name)
		if !wildcard("*", name) {
			t.Error("* must match everything")
		}
	})
}
