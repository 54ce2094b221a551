package test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/opsctl/opsctl/pkg/registry/layout"
	api "github.com/opsctl/opsctl/pkg/registry/remote"
	"github.com/opsctl/opsctl/pkg/registry/remove"
)

// TestRmInTheFoldersOfARunningRegistry: clients see at once what went and what stays, and undo brings back the same tree.
func TestRmInTheFoldersOfARunningRegistry(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, "")
		img, other := r.random(), r.random()
		for _, tag := range []string{"v1", "v2", "latest"} {
			r.image("a/app:"+tag, img)
		}
		r.image("a/app:other", other)
		r.pullable()
		before := tree(t, layout.Dir(r.root))
		c.want(0, "", "registry", "rm", "a/app:v1", "a/app@"+r.digest(other).String(), "--root", r.root, "--yes")
		if got := r.tagsOf("a/app"); got != "latest v2" || r.names("a/app:v2") != r.digest(img).String() || r.names("a/app:v1") != "" {
			t.Error(got)
		}
		if got := r.names("a/app@" + r.digest(other).String()); got != "" {
			t.Errorf("%s can be pulled by its digest", got)
		}
		r.pullable()
		c.want(0, "", "registry", "undo", "--root", r.root, "--yes")
		sameTree(t, tree(t, layout.Dir(r.root)), before)
		if got := r.tagsOf("a/app"); got != "latest other v1 v2" {
			t.Error(got)
		}
		r.pullable()
		// --all-tags empties it, and a collection then removes the repository itself.
		c.want(0, "", "registry", "rm", "a/app", "--all-tags", "--root", r.root, "--yes")
		c.want(0, "", "registry", "gc", "--root", r.root, "--delete-untagged", "--grace", "0s", "--settle", "0s", "--yes")
		if got := must[[]string](t)(remote.Catalog(t.Context(), r.registry())); len(got) != 0 {
			t.Error(got)
		}
	})
}

// TestRmInTheFoldersAndACacheInMemory: the tags are gone at once all the same. By its digest distribution 3.1 goes on serving what it
// remembers, which the plan says.
func TestRmInTheFoldersAndACacheInMemory(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, cached)
		img, other := r.random(), r.random()
		r.image("a/app:v1", img)
		r.image("a/app:v2", img)
		r.image("a/app:other", other)
		r.pullable()
		done := document[removal](t, c.want(0, "", "registry", "rm", "a/app:v1", "a/app@"+r.digest(other).String(), "--root", r.root, "--yes", "-o", "json"))
		if got := r.tagsOf("a/app"); got != "v2" || r.names("a/app:v1") != "" || r.names("a/app:other") != "" {
			t.Error(got)
		}
		if len(done.Notes) != 2 || !strings.Contains(done.Notes[0], "inmemory") {
			t.Error(done.Notes)
		}
		r.pullable()
	})
}

// TestRmInTheFoldersLosesNoPush: a tag that is pushed while it is removed names what was pushed.
func TestRmInTheFoldersLosesNoPush(t *testing.T) {
	r := startRegistry(t)
	img, theirs := r.random(), r.random()
	r.image("a/app:v1", img)
	// The clock is read when the first tag is about to go: it has been looked at, and not been taken yet.
	push := func() time.Time {
		r.image("a/app:v1", theirs)
		return time.Now()
	}
	folders := must[*remove.InFolders](t)(remove.OpenFolders(r.root, push))
	if err := folders.Tag(t.Context(), "a/app", "v1", r.our(img), nil); !errors.Is(err, api.ErrChanged) {
		t.Error(err)
	}
	if got := r.names("a/app:v1"); got != r.digest(theirs).String() {
		t.Errorf("v1 names %q", got)
	}
	// What was set before it is looked at stays as well.
	if err := folders.Tag(t.Context(), "a/app", "v1", r.our(img), nil); !errors.Is(err, api.ErrChanged) {
		t.Error(err)
	}
	if err := folders.Tag(t.Context(), "a/app", "v1", r.our(theirs), nil); err != nil || r.names("a/app:v1") != "" {
		t.Error(err)
	}
	if err := folders.Close(); err != nil {
		t.Error(err)
	}
}
