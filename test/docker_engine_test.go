package test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/engine"
)

// dockerRig is a real Docker engine, and opsctl beside it.
type dockerRig struct {
	*testpeers.Engine
	t       *testing.T
	api     *engine.Engine
	program string
}

func newDockerRig(t *testing.T) *dockerRig {
	t.Helper()
	r := &dockerRig{Engine: testpeers.RequireEngine(t), t: t}
	if err := r.ImportRegistry(t.Context(), "registry:2"); err != nil {
		t.Fatal(err)
	}
	if r.program = os.Getenv("OPSCTL_BIN"); r.program == "" {
		r.program = buildOpsctl(t, t.TempDir())
	}
	r.api = r.connect(map[string]string{"DOCKER_HOST": "unix://" + r.Socket})
	return r
}

func (r *dockerRig) connect(env map[string]string) *engine.Engine {
	r.t.Helper()
	e, err := engine.Connect(r.t.Context(), func(name string) string { return env[name] })
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = e.Close() })
	return e
}

// docker runs the docker program.
func (r *dockerRig) docker(args ...string) string {
	r.t.Helper()
	return must[string](r.t)(r.Docker(r.t.Context(), args...))
}

// TestDockerContexts: opsctl finds the engine where the docker program does, by the files which that writes.
func TestDockerContexts(t *testing.T) {
	r := newDockerRig(t)
	config := filepath.Join(r.Dir, "config")
	proxy, files := tlsProxy(t, r.Socket, r.Dir)
	nameless := strings.Replace(proxy, "127.0.0.1", "localhost", 1) // not in the certificate
	r.docker("--config", config, "context", "create", "socket", "--docker", "host=unix://"+r.Socket)
	r.docker("--config", config, "context", "create", "far", "--docker", "host=tcp://"+proxy+","+files)
	r.docker("--config", config, "context", "create", "lax", "--docker", "host=tcp://"+nameless+","+strings.Join(strings.Split(files, ",")[1:], ",")+",skip-tls-verify=true")
	r.docker("--config", config, "context", "create", "distrusting", "--docker", "host=tcp://"+proxy)
	r.docker("--config", config, "context", "use", "far")
	for name, tt := range map[string]struct {
		env  map[string]string
		host string
	}{
		"the current context":                {map[string]string{"DOCKER_CONFIG": config}, "tcp://" + proxy},
		"the one that DOCKER_CONTEXT names":  {map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "socket"}, "unix://" + r.Socket},
		"one whose server is not verified":   {map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "lax"}, "tcp://" + nameless},
		"DOCKER_HOST, before any context":    {map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "far", "DOCKER_HOST": "unix://" + r.Socket}, "unix://" + r.Socket},
		"DOCKER_HOST with its certificates":  {map[string]string{"DOCKER_HOST": "tcp://" + proxy, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": r.Dir}, "tcp://" + proxy},
		"certificates that are not verified": {map[string]string{"DOCKER_HOST": "tcp://" + nameless, "DOCKER_CERT_PATH": r.Dir}, "tcp://" + nameless},
	} {
		t.Run(name, func(t *testing.T) {
			e := r.connect(tt.env)
			if _, err := e.Image(t.Context(), "registry:2"); err != nil || e.Host() != tt.host || e.Local() != strings.HasPrefix(tt.host, "unix") {
				t.Errorf("%s: %v", e.Host(), err)
			}
		})
	}
	for name, tt := range map[string]struct {
		env  map[string]string
		want error
	}{
		"a context without the authority": {map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "distrusting"}, engine.ErrUnreachable},
		"a certificate for another name":  {map[string]string{"DOCKER_HOST": "tcp://" + nameless, "DOCKER_CERT_PATH": r.Dir, "DOCKER_TLS_VERIFY": "1"}, engine.ErrUnreachable},
		"an unknown context":              {map[string]string{"DOCKER_CONFIG": config, "DOCKER_CONTEXT": "none"}, engine.ErrContext},
		"nothing that listens":            {map[string]string{"DOCKER_HOST": "unix:///nowhere"}, engine.ErrUnreachable},
		"what is no address":              {map[string]string{"DOCKER_HOST": "nowhere"}, engine.ErrContext},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := engine.Connect(t.Context(), func(name string) string { return tt.env[name] }); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// tlsProxy gives an engine's socket a TCP address that asks for a certificate: the address, and what the docker program's context
// wants to know. The files in dir are named as in DOCKER_CERT_PATH.
func tlsProxy(t *testing.T, socket, dir string) (address, files string) {
	t.Helper()
	pair := writeCertificate(t, dir)
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				to, err := net.Dial("unix", socket)
				if err != nil {
					return
				}
				go func() { _, _ = io.Copy(to, conn); _ = to.Close() }()
				_, _ = io.Copy(conn, to)
			}()
		}
	}()
	return listener.Addr().String(), "ca=" + dir + "/ca.pem,cert=" + dir + "/cert.pem,key=" + dir + "/key.pem"
}

// writeCertificate writes ca.pem, cert.pem and key.pem into dir: one certificate that stands for itself, for 127.0.0.1, servers and clients.
func writeCertificate(t *testing.T, dir string) tls.Certificate {
	t.Helper()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "registry"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))})
	for name, text := range map[string][]byte{"ca.pem": certificate, "cert.pem": certificate, "key.pem": private} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return must[tls.Certificate](t)(tls.X509KeyPair(certificate, private))
}

// TestDockerRun: a program in a container of its own gets its input and gives its outputs and its exit code, sees the
// volumes of another container, and leaves nothing.
func TestDockerRun(t *testing.T) {
	r := newDockerRig(t)
	if err := r.ImportShell(t.Context(), "shell:1"); err != nil {
		t.Fatal(err)
	}
	r.docker("create", "--name", "from", "--read-only", "-v", "data:/data", "registry:2")
	for name, tt := range map[string]struct {
		stdin, script  string
		readOnly       bool
		exit           int
		stdout, stderr string
	}{
		"both outputs and an exit code": {"", "echo out; echo err >&2; exit 3", false, 3, "out\n", "err\n"},
		"input to its end":              {strings.Repeat("line\n", 100_000), "cat | md5sum", false, 0, "4b5c47477bbac8992909fdf3f527939b  -\n", ""},
		"input that is not read":        {strings.Repeat("line\n", 100_000), "echo done", false, 0, "done\n", ""},
		"no input":                      {"", "cat; echo end", false, 0, "end\n", ""},
		"a volume that it may write":    {"", "echo kept >/data/file; cat /data/file", false, 0, "kept\n", ""},
		"a volume that it may not":      {"", "echo kept >/data/other || echo no", true, 0, "no\n", "/bin/sh: can't create /data/other: Read-only file system\n"},
		"no network":                    {"", "cat /proc/net/dev | wc -l", false, 0, "3\n", ""},
		"only /tmp to write":            {"", "echo x >/tmp/x && echo x >/x || echo no", false, 0, "no\n", "/bin/sh: can't create /x: Read-only file system\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			job := engine.Run{Image: "shell:1", Args: []string{"-c", tt.script}, VolumesFrom: "from", ReadOnly: tt.readOnly, Stdout: &out, Stderr: &errOut}
			if tt.stdin != "" {
				job.Stdin = strings.NewReader(tt.stdin)
			}
			exit, err := r.api.Run(t.Context(), job)
			if exit != tt.exit || out.String() != tt.stdout || errOut.String() != tt.stderr || err != nil {
				t.Errorf("exit %d, %q, %q, %v", exit, out.String(), errOut.String(), err)
			}
		})
	}
	t.Run("one that is told to end", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		said := &cancelOn{cancel: cancel}
		job := engine.Run{Image: "shell:1", Args: []string{"-c", "trap 'echo ended; exit 7' TERM; echo ready; while :; do sleep 0.01; done"}, Stdout: said}
		exit, err := r.api.Run(ctx, job)
		if exit != 7 || said.String() != "ready\nended\n" || !errors.Is(err, context.Canceled) {
			t.Errorf("exit %d, %q, %v", exit, said, err)
		}
	})
	t.Run("an image that is not there", func(t *testing.T) {
		if _, err := r.api.Run(t.Context(), engine.Run{Image: "none:1"}); !errors.Is(err, engine.ErrNoImage) {
			t.Error(err)
		}
	})
	if got := r.docker("ps", "-a", "--format", "{{.Names}}"); got != "from" {
		t.Errorf("containers are left: %s", got)
	}
}

// cancelOn ends a context at the first output.
type cancelOn struct {
	strings.Builder
	cancel func()
}

func (c *cancelOn) Write(b []byte) (int, error) {
	c.cancel()
	return c.Builder.Write(b)
}

// TestDockerRunSelf: opsctl runs itself beside the volumes of a container, though that has a file system which cannot be
// written, and takes its image away.
func TestDockerRunSelf(t *testing.T) {
	r := newDockerRig(t)
	r.docker("volume", "create", "data")
	store := r.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "data")
	if err := os.CopyFS(store, os.DirFS("../testdata/registry/store")); err != nil {
		t.Fatal(err)
	}
	r.docker("run", "-d", "--read-only", "--name", "registry", "-v", "data:/var/lib/registry", "registry:2")
	r.docker("create", "--name", "stopped", "-v", "data:/var/lib/registry", "registry:2")
	self := engine.Self{Path: r.program, Version: "1.2.3+dirty"}
	for _, from := range []string{"registry", "stopped"} {
		var out, errOut bytes.Buffer
		exit, err := r.api.RunSelf(t.Context(), self, engine.Run{
			Args: []string{"registry", "ls", "--root", "/var/lib/registry", "-o", "name"}, VolumesFrom: from, ReadOnly: true, Stdout: &out, Stderr: &errOut,
		})
		want := "prod/app\nteam/app\nteam/app/multi\n"
		if exit != 0 || out.String() != want || errOut.String() != "" || err != nil {
			t.Errorf("exit %d, %q, %q, %v", exit, out.String(), errOut.String(), err)
		}
	}
	exit, err := r.api.RunSelf(t.Context(), self, engine.Run{Args: []string{"registry", "ls", "--root", "/nowhere"}, VolumesFrom: "registry"})
	if exit != 1 || err != nil {
		t.Errorf("exit %d, %v", exit, err)
	}
	// Several at a time share the image, and the last one takes it away.
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			exit, err := r.api.RunSelf(t.Context(), self, engine.Run{Args: []string{"version"}, VolumesFrom: "registry"})
			if exit != 0 || err != nil {
				t.Errorf("exit %d, %v", exit, err)
			}
		})
	}
	all.Wait()
	if got := r.docker("images", "--format", "{{.Repository}}"); got != "registry" {
		t.Errorf("images are left: %s", got)
	}
	if got := r.docker("ps", "-aq"); len(strings.Fields(got)) != 2 {
		t.Errorf("containers are left: %s", got)
	}
}
