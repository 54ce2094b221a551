package server

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// debian is the file of Debian's docker-registry 2.8.2, /etc/docker/registry/config.yml.
const debian = `version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/docker-registry
  delete:
    enabled: true
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
auth:
  htpasswd:
    realm: basic-realm
    path: /etc/docker/registry
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`

// official3 is that of the image registry:3.
const official3 = `version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
  tag:
    concurrencylimit: 8
http:
  addr: :5000
  debug:
    addr: :5001
    prometheus:
      enabled: true
`

func TestParseConfig(t *testing.T) {
	for _, c := range []struct {
		name, text string
		env        []string
		want       Config
	}{
		{"Debian's", debian, nil, Config{Driver: "filesystem", Root: "/var/lib/docker-registry", Cache: "inmemory", Delete: true, Addr: ":5000", Auth: "htpasswd"}},
		{"registry:3's", official3, nil, Config{Driver: "filesystem", Root: "/var/lib/registry", Cache: "inmemory", Addr: ":5000"}},
		{
			"the environment goes before the file", official3,
			[]string{"REGISTRY_STORAGE_DELETE_ENABLED=true", "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR=redis", "REGISTRY_HTTP_ADDR=127.0.0.1:5001", "REGISTRY_HTTP_PREFIX=/r/", "REGISTRY_HTTP_TLS_CERTIFICATE=/c", "PATH=/bin"},
			Config{Driver: "filesystem", Root: "/var/lib/registry", Cache: "redis", Delete: true, Addr: "127.0.0.1:5001", Prefix: "/r/", TLS: true},
		},
		{"another root", official3, []string{"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/data"}, Config{Driver: "filesystem", Root: "/data", Cache: "inmemory", Addr: ":5000"}},
		{"a password", official3, []string{"REGISTRY_AUTH=htpasswd", "REGISTRY_AUTH_HTPASSWD_PATH=/p"}, Config{Driver: "filesystem", Root: "/var/lib/registry", Cache: "inmemory", Addr: ":5000", Auth: "htpasswd"}},
		{"a token", official3, []string{"REGISTRY_AUTH_TOKEN_REALM=x"}, Config{Driver: "filesystem", Root: "/var/lib/registry", Cache: "inmemory", Addr: ":5000", Auth: "token"}},
		{"the default root", "version: 0.1\nstorage: {filesystem: {}}\n", nil, Config{Driver: "filesystem", Root: "/var/lib/registry"}},
		{"nothing below the driver", "version: 0.1\nstorage:\n  filesystem:\n", nil, Config{Driver: "filesystem", Root: "/var/lib/registry"}},
		{"S3", "version: 0.1\nstorage: {s3: {bucket: b, region: r}, cache: {blobdescriptor: redis}}\n", nil, Config{Driver: "s3", Cache: "redis"}},
		{"S3 by the environment", official3, []string{"REGISTRY_STORAGE=s3", "REGISTRY_STORAGE_S3_BUCKET=b"}, Config{Driver: "s3", Addr: ":5000"}},
		{"read-only", "version: 0.1\nstorage: {filesystem: {rootdirectory: /r}, maintenance: {readonly: {enabled: true}, uploadpurging: {enabled: false}}}\n", nil, Config{Driver: "filesystem", Root: "/r", ReadOnly: true}},
		{"the cache's former name", "version: 0.1\nstorage: {filesystem: {rootdirectory: /r}, cache: {layerinfo: inmemory}}\n", nil, Config{Driver: "filesystem", Root: "/r", Cache: "inmemory"}},
		// The registry takes what is no boolean for false (registry/handlers/app.go), and serves all the same.
		{"deletion in quotes", "version: 0.1\nstorage: {filesystem: {rootdirectory: /r}, delete: {enabled: \"true\"}}\n", nil, Config{Driver: "filesystem", Root: "/r"}},
		{"sections without content", "version: 0.1\nstorage:\n  filesystem: {rootdirectory: /r}\n  delete:\n  maintenance:\n  cache:\n", nil, Config{Driver: "filesystem", Root: "/r"}},
		{"TLS by letsencrypt", "version: 0.1\nstorage: {filesystem: {rootdirectory: /r}}\nhttp: {tls: {letsencrypt: {cachefile: /c}}}\n", nil, Config{Driver: "filesystem", Root: "/r", TLS: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseConfig([]byte(c.text), c.env)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, *got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, bad := range []string{"\t", "storage: [", "- x"} {
		if c, err := ParseConfig([]byte(bad), nil); err == nil {
			t.Errorf("%q: %+v", bad, c)
		}
	}
}

// fakeProc is a /proc of processes that a test makes up.
type fakeProc struct {
	t   *testing.T
	dir string
}

func (p *fakeProc) file(name, text string) {
	p.t.Helper()
	at := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *fakeProc) link(name, to string) {
	p.t.Helper()
	if err := os.Symlink(to, filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

// process has its arguments split at spaces, and root and cwd where they are.
func (p *fakeProc) process(pid int, cmdline, root, cwd string, env ...string) {
	dir := strconv.Itoa(pid)
	p.file(dir+"/cmdline", strings.ReplaceAll(cmdline, " ", "\x00")+"\x00")
	p.file(dir+"/environ", strings.Join(env, "\x00")+"\x00")
	p.file(dir+"/stat", strconv.Itoa(pid)+" (re) gis (try) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4200 20 21")
	p.link(dir+"/root", root)
	p.link(dir+"/cwd", cwd)
}

func TestFindTellsWhichProcessServesAStore(t *testing.T) {
	top := t.TempDir()
	store, other := filepath.Join(top, "store"), filepath.Join(top, "other")
	jail := filepath.Join(top, "jail") // a container's root, with the store mounted at /var/lib/registry
	for _, dir := range []string{store, other, jail + "/var/lib", jail + "/etc"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(store, filepath.Join(jail, "var/lib/registry")); err != nil {
		t.Fatal(err)
	}
	conf := func(root string) string {
		return "version: 0.1\nstorage: {filesystem: {rootdirectory: " + root + "}, cache: {blobdescriptor: inmemory}}\n"
	}
	p := &fakeProc{t, filepath.Join(top, "proc")}
	p.file("stat", "cpu 1 2\nbtime 1000000\nprocesses 3\n")
	files := &fakeProc{t, top}
	files.file("ours.yml", conf(store))
	files.file("other.yml", conf(other))
	files.file("broken.yml", "storage: [")
	files.file("jail/etc/config.yml", official3)

	p.process(10, "/usr/bin/docker-registry serve "+top+"/ours.yml", "/", "/")
	p.process(11, "registry serve ours.yml", "/", top)
	p.process(12, "registry serve", "/", "/", "REGISTRY_CONFIGURATION_PATH="+top+"/ours.yml", "X=y")
	p.process(13, "registry serve /etc/config.yml", jail, "/", "REGISTRY_STORAGE_DELETE_ENABLED=true")
	p.process(14, "registry serve "+top+"/other.yml", "/", "/", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY="+store)
	for pid, cmdline := range map[int]string{
		20: "registry serve " + top + "/other.yml",
		21: "registry garbage-collect " + top + "/ours.yml",
		22: "vi " + top + "/ours.yml",
		23: "registry serve " + top + "/missing.yml",
		24: "registry",
		25: "",
	} {
		p.process(pid, cmdline, "/", "/")
	}
	p.process(26, "registry serve "+top+"/ours.yml", "/", "/", "REGISTRY_STORAGE=s3")
	p.file("self/cmdline", "registry\x00serve\x00")
	p.file("27/cmdline", "registry\x00serve\x00"+top+"/ours.yml\x00") // has just ended

	found, err := find(p.dir, store)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range found {
		pids = append(pids, f.PID)
		if want := time.Unix(1000000+42, 0); !f.Started.Equal(want) {
			t.Errorf("%v: started %v, want %v", f, f.Started, want)
		}
		if !f.Remembers() || !f.RemembersManifests() || f.Config.Delete != (f.PID == 13) {
			t.Errorf("%v: %+v", f, *f.Config)
		}
	}
	if diff := cmp.Diff([]int{10, 11, 12, 13, 14}, pids); diff != "" {
		t.Error(diff)
	}
	if _, err := find(p.dir, filepath.Join(top, "missing")); err == nil {
		t.Error("a store that is not there is served")
	}
}

// The start is never later than it was: a blob that was seen is not taken for one that was not.
func TestAStartThatCannotBeReadIsForEver(t *testing.T) {
	p := &fakeProc{t, t.TempDir()}
	p.file("1/stat", "1 (x")
	if at := started(p.dir, 1); !at.IsZero() {
		t.Error(at)
	}
	p.file("2/stat", "2 (x) S 1 2 3")
	if at := started(p.dir, 2); !at.IsZero() {
		t.Error(at)
	}
	p.process(3, "x", "/", "/")
	if at := started(p.dir, 3); !at.IsZero() {
		t.Errorf("%v without a boot time", at)
	}
}
