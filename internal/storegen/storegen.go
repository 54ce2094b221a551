// Package storegen lays down the folders of a registry of any size whose content is known, to measure and to check
// `opsctl registry` at sizes that no captured store has. The folders are those that distribution's filesystem driver writes
// (registry/storage/paths.go of distribution/distribution); a test has docker-registry read them. The same options give
// the same names and bytes; only the files' times are those of the writing.
package storegen

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// Version changes when the same options give another store.
const Version = 1

// Options shape a store.
type Options struct {
	Seed uint64
	// Blobs is about how many blobs there will be: writing ends with the push that reaches it.
	Blobs int
	// Repositories share them; 0: one for 200 blobs.
	Repositories int
	// Tags, where it is not 0, gives a single repository with that many tags of images of their own, and half as many
	// overwritten, in place of all else.
	Tags int
}

// Keep says when a blob has to survive a collection.
type Keep int

// In rising order: what keeps a blob in one place keeps it everywhere.
const (
	// Garbage goes.
	Garbage Keep = iota
	// Untagged stays unless untagged manifests are deleted.
	Untagged
	// Tagged stays.
	Tagged
)

// Counts are the sizes of a store, and what must survive.
type Counts struct {
	Blobs, Tagged, Untagged              int // Untagged includes Tagged
	Bytes                                int64
	Repositories, Tags, Manifests, Links int
}

// Truth is what a store holds.
type Truth struct {
	Blobs map[digest.Digest]Keep
	// Counts.Links are those of layers, among them to blobs that are gone.
	Counts Counts
	// Broken are the tags, REPOSITORY:TAG, of indexes whose children their repository has deleted.
	Broken []string
}

// Survives reports whether a blob must be there after a collection, with the deletion of untagged manifests or without.
func (t *Truth) Survives(d digest.Digest, deleteUntagged bool) bool {
	if deleteUntagged {
		return t.Blobs[d] == Tagged
	}
	return t.Blobs[d] >= Untagged
}

// generator writes one store.
type generator struct {
	o       Options
	rng     *rand.Rand
	v2      string
	truth   *Truth
	bases   [][]layer
	serial  int
	written map[string]bool // links, to be counted once
	err     error           // the first of writing; nothing is written after it
}

// Write makes a store in dir, the rootdirectory, which must not hold one, and says what it holds.
func Write(dir string, o Options) (*Truth, error) {
	if o.Repositories == 0 {
		o.Repositories = max(o.Blobs/200, 4)
	}
	g := &generator{
		o: o, rng: rand.New(rand.NewPCG(o.Seed, 2)), v2: filepath.Join(dir, "docker/registry/v2"),
		truth: &Truth{Blobs: map[digest.Digest]Keep{}}, written: map[string]bool{},
	}
	if err := os.MkdirAll(filepath.Dir(g.v2), 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(g.v2, 0o755); err != nil {
		return nil, err
	}
	for range 8 {
		g.bases = append(g.bases, []layer{g.layer(3000), g.layer(1500), g.layer(400)})
	}
	if o.Tags > 0 {
		g.single()
	} else {
		g.many()
	}
	g.count()
	return g.truth, g.err
}

func (g *generator) count() {
	c := &g.truth.Counts
	c.Blobs = len(g.truth.Blobs)
	for _, keep := range g.truth.Blobs {
		if keep >= Untagged {
			c.Untagged++
		}
		if keep == Tagged {
			c.Tagged++
		}
	}
}

// keep notes that blobs must survive.
func (g *generator) keep(when Keep, blobs ...digest.Digest) {
	for _, d := range blobs {
		g.truth.Blobs[d] = max(g.truth.Blobs[d], when)
	}
}

// blob writes content, once.
func (g *generator) blob(data []byte) digest.Digest {
	d := digest.Of(data)
	if _, ok := g.truth.Blobs[d]; !ok {
		g.truth.Blobs[d] = Garbage
		g.truth.Counts.Bytes += int64(len(data))
		g.file(filepath.Join("blobs", d.Algorithm(), d.Hex()[:2], d.Hex(), "data"), data)
	}
	return d
}

// link writes a link file into a folder, which its own name follows.
func (g *generator) link(folder string, d digest.Digest) (added bool) {
	if g.written[folder] {
		return false
	}
	g.written[folder] = true
	g.file(filepath.Join(folder, "link"), []byte(d.String()))
	return true
}

func (g *generator) file(name string, data []byte) {
	if g.err != nil {
		return
	}
	path := filepath.Join(g.v2, name)
	err := os.WriteFile(path, data, 0o644)
	if errors.Is(err, os.ErrNotExist) {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644))
	}
	g.err = err
}

// next numbers things, so that no two have the same content.
func (g *generator) next() int {
	g.serial++
	return g.serial
}

// name is such as team03/app7, and for every tenth one below another's.
func name(i int) string {
	if i%10 == 9 {
		return name(i-1) + "/nested"
	}
	return fmt.Sprintf("team%02d/app%d", i/10, i%10)
}
