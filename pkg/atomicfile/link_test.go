package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opsctl/opsctl/pkg/atomicfile"
)

func TestLinkReplacesALinkAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "current")
	for _, target := range []string{"1.0.0", "2.0.0", "2.0.0"} {
		if err := atomicfile.Link(target, link); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(link); err != nil || got != target {
			t.Errorf("%q, %v", got, err)
		}
	}
	alone(t, link)
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Link("x", folder); !errors.Is(err, atomicfile.ErrNotLink) {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("the link went inside: %v, %v", entries, err)
	}
}

func TestSweepTakesTemporariesOnly(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".a.yaml123", ".a.yaml", ".a.yaml12x", ".a.yamlx", ".b.yaml123", "a.yaml", "a.yaml123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, ".a.yaml77", "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Sweep(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	left := []string{}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".a.yaml", ".a.yaml12x", ".a.yamlx", ".b.yaml123", "a.yaml", "a.yaml123"}; !slices.Equal(left, want) {
		t.Errorf("left %q", left)
	}
	if err := atomicfile.Sweep(filepath.Join(dir, "no", "such")); err != nil {
		t.Error(err)
	}
}

func TestFoldersAreMadeAndRemoved(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	if err := errors.Join(atomicfile.MkdirAll(deep, 0o755), atomicfile.MkdirAll(deep, 0o700)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(deep); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", info, err)
	}
	if err := atomicfile.Rename(deep, filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(atomicfile.Remove(filepath.Join(dir, "moved")), atomicfile.Remove(filepath.Join(dir, "a")), atomicfile.Remove(filepath.Join(dir, "a"))); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left %v, %v", entries, err)
	}
}
