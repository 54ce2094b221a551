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
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "node_exporter-"+version)
	program := filepath.Join(dir, "node_exporter")
	if exists(program) {
		return program, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(program) {
		return program, nil
	}
	work, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath",
		"-ldflags", "-s -w -X github.com/prometheus/common/version.Version="+version, "github.com/prometheus/node_exporter@v"+version)
	cmd.Env = append(os.Environ(), "GOBIN="+work, "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("building node_exporter %s: %w: %s", version, err, out), ErrMissing)
	}
	return program, settle(work, dir)
}
