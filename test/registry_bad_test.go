package test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// refused runs a command that must end with a code, and name what is wrong.
func (k *killRig) refused(code int, args []string, says ...string) {
	k.t.Helper()
	got, out := k.opsctl(args...)
	if got != code {
		k.t.Errorf("%v: exit %d, want %d: %s", args, got, code, out)
	}
	for _, text := range says {
		if !strings.Contains(out, text) {
			k.t.Errorf("%v: %q is not in %s", args, text, out)
		}
	}
}

func (k *killRig) mount(what, dir, kind string, flags uintptr, options string) (unmount func()) {
	k.t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		k.t.Fatal(err)
	}
	if err := syscall.Mount(what, dir, kind, flags, options); err != nil {
		k.t.Skipf("cannot mount: %v", err)
	}
	mounted := true
	unmount = func() {
		if mounted {
			_ = syscall.Unmount(dir, syscall.MNT_DETACH)
		}
		mounted = false
	}
	k.t.Cleanup(unmount)
	return unmount
}

// limit lets so many files and bytes be on the file system of the working store.
func (k *killRig) limit(inodes int, size string) {
	k.t.Helper()
	options := fmt.Sprintf("nr_inodes=%d,size=%s", inodes, size)
	if err := syscall.Mount("store", k.work, "tmpfs", syscall.MS_REMOUNT, options); err != nil {
		k.t.Fatalf("%s: %v", options, err)
	}
}

func (k *killRig) used() int {
	k.t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(k.work, &s); err != nil {
		k.t.Fatal(err)
	}
	return int(s.Files - s.Ffree)
}

// TestADiskThatFillsUp: a collection, an undoing and a purge that find no room for one more file, at any point, say so, lose
// nothing, and are made good by the next run.
func TestADiskThatFillsUp(t *testing.T) {
	k := newKillRig(t)
	for _, c := range killedCommands() {
		for _, room := range []int{0, 1, 2, 4, 7, 12, 20, 32, 45} {
			name := fmt.Sprintf("%s, room for %d", strings.Join(c.args, " "), room)
			if err := os.RemoveAll(k.work); err != nil {
				t.Fatal(err)
			}
			unmount := k.mount("store", k.work, "tmpfs", 0, "size=16m,mode=755")
			if out, err := exec.CommandContext(t.Context(), "cp", "-a", k.stores[c.from]+"/.", k.work).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			k.limit(k.used()+room, "16m")
			code, out := k.opsctl(c.args...)
			if code != 0 && (code != 1 || !strings.Contains(out, "no space left on device") || !strings.Contains(out, k.work)) {
				t.Errorf("%s: exit %d: %s", name, code, out)
			}
			if code == 0 && room == 0 && c.args[0] == "gc" {
				t.Errorf("%s: nothing was lacking: this proves nothing", name)
			}
			if code == 0 {
				unmount()
				break
			}
			k.limit(k.used()+room, "16m")
			k.pulled(name)
			k.limit(100000, "16m")
			k.again(&point{c, "mkdirat", room})
			unmount()
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

// pulled has a client pull what lives from a store that is a mount.
func (k *killRig) pulled(when string) {
	k.t.Helper()
	if err := os.Symlink(k.work, k.r.root); err != nil {
		k.t.Fatal(err)
	}
	for _, tag := range k.tags {
		if err := valid(tag); err != nil {
			k.t.Errorf("%s: %v: %v", when, tag, err)
		}
	}
	if err := os.Remove(k.r.root); err != nil {
		k.t.Fatal(err)
	}
}

// TestAFullDiskCanBePurged: purging is what makes room, so it has to do without.
func TestAFullDiskCanBePurged(t *testing.T) {
	k := newKillRig(t)
	if err := os.RemoveAll(k.work); err != nil {
		t.Fatal(err)
	}
	k.mount("store", k.work, "tmpfs", 0, "size=16m,mode=755")
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", k.stores["collected"]+"/.", k.work).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	filler := filepath.Join(k.work, "filler")
	if err := os.WriteFile(filler, make([]byte, 17<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	k.refused(1, collectNow(), "no space left on device", k.work)
	k.pulled("on a full disk")
	k.refused(0, []string{"purge", "--older-than", "0s", "--yes"})
	if left := k.sets(); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	sameTree(t, tree(t, k.work), k.trees["collected"])
}

// TestStoresThatCannotBeCollected: what is wrong is named, and nothing is changed.
func TestStoresThatCannotBeCollected(t *testing.T) {
	k := newKillRig(t)
	k.lay("before")
	here := k.work
	commands := map[string][]string{"gc": collectNow(), "plan": {"gc", "--dry-run"}, "undo": {"undo", "--yes"}, "purge": {"purge", "--yes"}}

	t.Run("a read-only mount", func(t *testing.T) {
		k.t = t
		k.work = filepath.Join(filepath.Dir(here), "read-only")
		k.mount(here, k.work, "", syscall.MS_BIND, "")
		if err := syscall.Mount("", k.work, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skip(err)
		}
		k.refused(1, commands["gc"], "read-only file system", layout.Dir(k.work))
		k.refused(0, commands["plan"])
	})
	t.Run("no registry", func(t *testing.T) {
		k.t, k.work = t, t.TempDir()
		for _, args := range commands {
			k.refused(1, args, "not the root directory of a registry", k.work)
		}
		k.work = filepath.Join(k.work, "missing")
		for _, args := range commands {
			k.refused(1, args, "no such file or directory", k.work)
		}
	})
	t.Run("nothing to undo", func(t *testing.T) {
		k.t, k.work = t, here
		k.refused(1, commands["undo"], k.yard(here))
		k.refused(1, []string{"undo", "20261122T215335.000000Z", "--yes"}, "20261122T215335.000000Z")
		k.refused(1, []string{"undo", "../../etc", "--yes"}, "../../etc")
	})
	t.Run("another user", func(t *testing.T) {
		k.t, k.work = t, here
		if err := os.RemoveAll(k.yard(here)); err != nil {
			t.Fatal(err)
		}
		above := filepath.Dir(here)
		if err := errors.Join(os.Chmod(above, 0o755), os.Chmod(filepath.Dir(above), 0o755), os.Chmod(here, 0o700)); err != nil {
			t.Fatal(err)
		}
		// A registry of another test's may run, which this user cannot look at.
		gc := append(slices.Clone(commands["gc"]), "--stopped")
		k.refusedTo(65534, 5, gc, "permission denied", here)
		// What may be read but not written to.
		open := func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			return os.Chmod(name, 0o755)
		}
		if err := filepath.WalkDir(here, open); err != nil {
			t.Fatal(err)
		}
		k.refusedTo(65534, 5, gc, "permission denied", k.yard(here))
	})
	k.t, k.work = t, here
	want := k.trees["before"]
	for name, line := range tree(t, here) { // modes aside, which the test has changed
		if strings.HasPrefix(line, "-") && line != want[name] {
			t.Errorf("%s is %q, was %q", name, line, want[name])
		}
	}
	if len(tree(t, here)) != len(want) {
		t.Errorf("%d paths, there were %d", len(tree(t, here)), len(want))
	}
}

// refusedTo is refused to another user.
func (k *killRig) refusedTo(uid uint32, code int, args []string, says ...string) {
	k.t.Helper()
	cmd := k.command(args)
	cmd.Env = append(cmd.Env, "HOME=/nonexistent", "XDG_CONFIG_HOME=/nonexistent")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		k.t.Errorf("%v: exit %d, want %d: %s", args, got, code, out)
	}
	for _, text := range says {
		if !strings.Contains(string(out), text) {
			k.t.Errorf("%v: %q is not in %s", args, text, out)
		}
	}
}
