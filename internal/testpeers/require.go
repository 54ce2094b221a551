package testpeers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Require returns a box over the recipe's tree, closed with the test. In -short mode, and where the machine cannot build
// or run it, the test is skipped with the reason; when OPSCTL_CI is set a missing program fails instead.
func Require(tb testing.TB, recipe Recipe) *Box {
	tb.Helper()
	if testing.Short() {
		tb.Skip("runs the real sshd: not with -short")
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Minute)
	defer cancel()
	box, err := open(ctx, recipe)
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("OPSCTL_CI") == "":
		tb.Skipf("runs the real sshd: %v", err)
	default:
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := box.Close(); err != nil {
			tb.Error(err)
		}
	})
	return box
}

func open(ctx context.Context, recipe Recipe) (*Box, error) {
	if os.Geteuid() != 0 {
		return nil, errors.Join(errors.New("only root can chroot"), ErrMissing)
	}
	tree, err := recipe.Get(ctx)
	if err != nil {
		return nil, err
	}
	return NewBox(ctx, tree, "web01")
}

// RequireTree is a recipe's tree for a test, which is skipped as [Require] skips it.
func RequireTree(tb testing.TB, recipe Recipe) *Tree {
	tb.Helper()
	if testing.Short() {
		tb.Skip("runs real programs: not with -short")
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Minute)
	defer cancel()
	tree, err := recipe.Get(ctx)
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("OPSCTL_CI") == "":
		tb.Skipf("runs real programs: %v", err)
	default:
		tb.Fatal(err)
	}
	return tree
}

// RequireProgram is for a test that runs a program of this machine, which .ci/need names: without it the test is skipped, and
// fails when OPSCTL_CI is set.
func RequireProgram(tb testing.TB, name string) {
	tb.Helper()
	_, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("OPSCTL_CI") == "":
		tb.Skipf("runs %s: %v", name, err)
	default:
		tb.Fatal(err)
	}
}
