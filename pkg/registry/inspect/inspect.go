package inspect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
	"github.com/opsctl/opsctl/pkg/registry/reference"
)

// configLimit is the size above which a configuration is not read, in bytes.
const configLimit = 8 << 20

// Source is where an image is looked at: [Folders], or a registry that is read through its API.
type Source interface {
	Tags(repository string) iter.Seq2[layout.Tag, *layout.Problem]
	// Manifest reads a manifest that the repository has, Content a blob.
	Manifest(repository string, d digest.Digest, limit int64) ([]byte, *layout.Problem)
	Content(repository string, d digest.Digest, limit int64) ([]byte, *layout.Problem)
	BlobProblem(d digest.Digest, err error) *layout.Problem
	// Subjects yields the manifests about d that the registry itself knows to be.
	Subjects(repository string, d digest.Digest) iter.Seq2[digest.Digest, *layout.Problem]
}

// inspector looks at one repository.
type inspector struct {
	source     Source
	repository string
	tags       []layout.Tag
	problems   []*layout.Problem
}

func (i *inspector) note(trouble *layout.Problem) {
	if trouble != nil {
		i.problems = append(i.problems, trouble)
	}
}

// Look reads what a reference names, its tag or its digest. The error wraps [ErrNoImage], or is the context's.
func Look(ctx context.Context, source Source, ref reference.Reference) (*Image, error) {
	i := &inspector{source: source, repository: ref.Repository}
	var broken *layout.Problem
	for tag, trouble := range source.Tags(ref.Repository) {
		switch {
		case trouble == nil:
			i.tags = append(i.tags, tag)
		case tag.Name == ref.Tag && tag.Name != "":
			broken = trouble
		default:
			i.note(trouble)
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	img := &Image{Repository: ref.Repository, Tag: ref.Tag, Digest: ref.Digest, Tags: []string{}}
	tags := i.tags
	sort.SliceStable(tags, func(i, j int) bool { return tags[i].Name < tags[j].Name })
	for _, tag := range i.tags {
		if tag.Name == ref.Tag && (ref.Digest.IsZero() || tag.Digest == ref.Digest) {
			img.Digest, img.Modified = tag.Digest, tag.Modified.UTC()
		}
	}
	switch {
	case broken != nil:
		return nil, broken
	case img.Digest.IsZero():
		return nil, fmt.Errorf("%s: %w", ref.Object(), errors.Join(append([]error{ErrNoImage}, errorsOf(i.problems)...)...))
	}
	if err := i.fill(img); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	img.Problems = i.problems
	return img, nil
}

func errorsOf(problems []*layout.Problem) []error {
	var errs []error
	for _, trouble := range problems {
		errs = append(errs, trouble)
	}
	return errs
}

// fill reads the manifest and all that it leads to.
func (i *inspector) fill(img *Image) error {
	data, trouble := i.source.Manifest(i.repository, img.Digest, mark.ManifestLimit)
	switch {
	case trouble != nil && errors.Is(trouble, fs.ErrNotExist):
		return fmt.Errorf("%s@%s: %w", i.repository, img.Digest, ErrNoImage)
	case trouble != nil:
		return trouble
	}
	m, err := parse(data)
	if err != nil {
		return i.source.BlobProblem(img.Digest, err)
	}
	img.MediaType, img.Kind, img.ArtifactType = m.MediaType, m.parsed.Kind, m.kindOfArtifact()
	img.Annotations, img.Subject = m.Annotations, m.parsed.Subject
	img.Layers, img.Platforms = m.layers(), []Platform{}
	for _, tag := range i.tags {
		if tag.Digest == img.Digest && tag.Name != img.Tag {
			img.Tags = append(img.Tags, tag.Name)
		}
	}
	sizes := map[digest.Digest]int64{img.Digest: int64(len(data))}
	if m.parsed.Kind == mark.KindIndex {
		for _, child := range m.Manifests {
			img.Platforms = append(img.Platforms, i.child(child, sizes)...)
		}
	} else {
		var p Platform
		img.Config, p = i.image(m, img.Digest, sizes)
		p.Bytes += int64(len(data))
		img.Platforms = append(img.Platforms, p)
	}
	for _, size := range sizes {
		img.Bytes += size
	}
	img.Referrers = i.referrers(img.Digest)
	return nil
}

// image reads an image's configuration and adds up its content.
func (i *inspector) image(m *manifest, d digest.Digest, sizes map[digest.Digest]int64) (*Config, Platform) {
	p, own := Platform{Digest: d, Present: true}, map[digest.Digest]int64{}
	for _, l := range m.layers() {
		own[l.Digest] = l.Bytes
	}
	var config *Config
	var said configuration
	switch {
	case m.Config != nil:
		config = i.config(m.Config, &said)
		if config != nil {
			own[config.Digest] = config.Bytes
		}
	case len(m.History) > 0:
		_ = json.Unmarshal([]byte(m.History[0].V1), &said) // schema 1 keeps it there; one that cannot be read says nothing
	}
	p.Platform, p.Created = said.String(), said.created()
	for d, size := range own {
		p.Bytes += size
		sizes[d] = size
	}
	return config, p
}

// config reads a configuration; the sizes are the descriptor's.
func (i *inspector) config(of *descriptor, said *configuration) *Config {
	d, err := digest.Parse(of.Digest)
	if err != nil {
		return nil
	}
	config := &Config{Digest: d, Bytes: of.Size, MediaType: of.MediaType, Entrypoint: []string{}, Cmd: []string{}, Labels: map[string]string{}}
	if of.Size > configLimit {
		return config
	}
	data, trouble := i.source.Content(i.repository, d, configLimit)
	i.note(trouble)
	// What is no container image has a configuration of another form, or an empty one.
	if trouble == nil && json.Unmarshal(data, said) == nil {
		said.read(config)
	}
	return config
}

// child looks at an entry of an index; one that is no manifest is none.
func (i *inspector) child(of descriptor, sizes map[digest.Digest]int64) []Platform {
	d, err := digest.Parse(of.Digest)
	if err != nil {
		return nil
	}
	p := Platform{Platform: of.Platform.String(), Digest: d}
	data, trouble := i.source.Manifest(i.repository, d, mark.ManifestLimit)
	if trouble != nil {
		if !errors.Is(trouble, fs.ErrNotExist) {
			i.note(trouble)
		}
		return []Platform{p}
	}
	m, err := parse(data)
	if err != nil {
		i.note(i.source.BlobProblem(d, err))
		return []Platform{p}
	}
	sizes[d] = int64(len(data))
	_, read := i.image(m, d, sizes)
	read.Bytes += int64(len(data))
	if p.Platform != "" {
		read.Platform = p.Platform
	}
	return []Platform{read}
}

// Created is when an image was made, of an index when its newest child was; zero when that is not known. What cannot be read
// is not known, with a problem.
func Created(source Source, repository string, d digest.Digest) (time.Time, []*layout.Problem) {
	i := &inspector{source: source, repository: repository}
	data, trouble := source.Manifest(repository, d, mark.ManifestLimit)
	if trouble != nil {
		return time.Time{}, []*layout.Problem{trouble}
	}
	m, err := parse(data)
	if err != nil {
		return time.Time{}, []*layout.Problem{source.BlobProblem(d, err)}
	}
	sizes := map[digest.Digest]int64{}
	if m.parsed.Kind != mark.KindIndex {
		_, p := i.image(m, d, sizes)
		return p.Created, i.problems
	}
	var newest time.Time
	for _, child := range m.Manifests {
		for _, p := range i.child(child, sizes) {
			if p.Created.After(newest) {
				newest = p.Created
			}
		}
	}
	return newest, i.problems
}

// referrers finds what is about d, each once.
func (i *inspector) referrers(d digest.Digest) []Referrer {
	all := []Referrer{}
	add := func(r Referrer) {
		if !slices.ContainsFunc(all, func(known Referrer) bool { return known.Digest == r.Digest }) {
			all = append(all, i.referrer(r))
		}
	}
	for about, trouble := range i.source.Subjects(i.repository, d) {
		i.note(trouble)
		if !about.IsZero() {
			add(Referrer{Digest: about, Via: "subject"})
		}
	}
	name := mark.FallbackTag(d)
	for _, tag := range i.tags {
		switch suffix, ok := strings.CutPrefix(tag.Name, name); {
		case !ok:
		case suffix == "":
			for _, about := range i.listed(tag.Digest) {
				add(Referrer{Digest: about, Via: "fallback tag", Tag: tag.Name})
			}
		case suffix[0] == '.':
			add(Referrer{Digest: tag.Digest, Via: "tag", Tag: tag.Name})
		}
	}
	return all
}

// listed are the manifests that the index under a fallback tag lists.
func (i *inspector) listed(index digest.Digest) []digest.Digest {
	data, trouble := i.source.Manifest(i.repository, index, mark.ManifestLimit)
	i.note(trouble)
	parsed, err := mark.Parse(data)
	if err != nil {
		return nil
	}
	var all []digest.Digest
	for _, child := range parsed.Children {
		all = append(all, child.Digest)
	}
	return all
}

// referrer reads what one is.
func (i *inspector) referrer(r Referrer) Referrer {
	data, trouble := i.source.Manifest(i.repository, r.Digest, mark.ManifestLimit)
	if trouble != nil {
		if !errors.Is(trouble, fs.ErrNotExist) {
			i.note(trouble)
		}
		return r
	}
	r.Bytes = int64(len(data))
	if m, err := parse(data); err == nil {
		r.Type = cmp.Or(m.kindOfArtifact(), m.MediaType)
	}
	return r
}
