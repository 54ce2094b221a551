package component

import (
	"os"
	"path/filepath"
	"testing"
)

// A link is neither followed nor copied; blocks are the same files, the rest is not.
func TestCopyTree(t *testing.T) {
	in := imageOf(t)
	const block = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	if err := os.MkdirAll(filepath.Join(in.Dir, "data", block, "chunks"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data/wal", "data/" + block + "/chunks/000001", "secret"} {
		if err := os.WriteFile(filepath.Join(in.Dir, name), []byte(name), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(in.Dir, "secret"), filepath.Join(in.Dir, "data", "link")); err != nil {
		t.Fatal(err)
	}
	if err := in.copyTree(t.Context(), "/data", "/copy"); err != nil {
		t.Fatal(err)
	}
	for name, same := range map[string]bool{"wal": false, block + "/chunks/000001": true} {
		from, err1 := os.Stat(filepath.Join(in.Dir, "data", name))
		to, err2 := os.Stat(filepath.Join(in.Dir, "copy", name))
		if err1 != nil || err2 != nil || os.SameFile(from, to) != same || from.Mode() != to.Mode() {
			t.Errorf("%s: %v, %v, %v, %v", name, from, to, err1, err2)
		}
	}
	if _, err := os.Lstat(filepath.Join(in.Dir, "copy", "link")); !os.IsNotExist(err) {
		t.Errorf("the link: %v", err)
	}
	root, err := os.OpenRoot(filepath.Join(in.Dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	// What became a link after it was listed.
	if err := copyOne(root, "link", filepath.Join(in.Dir, "stolen")); err == nil {
		t.Error("a link was followed")
	}
}

// An image's absolute links lead into the image, as they will when it runs.
func TestLinksOfAnImageStayInside(t *testing.T) {
	in, outside := imageOf(t), t.TempDir()
	if err := os.MkdirAll(filepath.Join(in.Dir, outside), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(in.Dir, "opt")); err != nil {
		t.Fatal(err)
	}
	if err := in.put(&formerFile{Path: "/opt/x/file", Text: []byte("x"), Mode: 0o644, Owner: owner{os.Getuid(), os.Getgid()}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(in.Dir, outside, "x", "file")); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("written outside the image: %v, %v", left, err)
	}
	c := shipped(t, "node_exporter")
	if err := in.checkImage(c); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(filepath.Join(in.Dir, outside)); err != nil {
		t.Fatal(err)
	}
	if err := in.checkImage(c); err == nil {
		t.Error("a link that leads nowhere passes")
	}
}
