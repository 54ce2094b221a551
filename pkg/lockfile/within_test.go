package lockfile_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opsctl/opsctl/pkg/lockfile"
)

func TestALockThatIsGivenUpInTimeIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	synctest.Test(t, func(t *testing.T) {
		first, err := lockfile.Acquire(path)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		time.AfterFunc(3*time.Second, func() {
			if err := first.Release(); err != nil {
				t.Error(err)
			}
		})
		second, err := lockfile.AcquireWithin(t.Context(), path, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 3*time.Second || took > 3100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if err := second.Release(); err != nil {
			t.Error(err)
		}
	})
}

func TestALockThatIsNotGivenUpInTimeNamesItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	synctest.Test(t, func(t *testing.T) {
		lock, err := lockfile.Acquire(path)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = lockfile.AcquireWithin(t.Context(), path, 5*time.Second)
		if _, held := errors.AsType[*lockfile.HeldError](err); !held || time.Since(began) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := lockfile.AcquireWithin(ctx, path, 5*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a context that ends: %v", err)
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatIsNoLockIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if _, err := lockfile.AcquireWithin(t.Context(), filepath.Join(t.TempDir(), "no", "folder"), time.Hour); err == nil || time.Since(began) > 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
