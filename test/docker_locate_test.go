package test

import (
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/registry/locate"
)

type locatedCase struct {
	args string
	want locate.Registry // but for what the engine's program and the registry tell
	why  string          // a part of Unreachable
}

// located are containers by their `docker run` arguments, and what is to be found. $DIR is a folder of this machine.
func located() map[string]locatedCase {
	type registry = locate.Registry
	return map[string]locatedCase{
		"volume":     {"-d -v data:/var/lib/registry -p 127.0.0.1:5000:5000 registry:2", registry{Running: true, Reachable: true}, ""},
		"bind":       {"-d -v $DIR/store:/store -e REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/store/sub -e REGISTRY_STORAGE_DELETE_ENABLED=true registry:2", registry{Running: true, Reachable: true}, ""},
		"stopped":    {"-v data:/var/lib/registry registry:2", registry{Reachable: true}, ""},
		"readonly":   {"-d --read-only -v data:/var/lib/registry:ro registry:2", registry{Running: true, Reachable: true, ReadOnly: true}, ""},
		"user":       {"-d --user 1000:1001 -v data:/var/lib/registry registry:2", registry{Running: true, Reachable: true, User: locate.User{UID: 1000, GID: 1001, Known: true}}, ""},
		"host":       {"-d --network host -e REGISTRY_HTTP_ADDR=127.0.0.1:5003 -v data:/var/lib/registry registry:2", registry{Running: true, Reachable: true}, ""},
		"layer":      {"-d -e REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/root registry:2", registry{Running: true}, "in the container itself"},
		"memory":     {"-d --tmpfs /mem -e REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/mem registry:2", registry{Running: true}, "in the container itself"},
		"split":      {"-d -v data:/var/lib/registry -v other:/var/lib/registry/docker registry:2", registry{Running: true}, "mounted apart, at /var/lib/registry/docker"},
		"named":      {"-d -v $DIR:/conf -v data:/var/lib/registry --entrypoint /bin/registry registry:2 serve /conf/delete.yaml", registry{Running: true, Reachable: true}, ""},
		"reset":      {"-d -v $DIR:/conf -v data:/var/lib/registry -e REGISTRY_STORAGE=filesystem --entrypoint /bin/registry registry:2 serve /conf/delete.yaml", registry{Running: true, Reachable: true}, ""},
		"variable":   {"-d -v $DIR:/conf -v data:/var/lib/registry -e REGISTRY_CONFIGURATION_PATH=/conf/delete.yaml --entrypoint /bin/registry registry:2 serve", registry{Running: true, Reachable: true}, ""},
		"linked":     {"-d -v $DIR:/conf -v $DIR/link:/link -e REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/conf/link registry:2", registry{Running: true, Reachable: true}, ""},
		"relative":   {"-d -w /conf -v $DIR:/conf -v data:/var/lib/registry --entrypoint /bin/registry registry:2 serve delete.yaml", registry{Running: true, Reachable: true}, ""},
		"forwarding": {"-d -v data:/var/lib/registry -p 5000 registry:2", registry{Running: true, Reachable: true}, ""},
	}
}

// TestDockerLocate: what is said of a container, its registry and its engine do.
func TestDockerLocate(t *testing.T) {
	r := newDockerRig(t)
	for _, dir := range []string{"store/sub", "real"} {
		if err := os.MkdirAll(filepath.Join(r.Dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config := strings.Replace(testpeers.RegistryConfig, "storage:\n", "storage:\n  delete: {enabled: true}\n", 1)
	if err := errors.Join(os.WriteFile(filepath.Join(r.Dir, "delete.yaml"), []byte(config), 0o644), os.Symlink("real", filepath.Join(r.Dir, "link"))); err != nil {
		t.Fatal(err)
	}
	for name, tt := range located() {
		t.Run(name, func(t *testing.T) {
			r := &dockerRig{Engine: r.Engine, t: t, api: r.api}
			args := strings.Fields(strings.ReplaceAll(tt.args, "$DIR", r.Dir))
			command := "create"
			if args[0] == "-d" {
				command = "run"
			}
			r.docker(append([]string{command, "--name", name}, args...)...)
			defer func() { r.docker("rm", "-f", name) }()
			got := must[*locate.Registry](t)(locate.Container(t.Context(), r.api, name))
			r.check(t, got, &tt.want)
			if !strings.Contains(got.Unreachable, tt.why) || (got.Unreachable == "") != (tt.why == "") {
				t.Errorf("unreachable: %s", got.Unreachable)
			}
			if dir := os.Getenv("OPSCTL_CAPTURE"); dir != "" {
				text := strings.ReplaceAll(r.docker("inspect", name), filepath.Dir(r.Dir), "/engine")
				if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(text+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// check compares with the engine's program and the registry's behaviour.
func (r *dockerRig) check(t *testing.T, got, want *locate.Registry) {
	t.Helper()
	if got.Running != want.Running || got.Reachable != want.Reachable || got.ReadOnly != want.ReadOnly || got.User.UID != want.User.UID || got.User.GID != want.User.GID || !got.User.Known {
		t.Errorf("got %+v", got)
	}
	if want.Running != !got.Started.IsZero() {
		t.Errorf("started at %v", got.Started)
	}
	if got.Reachable {
		if _, err := os.Stat(got.HostRoot); err != nil {
			t.Error(err)
		}
	}
	if !got.Running {
		return
	}
	addr := "127.0.0.1:5003"
	if len(got.IPs) > 0 {
		addr = netip.AddrPortFrom(got.IPs[0], got.Port).String()
		var published []string
		for _, on := range got.Published {
			published = append(published, "5000/tcp -> "+on.String())
		}
		if said := strings.ReplaceAll(r.docker("port", got.Name), ":::", "[::]:"); strings.Join(published, "\n") != said {
			t.Errorf("published on %v, and docker says %s", got.Published, said)
		}
	}
	r.until("http://" + addr + "/v2/")
	answer := r.answer(http.MethodDelete, "http://"+addr+"/v2/a/manifests/sha256:"+strings.Repeat("0", 64))
	if deletes := !strings.HasPrefix(answer, "405 "); deletes != got.Config.Delete {
		t.Errorf("delete is %v, and the registry answers %s", got.Config.Delete, answer)
	}
}

// until waits for a good answer.
func (r *dockerRig) until(url string) {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: r.Dial, DisableKeepAlives: true}}
	for r.t.Context().Err() == nil {
		resp, err := client.Get(url)
		if err == nil {
			_ = resp.Body.Close()
			return
		}
	}
}

// TestDockerLocateRefuses: what is no registry, keeps its data elsewhere, or is another engine's.
func TestDockerLocateRefuses(t *testing.T) {
	r := newDockerRig(t)
	if err := r.ImportShell(t.Context(), "shell:1"); err != nil {
		t.Fatal(err)
	}
	r.docker("create", "--name", "s3", "-e", "REGISTRY_STORAGE=s3", "-e", "REGISTRY_STORAGE_S3_BUCKET=b", "registry:2")
	r.docker("create", "--name", "shell", "shell:1")
	r.docker("create", "--name", "other", "-v", r.Dir+":/conf", "--entrypoint", "/bin/registry", "registry:2", "serve", "/conf/none.yml")
	for name, want := range map[string]error{"s3": locate.ErrDriver, "shell": locate.ErrNotRegistry, "other": locate.ErrNotRegistry, "none": engine.ErrNoContainer} {
		if _, err := locate.Container(t.Context(), r.api, name); !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.docker("create", "--name", "registry", "-v", "data:/var/lib/registry", "registry:2")
	proxy, _ := tlsProxy(t, r.Socket, r.Dir)
	far := r.connect(map[string]string{"DOCKER_HOST": "tcp://" + proxy, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": r.Dir})
	got := must[*locate.Registry](t)(locate.Container(t.Context(), far, "registry"))
	if got.Reachable || got.Unreachable != "the engine is on another machine" || got.HostRoot == "" {
		t.Errorf("%+v", got)
	}
}
