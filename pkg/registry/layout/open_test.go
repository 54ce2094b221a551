package layout

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestBothWaysToOpenAgree: what openat2 opens is what os.Root opens, byte for byte and refusal for refusal, whatever lies
// there.
func TestBothWaysToOpenAgree(t *testing.T) {
	dir := t.TempDir()
	base := filepath.Join(dir, "v2")
	long := make([]byte, linkLimit+1)
	err := errors.Join(
		os.MkdirAll(filepath.Join(base, "folder/below"), 0o755),
		os.WriteFile(filepath.Join(dir, "outside"), []byte("secret"), 0o644),
		os.WriteFile(filepath.Join(base, "file"), []byte("text"), 0o644),
		os.WriteFile(filepath.Join(base, "folder/below/file"), []byte("below"), 0o644),
		os.WriteFile(filepath.Join(base, "empty"), nil, 0o644),
		os.WriteFile(filepath.Join(base, "long"), long, 0o644),
		unix.Mkfifo(filepath.Join(base, "pipe"), 0o644),
		os.Symlink("file", filepath.Join(base, "inside")),
		os.Symlink("../file", filepath.Join(base, "folder/up")),
		os.Symlink("folder/below", filepath.Join(base, "through")),
		os.Symlink("../outside", filepath.Join(base, "out")),
		os.Symlink(filepath.Join(dir, "outside"), filepath.Join(base, "absolute")),
		os.Symlink(filepath.Join(base, "file"), filepath.Join(base, "round")),
		os.Symlink("/proc/self/root/etc/passwd", filepath.Join(base, "magic")),
		os.Symlink("loop", filepath.Join(base, "loop")),
	)
	root, opened := os.OpenRoot(base)
	if err := errors.Join(err, opened); err != nil {
		t.Fatal(err)
	}
	quick, slow := Within(root, "v2"), &Store{root: root, at: "v2"}
	t.Cleanup(func() { _ = quick.Close() })
	if fd, final, err := quick.openat2("file", unix.O_RDONLY); !final || err != nil {
		t.Skip("this kernel has no openat2")
	} else {
		_ = unix.Close(fd)
	}
	for name, want := range map[string]string{
		"file": "text", "inside": "text", "folder/up": "text", "through/file": "below", "folder/below/file": "below",
		"empty": "", "long": "", "pipe": "", "out": "", "absolute": "", "round": "", "magic": "", "loop": "", "none": "", "file/below": "",
		"folder": "", "../outside": "",
	} {
		data, at, err := quick.small(name, linkLimit)
		if slowly, then, refused := slow.small(name, linkLimit); string(data) != string(slowly) || !at.Equal(then) || (err == nil) != (refused == nil) {
			t.Errorf("%s: %q, %v; os.Root: %q, %v", name, data, err, slowly, refused)
		}
		if string(data) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v, want %q", name, data, err, want)
		}
		st, err := quick.stat(name)
		if slowly, refused := slow.stat(name); (err == nil) != (refused == nil) || st.regular != slowly.regular || !st.modified.Equal(slowly.modified) ||
			errors.Is(err, os.ErrNotExist) != errors.Is(refused, os.ErrNotExist) {
			t.Errorf("%s: %+v, %v; os.Root: %+v, %v", name, st, err, slowly, refused)
		}
	}
}
