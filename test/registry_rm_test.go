package test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	api "github.com/opsctl/opsctl/pkg/registry/remote"
)

// names is what a reference names for a foreign client, "" when nothing.
func (r *realRegistry) names(ref string) string {
	r.t.Helper()
	d, err := remote.Get(r.ref(ref))
	if err != nil {
		return ""
	}
	return d.Digest.String()
}

// tagsOf are the tags of a repository for a foreign client.
func (r *realRegistry) tagsOf(repository string) string {
	r.t.Helper()
	tags, err := remote.List(r.ref(repository + ":x").Context())
	if err != nil {
		return err.Error()
	}
	slices.Sort(tags)
	return strings.Join(tags, " ")
}

type removal struct {
	Applied bool
	Steps   []struct{ Action, Target, Detail string }
	Notes   []string
	Failed  []struct{ Target, Error string }
}

// TestRmTakesOneTagAlone: its siblings stay, what a foreign client can pull by them as well, and a plan that is shown changes nothing.
func TestRmTakesOneTagAlone(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, cached)
		img := r.random()
		for _, tag := range []string{"v1", "v2", "latest"} {
			r.image("a/app:"+tag, img)
		}
		other := r.image("a/app:other", r.random())
		index := must[v1.ImageIndex](t)(random.Index(300, 2, 2))
		r.index("a/app:multi", index)
		r.index("a/app:multi2", index)
		r.image("a/app/nested:v1", img)
		before := tree(t, r.root)
		shown := document[removal](t, c.want(3, "", "registry", "rm", r.addr+"/a/app:v1", "--dry-run", "--exit-code", "-o", "json"))
		if len(shown.Steps) != 1 || shown.Applied || !strings.Contains(shown.Steps[0].Detail, "stays as latest v2") {
			t.Error(shown)
		}
		c.want(6, "nobody to ask", "registry", "rm", r.addr+"/a/app:v1")
		sameTree(t, tree(t, r.root), before)

		done := document[removal](t, c.want(0, "", "registry", "rm", r.addr+"/a/app:v1", r.addr+"/a/app:multi", "--yes", "-o", "json"))
		if !done.Applied || len(done.Steps) != 2 {
			t.Error(done)
		}
		if got := r.tagsOf("a/app"); got != "latest multi2 other v2" {
			t.Error(got)
		}
		for ref, want := range map[string]string{
			"a/app:v1": "", "a/app:v2": r.digest(img).String(), "a/app:latest": r.digest(img).String(), "a/app:other": r.digest(other).String(),
			"a/app:multi2": must[v1.Hash](t)(index.Digest()).String(), "a/app/nested:v1": r.digest(img).String(),
		} {
			if got := r.names(ref); got != want {
				t.Errorf("%s names %s, want %s", ref, got, want)
			}
		}
		r.pullable()
		c.want(0, "", "registry", "rm", r.addr+"/a/app:v2", r.addr+"/a/app:latest", "--yes")
		if got := r.names("a/app@" + r.digest(img).String()); got == "" {
			t.Error("the manifest went with its last tag")
		}
		// A digest takes its tags with it.
		gone := document[removal](t, c.want(0, "", "registry", "rm", "a/app@"+r.digest(other).String(), "--registry", r.addr, "--yes", "-o", "json"))
		if got := r.tagsOf("a/app"); got != "multi2" || gone.Steps[0].Detail != "with it go the tags other" {
			t.Error(got, gone)
		}
		child := must[*v1.IndexManifest](t)(index.IndexManifest()).Manifests[0].Digest.String()
		part := document[removal](t, c.want(0, "", "registry", "rm", "a/app@"+child, "--registry", r.addr, "-n", "-o", "json"))
		if len(part.Notes) != 1 || !strings.Contains(part.Notes[0], "is a part of multi2") {
			t.Error(part)
		}
	})
}

// TestRmByPolicy chooses by the images' ages, of an index by its newest child's.
func TestRmByPolicy(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, "")
		now := time.Now()
		for i := range 5 {
			r.image(fmt.Sprintf("a/app:v%d", i), r.configured("amd64", now.Add(-time.Duration(i*10*24)*time.Hour)))
		}
		r.image("a/app:epoch", r.configured("amd64", time.Unix(0, 0)))
		r.index("a/app:multi", mutate.AppendManifests(empty.Index,
			mutate.IndexAddendum{Add: r.configured("amd64", now.Add(-90*24*time.Hour))},
			mutate.IndexAddendum{Add: r.configured("arm64", now.Add(-15*24*time.Hour))}))
		signed := r.image("a/app:signed", r.configured("amd64", now.Add(-80*24*time.Hour)))
		r.sign("a/app", signed)
		r.image("b/app:v0", r.configured("amd64", now.Add(-80*24*time.Hour)))
		rm := func(args ...string) string {
			t.Helper()
			var names []string
			args = append([]string{"registry", "rm", "a/app", "--registry", r.addr, "-n", "-o", "json"}, args...)
			for _, step := range document[removal](t, c.want(0, "", args...)).Steps {
				names = append(names, strings.TrimPrefix(step.Target, "a/app:"))
			}
			return strings.Join(names, " ")
		}
		fallback := strings.Replace(r.digest(signed).String(), ":", "-", 1)
		for want, args := range map[string][]string{
			"signed v2 v3 v4": {"--older-than", "16d"},
			"signed v3 v4":    {"--keep", "4"},
			"signed v4":       {"--keep", "5", "--older-than", "35d"},
			"v4":              {"--older-than", "35d", "--except", "s.*"},
			"v0 v1 v2 v3 v4":  {"--match", "v[0-9]"},
			"":                {"--match", "v"},
			"epoch multi " + fallback + " signed v0 v1 v2 v3 v4": {"--all-tags"},
		} {
			if got := rm(args...); got != want {
				t.Errorf("%v: %q, want %q", args, got, want)
			}
		}
		c.want(2, "which tags", "registry", "rm", "a/app", "--registry", r.addr, "--yes")
		c.want(2, "exceptions alone", "registry", "rm", "a/app", "--registry", r.addr, "--except", "latest", "--yes")
		c.want(2, "--match", "registry", "rm", "a/app", "--registry", r.addr, "--match", "(", "--yes")
		c.want(2, "names an image", "registry", "rm", "a/app:v1", "--registry", r.addr, "--keep", "1", "--yes")
		c.want(1, "no such tag", "registry", "rm", "a/app:none", "--registry", r.addr, "--yes")
		c.want(1, "no such repository", "registry", "rm", "none", "--all-tags", "--registry", r.addr, "--yes")
		c.want(4, "a/app:none: no such tag", "registry", "rm", "a/app:v4", "a/app:none", "--registry", r.addr, "--yes")
		c.want(0, "", "registry", "rm", "a/app", "--registry", r.addr, "--keep", "4", "--yes")
		if got := r.tagsOf("a/app"); got != "epoch multi "+fallback+" v0 v1 v2" {
			t.Error(got)
		}
		c.want(0, "", "registry", "rm", "a/app", "b/app", "--registry", r.addr, "--all-tags", "--yes")
		if a, b := r.tagsOf("a/app"), r.tagsOf("b/app"); strings.Contains(a, "v0") || strings.Contains(b, "v0") {
			t.Error(a, b)
		}
	})
}

// TestRmSaysThatDeletingIsOff before it has changed anything.
func TestRmSaysThatDeletingIsOff(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, "")
		r.image("a/app:v1", r.random())
		off := r.again("", "")
		before := tree(t, r.root)
		c.want(1, "storage.delete.enabled", "registry", "rm", off.addr+"/a/app:v1", "--yes")
		sameTree(t, tree(t, r.root), before)
	})
}

// meddler stands between a client and the registry: it calls before with every request, which may change things or say what to
// answer instead.
func (r *realRegistry) meddler(before func(req *http.Request) (status int)) *api.Registry {
	r.t.Helper()
	target := must[*url.URL](r.t)(url.Parse("http://" + r.addr))
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if status := before(req); status != 0 {
			w.WriteHeader(status)
			return
		}
		proxy.ServeHTTP(w, req)
	}))
	r.t.Cleanup(server.Close)
	return must[*api.Registry](r.t)(api.Open(r.t.Context(), server.Listener.Addr().String(), api.Options{}))
}

func (r *realRegistry) our(img v1.Image) digest.Digest {
	return must[digest.Digest](r.t)(digest.Parse(r.digest(img).String()))
}

// TestRmLosesNoTagOfOthers: on 2.8.2 whoever sets the tag meanwhile keeps it, and what fails half way leaves the tag as it was.
func TestRmLosesNoTagOfOthers(t *testing.T) {
	r := startRegistry(t)
	img, theirs := r.random(), r.random()
	isTag := func(req *http.Request, method string) bool {
		return req.Method == method && strings.HasSuffix(req.URL.Path, "/manifests/v1")
	}
	isDigest := func(req *http.Request, method string) bool {
		return req.Method == method && strings.Contains(req.URL.Path, "/manifests/sha256:")
	}
	for name, c := range map[string]struct {
		at    func(req *http.Request, nth int32) bool // the request before which somebody sets the tag
		wrong error
	}{
		"before the tag is looked at":  {func(req *http.Request, nth int32) bool { return isTag(req, http.MethodHead) && nth == 1 }, api.ErrChanged},
		"before it is looked at again": {func(req *http.Request, _ int32) bool { return isTag(req, http.MethodDelete) }, api.ErrChanged},
		"before the stand-in goes":     {func(req *http.Request, _ int32) bool { return isDigest(req, http.MethodDelete) }, nil},
	} {
		r.image("a/app:v1", img)
		r.image("a/app:v2", img)
		var heads, set atomic.Int32
		registry := r.meddler(func(req *http.Request) int {
			nth := int32(0)
			if isTag(req, http.MethodHead) {
				nth = heads.Add(1)
			}
			if c.at(req, nth) && set.Add(1) == 1 {
				r.image("a/app:v1", theirs)
			}
			return 0
		})
		err := registry.DeleteTag(t.Context(), "a/app", "v1", r.our(img), []string{"v2"})
		if !errors.Is(err, c.wrong) || c.wrong != nil && err == nil {
			t.Errorf("%s: %v", name, err)
		}
		if r.names("a/app:v1") != r.digest(theirs).String() || r.names("a/app:v2") != r.digest(img).String() || set.Load() == 0 {
			t.Errorf("%s: v1 names %s, v2 %s", name, r.names("a/app:v1"), r.names("a/app:v2"))
		}
	}
	for name, c := range map[string]struct {
		status func(cancel context.CancelFunc, req *http.Request) int
		want   string
	}{
		"the stand-in is refused": {func(_ context.CancelFunc, req *http.Request) int {
			if isTag(req, http.MethodPut) {
				return http.StatusBadRequest
			}
			return 0
		}, r.digest(img).String()},
		"the stand-in cannot be deleted": {func(_ context.CancelFunc, req *http.Request) int {
			if isDigest(req, http.MethodDelete) {
				return http.StatusInternalServerError
			}
			return 0
		}, r.digest(img).String()},
		"the user gives up in between": {func(cancel context.CancelFunc, req *http.Request) int {
			if isDigest(req, http.MethodDelete) {
				cancel()
				return http.StatusBadGateway
			}
			return 0
		}, r.digest(img).String()},
	} {
		r.image("a/app:v1", img)
		ctx, cancel := context.WithCancel(t.Context())
		registry := r.meddler(func(req *http.Request) int { return c.status(cancel, req) })
		err := registry.DeleteTag(ctx, "a/app", "v1", r.our(img), []string{"v2"})
		cancel()
		if err == nil || r.names("a/app:v1") != c.want || r.names("a/app:v2") != r.digest(img).String() {
			t.Errorf("%s: %v; v1 names %s", name, err, r.names("a/app:v1"))
		}
	}
	// A process that was killed in between leaves a tag that names the stand-in: it goes as any tag does.
	killed := r.meddler(func(req *http.Request) int {
		if isDigest(req, http.MethodDelete) || req.Method == http.MethodHead && r.names("a/app:v1") != r.digest(img).String() {
			return http.StatusBadGateway
		}
		return 0
	})
	if err := killed.DeleteTag(t.Context(), "a/app", "v1", r.our(img), nil); err == nil || !strings.Contains(err.Error(), "stand-in") {
		t.Error(err)
	}
	instead := must[digest.Digest](t)(digest.Parse(r.names("a/app:v1")))
	registry := r.meddler(func(*http.Request) int { return 0 })
	if err := registry.DeleteTag(t.Context(), "a/app", "v1", instead, nil); err != nil || r.tagsOf("a/app") != "v2" {
		t.Error(err, r.tagsOf("a/app"))
	}
}

// TestRmSetsATagAgainThatWentAlong: a registry whose deletion of a tag takes the manifest, and so the others, is repaired.
func TestRmSetsATagAgainThatWentAlong(t *testing.T) {
	r := startRegistry(t)
	img := r.random()
	r.image("a/app:v1", img)
	r.image("a/app:v2", img)
	registry := r.meddler(func(req *http.Request) int {
		if req.Method != http.MethodDelete {
			return 0
		}
		if err := remote.Delete(r.ref("a/app@" + r.digest(img).String())); err != nil {
			t.Error(err)
		}
		return http.StatusAccepted
	})
	if err := registry.DeleteTag(t.Context(), "a/app", "v1", r.our(img), []string{"v2"}); err != nil {
		t.Error(err)
	}
	if r.tagsOf("a/app") != "v2" || r.names("a/app:v2") != r.digest(img).String() {
		t.Error(r.tagsOf("a/app"))
	}
	r.pullable()
}
