package remove

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/inspect"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
	"github.com/opsctl/opsctl/pkg/registry/policy"
	"github.com/opsctl/opsctl/pkg/registry/reference"
)

// chosen are the tags that the rules choose, with the time by which they did.
func (p *planner) chosen(ctx context.Context, repository string, tags []layout.Tag) ([]layout.Tag, error) {
	rules := p.request.Rules
	var made map[digest.Digest]time.Time
	if p.request.Made && rules.Dated() {
		made = p.made(ctx, repository, tags)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	weighed := make([]policy.Tag, len(tags))
	for i := range tags {
		if p.request.Made {
			tags[i].Modified = made[tags[i].Digest]
		}
		weighed[i] = policy.Tag{Name: tags[i].Name, Time: tags[i].Modified, Fallback: p.fallback(repository, tags[i])}
	}
	names := rules.Choose(weighed, p.request.Now)
	var going []layout.Tag
	for _, tag := range tags {
		if _, ok := slices.BinarySearch(names, tag.Name); ok {
			going = append(going, tag)
		}
	}
	if p.request.Made && rules.Dated() {
		p.out.Note("%s: ages are those of the images, for the API does not tell when a tag was set", repository)
	}
	return going, nil
}

// readers is how many images are read at a time.
const readers = 8

// made is when the images of the tags were.
func (p *planner) made(ctx context.Context, repository string, tags []layout.Tag) map[digest.Digest]time.Time {
	all := map[digest.Digest]time.Time{}
	for _, tag := range tags {
		all[tag.Digest] = time.Time{}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, readers)
	for _, d := range slices.SortedFunc(maps.Keys(all), digest.Compare) {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			made, problems := inspect.Created(p.source, repository, d)
			mu.Lock()
			defer mu.Unlock()
			all[d] = made
			for _, trouble := range problems {
				p.problem(trouble)
			}
		})
	}
	wg.Wait()
	return all
}

// fallback reports whether a tag is there for what is about an image: an index under a fallback tag, or a signature under a tag
// made of a digest, as cosign writes it.
func (p *planner) fallback(repository string, tag layout.Tag) bool {
	name, _, suffixed := strings.Cut(tag.Name, ".")
	if !mark.FallbackForm(name) || suffixed {
		return mark.FallbackForm(name)
	}
	data, trouble := p.source.Manifest(repository, tag.Digest, mark.ManifestLimit)
	if trouble != nil {
		return true // what it is is not known, so it stays
	}
	m, err := mark.Parse(data)
	return err != nil || m.Kind == mark.KindIndex
}

// manifestSteps say for each digest which tags go with it, and what it is a part of.
func (p *planner) manifestSteps(ctx context.Context, repository string, tags []layout.Tag, targets []reference.Reference) error {
	var done []digest.Digest
	for _, ref := range targets {
		d := ref.Digest
		if ref.Tag != "" || d.IsZero() || slices.Contains(done, d) {
			continue
		}
		done = append(done, d)
		_, trouble := p.source.Manifest(repository, d, mark.ManifestLimit)
		switch {
		case trouble != nil && errors.Is(trouble, fs.ErrNotExist):
			p.problem(fmt.Errorf("%s: %w", ref.Object(), inspect.ErrNoImage))
			continue
		case trouble != nil:
			p.problem(trouble)
			continue
		}
		var along []string
		for _, tag := range tags {
			if tag.Digest == d {
				along = append(along, tag.Name)
			}
		}
		detail := "no tag names it"
		if len(along) > 0 {
			detail = "with it go the tags " + strings.Join(along, " ")
		}
		p.out.Add(plan.Step{
			Action: "delete", Target: repository + "@" + d.String(), Detail: detail,
			Do: func(ctx context.Context) error { return p.remover.Manifest(ctx, repository, d, along) },
		})
		if !p.request.Made && len(done) == 1 {
			p.out.Note("%s: a running registry with cache: inmemory may serve it by its digest until it starts anew", repository)
		}
		p.partOf(repository, d, tags)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// partOf notes the indexes under tags that a manifest is a child of: they cannot be pulled whole without it.
func (p *planner) partOf(repository string, d digest.Digest, tags []layout.Tag) {
	var names []string
	for _, tag := range tags {
		data, trouble := p.source.Manifest(repository, tag.Digest, mark.ManifestLimit)
		if trouble != nil || tag.Digest == d {
			continue
		}
		m, err := mark.Parse(data)
		if err == nil && slices.ContainsFunc(m.Children, func(c mark.Child) bool { return c.Digest == d }) {
			names = append(names, tag.Name)
		}
	}
	if len(names) > 0 {
		p.out.Note("%s@%s is a part of %s: what is pulled by that lacks it", repository, d, strings.Join(names, " "))
	}
}
