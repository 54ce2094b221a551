package testpeers

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
)

// ImageFile is a regular file of an image.
type ImageFile struct {
	Name string // "/bin/registry"
	From string // a path on this machine, symbolic links followed; "" for Text
	Text string
	Mode int64
}

// libraries are the loader, libc, and what more a program of [EnginePackages] is linked to.
func libraries(more ...string) []ImageFile {
	files := []ImageFile{{Name: "/lib64/ld-linux-x86-64.so.2", From: "lib64/ld-linux-x86-64.so.2", Mode: 0o755}}
	for _, name := range append([]string{"libc.so.6", "libresolv.so.2"}, more...) {
		path := "lib/x86_64-linux-gnu/" + name
		files = append(files, ImageFile{Name: "/" + path, From: path, Mode: 0o755})
	}
	return files
}

// RegistryConfig is the configuration of the official image registry:2, but for its debugging port.
const RegistryConfig = `version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`

// ImportRegistry makes the image ref of Debian's docker-registry, as the official registry:2 is laid out.
func (e *Engine) ImportRegistry(ctx context.Context, ref string) error {
	return e.Import(ctx, ref, []string{
		`ENTRYPOINT ["/bin/registry"]`, `CMD ["serve", "/etc/docker/registry/config.yml"]`,
		"ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "EXPOSE 5000/tcp", "VOLUME /var/lib/registry",
	}, append(
		libraries(),
		ImageFile{Name: "/bin/registry", From: "usr/bin/docker-registry", Mode: 0o755},
		ImageFile{Name: "/etc/docker/registry/config.yml", Text: RegistryConfig, Mode: 0o644},
	)...)
}

// proxyScript stands in for the start of docker-registry-ui: like that image it has nginx pass on what is below /v2 to what
// NGINX_PROXY_PASS_URL names. The environment can be read at /env.
const proxyScript = `mkdir -p /www /var/log/nginx /var/lib/nginx
env >/www/env
cat >/nginx.conf <<END
user root;
daemon off;
error_log stderr;
pid /nginx.pid;
events {}
http {
	access_log off;
	server {
		listen 80;
		${NGINX_RESOLVER:+resolver $NGINX_RESOLVER;}
		location / { root /www; }
		location /v2 {
			proxy_http_version 1.1;
			proxy_pass $NGINX_PROXY_PASS_URL;
		}
	}
}
END
exec nginx -c /nginx.conf
`

// ImportUI makes the image ref, a stand-in for joxit/docker-registry-ui: its program, configured by the same variables.
func (e *Engine) ImportUI(ctx context.Context, ref string) error {
	files := append(
		libraries("libcrypt.so.1", "libpcre2-8.so.0", "libssl.so.3", "libcrypto.so.3", "libz.so.1"),
		ImageFile{Name: "/bin/nginx", From: "usr/sbin/nginx", Mode: 0o755},
		ImageFile{Name: "/etc/passwd", Text: "root:x:0:0::/:/bin/sh\n", Mode: 0o644},
		ImageFile{Name: "/etc/group", Text: "root:x:0:\n", Mode: 0o644},
		ImageFile{Name: "/start.sh", Text: proxyScript, Mode: 0o644},
	)
	return e.Import(ctx, ref, []string{`ENTRYPOINT ["/bin/sh", "/start.sh"]`, "ENV PATH=/bin", "EXPOSE 80/tcp"}, append(files, shell()...)...)
}

// ImportShell makes the image ref, whose entrypoint is a shell.
func (e *Engine) ImportShell(ctx context.Context, ref string) error {
	return e.Import(ctx, ref, []string{`ENTRYPOINT ["/bin/sh"]`, "ENV PATH=/bin"}, append(libraries(), shell()...)...)
}

// shell is busybox under the names that scripts of the tests use.
func shell() []ImageFile {
	var files []ImageFile
	for _, name := range []string{"sh", "env", "mkdir", "cat", "md5sum", "sleep", "wc"} {
		files = append(files, ImageFile{Name: "/bin/" + name, From: "bin/busybox", Mode: 0o755})
	}
	return files
}

// Import makes an image by `docker import`. A file's From is relative to the tree of [EnginePackages], or absolute.
func (e *Engine) Import(ctx context.Context, ref string, changes []string, files ...ImageFile) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		content := []byte(f.Text)
		if f.From != "" {
			path := f.From
			if !filepath.IsAbs(path) {
				path = filepath.Join(e.tree.Dir, path)
			}
			var err error
			if content, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		head := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(f.Name, "/"), Mode: f.Mode, Size: int64(len(content))}
		if err := w.WriteHeader(head); err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	args := []string{"import"}
	for _, change := range changes {
		args = append(args, "--change", change)
	}
	args = append(args, "-", ref)
	cmd := e.docker(ctx, args...)
	cmd.Stdin = &archive
	_, err := output(cmd, "docker", args)
	return err
}
