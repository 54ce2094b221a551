package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace/reclaim"
)

// TestFitsIsTrue keeps a server's files and its sort files on a small file system of their own. A rebuild that the plan says
// fits is done with little more than the room that it names; one that it says does not fit meets the end of the disk, and
// the table stays whole.
func TestFitsIsTrue(t *testing.T) {
	mount := loopMount(t, 512<<20)
	tmp := filepath.Join(mount, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := testpeers.StartMariaDBOn(t.Context(), testpeers.RequireTree(t, testpeers.MariaDBPackages()), testpeers.Folder{Path: filepath.Join(mount, "data")},
		"--tmpdir="+tmp, "--innodb-flush-log-at-trx-commit=0", "--innodb-temp-data-file-path=ibtmp1:1M:autoextend")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	sql(t, d, `create database shop; use shop; create table t (id int primary key, k int, v varchar(200), key kv (k, v)) engine=innodb;
insert into t select seq, rand(1) * 1e9, repeat(md5(seq), 4) from seq_1_to_120000; delete from t where id % 5 < 2; set global innodb_max_purge_lag_wait = 0;
flush tables shop.t for export; unlock tables`)

	step, free := rebuildOf(t, d), available(t, mount)
	var low, high int64
	for _, need := range step.Needs {
		low, high = low+need.LowBytes, high+need.HighBytes
	}
	t.Logf("the plan needs %d to %d MiB and frees %d MiB; %d MiB are free", low>>20, high>>20, step.FreesBytes>>20, free>>20)
	if low <= 8<<20 || step.Fits != reclaim.Yes {
		t.Fatalf("%+v", step)
	}
	ballast := filepath.Join(mount, "ballast")
	fill(t, ballast, free-low*9/10)
	if step := rebuildOf(t, d); step.Fits != reclaim.No {
		t.Errorf("with %d MiB free the plan says %s", available(t, mount)>>20, step.Fits)
	}
	if _, err := d.SQL(t.Context(), step.Commands[0].Text); err == nil {
		t.Error("a rebuild that does not fit was done")
	} else {
		t.Log(strings.TrimSpace(err.Error()))
	}
	if rows := sql(t, d, "select count(*) from shop.t"); rows != "72000" {
		t.Errorf("%s rows are left of 72000", rows)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	const slack = 6 << 20 // undo, redo and the server's own tables
	fill(t, ballast, available(t, mount)-high-slack)
	if step = rebuildOf(t, d); step.Fits != reclaim.Yes {
		t.Errorf("with %d MiB free the plan says %s", available(t, mount)>>20, step.Fits)
	}
	sql(t, d, step.Commands[0].Text)
	if rows := sql(t, d, "select count(*) from shop.t"); rows != "72000" {
		t.Errorf("%s rows are left of 72000", rows)
	}
}

// rebuildOf is the plan's step for shop.t.
func rebuildOf(t *testing.T, d *testpeers.Database) reclaim.Step {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), opsctlProgram(t), "mysql", "reclaim", "--no-defaults", "-S", d.Socket, "-u", "root", "--schema", "shop", "-o", "json", "-q").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var plan reclaim.Plan
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatal(err)
	}
	if len(plan.Steps) != 1 || plan.Steps[0].Table != "t" || len(plan.Steps[0].Commands) == 0 {
		t.Fatalf("%s", out)
	}
	return plan.Steps[0]
}

// loopMount makes a file system of size bytes, unmounted with the test.
func loopMount(t *testing.T, size int64) string {
	t.Helper()
	testpeers.RequireProgram(t, "mkfs.ext4")
	if os.Geteuid() != 0 {
		t.Skip("only root mounts")
	}
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	if err := errorsOf(os.WriteFile(image, nil, 0o600), os.Truncate(image, size)); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-m", "0", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", command, err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func available(t *testing.T, dir string) int64 {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	return int64(st.Bavail) * st.Frsize
}

// fill takes bytes of a file system.
func fill(t *testing.T, path string, bytes int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(unix.Fallocate(int(f.Fd()), 0, 0, bytes), f.Close()); err != nil {
		t.Fatalf("taking %d bytes: %v", bytes, err)
	}
}
