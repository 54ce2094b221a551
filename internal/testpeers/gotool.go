package testpeers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// goProgram is a program that is built through the module proxy.
type goProgram struct {
	name, version string
	pkg           string // its main package
	variable      string // the string that holds the version, import path first
}

// NodeExporter builds a node_exporter that is newer than Debian's, through the module proxy, once: the program's path in the
// cache.
func NodeExporter(ctx context.Context) (string, error) {
	return goProgram{
		name: "node_exporter", version: "1.12.1", pkg: "github.com/prometheus/node_exporter",
		variable: "github.com/prometheus/common/version.Version",
	}.get(ctx)
}

// Distribution3 builds distribution's registry of the 3.1 series, as [NodeExporter] is built. The first time takes minutes.
func Distribution3(ctx context.Context) (string, error) {
	return goProgram{
		name: "registry", version: "3.1.2", pkg: "github.com/distribution/distribution/v3/cmd/registry",
		variable: "github.com/distribution/distribution/v3/version.version",
	}.get(ctx)
}

// RequireDistribution3 is [Distribution3]'s path for a test, which is skipped as [Require] skips it.
func RequireDistribution3(tb testing.TB) string {
	tb.Helper()
	return requireBuilt(tb, Distribution3)
}

// requireBuilt is the path of a program that is built the first time.
func requireBuilt(tb testing.TB, build func(context.Context) (string, error)) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("runs real programs: not with -short")
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Minute)
	defer cancel()
	program, err := build(ctx)
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("OPSCTL_CI") == "":
		tb.Skipf("runs real programs: %v", err)
	default:
		tb.Fatal(err)
	}
	return program
}

func (p goProgram) get(ctx context.Context) (string, error) {
	dir, err := cached(p.name+"-"+p.version, func(work string) error { return p.install(ctx, filepath.Join(work, "out")) })
	return filepath.Join(dir, p.name), err
}

func (p goProgram) install(ctx context.Context, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath",
		"-ldflags", "-s -w -X "+p.variable+"="+p.version, p.pkg+"@v"+p.version)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("building %s %s: %w: %s", p.name, p.version, err, out), ErrMissing)
	}
	return nil
}
