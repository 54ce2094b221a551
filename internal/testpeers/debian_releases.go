package testpeers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"testing"
)

// DebianRelease is one of Debian's programs, packed and named as its own project does it.
type DebianRelease struct {
	Component string
	Version   string // as the program says it, without what Debian adds behind a plus
	project   string // OWNER/REPO
	archive   string // without .tar.gz, also the top folder unless flat
	flat      bool   // nothing but files at the top
	sums      string
	programs  map[string]string // names in the archive, and Debian's
}

// DebianReleases are those of [ExporterPackages]: every component of opsctl's that Debian has.
func DebianReleases() []DebianRelease {
	all := []DebianRelease{
		{Component: "prometheus", Version: "2.42.0", programs: map[string]string{"prometheus": "prometheus", "promtool": "promtool"}},
		{Component: "alertmanager", Version: "0.25.0", programs: map[string]string{"alertmanager": "prometheus-alertmanager", "amtool": "amtool"}},
		{Component: "node_exporter", Version: "1.5.0", programs: map[string]string{"node_exporter": "prometheus-node-exporter"}},
		{Component: "mysqld_exporter", Version: "0.14.0", programs: map[string]string{"mysqld_exporter": "prometheus-mysqld-exporter"}},
		{Component: "pushgateway", Version: "1.5.1", programs: map[string]string{"pushgateway": "prometheus-pushgateway"}},
		{Component: "blackbox_exporter", Version: "0.23.0", programs: map[string]string{"blackbox_exporter": "prometheus-blackbox-exporter"}},
		{
			Component: "process-exporter", Version: "0.7.10", project: "ncabatoff/process-exporter", sums: "checksums.txt",
			programs: map[string]string{"process-exporter": "prometheus-process-exporter"},
		},
		{
			Component: "redis_exporter", Version: "1.45.0-2", project: "oliver006/redis_exporter", archive: "redis_exporter-v1.45.0-2.linux-amd64",
			programs: map[string]string{"redis_exporter": "prometheus-redis-exporter"},
		},
		{
			Component: "postgres_exporter", Version: "0.11.1", project: "prometheus-community/postgres_exporter",
			programs: map[string]string{"postgres_exporter": "prometheus-postgres-exporter"},
		},
		{
			Component: "nginx-prometheus-exporter", Version: "0.11.0-1", project: "nginx/nginx-prometheus-exporter", flat: true,
			archive: "nginx-prometheus-exporter_0.11.0-1_linux_amd64", sums: "nginx-prometheus-exporter_0.11.0-1_checksums.txt",
			programs: map[string]string{"nginx-prometheus-exporter": "prometheus-nginx-exporter"},
		},
	}
	for i := range all {
		r := &all[i]
		if r.project == "" {
			r.project = "prometheus/" + r.Component
		}
		if r.archive == "" {
			r.archive = r.Component + "-" + r.Version + ".linux-amd64"
		}
		if r.sums == "" {
			r.sums = "sha256sums.txt"
		}
	}
	return all
}

// Folder is where a mirror has the release, below its address.
func (r *DebianRelease) Folder() string { return path.Join(r.project, "releases/download/v"+r.Version) }

// DebianMirror is the absolute path of a folder in the cache that holds [DebianReleases] as GitHub lays releases out: a web
// server that lists folders makes a mirror of it. A machine that cannot build it gives [ErrMissing].
func DebianMirror(ctx context.Context) (string, error) {
	tree, err := ExporterPackages().Get(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "mirror 1\n%s\n%v", tree.Recipe.Hash(), DebianReleases()))
	return cached(hex.EncodeToString(sum[:8]), func(work string) error {
		for _, r := range DebianReleases() {
			if err := r.publish(filepath.Join(work, "out", r.Folder()), filepath.Join(tree.Dir, "usr/bin")); err != nil {
				return fmt.Errorf("packing %s: %w", r.Component, err)
			}
		}
		return nil
	})
}

// publish writes the archive and its sums into dir.
func (r *DebianRelease) publish(dir, programs string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file := filepath.Join(dir, r.archive+".tar.gz")
	if err := r.pack(file, programs); err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	// Others' lines stand before it, as where a release has many systems.
	text := fmt.Sprintf("%x  another.tar.gz\n%x  %s\n", sha256.Sum256(nil), sha256.Sum256(data), filepath.Base(file))
	return os.WriteFile(filepath.Join(dir, r.sums), []byte(text), 0o644)
}

func (r *DebianRelease) pack(file, programs string) error {
	top := r.archive
	if r.flat {
		top = ""
	}
	files := map[string]string{}
	for name, debian := range r.programs {
		files[name] = filepath.Join(programs, debian)
	}
	return packTar(file, top, "Apache License, Version 2.0\n", files)
}

// RequireDebianMirror is [DebianMirror] for a test, which is skipped as [Require] skips it.
func RequireDebianMirror(tb testing.TB) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("installs Debian's programs: not with -short")
	}
	dir, err := DebianMirror(tb.Context())
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("OPSCTL_CI") == "":
		tb.Skipf("installs Debian's programs: %v", err)
	default:
		tb.Fatal(err)
	}
	return dir
}
