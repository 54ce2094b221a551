// Package fsck checks that a registry's folders are sound: that blobs are what their names say, that links and tags lead
// somewhere, that manifests and blobs agree. A registry may run meanwhile; what is found broken is looked at again before it
// is touched. Repairing puts away what is broken, into the quarantine that collecting uses, and writes only what the
// store's own names say. It promises to leave alone what it cannot judge.
package fsck

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/severity"
)

// Stale is the age at which an upload has been given up: what the registry's own purging takes (configuration,
// storage.maintenance.uploadpurging.age).
const Stale = 168 * time.Hour

// Options are how to check.
type Options struct {
	// Quick leaves out reading blobs against their names.
	Quick bool
	// Workers is how many blobs and repositories are read at a time; less than one is one.
	Workers int
	Now     func() time.Time
	// Progress gives a reporter of bytes; nil: none.
	Progress func(phase string) progress.Reporter
}

// Finding is one thing that is wrong.
type Finding struct {
	ID       string            `json:"id"`
	Severity severity.Severity `json:"severity"`
	// Path is relative to the root directory.
	Path    string `json:"path"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
	// Repair is what --repair would do: "quarantine", "rewrite", "create", or nothing.
	Repair Repair `json:"repair,omitempty"`

	name string // the path, relative to the store's folder
	text string // what is written
	// again judges the same thing anew; nil: it is no longer wrong.
	again func() *Finding
}

// Repair is what mends a finding.
type Repair string

// What repairing does: it puts away, puts a link away and writes it anew, or makes a folder.
const (
	Quarantine Repair = "quarantine"
	Rewrite    Repair = "rewrite"
	Create     Repair = "create"
)

// Report is what a check found.
type Report struct {
	Repositories int `json:"repositories"`
	Blobs        int `json:"blobs"`
	// Bytes are those of the blobs that were read; zero after a quick check.
	Bytes int64 `json:"bytesRead"`
	Quick bool  `json:"quick"`
	// Items are in the order of their paths.
	Items []Finding `json:"items"`
	// Problems are what could not be read, and so not be judged.
	Problems []*layout.Problem `json:"-"`
}

// Checker looks at one store.
type Checker struct {
	o     Options
	root  string
	store *layout.Store

	mu     sync.Mutex
	report *Report
	// unsound are blobs that are not what they should be.
	unsound map[digest.Digest]bool
	// away are blobs that collections have put away.
	away digest.Set
	read digest.Set // the manifests that were looked at
}

// Open opens the store below a root directory. The error wraps [layout.ErrNotRegistry]. The caller closes it.
func Open(root string, o Options) (*Checker, error) {
	store, err := layout.Open(root)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Checker{o: o, root: root, store: store}, nil
}

// Close ends the use of the store.
func (c *Checker) Close() error { return c.store.Close() }

// Check looks at everything, once. The error is the context's, or that of reading the quarantine.
func (c *Checker) Check(ctx context.Context) (*Report, error) {
	c.report = &Report{Quick: c.o.Quick, Items: []Finding{}}
	c.unsound = map[digest.Digest]bool{}
	if err := c.openAway(); err != nil {
		return nil, err
	}
	if err := c.blobs(ctx); err != nil {
		return nil, err
	}
	if err := c.repositories(ctx); err != nil {
		return nil, err
	}
	sort.SliceStable(c.report.Items, func(i, j int) bool {
		a, b := &c.report.Items[i], &c.report.Items[j]
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Message, b.Message)) < 0
	})
	slices.SortFunc(c.report.Problems, func(a, b *layout.Problem) int { return cmp.Compare(a.Path, b.Path) })
	return c.report, nil
}

// openAway takes down the blobs that collections have put away.
func (c *Checker) openAway() (err error) {
	yard, err := quarantine.Open(layout.Dir(c.root))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, yard.Close()) }()
	sets, err := yard.Sets()
	if err != nil {
		return err
	}
	for _, set := range sets {
		if set.Kind == Kind {
			continue // what a repair has put away is broken
		}
		tree, err := set.Tree()
		if err != nil {
			return err
		}
		store := layout.Within(tree, set.ID)
		for d, trouble := range store.Digests() {
			if trouble == nil {
				c.away.Add(d)
			}
		}
		if err := store.Close(); err != nil {
			return err
		}
	}
	return nil
}

// add records what a judgement found, with the judgement.
func (c *Checker) add(judge func() *Finding) { c.note(judge(), judge) }

// note records a finding, unless it is nil, and how to look again.
func (c *Checker) note(f *Finding, again func() *Finding) {
	if f == nil {
		return
	}
	f.again = again
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Items = append(c.report.Items, *f)
}

// find makes a finding of a rule about something in the store.
func (c *Checker) find(id, name, message string) *Finding {
	for _, r := range Rules() {
		if r.ID == id {
			f := &Finding{ID: id, Severity: r.Severity, Message: message, Remedy: r.Remedy, name: name}
			f.Path = c.store.Problem(name, nil).Path
			if r.Repair {
				f.Repair = Quarantine
			}
			return f
		}
	}
	return nil
}

// cannot records what could not be read.
func (c *Checker) cannot(name string, err error) {
	c.problem(c.store.Problem(name, err))
}

func (c *Checker) problem(trouble *layout.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Problems = append(c.report.Problems, trouble)
}

// reporter counts bytes of one phase.
func (c *Checker) reporter(phase string) progress.Reporter {
	if c.o.Progress == nil {
		return progress.OrNop(nil)
	}
	return progress.OrNop(c.o.Progress(phase))
}
