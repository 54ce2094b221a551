package test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// realRegistry is Debian's docker-registry over a folder of its own, filled through its API by go-containerregistry.
type realRegistry struct {
	t             *testing.T
	program, conf string
	root, addr    string
	pid           int
	stop          func()
}

func startRegistry(t *testing.T) *realRegistry {
	t.Helper()
	return startRegistryOf(t, debianRegistry(t), "")
}

func debianRegistry(t *testing.T) (program string) {
	t.Helper()
	return filepath.Join(testpeers.RequireTree(t, testpeers.Registry()).Dir, "usr/bin/docker-registry")
}

// eachProgram runs a test against Debian's docker-registry 2.8.2, and under OPSCTL_TORTURE against distribution 3.1 as well.
func eachProgram(t *testing.T, run func(t *testing.T, program string)) {
	t.Helper()
	t.Run("2.8", func(t *testing.T) { run(t, debianRegistry(t)) })
	t.Run("3.1", func(t *testing.T) {
		if os.Getenv("OPSCTL_TORTURE") == "" {
			t.Skip("judged under OPSCTL_TORTURE")
		}
		run(t, testpeers.RequireDistribution3(t))
	})
}

// cached is the line of a configuration with a cache in memory.
const cached = "  cache: {blobdescriptor: inmemory}\n"

// startRegistryOf starts a registry program, with lines more below its storage.
func startRegistryOf(t *testing.T, program, storage string) *realRegistry {
	t.Helper()
	dir := t.TempDir()
	r := &realRegistry{t: t, program: program, conf: filepath.Join(dir, "config.yml"), root: filepath.Join(dir, "root"), addr: freeAddr(t)}
	conf := fmt.Sprintf("version: 0.1\nlog: {level: info}\nstorage:\n  filesystem: {rootdirectory: %s}\n  delete: {enabled: true}\n%shttp: {addr: %q}\n", r.root, storage, r.addr)
	if err := os.WriteFile(r.conf, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	r.start()
	return r
}

// freeAddr is an address of the loopback at which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// start has the registry listen, and stop when the test ends.
func (r *realRegistry) start() {
	t := r.t
	t.Helper()
	cmd := exec.Command(r.program, "serve", r.conf)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none") // 3.1 would look for a collector
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.pid = cmd.Process.Pid
	listening := make(chan string, 1)
	go func() {
		defer close(listening)
		said := regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if m := said.FindStringSubmatch(lines.Text()); m != nil {
				listening <- m[1]
			}
		}
	}()
	r.stop = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(r.stop)
	said := ""
	select {
	case said = <-listening:
	case <-time.After(30 * time.Second):
	}
	if said != r.addr {
		t.Fatal("docker-registry does not listen")
	}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (r *realRegistry) ref(s string) name.Reference {
	return must[name.Reference](r.t)(name.ParseReference(r.addr + "/" + s))
}

func (r *realRegistry) registry() name.Registry {
	return must[name.Registry](r.t)(name.NewRegistry(r.addr))
}

func (r *realRegistry) image(ref string, img v1.Image) v1.Image {
	r.t.Helper()
	if err := remote.Write(r.ref(ref), img); err != nil {
		r.t.Fatal(err)
	}
	return img
}

func (r *realRegistry) index(ref string, index v1.ImageIndex) {
	r.t.Helper()
	if err := remote.WriteIndex(r.ref(ref), index); err != nil {
		r.t.Fatal(err)
	}
}

func (r *realRegistry) random() v1.Image {
	return must[v1.Image](r.t)(random.Image(300, 2))
}

// on is an image with one more layer.
func (r *realRegistry) on(base v1.Image) v1.Image {
	layer := must[v1.Layer](r.t)(random.Layer(200, "application/vnd.docker.image.rootfs.diff.tar.gzip"))
	return must[v1.Image](r.t)(mutate.AppendLayers(base, layer))
}

// sign pushes an image about another: by its digest, as signatures are. The client adds the fallback tag.
func (r *realRegistry) sign(repository string, about v1.Image) v1.Image {
	r.t.Helper()
	subject := v1.Descriptor{Digest: r.digest(about), Size: must[int64](r.t)(about.Size()), MediaType: "application/vnd.docker.distribution.manifest.v2+json"}
	layer := must[v1.Layer](r.t)(random.Layer(100, "application/vnd.oci.image.layer.v1.tar"))
	img := must[v1.Image](r.t)(mutate.AppendLayers(mutate.MediaType(empty.Image, "application/vnd.oci.image.manifest.v1+json"), layer))
	signature, ok := mutate.Subject(img, subject).(v1.Image)
	if !ok {
		r.t.Fatal("an image with a subject is no image")
	}
	return r.image(repository+"@"+r.digest(signature).String(), signature)
}

func (r *realRegistry) digest(img v1.Image) v1.Hash { return must[v1.Hash](r.t)(img.Digest()) }

func (r *realRegistry) remove(repository string, img v1.Image) {
	r.t.Helper()
	if err := remote.Delete(r.ref(repository + "@" + r.digest(img).String())); err != nil {
		r.t.Fatal(err)
	}
}

// abort begins an upload and leaves it.
func (r *realRegistry) abort(repository string) {
	r.t.Helper()
	resp, err := http.Post("http://"+r.addr+"/v2/"+repository+"/blobs/uploads/", "", nil)
	if err != nil || resp.StatusCode != http.StatusAccepted {
		r.t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	req, _ := http.NewRequest(http.MethodPatch, resp.Header.Get("Location"), strings.NewReader("half a layer"))
	resp, err = http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusAccepted {
		r.t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
}

// pullable is all that the client gets, completely, by the tags of the catalogue.
func (r *realRegistry) pullable() *digest.Set {
	r.t.Helper()
	set := &digest.Set{}
	for _, repository := range r.catalog() {
		tags, err := remote.List(must[name.Repository](r.t)(name.NewRepository(r.addr + "/" + repository)))
		if err != nil {
			continue // the registry's own answer for a repository that never had a tag
		}
		for _, tag := range tags {
			r.pull(set, repository, must[*remote.Descriptor](r.t)(remote.Get(r.ref(repository+":"+tag))))
		}
	}
	return set
}

func (r *realRegistry) pull(set *digest.Set, repository string, d *remote.Descriptor) {
	r.t.Helper()
	r.take(set, d.Digest)
	if d.MediaType.IsIndex() {
		index := must[v1.ImageIndex](r.t)(d.ImageIndex())
		for _, child := range must[*v1.IndexManifest](r.t)(index.IndexManifest()).Manifests {
			got, err := remote.Get(r.ref(repository + "@" + child.Digest.String()))
			if missing, ok := errors.AsType[*transport.Error](err); ok && missing.StatusCode == http.StatusNotFound {
				continue // deleted in this repository
			}
			r.pull(set, repository, must[*remote.Descriptor](r.t)(got, err))
		}
		return
	}
	img := must[v1.Image](r.t)(d.Image())
	r.take(set, must[v1.Hash](r.t)(img.ConfigName()))
	_ = must[[]byte](r.t)(img.RawConfigFile())
	for _, layer := range must[[]v1.Layer](r.t)(img.Layers()) {
		r.take(set, must[v1.Hash](r.t)(layer.Digest()))
		content, err := layer.Compressed()
		if err != nil {
			r.t.Fatal(err)
		}
		_ = content.Close()
	}
}

func (r *realRegistry) take(set *digest.Set, h v1.Hash) {
	r.t.Helper()
	set.Add(must[digest.Digest](r.t)(digest.Parse(h.String())))
}

// official is what the registry's own collector would delete.
func (r *realRegistry) official(args ...string) *digest.Set {
	r.t.Helper()
	args = append([]string{"garbage-collect", "--dry-run"}, append(args, r.conf)...)
	out, err := exec.CommandContext(r.t.Context(), r.program, args...).Output()
	if err != nil {
		r.t.Fatal(err)
	}
	set := &digest.Set{}
	for _, m := range regexp.MustCompile(`(?m)^blob eligible for deletion: (sha256:[0-9a-f]{64})$`).FindAllSubmatch(out, -1) {
		set.Add(must[digest.Digest](r.t)(digest.Parse(string(m[1]))))
	}
	return set
}

// marked is what mark keeps and what it leaves of all blobs.
func (r *realRegistry) marked(deleteUntagged bool) (live, garbage *digest.Set) {
	r.t.Helper()
	store := must[*layout.Store](r.t)(layout.Open(r.root))
	defer func() { _ = store.Close() }()
	result := must[*mark.Result](r.t)(mark.Store(context.Background(), store, mark.Options{Roots: mark.Roots{DeleteUntagged: deleteUntagged}, Workers: 2}))
	if result.Problems != nil || result.Incomplete {
		r.t.Fatal(result.Problems)
	}
	garbage = &digest.Set{}
	for blob, trouble := range store.Blobs() {
		if trouble != nil {
			r.t.Fatal(trouble)
		}
		if !result.Live.Contains(blob.Digest) {
			garbage.Add(blob.Digest)
		}
	}
	return result.Live, garbage
}

func sameSet(t *testing.T, what string, got, want *digest.Set) {
	t.Helper()
	for d := range want.Sorted() {
		if !got.Contains(d) {
			t.Errorf("%s: %v is missing", what, d)
		}
	}
	for d := range got.Sorted() {
		if !want.Contains(d) {
			t.Errorf("%s: %v is too much", what, d)
		}
	}
	if want.Len() == 0 {
		t.Errorf("%s: nothing to compare", what)
	}
}

// TestMarkIsTheOfficialOneOnPlainImages: without indexes and referrers the registry's own collector is right.
func TestMarkIsTheOfficialOneOnPlainImages(t *testing.T) {
	r := startRegistry(t)
	base := r.random()
	r.image("a/app:v1", r.on(base))
	r.image("a/app:v2", r.on(base))
	r.image("a/app:v2", r.on(base)) // leaves the former one untagged
	r.image("a/app/nested:v1", r.on(base))
	gone := r.image("a:v1", r.random())
	r.image("a:v2", base)
	r.remove("a", gone)
	r.abort("a/app")
	r.abort("only/uploads")
	for args, deleteUntagged := range map[string]bool{"": false, "-m": true} {
		live, garbage := r.marked(deleteUntagged)
		sameSet(t, "garbage "+args, garbage, r.official(strings.Fields(args)...))
		if deleteUntagged {
			sameSet(t, "live", live, r.pullable())
		}
	}
}

// TestMarkTakesTheUnionOfRepositories: the children of an index are deleted in one repository, and another that has
// pushed the same index can still be pulled.
func TestMarkTakesTheUnionOfRepositories(t *testing.T) {
	r := startRegistry(t)
	index := must[v1.ImageIndex](t)(random.Index(300, 2, 2))
	r.index("a/dev:v1", index)
	r.index("b/prod:v1", index)
	want := r.pullable()
	for _, child := range must[*v1.IndexManifest](t)(index.IndexManifest()).Manifests {
		if err := remote.Delete(r.ref("a/dev@" + child.Digest.String())); err != nil {
			t.Fatal(err)
		}
	}
	live, garbage := r.marked(true)
	sameSet(t, "live", live, want)
	if garbage.Len() != 0 {
		t.Errorf("%d blobs of b/prod are garbage", garbage.Len())
	}
	// With b/prod's tag gone as well only the index is left, in a/dev: its children cannot be pulled there.
	if err := remote.Delete(r.ref("b/prod@" + must[v1.Hash](t)(index.Digest()).String())); err != nil {
		t.Fatal(err)
	}
	if live, _ = r.marked(true); live.Len() != 1 {
		t.Errorf("%d are live, want the index alone", live.Len())
	}
}

// TestMarkKeepsWhatTheOfficialOneLoses: everything that can be pulled by a tag is live, and nothing else, except for
// fallback tags whose subject is gone.
func TestMarkKeepsWhatTheOfficialOneLoses(t *testing.T) {
	r := startRegistry(t)
	index := must[v1.ImageIndex](t)(random.Index(300, 2, 3))
	r.index("a/dev:v1", index)
	r.index("b/prod:v1", index)
	signed := r.image("b/prod:signed", r.random())
	r.sign("b/prod", signed)
	r.image("b/prod:old", r.random())
	r.image("b/prod:old", r.random())
	live, garbage := r.marked(true)
	sameSet(t, "live", live, r.pullable())
	if garbage.Len() != 4 {
		t.Errorf("%d blobs are garbage, want the 4 of the overwritten image", garbage.Len())
	}
	lost := slices.DeleteFunc(slices.Collect(r.official("-m").Sorted()), func(d digest.Digest) bool { return !live.Contains(d) })
	t.Logf("of %d live blobs the official collector with -m loses %d", live.Len(), len(lost))
	if len(lost) == 0 {
		t.Error("the official collector loses nothing: this proves nothing")
	}
	// Nothing untagged is garbage: both say so.
	_, garbage = r.marked(false)
	if official := r.official(); garbage.Len() != 0 || official.Len() != 0 {
		t.Errorf("without -m %d and %d are garbage", garbage.Len(), official.Len())
	}

	// The signature of what is gone goes with it, although its fallback tag can still be pulled.
	before := live.Len()
	r.remove("b/prod", signed)
	live, _ = r.marked(true)
	if pullable := r.pullable(); live.Len() >= pullable.Len() || before-live.Len() != 4+4 {
		t.Errorf("%d live, %d before, %d pullable", live.Len(), before, pullable.Len())
	}
}
