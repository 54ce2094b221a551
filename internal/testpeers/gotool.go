package testpeers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// NodeExporter builds a node_exporter that is newer than Debian's, through the module proxy, once: the program's path in the
// cache.
func NodeExporter(ctx context.Context) (string, error) {
	const version = "1.12.1"
	dir, err := cached("node_exporter-"+version, func(work string) error { return goInstall(ctx, filepath.Join(work, "out"), version) })
	return filepath.Join(dir, "node_exporter"), err
}

func goInstall(ctx context.Context, dir, version string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath",
		"-ldflags", "-s -w -X github.com/prometheus/common/version.Version="+version, "github.com/prometheus/node_exporter@v"+version)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("building node_exporter %s: %w: %s", version, err, out), ErrMissing)
	}
	return nil
}
