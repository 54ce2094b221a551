package testpeers

import (
	"context"
	"os"
	"path/filepath"
)

// BackendPackages holds nginx 1.22 and Redis 7.0, for [Machine.StartBackends].
func BackendPackages() Recipe {
	return Recipe{
		Suite:    "bookworm",
		Packages: []string{"nginx", "redis-server"},
		Omit: []string{
			"perl", "libperl", "usrmerge", "libfile-find", "libtext-glob", "libnumber-compare", "debconf", "adduser", "passwd", "iproute2",
			"sysvinit-utils", "init-system-helpers", "libpam", "login", "libsemanage", "libsepol", "libaudit", "libbpf", "libdb",
		},
	}
}

// nginxConfig answers with ngx_http_stub_status_module's page where its exporter looks for it.
const nginxConfig = `error_log stderr;
pid /run/nginx.pid;
daemon off;
events {}
http {
	access_log off;
	server {
		listen 127.0.0.1:8080;
		location = /stub_status { stub_status; }
	}
}
`

// StartBackends runs nginx and Redis in the machine, as services: nginx's state at http://127.0.0.1:8080/stub_status, Redis at
// port 6379 with that password. tree is that of [BackendPackages], and tree.Dir was bound into the machine when it booted. They may take a moment
// to answer, and end with the machine.
func (m *Machine) StartBackends(ctx context.Context, tree *Tree, password string) error {
	for _, dir := range []string{"/var/lib/nginx", "/var/log/nginx"} {
		if err := os.MkdirAll(m.Path(dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(m.Path("/etc/nginx.conf"), []byte(nginxConfig), 0o644); err != nil {
		return err
	}
	// Not on the command line: tests look whether a password shows anywhere.
	const redisConfig = "/root/redis.conf"
	if err := os.WriteFile(m.Path(redisConfig), []byte("bind 127.0.0.1\nport 6379\nsave \"\"\nrequirepass "+password+"\n"), 0o600); err != nil {
		return err
	}
	libraries := filepath.Join(tree.Dir, "usr/lib/x86_64-linux-gnu")
	for _, argv := range [][]string{
		{"usr/sbin/nginx", "-c", "/etc/nginx.conf", "-e", "stderr"},
		{"usr/bin/redis-server", redisConfig},
	} {
		// The tree's own loader: the machine may have older libraries, or none.
		args := []string{
			"--quiet", "--collect", "--unit=" + filepath.Base(argv[0]), "--property=Type=exec",
			filepath.Join(libraries, "ld-linux-x86-64.so.2"), "--library-path", libraries, filepath.Join(tree.Dir, argv[0]),
		}
		if _, err := m.Run(ctx, "systemd-run", append(args, argv[1:]...)...); err != nil {
			return err
		}
	}
	return nil
}
