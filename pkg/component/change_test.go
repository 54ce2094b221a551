package component

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/opsctl/opsctl/pkg/plan"
)

// imageOf is an installer for an image in a folder of the test's.
func imageOf(t *testing.T) *Installer {
	t.Helper()
	in, err := Image(t.TempDir(), 252)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// What a hand writes between the plan and its step, or between the step and its undoing, is not overwritten.
func TestAnEditMeanwhileIsKept(t *testing.T) {
	for name, edit := range map[string]struct{ before, after string }{
		"before the step": {before: "mine"},
		"before undoing":  {after: "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			in := imageOf(t)
			file := filepath.Join(in.Dir, "file")
			write := func(text string) {
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("old")
			p := &plan.Plan{}
			if _, err := in.writeFile(p, "/file", []byte("new")); err != nil {
				t.Fatal(err)
			}
			if edit.before != "" {
				write(edit.before)
			}
			err := p.Steps[0].Do(t.Context())
			if edit.after != "" {
				if err != nil {
					t.Fatal(err)
				}
				write(edit.after)
				err = p.Steps[0].Undo(t.Context())
			}
			if !errors.Is(err, ErrChanged) {
				t.Errorf("%v", err)
			}
			if kept, err := os.ReadFile(file); err != nil || string(kept) != "mine" {
				t.Errorf("it holds %q, %v", kept, err)
			}
		})
	}
}

func TestSystemFoldersAreNoDataFolders(t *testing.T) {
	for name, system := range map[string]bool{
		"/etc": true, "/etc/x": true, "/usr/local/x": true, "/var/lib": true, "/var/lib/x": false, "/srv": true, "/srv/x": false, "/data": false, "/usrx": false,
	} {
		if systemFolder(name) != system {
			t.Errorf("%s: %v", name, !system)
		}
	}
}

// Undoing removes the folder that was made, not an empty one above it that may have been there.
func TestFoldersAboveStay(t *testing.T) {
	in := imageOf(t)
	for _, dir := range []string{"mnt/disk/data", "etc/prometheus/targets"} {
		if err := os.MkdirAll(filepath.Join(in.Dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := in.emptyFolders("/" + dir); err != nil {
			t.Fatal(err)
		}
	}
	for dir, stays := range map[string]bool{"mnt/disk": true, "mnt/disk/data": false, "etc": true, "etc/prometheus": false} {
		if _, err := os.Stat(filepath.Join(in.Dir, dir)); (err == nil) != stays {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
