package test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/opsctl/opsctl/internal/storegen"
	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// generated is a registry over a store that storegen wrote.
func generated(t *testing.T, o storegen.Options) (*realRegistry, *storegen.Truth) {
	t.Helper()
	r := startRegistry(t)
	return r, must[*storegen.Truth](t)(storegen.Write(r.root, o))
}

// TestGeneratedStoresAreWhatARegistryWrites: docker-registry and go-containerregistry take a generated store for one that
// was pushed, and its truth is what they and mark find.
func TestGeneratedStoresAreWhatARegistryWrites(t *testing.T) {
	for name, o := range map[string]storegen.Options{
		"many repositories": {Seed: 7, Blobs: 1500, Repositories: 23},
		"one repository":    {Seed: 8, Tags: 40},
	} {
		t.Run(name, func(t *testing.T) {
			r, truth := generated(t, o)
			for args, deleteUntagged := range map[string]bool{"": false, "-m": true} {
				live, garbage := r.marked(deleteUntagged)
				want, rest := &digest.Set{}, &digest.Set{}
				for d := range truth.Blobs {
					if truth.Survives(d, deleteUntagged) {
						want.Add(d)
					} else {
						rest.Add(d)
					}
				}
				sameSet(t, "live "+args, live, want)
				if o.Tags == 0 || deleteUntagged {
					sameSet(t, "garbage "+args, garbage, rest)
				}
				official := r.official(strings.Fields(args)...)
				if !deleteUntagged || o.Tags > 0 {
					// With -m it takes children of indexes and referrers as well.
					for d := range official.Sorted() {
						if truth.Survives(d, deleteUntagged) {
							t.Errorf("the official collector would delete %v", d)
						}
					}
					if official.Len() != rest.Len() {
						t.Errorf("%d are garbage, %d to the official collector", rest.Len(), official.Len())
					}
				}
			}
			r.validateAll(truth.Broken)
		})
	}
}

// validateAll has the client check every layer of images of every repository against their digests; only those that are named
// cannot be pulled.
func (r *realRegistry) validateAll(broken []string) {
	r.t.Helper()
	registry := must[name.Registry](r.t)(name.NewRegistry(r.addr))
	images := 0
	for _, repository := range must[[]string](r.t)(remote.Catalog(r.t.Context(), registry)) {
		tags, err := remote.List(must[name.Repository](r.t)(name.NewRepository(r.addr + "/" + repository)))
		if err != nil {
			continue // a repository that never had a tag
		}
		for _, tag := range tags[:min(len(tags), 3)] {
			d := must[*remote.Descriptor](r.t)(remote.Get(r.ref(repository + ":" + tag)))
			images++
			if d.MediaType.IsIndex() {
				err = validate.Index(must[v1.ImageIndex](r.t)(d.ImageIndex()))
			} else {
				err = validate.Image(must[v1.Image](r.t)(d.Image()))
			}
			if (err != nil) != slices.Contains(broken, repository+":"+tag) {
				r.t.Errorf("%s:%s: %v", repository, tag, err)
			}
		}
	}
	if images == 0 {
		r.t.Error("nothing was pulled")
	}
}

// TestGeneratedStoresFollowTheirSeed: the same seed gives the same store, another one another.
func TestGeneratedStoresFollowTheirSeed(t *testing.T) {
	var truths []*storegen.Truth
	for _, seed := range []uint64{1, 1, 2} {
		truths = append(truths, must[*storegen.Truth](t)(storegen.Write(t.TempDir(), storegen.Options{Seed: seed, Blobs: 300})))
	}
	same := cmp.Comparer(func(a, b digest.Digest) bool { return a == b })
	if diff := cmp.Diff(truths[0].Counts, truths[1].Counts); diff != "" {
		t.Error(diff)
	}
	for d, keep := range truths[0].Blobs {
		if truths[1].Blobs[d] != keep {
			t.Errorf("%v differs", d)
		}
	}
	if cmp.Equal(truths[0].Blobs, truths[2].Blobs, same) {
		t.Error("another seed gives the same store")
	}
}
