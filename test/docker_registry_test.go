package test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/crypto/bcrypt"

	"github.com/opsctl/opsctl/pkg/registry/deploy"
)

// opsctl runs the program where the engine's addresses are, without a terminal.
func (r *dockerRig) opsctl(args ...string) (exit int, stdout, stderr string) {
	r.t.Helper()
	cmd := r.Within(r.t.Context(), r.program, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode(), out.String(), errOut.String()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return 0, out.String(), errOut.String()
}

// good runs the program, which must exit 0: its standard output.
func (r *dockerRig) good(args ...string) string {
	r.t.Helper()
	exit, stdout, stderr := r.opsctl(args...)
	if exit != 0 {
		r.t.Fatalf("opsctl %s: exit %d\n%s%s", strings.Join(args, " "), exit, stdout, stderr)
	}
	return stdout
}

// refused runs the program, which must exit so, say that, and change nothing in the engine.
func (r *dockerRig) refused(exit int, says string, args ...string) {
	r.t.Helper()
	before := r.state()
	got, stdout, stderr := r.opsctl(args...)
	if got != exit || !strings.Contains(stderr, says) || stdout != "" {
		r.t.Errorf("opsctl %s: exit %d, %q\n%s", strings.Join(args, " "), got, stdout, stderr)
	}
	if after := r.state(); after != before {
		r.t.Errorf("opsctl %s: before\n%s\nafter\n%s", strings.Join(args, " "), before, after)
	}
}

// state is all that the engine has.
func (r *dockerRig) state() string {
	r.t.Helper()
	// Images made in the same second come in any order.
	lines := strings.Split(strings.Join([]string{
		r.docker("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}} {{.Ports}}"),
		r.docker("volume", "ls", "-q"), r.docker("network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"),
		r.docker("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"),
	}, "\n"), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// remote are the options of a client in the engine's network.
func (r *dockerRig) remote(more ...remote.Option) []remote.Option {
	return append([]remote.Option{remote.WithTransport(&http.Transport{DialContext: r.Dial, DisableKeepAlives: true})}, more...)
}

func (r *dockerRig) ref(s string) name.Reference {
	return must[name.Reference](r.t)(name.ParseReference(s))
}

// pulls fails unless an image can be pulled from there, whole and the same.
func (r *dockerRig) pulls(ref string, want v1.Image, options ...remote.Option) {
	r.t.Helper()
	got := must[v1.Image](r.t)(remote.Image(r.ref(ref), r.remote(options...)...))
	for _, layer := range must[[]v1.Layer](r.t)(got.Layers()) {
		content := must[io.ReadCloser](r.t)(layer.Uncompressed())
		if _, err := io.Copy(io.Discard, content); err != nil {
			r.t.Fatal(err)
		}
		_ = content.Close()
	}
	if must[v1.Hash](r.t)(got.Digest()) != must[v1.Hash](r.t)(want.Digest()) {
		r.t.Errorf("%s is another image", ref)
	}
}

// TestDockerUpAndDown is the life of a registry: pushed to by two clients, made anew for another address, taken down and
// up again with its data.
func TestDockerUpAndDown(t *testing.T) {
	r := newDockerRig(t)
	r.refused(6, "there is nobody to ask", "registry", "up")
	empty := r.state()
	if exit, stdout, _ := r.opsctl("registry", "up", "--dry-run", "--exit-code", "-o", "json"); exit != 3 || r.state() != empty {
		t.Errorf("exit %d, %s", exit, stdout)
	}
	if got := actions(t, r.good("registry", "up", "-y", "-o", "json")); got != "create network registry, create volume registry, create container registry, start container registry" {
		t.Error(got)
	}
	r.docker("tag", "registry:2", "127.0.0.1:5000/team/app:v1")
	r.docker("push", "127.0.0.1:5000/team/app:v1")
	img := must[v1.Image](t)(random.Image(3000, 2))
	if err := remote.Write(r.ref("127.0.0.1:5000/team/other:v1"), img, r.remote()...); err != nil {
		t.Fatal(err)
	}
	gone := must[v1.Image](t)(random.Image(300, 1))
	byDigest := r.ref("127.0.0.1:5000/team/gone@" + must[v1.Hash](t)(gone.Digest()).String())
	if err := errors.Join(remote.Write(byDigest, gone, r.remote()...), remote.Delete(byDigest, r.remote()...)); err != nil {
		t.Errorf("deleting: %v", err)
	}
	before := r.state()
	if got := r.good("registry", "up", "-y"); got != "registry: nothing to do\n" || r.state() != before {
		t.Errorf("a second run: %s\nbefore\n%s\nafter\n%s", got, before, r.state())
	}
	if got := r.good("registry", "up", "-n", "--exit-code"); got != "registry: nothing to do\n" {
		t.Errorf("a second run: %s\nbefore\n%s\nafter\n%s", got, before, r.state())
	}

	if got := must[string](t)(deploy.Default(t.Context(), r.api)); got != "registry" {
		t.Error(got)
	}
	r.docker("stop", "registry")
	if got := actions(t, r.good("registry", "up", "-y", "-o", "json")); got != "start container registry" {
		t.Error(got)
	}
	stdout := r.good("registry", "up", "-y", "--listen", "127.0.0.1:5001")
	if want := "address: 127.0.0.1:5000=5000 -> 127.0.0.1:5001=5000"; !strings.Contains(stdout, want) {
		t.Errorf("want %q in\n%s", want, stdout)
	}
	r.pulls("127.0.0.1:5001/team/other:v1", img)

	stdout = r.good("registry", "down", "-y")
	volume := r.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "registry")
	if !strings.Contains(stdout, "the data stay in volume registry, "+volume) {
		t.Errorf("%s is not in %s", volume, stdout)
	}
	if got := r.docker("ps", "-a", "-q") + r.docker("network", "ls", "-q", "--filter", "label=io.opsctl.registry"); got != "" {
		t.Errorf("left: %s", got)
	}
	if got := r.good("registry", "ls", "--root", volume, "-o", "name"); got != "team/app\nteam/gone\nteam/other\n" {
		t.Errorf("the data: %s", got)
	}
	if _, err := deploy.Default(t.Context(), r.api); !errors.Is(err, deploy.ErrNone) {
		t.Error(err)
	}
	if got := r.good("registry", "down", "-y"); !strings.Contains(got, "registry: nothing to do\n") || !strings.Contains(got, volume) {
		t.Error(got)
	}
	r.good("registry", "up", "-y")
	r.pulls("127.0.0.1:5000/team/other:v1", img)
	r.docker("rmi", "127.0.0.1:5000/team/app:v1")
	r.docker("pull", "127.0.0.1:5000/team/app:v1")
}

// actions are the steps of a plan in JSON.
func actions(t *testing.T, document string) string {
	t.Helper()
	var plan struct {
		Steps []struct{ Action, Target string }
	}
	if err := json.Unmarshal([]byte(document), &plan); err != nil {
		t.Fatal(err, document)
	}
	var all []string
	for _, s := range plan.Steps {
		all = append(all, s.Action+" "+s.Target)
	}
	return strings.Join(all, ", ")
}

// TestDockerUpProtected: users and TLS, judged by the docker program and by a client that verifies the certificate.
func TestDockerUpProtected(t *testing.T) {
	r := newDockerRig(t)
	certificate := writeCertificate(t, r.Dir)
	users := filepath.Join(r.Dir, "users")
	write := func(password string) {
		hash := must[[]byte](t)(bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost))
		if err := os.WriteFile(users, []byte("alice:"+string(hash)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	up := []string{"registry", "up", "--name", "safe", "--listen", "0.0.0.0:5000", "-y", "--dir", filepath.Join(r.Dir, "data")}
	r.refused(2, "wants TLS and authentication", up...)
	up = append(up, "--htpasswd", users)
	r.refused(2, "wants TLS and authentication", up...)
	up = append(up, "--tls-cert", r.Dir+"/cert.pem", "--tls-key", r.Dir+"/key.pem")
	r.good(up...)
	if got := r.good(up...); got != "safe: nothing to do\n" {
		t.Error(got)
	}

	pool := x509.NewCertPool()
	pool.AddCert(certificate.Leaf)
	client := []remote.Option{remote.WithTransport(&http.Transport{DialContext: r.Dial, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}})}
	with := func(password string) []remote.Option {
		return append(client, remote.WithAuth(&authn.Basic{Username: "alice", Password: password}))
	}
	img := must[v1.Image](t)(random.Image(300, 1))
	if err := remote.Write(r.ref("127.0.0.1:5000/app:v1"), img, with("first")...); err != nil {
		t.Error(err)
	}
	if err := remote.Write(r.ref("127.0.0.1:5000/app:v1"), img, with("wrong")...); err == nil {
		t.Error("a wrong password is good enough")
	}
	r.docker("login", "-u", "alice", "-p", "first", "127.0.0.1:5000")
	r.docker("tag", "registry:2", "127.0.0.1:5000/registry:2")
	r.docker("push", "127.0.0.1:5000/registry:2")

	write("second")
	stdout := r.good(up...)
	if !strings.Contains(stdout, "the files of users, certificate and key") {
		t.Error(stdout)
	}
	r.pulls("127.0.0.1:5000/app:v1", img, with("second")...)
	if err := os.WriteFile(users, []byte("alice:{SHA}x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.refused(2, "line 1: not NAME:HASH with a bcrypt hash", up...)
	r.good("registry", "down", "--name", "safe", "-y")
	if got := r.good("registry", "ls", "--root", filepath.Join(r.Dir, "data"), "-o", "name"); got != "app\nregistry\n" {
		t.Error(got)
	}
}

// TestDockerUpUI: what the user interface's server passes on reaches the registry, deleting as well.
func TestDockerUpUI(t *testing.T) {
	r := newDockerRig(t)
	if err := r.ImportUI(t.Context(), "joxit/docker-registry-ui:2"); err != nil {
		t.Fatal(err)
	}
	r.good("registry", "up", "-y")
	if got := actions(t, r.good("registry", "up", "-y", "--ui", "-o", "json")); got != "create container registry-ui, start container registry-ui" {
		t.Error(got)
	}
	if got := r.good("registry", "up", "-y", "--ui"); got != "registry: nothing to do\n" {
		t.Error(got)
	}
	img := must[v1.Image](t)(random.Image(300, 1))
	if err := remote.Write(r.ref("127.0.0.1:5000/app:v1"), img, r.remote()...); err != nil {
		t.Fatal(err)
	}
	// A registry that has got another address is found again.
	r.good("registry", "up", "-y", "--ui", "--listen", "127.0.0.1:5001")
	if got := r.answer(http.MethodGet, "http://127.0.0.1:5080/v2/_catalog"); got != "200 {\"repositories\":[\"app\"]}\n" {
		t.Error(got)
	}
	for _, want := range []string{"DELETE_IMAGES=true", "SINGLE_REGISTRY=true", "PULL_URL=127.0.0.1:5001", "NGINX_RESOLVER=127.0.0.11"} {
		if got := r.answer(http.MethodGet, "http://127.0.0.1:5080/env"); !strings.Contains(got, want+"\n") {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	manifest := "/v2/app/manifests/" + must[v1.Hash](t)(img.Digest()).String()
	if got := r.answer(http.MethodDelete, "http://127.0.0.1:5080"+manifest); got != "202 " {
		t.Error(got)
	}
	if got := r.answer(http.MethodGet, "http://127.0.0.1:5001"+manifest); !strings.HasPrefix(got, "404 ") {
		t.Error(got)
	}
	if got := actions(t, r.good("registry", "up", "-y", "--listen", "127.0.0.1:5001", "-o", "json")); got != "remove container registry-ui" {
		t.Error(got)
	}
	r.good("registry", "up", "-y", "--ui")
	r.good("registry", "down", "-y")
	if got := r.docker("ps", "-a", "-q"); got != "" {
		t.Errorf("left: %s", got)
	}
}

// answer is the status and the body of an answer in the engine's network.
func (r *dockerRig) answer(method, url string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, url, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.docker.distribution.manifest.v2+json")
	resp, err := (&http.Client{Transport: &http.Transport{DialContext: r.Dial, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return strings.Fields(resp.Status)[0] + " " + string(must[[]byte](r.t)(io.ReadAll(resp.Body)))
}

// TestDockerUpFails: whatever a run fails at, it leaves everything as it was.
func TestDockerUpFails(t *testing.T) {
	r := newDockerRig(t)
	if err := r.ImportShell(t.Context(), "shell:1"); err != nil {
		t.Fatal(err)
	}
	r.refused(1, "docker load -i FILE", "registry", "up", "-y", "--image", "127.0.0.1:1/none:1")
	r.refused(1, "it ended with exit code 0", "registry", "up", "-y", "--image", "shell:1")
	r.docker("create", "--name", "mine", "registry:2")
	r.docker("network", "create", "net")
	r.refused(6, "container mine: not made by opsctl", "registry", "up", "-y", "--name", "mine")
	r.refused(6, "container mine: not made by opsctl", "registry", "down", "-y", "--name", "mine")
	r.refused(6, "network net: not made by opsctl", "registry", "up", "-y", "--name", "net")

	r.good("registry", "up", "-y")
	img := must[v1.Image](t)(random.Image(300, 1))
	if err := remote.Write(r.ref("127.0.0.1:5000/app:v1"), img, r.remote()...); err != nil {
		t.Fatal(err)
	}
	r.docker("run", "-d", "--name", "taken", "-p", "127.0.0.1:5001:5000", "registry:2")
	r.refused(1, "port is already allocated", "registry", "up", "-y", "--listen", "127.0.0.1:5001")
	r.refused(1, "it ended with exit code 0", "registry", "up", "-y", "--image", "shell:1")
	r.pulls("127.0.0.1:5000/app:v1", img)

	// Told to end in the middle.
	r.docker("create", "--name", "silent", "shell:1", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")
	r.docker("commit", "silent", "silent:1")
	before := r.state()
	cmd := r.Within(t.Context(), r.program, "registry", "up", "-y", "--image", "silent:1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for r.docker("ps", "-q", "--filter", "ancestor=silent:1") == "" {
	}
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Error(err)
	}
	if after := r.state(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	r.pulls("127.0.0.1:5000/app:v1", img)

	// Killed in the middle, and then what was left and what lacks.
	cmd = r.Within(context.WithoutCancel(t.Context()), r.program, "registry", "up", "-y", "--image", "silent:1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for r.docker("ps", "-q", "--filter", "ancestor=silent:1") == "" {
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	r.good("registry", "up", "-y")
	if got := r.docker("ps", "-a", "--filter", "label=io.opsctl.registry", "--format", "{{.Names}}"); got != "registry" {
		t.Errorf("left: %s", got)
	}
	r.pulls("127.0.0.1:5000/app:v1", img)
}
