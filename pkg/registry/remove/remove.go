// Package remove deletes tags and manifests of a registry by name or by policy: it plans, and what was planned is what is done.
// It promises that one tag goes alone: whatever other tag names the same image goes on naming it. What no tag names any
// more stays until a garbage collection.
package remove

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/inspect"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/policy"
	"github.com/opsctl/opsctl/pkg/registry/reference"
)

// What may be wrong with a request; errors wrap these.
var (
	ErrNoTag  = errors.New("no such tag")
	ErrNoRepo = errors.New("no such repository, or it has no tags")
	ErrBare   = errors.New("which tags of the repository?")
)

// Source is what a removal is planned from.
type Source interface {
	inspect.Source
	Repositories() iter.Seq2[string, *layout.Problem]
}

// Remover does what was planned.
type Remover interface {
	// Ready says why nothing can be deleted in a repository, before anything is.
	Ready(ctx context.Context, repository string) error
	// Tag deletes one that still names d; those that are named as staying are not touched.
	Tag(ctx context.Context, repository, tag string, d digest.Digest, staying []string) error
	// Manifest deletes one with the tags that name it.
	Manifest(ctx context.Context, repository string, d digest.Digest, tags []string) error
}

// Request is what is to go: tags and digests by name, or by rules the tags of repositories.
type Request struct {
	Targets []reference.Reference
	Rules   policy.Rules
	Now     time.Time
	// Made has the age of a tag be that of its image: no API tells when a tag was set.
	Made bool
}

// Planned is a plan with what could not be planned.
type Planned struct {
	*plan.Plan

	Problems []error

	remover      Remover
	repositories []string // in which something goes
}

// Ready says why what was planned cannot be done, before anything is.
func (p *Planned) Ready(ctx context.Context) error {
	for _, name := range p.repositories {
		if err := p.remover.Ready(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// planner works on the repositories of a request, one after the other.
type planner struct {
	source  Source
	remover Remover
	request Request
	out     *Planned
}

// Plan finds out what goes. The error wraps those of this package when nothing can be planned, or is the context's.
func Plan(ctx context.Context, source Source, remover Remover, request Request) (*Planned, error) {
	p := &planner{source, remover, request, &Planned{Plan: &plan.Plan{}, remover: remover}}
	if err := request.Check(); err != nil {
		return nil, err
	}
	var names []string
	targets := map[string][]reference.Reference{}
	for _, ref := range request.Targets {
		if targets[ref.Repository] == nil {
			names = append(names, ref.Repository)
		}
		targets[ref.Repository] = append(targets[ref.Repository], ref)
	}
	for _, name := range names {
		before := len(p.out.Steps)
		if err := p.repository(ctx, name, targets[name]); err != nil {
			return nil, err
		}
		if len(p.out.Steps) > before {
			p.out.repositories = append(p.out.repositories, name)
		}
	}
	if len(p.out.Steps) == 0 && len(p.out.Problems) > 0 {
		return nil, errors.Join(p.out.Problems...)
	}
	return p.out, nil
}

// Check refuses repositories without rules and images with them.
func (r *Request) Check() error {
	for _, ref := range r.Targets {
		bare := ref.Tag == "" && ref.Digest.IsZero()
		switch {
		case bare && r.Rules.IsZero():
			return fmt.Errorf("%s: %w", ref.Object(), ErrBare)
		case !bare && !r.Rules.IsZero():
			return fmt.Errorf("%s: %w: rules are about all tags of a repository, and this names an image", ref.Object(), policy.ErrRules)
		}
	}
	return r.Rules.Check()
}

// problem notes what could not be planned.
func (p *planner) problem(err error) { p.out.Problems = append(p.out.Problems, err) }

// repository plans what goes of one.
func (p *planner) repository(ctx context.Context, name string, targets []reference.Reference) error {
	var tags []layout.Tag
	for tag, trouble := range p.source.Tags(name) {
		if trouble != nil {
			p.problem(trouble)
			continue
		}
		tags = append(tags, tag)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	sort.SliceStable(tags, func(i, j int) bool { return tags[i].Name < tags[j].Name })
	var going []layout.Tag
	if p.request.Rules.IsZero() {
		going = p.named(tags, targets)
	} else {
		if len(tags) == 0 {
			p.problem(fmt.Errorf("%s: %w", name, ErrNoRepo))
			return nil
		}
		var err error
		if going, err = p.chosen(ctx, name, tags); err != nil {
			return err
		}
	}
	p.tagSteps(name, tags, going)
	return p.manifestSteps(ctx, name, tags, targets)
}

// named are the tags that the targets name, each once.
func (p *planner) named(tags []layout.Tag, targets []reference.Reference) []layout.Tag {
	var going []layout.Tag
	for _, ref := range targets {
		if ref.Tag == "" {
			continue
		}
		i := slices.IndexFunc(tags, func(t layout.Tag) bool { return t.Name == ref.Tag })
		switch {
		case i < 0:
			p.problem(fmt.Errorf("%s: %w", ref.Object(), ErrNoTag))
		case !ref.Digest.IsZero() && tags[i].Digest != ref.Digest:
			p.problem(fmt.Errorf("%s: %w: it names %s", ref.Object(), ErrNoTag, tags[i].Digest))
		case !slices.Contains(going, tags[i]):
			going = append(going, tags[i])
		}
	}
	return going
}

// tagSteps say for each tag what it names and which tags go on naming it.
func (p *planner) tagSteps(repository string, tags, going []layout.Tag) {
	when := ", set "
	if p.request.Made {
		when = ", made "
	}
	for _, tag := range going {
		var staying []string
		for _, other := range tags {
			if other.Digest == tag.Digest && !slices.Contains(going, other) {
				staying = append(staying, other.Name)
			}
		}
		detail := tag.Digest.String() + ", which no other tag names"
		if len(staying) > 0 {
			detail = fmt.Sprintf("%s, which stays as %s", tag.Digest, strings.Join(staying, " "))
		}
		if !tag.Modified.IsZero() {
			detail += when + tag.Modified.UTC().Format("2006-01-02 15:04 UTC")
		}
		p.out.Add(plan.Step{
			Action: "untag", Target: repository + ":" + tag.Name, Detail: detail,
			Do: func(ctx context.Context) error {
				return p.remover.Tag(ctx, repository, tag.Name, tag.Digest, staying)
			},
		})
	}
}
