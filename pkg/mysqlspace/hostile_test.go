package mysqlspace_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
)

// TestDamagedFolders reads a folder whose files were changed at random, again and again: what is wrong is named with its file,
// the rest is there, and nothing takes long.
func TestDamagedFolders(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil)
	if _, err := d.SQL(t.Context(), mysqltest.Tables); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("OPSCTL_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("OPSCTL_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	rounds := 3
	if os.Getenv("OPSCTL_TORTURE") != "" {
		rounds = 60
	}
	named := 0
	for range rounds {
		dir := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"shop", "ibdata1", "aria_log_control"} {
			if out, err := exec.CommandContext(t.Context(), "cp", "-a", filepath.Join(d.Data, name), dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		damage(t, dir, random)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		report, err := mysqlspace.Collect(ctx, mysqlspace.Options{Datadir: dir})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Items) < 10 {
			t.Errorf("%d tables are left", len(report.Items))
		}
		for _, problem := range report.Problems {
			var path *fs.PathError
			var wrong *datadir.WrongError
			if !errors.As(problem, &path) && !errors.As(problem, &wrong) {
				t.Errorf("names no file: %v", problem)
			}
			named++
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if named == 0 {
		t.Error("no damage was found")
	}
}

// damage changes about every other file of the schema, and the system tablespace: bytes, lengths, whole pages.
func damage(t *testing.T, dir string, random *rand.Rand) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || random.IntN(2) == 0 || !strings.Contains(name, "/shop/") && filepath.Base(name) != "ibdata1" {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil || len(b) == 0 {
			return err
		}
		switch random.IntN(4) {
		case 0:
			b = b[:random.IntN(len(b))]
		case 1:
			for range 1 + random.IntN(50) {
				b[random.IntN(len(b))] = byte(random.Uint32())
			}
		case 2: // where headers are
			for range 1 + random.IntN(8) {
				b[random.IntN(min(len(b), 600))] = byte(random.Uint32())
			}
		default:
			n := random.IntN(min(len(b), 16384))
			copy(b[random.IntN(len(b)-n):], b[random.IntN(len(b)-n):][:n])
		}
		return os.WriteFile(name, b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
