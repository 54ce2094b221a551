package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"golang.org/x/crypto/bcrypt"

	"github.com/opsctl/opsctl/pkg/registry/layout"
	api "github.com/opsctl/opsctl/pkg/registry/remote"
	"github.com/opsctl/opsctl/pkg/registry/usage"
)

// eachRegistry runs a test of the program against each registry that [eachProgram] knows.
func eachRegistry(t *testing.T, test func(c *cli, program string)) {
	t.Helper()
	opsctl := buildOpsctl(t, t.TempDir())
	eachProgram(t, func(t *testing.T, program string) {
		t.Helper()
		test(&cli{t, opsctl, t.TempDir()}, program)
	})
}

// again starts another registry over the same folder, with a configuration of its own for what is below http: and lines beside.
func (r *realRegistry) again(http, beside string) *realRegistry {
	r.t.Helper()
	dir := r.t.TempDir()
	other := &realRegistry{t: r.t, program: r.program, conf: filepath.Join(dir, "config.yml"), root: r.root, addr: freeAddr(r.t)}
	conf := fmt.Sprintf("version: 0.1\nlog: {level: info}\nstorage:\n  filesystem: {rootdirectory: %s}\nhttp:\n  addr: %q\n%s%s",
		r.root, other.addr, http, beside)
	if err := os.WriteFile(other.conf, []byte(conf), 0o644); err != nil {
		r.t.Fatal(err)
	}
	other.start()
	return other
}

// outcome is what a run of opsctl left.
type outcome struct {
	code           int
	stdout, stderr string
}

// cli runs opsctl in a home of its own.
type cli struct {
	t             *testing.T
	program, home string
}

func (c *cli) run(args ...string) outcome {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), c.program, args...)
	cmd.Env = []string{"HOME=" + c.home, "PATH=" + c.home + ":" + os.Getenv("PATH")}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	o := outcome{stdout: string(stdout), stderr: stderr.String()}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		o.code = exit.ExitCode()
	} else if err != nil {
		c.t.Fatal(err)
	}
	return o
}

// want runs opsctl and wants an exit code, and a text on standard error where one is given.
func (c *cli) want(code int, stderr string, args ...string) string {
	c.t.Helper()
	o := c.run(args...)
	if o.code != code || !strings.Contains(o.stderr, stderr) {
		c.t.Errorf("opsctl %s: exit code %d, want %d with %q\n%s%s", strings.Join(args, " "), o.code, code, stderr, o.stdout, o.stderr)
	}
	return o.stdout
}

// login keeps credentials as docker login does.
func (c *cli) login(host, user, password string) {
	c.t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	c.dockerConfig(fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, auth))
}

func (c *cli) dockerConfig(config string) {
	c.t.Helper()
	if err := os.MkdirAll(filepath.Join(c.home, ".docker"), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.home, ".docker/config.json"), []byte(config), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// document reads JSON output.
func document[T any](t *testing.T, stdout string) T {
	t.Helper()
	var doc T
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return doc
}

type listed struct {
	Items []struct {
		Name   string
		Digest string
		Tags   int
	}
}

// TestAPIShowsWhatTheFoldersHold: over the API ls and du say what they say of the folder, of a store without untagged manifests.
func TestAPIShowsWhatTheFoldersHold(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, "")
		base := r.random()
		r.image("a/app:v1", r.on(base))
		signed := r.image("a/app:v2", r.on(base))
		r.sign("a/app", signed)
		r.image("a/app/nested:v1", r.on(base))
		r.index("b/multi:v1", must[v1.ImageIndex](t)(random.Index(300, 2, 3)))
		r.image("b/multi:plain", base)
		for _, args := range [][]string{{"ls", "-o", "name"}, {"ls", "a/app", "-o", "name"}, {"du", "-o", "csv"}, {"du", "a/app", "-o", "csv"}, {"du", "b/multi", "-o", "csv"}} {
			args = append([]string{"registry"}, args...)
			folders := c.want(0, "", append(slices.Clone(args), "--root", r.root)...)
			over := c.want(0, "", append(slices.Clone(args), "--registry", r.addr)...)
			if folders != over || folders == "" {
				t.Errorf("%s: of the folders\n%s over the API\n%s", strings.Join(args, " "), folders, over)
			}
		}
		tags := document[listed](t, c.want(0, "", "registry", "ls", r.addr+"/a/app", "-o", "json"))
		if len(tags.Items) != 3 || tags.Items[1].Digest == "" || tags.Items[2].Digest != r.digest(signed).String() {
			t.Error(tags)
		}
		layer := must[[]v1.Layer](t)(base.Layers())[0]
		d := must[v1.Hash](t)(layer.Digest()).String()
		said := c.want(0, "", "registry", "explain", d, "--registry", r.addr, "-o", "json")
		of := c.want(0, "", "registry", "explain", d, "--root", r.root, "-o", "json")
		type explanation struct {
			Present bool
			Bytes   int64
			Reasons []struct {
				Repository string
				Tags       []string
			}
		}
		if a, b := fmt.Sprint(document[explanation](t, said)), fmt.Sprint(document[explanation](t, of)); a != b || !strings.HasPrefix(a, "{true ") {
			t.Errorf("explain over the API: %s\nof the folders: %s", a, b)
		}
		c.want(1, "over the API only what tags lead to", "registry", "explain", "sha256:"+strings.Repeat("0", 64), "--registry", r.addr)
		c.want(1, "no such repository", "registry", "ls", "none", "--registry", r.addr)
		c.want(1, "no such repository", "registry", "du", "none", "--registry", r.addr)
	})
}

// TestAPIReadsAllPages: more repositories than a page has, and more than the registry gives at a time.
func TestAPIReadsAllPages(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, "")
		img, want := r.random(), map[string]int{}
		for i := range 130 {
			name := fmt.Sprintf("team-%d/app", i)
			r.image(name+":v1", img)
			want[name] = 1
		}
		for i := range 30 {
			r.image(fmt.Sprintf("team-7/app:t%d", i), img)
		}
		want["team-7/app"] += 30
		few := r.again("", "catalog: {maxentries: 20}\n")
		for _, addr := range []string{r.addr, few.addr} {
			for _, page := range []int{0, 7, 130} {
				registry := must[*api.Registry](t)(api.Open(t.Context(), addr, api.Options{Page: page}))
				view := registry.View(t.Context(), false)
				rows, problems, err := usage.Repositories(t.Context(), view, 4, usage.ByNames(view.TagNames))
				if err != nil || problems != nil {
					t.Fatal(problems, err)
				}
				got := map[string]int{}
				for _, row := range rows {
					got[row.Name] = row.Tags
				}
				if !maps.Equal(got, want) || len(rows) != len(want) {
					t.Errorf("%s, pages of %d: %d repositories: %v", addr, page, len(rows), got)
				}
			}
		}
	})
}

// TestAPILogsIn with what docker login keeps, with a credential helper, and not at all.
func TestAPILogsIn(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, "")
		r.image("a/app:v1", r.random())
		hash := must[[]byte](t)(bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost))
		htpasswd := filepath.Join(t.TempDir(), "htpasswd")
		if err := os.WriteFile(htpasswd, []byte("alice:"+string(hash)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		closed := r.again("", fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}\n", htpasswd))
		ls := []string{"registry", "ls", "--registry", closed.addr, "-o", "name"}
		c.want(5, "docker login", ls...)
		c.login(closed.addr, "alice", "wrong")
		c.want(5, "refuses access", ls...)
		c.login(closed.addr, "alice", "secret")
		if got := c.want(0, "", ls...); got != "a/app\n" {
			t.Error(got)
		}
		// Changing something is a login of its own; this registry deletes nothing.
		c.want(1, "storage.delete.enabled", "registry", "rm", closed.addr+"/a/app:v1", "--yes")
		helper := "#!/bin/sh\nread host\necho \"{\\\"Username\\\":\\\"alice\\\",\\\"Secret\\\":\\\"secret\\\"}\"\n"
		if err := os.WriteFile(filepath.Join(c.home, "docker-credential-sample"), []byte(helper), 0o700); err != nil {
			t.Fatal(err)
		}
		c.dockerConfig(fmt.Sprintf(`{"credHelpers": {%q: "sample"}}`, closed.addr))
		if got := c.want(0, "", "registry", "ls", closed.addr+"/a/app", "-o", "name"); got != "v1\n" {
			t.Error(got)
		}
	})
}

// TestAPIWantsTLS: a certificate is trusted with --ca-file, and plain http is for loopback.
func TestAPIWantsTLS(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, "")
		r.image("a/app:v1", r.random())
		cert, key := certificate(t, t.TempDir())
		secure := r.again(fmt.Sprintf("  tls: {certificate: %s, key: %s}\n", cert, key), "")
		c.want(1, "--ca-file", "registry", "ls", "--registry", secure.addr)
		if got := c.want(0, "", "registry", "ls", "--registry", secure.addr, "--ca-file", cert, "-o", "name"); got != "a/app\n" {
			t.Error(got)
		}
		if got := c.want(0, "", "registry", "du", secure.addr+"/a/app", "--ca-file", cert, "-o", "name"); got != "v1\n" {
			t.Error(got)
		}
		c.want(1, "no certificate in PEM form", "registry", "ls", "--registry", secure.addr, "--ca-file", key)
	})
}

// TestAPIGoesOnPastWhatIsBroken: a tag that cannot be read is a problem, and the rest is listed.
func TestAPIGoesOnPastWhatIsBroken(t *testing.T) {
	r := startRegistry(t)
	r.image("a/app:good", r.random())
	r.image("a/app:broken", r.random())
	r.image("b/app:v1", r.random())
	link := filepath.Join(layout.Dir(r.root), "repositories/a/app/_manifests/tags/broken/current/link")
	if err := os.WriteFile(link, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := &cli{t, buildOpsctl(t, t.TempDir()), t.TempDir()}
	if got := c.want(4, "a/app:broken", "registry", "ls", "a/app", "--registry", r.addr, "-o", "name"); got != "good\n" {
		t.Error(got)
	}
	if got := c.want(4, "a/app:broken", "registry", "du", "--registry", r.addr, "-o", "name"); got != "a/app\nb/app\n" {
		t.Error(got)
	}
}

// certificate makes a self-signed one for the loopback: the paths of it and its key.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	pair := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, form, form, &pair.PublicKey, pair))
	secret := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(pair))
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
