package locate

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/moby/moby/api/types/container"

	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/registry/server"
)

const officialConfig = `version: 0.1
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: /var/lib/registry}
http: {addr: ":5000"}
`

// captured is an engine with one container, as docker inspect wrote it down, and its files.
type captured struct {
	inspect container.InspectResponse
	files   map[string]string
	folders map[string]container.PathStat
	remote  bool
}

func load(t *testing.T, name string) *captured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "inspect", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []container.InspectResponse
	if err := json.Unmarshal(text, &all); err != nil || len(all) != 1 {
		t.Fatal(err)
	}
	return &captured{inspect: all[0], files: map[string]string{"/etc/docker/registry/config.yml": officialConfig}, folders: map[string]container.PathStat{}}
}

func (c *captured) Local() bool { return !c.remote }

func (c *captured) Inspect(_ context.Context, name string) (container.InspectResponse, error) {
	if "/"+name != c.inspect.Name {
		return container.InspectResponse{}, engine.ErrNoContainer
	}
	return c.inspect, nil
}

func (c *captured) Stat(_ context.Context, _, file string) (container.PathStat, error) {
	stat, ok := c.folders[file]
	if !ok {
		return stat, engine.ErrNoFile
	}
	return stat, nil
}

func (c *captured) ReadFile(_ context.Context, _, file string, _ int64) ([]byte, error) {
	text, ok := c.files[file]
	if !ok {
		return nil, engine.ErrNoFile
	}
	return []byte(text), nil
}

// found is a container's registry, for what the cases do not say.
func found(root, hostRoot string, m *Mount) *Registry {
	return &Registry{
		Image: "registry:2", Running: true, Root: root, HostRoot: hostRoot, Mount: m, Port: 5000, User: User{Known: true},
		Config: server.Config{Driver: "filesystem", Root: root, Cache: "inmemory", Addr: ":5000"},
	}
}

func TestContainer(t *testing.T) {
	const root, volume = "/var/lib/registry", "/engine/state/docker/volumes/data/_data"
	data := &Mount{Volume: "data", Source: volume, Target: root, Writable: true}
	away := volume + " is not on this machine"
	for name, change := range map[string]func(*Registry){
		"volume": func(r *Registry) {
			r.Unreachable = away
			r.Published = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5000")}
		},
		"bind": func(r *Registry) {
			*r = *found("/store/sub", "/engine/dir/store/sub", &Mount{Source: "/engine/dir/store", Target: "/store", Writable: true})
			r.Config.Delete, r.Unreachable = true, "/engine/dir/store/sub is not on this machine"
		},
		"readonly": func(r *Registry) { r.ReadOnly, r.Mount.Writable, r.Unreachable = true, false, away },
		"user":     func(r *Registry) { r.User, r.Unreachable = User{UID: 1000, GID: 1001, Known: true}, away },
		"host": func(r *Registry) {
			r.Config.Addr, r.Port, r.Unreachable = "127.0.0.1:5003", 5003, away
			r.Published = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:5003")}
		},
		"layer": func(r *Registry) {
			*r = *found("/root", "", nil)
			r.Unreachable = "its data are in the container itself"
		},
		"split": func(r *Registry) { r.Unreachable = "a part of its data is mounted apart, at /var/lib/registry/docker" },
	} {
		t.Run(name, func(t *testing.T) {
			m := *data
			want := found(root, volume, &m)
			change(want)
			want.Name = name
			got, err := Container(t.Context(), load(t, name), name)
			if err != nil {
				t.Fatal(err)
			}
			if got.ID == "" || got.Started.Year() != 2026 || name != "host" && len(got.IPs) != 1 {
				t.Errorf("got %+v", got)
			}
			ignored := cmpopts.IgnoreFields(Registry{}, "ID", "Started", "IPs")
			if diff := cmp.Diff(want, got, ignored, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConfigurationIsFound(t *testing.T) {
	const other = "version: 0.1\nstorage: {filesystem: {rootdirectory: /other}}\n"
	for name, tt := range map[string]struct {
		path  string
		args  []string
		env   []string
		dir   string
		files map[string]string
		want  string // the root
	}{
		"the official entrypoint":              {path: "/entrypoint.sh", args: []string{"/etc/docker/registry/config.yml"}, files: map[string]string{"/etc/docker/registry/config.yml": other}, want: "/other"},
		"that of version 3":                    {path: "/entrypoint.sh", args: []string{"/etc/distribution/config.yml"}, files: map[string]string{"/etc/distribution/config.yml": other}, want: "/other"},
		"an option before it":                  {path: "registry", args: []string{"serve", "--x", "/c.yaml"}, files: map[string]string{"/c.yaml": other}, want: "/other"},
		"no extension":                         {path: "registry", args: []string{"serve", "/etc/c"}, files: map[string]string{"/etc/c": other}, want: "/other"},
		"relative":                             {path: "registry", args: []string{"serve", "c.yml"}, dir: "/w", files: map[string]string{"/w/c.yml": other}, want: "/other"},
		"the environment":                      {path: "registry", args: []string{"serve"}, env: []string{"REGISTRY_CONFIGURATION_PATH=/c"}, files: map[string]string{"/c": other}, want: "/other"},
		"a command that says nothing":          {path: "/start", files: map[string]string{"/etc/distribution/config.yml": other}, want: "/other"},
		"a driver without a root":              {path: "/start", files: map[string]string{"/etc/distribution/config.yml": "version: 0.1\nstorage: {filesystem: {}}\n"}, want: "/var/lib/registry"},
		"the named one is missing":             {path: "registry", args: []string{"serve", "/none.yml"}, files: map[string]string{"/etc/distribution/config.yml": other}},
		"a file of the name that is another's": {path: "/app", args: []string{"/app.yml"}, files: map[string]string{"/app.yml": "services: {}\n"}},
		"no text":                              {path: "/app", args: []string{"/app.yml"}, files: map[string]string{"/app.yml": "\x00\xff: [\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, "layer")
			c.inspect.Path, c.inspect.Args, c.files = tt.path, tt.args, tt.files
			c.inspect.Config.Env, c.inspect.Config.WorkingDir = tt.env, tt.dir
			got, err := Container(t.Context(), c, "layer")
			switch {
			case tt.want == "" && !errors.Is(err, ErrNotRegistry):
				t.Error(err)
			case tt.want != "" && (err != nil || got.Root != tt.want):
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestDriversAreRefusedByName(t *testing.T) {
	c := load(t, "volume")
	c.inspect.Config.Env = append(c.inspect.Config.Env, "REGISTRY_STORAGE_S3_BUCKET=b", "REGISTRY_STORAGE=s3")
	if _, err := Container(t.Context(), c, "volume"); !errors.Is(err, ErrDriver) || !strings.HasSuffix(err.Error(), "with driver s3") {
		t.Error(err)
	}
}

func TestUsersAreResolved(t *testing.T) {
	for text, want := range map[string]User{
		"": {Known: true}, "1000": {UID: 1000, Known: true}, "1000:50": {UID: 1000, GID: 50, Known: true},
		"reg": {UID: 7, GID: 8, Known: true}, "reg:9": {UID: 7, GID: 9, Known: true}, "reg:staff": {}, "nobody": {}, "bad": {},
	} {
		c := load(t, "volume")
		c.inspect.Config.User = text
		c.files["/etc/passwd"] = "root:x:0:0::/:/bin/sh\nreg:x:7:8::/:/bin/sh\nbad:x:a:b::/:\nshort:x\n"
		if got, err := Container(t.Context(), c, "volume"); err != nil || got.User != want {
			t.Errorf("%q: %+v, %v", text, got.User, err)
		}
	}
}

// TestReachable: a folder of the right name is the right one only if it changed when that in the container did.
func TestReachable(t *testing.T) {
	dir := t.TempDir()
	inside := func(c *captured, sub string) {
		info, err := os.Stat(filepath.Join(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		c.folders[strings.TrimSuffix("/var/lib/registry/"+sub, "/")] = container.PathStat{Mode: info.Mode(), Mtime: info.ModTime()}
	}
	if err := os.MkdirAll(filepath.Join(dir, "docker/registry/v2/blobs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*captured)
		want   string
	}{
		"the same":              {func(*captured) {}, ""},
		"another engine":        {func(c *captured) { c.remote = true }, "the engine is on another machine"},
		"a later change":        {func(c *captured) { c.touch("/var/lib/registry", time.Nanosecond, 0) }, "another folder"},
		"a later change within": {func(c *captured) { c.touch("/var/lib/registry/docker/registry/v2/blobs", time.Nanosecond, 0) }, "another folder"},
		"another mode":          {func(c *captured) { c.touch("/var/lib/registry", 0, 0o022) }, "another folder"},
		"less inside":           {func(c *captured) { delete(c.folders, "/var/lib/registry/docker/registry/v2") }, "another folder"},
		"less outside": {func(c *captured) {
			c.folders["/var/lib/registry/docker/registry/v2/repositories"] = container.PathStat{}
		}, "not on this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, "volume")
			c.inspect.Mounts[0].Source = dir
			for _, sub := range []string{"", "docker/registry/v2", "docker/registry/v2/blobs"} {
				inside(c, sub)
			}
			tt.change(c)
			got, err := Container(t.Context(), c, "volume")
			if err != nil || got.Reachable != (tt.want == "") || !strings.Contains(got.Unreachable, tt.want) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func (c *captured) touch(name string, later time.Duration, mode os.FileMode) {
	stat := c.folders[name]
	c.folders[name] = container.PathStat{Mode: stat.Mode ^ mode, Mtime: stat.Mtime.Add(later)}
}

func FuzzAccount(f *testing.F) {
	f.Add("root:x:0:0::/:/bin/sh\n", "root")
	f.Add("a:b", "a")
	f.Fuzz(func(t *testing.T, passwd, name string) {
		if _, _, ok := account(passwd, name); ok && !strings.Contains(passwd, name+":") {
			t.Errorf("%q is not in %q", name, passwd)
		}
	})
}
