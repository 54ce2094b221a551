package testpeers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ErrMissing means that this machine lacks what a tree or a box needs: root, a program, or a Debian mirror.
var ErrMissing = errors.New("not available on this machine")

// build makes work/out/root. apt works in a root of its own with an empty status file, so it resolves and verifies the
// whole closure and touches nothing of the machine's.
func (r Recipe) build(ctx context.Context, work string) error {
	for _, program := range []string{"apt-get", "dpkg-deb", "tar"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s: %w", program, ErrMissing)
		}
	}
	mirror, err := debianMirror(ctx)
	if err != nil {
		return err
	}
	debs, err := download(ctx, work, mirror, r.Suite, r.Packages)
	if err != nil {
		return err
	}
	if r.Libc != "" {
		all, err := download(ctx, filepath.Join(work, "libc"), mirror, r.Libc, []string{"libc6"})
		if err != nil {
			return err
		}
		// Last, over the suite's own.
		debs = append(debs, slices.DeleteFunc(all, func(deb string) bool { return !strings.HasPrefix(filepath.Base(deb), "libc6_") })...)
	}
	root := filepath.Join(work, "out", "root")
	if err := layOut(root); err != nil {
		return err
	}
	for _, deb := range debs {
		if r.omits(filepath.Base(deb)) {
			continue
		}
		if err := unpack(ctx, deb, root); err != nil {
			return err
		}
	}
	for _, unused := range []string{"doc", "man", "locale", "info", "lintian", "bash-completion"} {
		if err := os.RemoveAll(filepath.Join(root, "usr/share", unused)); err != nil {
			return err
		}
	}
	return nil
}

// download gets packages of a suite and their dependencies: the paths of the archives, below dir.
func download(ctx context.Context, dir, mirror, suite string, packages []string) ([]string, error) {
	conf, err := writeAptRoot(dir, mirror, suite)
	if err != nil {
		return nil, err
	}
	if err := aptGet(ctx, "-c", conf, "-qq", "update"); err != nil {
		return nil, err
	}
	install := []string{"-c", conf, "-qq", "-y", "--download-only", "install"}
	if err := aptGet(ctx, append(install, packages...)...); err != nil {
		return nil, err
	}
	debs, err := filepath.Glob(filepath.Join(dir, "cache/archives/*.deb"))
	if err != nil || len(debs) == 0 {
		return nil, fmt.Errorf("no packages downloaded: %w", errors.Join(err, ErrMissing))
	}
	return debs, nil
}

func (r Recipe) omits(deb string) bool {
	return slices.ContainsFunc(r.Omit, func(prefix string) bool { return strings.HasPrefix(deb, prefix) })
}

// debianMirror asks apt which mirror the machine uses for Debian itself; OPSCTL_DEBIAN_MIRROR names one where apt knows none.
func debianMirror(ctx context.Context) (string, error) {
	if mirror := os.Getenv("OPSCTL_DEBIAN_MIRROR"); mirror != "" {
		return mirror, nil
	}
	list := func() ([]string, error) {
		out, err := exec.CommandContext(ctx, "apt-get", "indextargets",
			"--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian").Output()
		return strings.Fields(string(out)), err
	}
	mirrors, err := list()
	if err == nil && len(mirrors) == 0 {
		// A fresh machine has no package lists yet, and apt then knows no origins.
		err = aptGet(ctx, "-qq", "update")
		if err == nil {
			mirrors, err = list()
		}
	}
	if err != nil {
		return "", fmt.Errorf("finding the Debian mirror: %w", err)
	}
	if len(mirrors) == 0 {
		return "", fmt.Errorf("a Debian mirror in apt's sources (or OPSCTL_DEBIAN_MIRROR): %w", ErrMissing)
	}
	return mirrors[0], nil
}

// writeAptRoot lays out apt's folders under work and returns the path of their configuration. The machine's own
// configuration stays in force (it may name a proxy), except for the hooks that clean the machine's caches.
func writeAptRoot(work, mirror, suite string) (string, error) {
	for _, dir := range []string{"state/lists/partial", "cache/archives/partial", "etc"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o755); err != nil {
			return "", err
		}
	}
	signed := ""
	if keyring := "/usr/share/keyrings/debian-archive-keyring.gpg"; exists(keyring) {
		signed = "[signed-by=" + keyring + "] "
	}
	conf := fmt.Sprintf(`#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::State %[1]q;
Dir::State::status %[2]q;
Dir::Cache %[3]q;
Dir::Etc::sourcelist %[4]q;
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
`, filepath.Join(work, "state"), filepath.Join(work, "status"), filepath.Join(work, "cache"), filepath.Join(work, "etc/sources.list"))
	files := map[string]string{
		"status":           "",
		"etc/sources.list": fmt.Sprintf("deb %s%s %s main\n", signed, mirror, suite),
		"apt.conf":         conf,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(work, "apt.conf"), nil
}

// layOut makes the merged-usr links before anything is unpacked, and the folders that a box mounts over.
func layOut(root string) error {
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.MkdirAll(filepath.Join(root, "usr", dir), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join("usr", dir), filepath.Join(root, dir)); err != nil {
			return err
		}
	}
	for _, dir := range append(slices.Clone(ownDirs), "dev", "proc", "sys") {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// unpack adds a package's files. dpkg-deb -x would replace the merged-usr links with folders.
func unpack(ctx context.Context, deb, root string) error {
	dpkg := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	tar := exec.CommandContext(ctx, "tar", "-x", "-p", "-C", root, "--keep-directory-symlink", "--warning=no-timestamp")
	pipe, err := dpkg.StdoutPipe()
	if err != nil {
		return err
	}
	tar.Stdin = pipe
	if err := dpkg.Start(); err != nil {
		return err
	}
	out, tarErr := tar.CombinedOutput()
	if err := errors.Join(tarErr, dpkg.Wait()); err != nil {
		return fmt.Errorf("unpacking %s: %w: %s", filepath.Base(deb), err, out)
	}
	return nil
}

func aptGet(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
