package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/opsctl/opsctl/pkg/atomicfile"
)

func TestReplaceTakesTheLinksPlace(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(elsewhere, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "file")
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	for range 2 { // in place of a link, and of a file
		if err := atomicfile.Replace(path, []byte("new"), 0o640, os.Getuid(), os.Getgid()); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != 0o640 {
			t.Fatalf("%v, %v", info, err)
		}
	}
	if err := atomicfile.ReplaceByLink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(path); err != nil || target != elsewhere {
		t.Errorf("%q, %v", target, err)
	}
	if kept, err := os.ReadFile(elsewhere); err != nil || string(kept) != "precious" {
		t.Errorf("the link's target holds %q, %v", kept, err)
	}
	alone(t, path)
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{atomicfile.Replace(folder, nil, 0o600, 0, 0), atomicfile.ReplaceByLink("x", folder)} {
		if !errors.Is(err, atomicfile.ErrNotRegular) {
			t.Errorf("in place of a folder: %v", err)
		}
	}
}
