package sweep

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// scan marks the store together with what was put away, and puts back all that is referred to. Every manifest that a
// repository links is a root then, and every link is a reference. Fingerprint changes with the store's tags and links.
type scan struct {
	c *Collector
	r *restorer

	mu          sync.Mutex
	fingerprint uint64
	problems    []*layout.Problem
	incomplete  bool
	damaged     bool
	// needed takes down what is referred to; nil: nobody asks.
	needed *digest.Set
}

// pass does one scan.
func (c *Collector) pass(ctx context.Context, sets []*quarantine.Set, needed *digest.Set, sum *Amount) (*scan, error) {
	a, err := openAttic(sets)
	if err != nil {
		return nil, err
	}
	s := &scan{c: c, r: &restorer{attic: a}, needed: needed}
	err = s.run(ctx)
	sum.Manifests += s.r.sum.Manifests
	sum.Blobs += s.r.sum.Blobs
	sum.Bytes += s.r.sum.Bytes
	return s, errors.Join(err, a.close())
}

func (s *scan) run(ctx context.Context) error {
	for _, away := range s.r.attic.rooms {
		// The registry may have been writing to the folders of this run's set, or of one that was killed.
		if _, err := away.set.Read(restFile); err == nil {
			continue
		}
		if err := s.r.late(ctx, away, "repositories"); err != nil {
			return err
		}
	}
	source := &view{s.c.store, s.r.attic}
	listing, err := mark.Each(ctx, source, s.c.o.Workers, func(g *mark.Graph) error { return s.repository(ctx, g) })
	s.problems = append(s.problems, listing.Problems...)
	s.incomplete = s.incomplete || listing.Incomplete
	return err
}

// repository restores what a repository refers to: blobs, then links, then fallback tags, so that no link comes before its
// blob.
func (s *scan) repository(ctx context.Context, g *mark.Graph) error {
	live := g.Live(mark.Roots{})
	for d := range live.Digests {
		if err := s.blob(ctx, d); err != nil {
			return err
		}
	}
	sum, err := s.linked(ctx, g)
	if err == nil {
		err = s.links(ctx, g, live)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fingerprint += sum
	s.damaged = s.damaged || g.Damaged
	s.problems = append(s.problems, g.Problems...)
	return nil
}

// blob takes down that a blob is referred to, and has it.
func (s *scan) blob(ctx context.Context, d digest.Digest) error {
	if s.needed != nil {
		s.mu.Lock()
		s.needed.Add(d)
		s.mu.Unlock()
	}
	return s.r.blob(ctx, d)
}

// links restores the links and fallback tags that live again.
func (s *scan) links(ctx context.Context, g *mark.Graph, live *mark.Reach) error {
	for _, away := range s.r.attic.rooms {
		if err := s.former(ctx, g.Name, away, live); err != nil {
			return err
		}
	}
	for tag := range live.FormerTags {
		for _, away := range slices.Backward(s.r.attic.rooms) {
			if err := s.r.folder(ctx, away, path.Join(layout.TagsDir(g.Name), tag.Name), Amount{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// linked has the blob of each link, and returns the sum of what the repository has.
func (s *scan) linked(ctx context.Context, g *mark.Graph) (sum uint64, err error) {
	for _, tag := range g.Tags {
		sum += number("tag", g.Name, tag.Name, tag.Digest, tag.Modified)
	}
	for _, dir := range []string{layout.LayersDir(g.Name), layout.RevisionsDir(g.Name)} {
		for d, trouble := range s.c.store.LinkFolders(dir) {
			if trouble != nil {
				continue // marking has said so, or nothing needs it
			}
			sum += number("link", dir, "", d, time.Time{})
			if err := s.blob(ctx, d); err != nil {
				return 0, err
			}
		}
	}
	return sum, nil
}

// number is one summand of a fingerprint; a sum does not depend on the order.
func number(kind, where, name string, d digest.Digest, at time.Time) uint64 {
	h := fnv.New64a()
	for _, text := range []string{kind, where, name, d.String()} {
		_, _ = h.Write([]byte(text))
		_, _ = h.Write([]byte{0})
	}
	if !at.IsZero() {
		_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, uint64(at.UnixNano())))
	}
	return h.Sum64()
}

// former restores the links of one set that what lives needs.
func (s *scan) former(ctx context.Context, repository string, away room, live *mark.Reach) error {
	for _, dir := range []string{layout.LayersDir(repository), layout.RevisionsDir(repository)} {
		for d, trouble := range away.store.LinkFolders(dir) {
			if trouble != nil || !live.Has(d) {
				continue
			}
			a := Amount{}
			if dir == layout.RevisionsDir(repository) {
				a.Manifests = 1
			}
			if err := s.r.folder(ctx, away, path.Join(dir, d.Algorithm(), d.Hex()), a); err != nil {
				return err
			}
		}
	}
	return nil
}
