package testpeers

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// UnitPackages are Debian packages with services, taken without their dependencies.
func UnitPackages() []string {
	return []string{
		"systemd", "udev", "systemd-timesyncd", "systemd-resolved", "systemd-container", "openssh-server", "cron", "rsyslog", "dbus",
		"prometheus", "prometheus-node-exporter", "prometheus-mysqld-exporter", "prometheus-alertmanager", "prometheus-pushgateway",
		"prometheus-blackbox-exporter", "prometheus-process-exporter", "prometheus-redis-exporter", "prometheus-postgres-exporter",
		"prometheus-nginx-exporter", "mariadb-server", "nginx-common", "nginx", "docker.io", "containerd", "docker-registry", "apache2",
		"postgresql-common", "redis-server", "memcached", "haproxy", "bind9", "chrony", "fail2ban", "etcd-server", "exim4-base",
		"network-manager", "apt", "logrotate", "man-db", "e2fsprogs", "util-linux", "dash", "bash", "coreutils", "procps", "kmod", "init-system-helpers",
		// What the units of the others start.
		"apache2-utils", "dbus-daemon", "dbus-bin", "findutils", "mariadb-server-core", "bind9-utils", "redis-tools", "libc-bin", "quota", "libsystemd-shared",
	}
}

// DebianUnits is the absolute path of a folder in the cache that holds, under their own names, the unit files of
// [UnitPackages], and an empty file for every program of theirs and for systemd's library. A machine that cannot build it gives [ErrMissing].
func DebianUnits(ctx context.Context, suite string) (string, error) {
	sum := sha256.Sum256([]byte("units 2\n" + suite + "\n" + strings.Join(UnitPackages(), " ")))
	dir, err := cached(hex.EncodeToString(sum[:8]), func(work string) error { return buildUnits(ctx, work, suite) })
	if err != nil {
		return "", fmt.Errorf("building the units of %s: %w", suite, err)
	}
	return dir, nil
}

func buildUnits(ctx context.Context, work, suite string) error {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s: %w", program, ErrMissing)
		}
	}
	mirror, err := debianMirror(ctx)
	if err != nil {
		return err
	}
	conf, err := writeAptRoot(work, mirror, suite)
	if err != nil {
		return err
	}
	if err := aptGet(ctx, "-c", conf, "-qq", "update"); err != nil {
		return err
	}
	debs, out := filepath.Join(work, "debs"), filepath.Join(work, "out")
	if err := errors.Join(os.Mkdir(debs, 0o755), os.Mkdir(out, 0o755)); err != nil {
		return err
	}
	// Not every suite has every package.
	known, err := exec.CommandContext(ctx, "apt-cache", "-c", conf, "pkgnames").Output()
	if err != nil {
		return err
	}
	names := strings.Fields(string(known))
	download := exec.CommandContext(ctx, "apt-get", "-c", conf, "-qq", "download")
	for _, name := range UnitPackages() {
		if slices.Contains(names, name) {
			download.Args = append(download.Args, name)
		}
	}
	download.Dir = debs
	if text, err := download.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get download: %w: %s", err, text)
	}
	found, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	for _, dir := range []string{"bin", "sbin", "lib"} {
		if err := os.Symlink("usr/"+dir, filepath.Join(out, dir)); err != nil {
			return err
		}
	}
	for _, deb := range found {
		if err := unpackUnits(ctx, deb, out); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(deb), err)
		}
	}
	return nil
}

// unpackUnits takes units whole, and of programs and links only that they are there.
func unpackUnits(ctx context.Context, deb, out string) error {
	dpkg := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	pipe, err := dpkg.StdoutPipe()
	if err != nil {
		return err
	}
	if err := dpkg.Start(); err != nil {
		return err
	}
	err = eachEntry(tar.NewReader(pipe), out)
	_, drain := io.Copy(io.Discard, pipe)
	return errors.Join(err, drain, dpkg.Wait())
}

func eachEntry(archive *tar.Reader, out string) error {
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Join("/", h.Name)
		for _, top := range []string{"/bin/", "/sbin/", "/lib/"} {
			if strings.HasPrefix(name, top) {
				name = "/usr" + name
			}
		}
		target := filepath.Join(out, name)
		var content io.Reader = strings.NewReader("")
		switch isUnit := strings.HasPrefix(name, "/usr/lib/systemd/system/"); {
		case h.Typeflag == tar.TypeSymlink && strings.HasPrefix(name, "/usr/"):
			if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
				return err
			}
			_ = os.Symlink(h.Linkname, target) // two packages may bring the same
			continue
		case h.Typeflag == tar.TypeReg && isUnit:
			content = archive
		case h.Typeflag == tar.TypeReg && (h.Mode&0o111 != 0 || strings.Contains(name, "/libsystemd-shared-")):
		default:
			continue
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(target, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
		if err != nil {
			return err
		}
		if _, err := io.Copy(f, content); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
}

// RequireUnits is [DebianUnits] for a test, which is skipped as [Require] skips it.
func RequireUnits(tb testing.TB, suite string) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("reads the units of Debian's packages: not with -short")
	}
	dir, err := DebianUnits(tb.Context(), suite)
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("OPSCTL_CI") == "":
		tb.Skipf("reads the units of Debian's packages: %v", err)
	default:
		tb.Fatal(err)
	}
	return dir
}
