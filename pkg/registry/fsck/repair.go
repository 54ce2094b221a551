package fsck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sort"
	"syscall"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// Kind is that of the sets that repairs make.
const Kind = "registry fsck"

// Plan is what mends the findings that can be mended. Each step looks again, and does nothing to what is no longer wrong.
// Steps are done with [Checker.Apply].
func (c *Checker) Plan(r *Report) *plan.Plan {
	p := &plan.Plan{}
	var blobs bool
	for _, f := range mendable(r.Items) {
		blobs = blobs || f.ID == blobDigest
		detail := f.ID + ": " + f.Message
		if f.Repair == Rewrite {
			detail += "; it becomes " + f.text
		}
		p.Add(plan.Step{Action: string(f.Repair), Target: f.Path, Detail: detail})
	}
	left := 0
	for _, f := range r.Items {
		if f.Repair == "" {
			left++
		}
	}
	if left > 0 {
		p.Note("not to be mended from what is there: %d; opsctl registry fsck without --repair says what to do", left)
	}
	if blobs {
		p.Note("a registry that runs remembers blobs: restart it, or it takes them for stored when they are pushed again")
	}
	return p
}

// mendable are the findings to be mended in the order of the steps, one a path: what goes, then what is written.
func mendable(items []Finding) []Finding {
	order := map[Repair]int{Quarantine: 1, Rewrite: 2, Create: 3}
	seen := map[string]bool{}
	var all []Finding
	for _, f := range items {
		if f.Repair != "" && !seen[f.name] {
			seen[f.name] = true
			all = append(all, f)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return order[all[i].Repair] < order[all[j].Repair] })
	return all
}

// mending is one repair under way.
type mending struct {
	c     *Checker
	set   *quarantine.Set
	wrote bool
}

// Apply mends what [Checker.Plan] shows for a report, under the lock of the quarantine, and returns the ID under which it can be
// taken back; "" when nothing was broken any more. When a step fails, those before it are taken back. The error is a
// [*lockfile.HeldError] where a collection is at work.
func (c *Checker) Apply(ctx context.Context, r *Report, watch func(plan.Step)) (id string, err error) {
	yard, err := quarantine.Open(layout.Dir(c.root))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, yard.Close()) }()
	lock, err := yard.Lock()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	set, err := yard.Begin(c.o.Now(), Kind)
	if err != nil {
		return "", err
	}
	m := &mending{c: c, set: set}
	p := c.Plan(r)
	for i, f := range mendable(r.Items) {
		p.Steps[i].Do = func(ctx context.Context) error { return m.mend(ctx, f) }
	}
	if err := p.Apply(ctx, noRecord{}, watch); err != nil {
		return "", errors.Join(err, m.back(context.WithoutCancel(ctx)))
	}
	if err := yard.Sync(); err != nil {
		return "", err
	}
	if empty, err := set.Empty(); err != nil || empty && !m.wrote {
		return "", errors.Join(err, set.Purge())
	}
	return set.ID, nil
}

// mend does one step, if what it is about is still wrong in the same way.
func (m *mending) mend(ctx context.Context, f Finding) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	now := f.again()
	if now == nil || now.ID != f.ID || now.Repair != f.Repair {
		return nil
	}
	switch f.Repair {
	case Quarantine:
		return m.set.Take(path.Dir(f.name), []string{path.Base(f.name)}, func(string) {})
	case Rewrite:
		return m.rewrite(f)
	default:
		return m.create(f)
	}
}

// noted has what was just written go first when the repair is taken back.
func (m *mending) noted(name string, err error) error {
	if err != nil {
		return err
	}
	m.wrote = true
	return m.set.Wrote(name)
}

// rewrite puts a link away and writes it anew, with its mode and owner.
func (m *mending) rewrite(f Finding) error {
	file := filepath.Join(layout.Dir(m.c.root), f.name)
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if err := m.set.Take(path.Dir(f.name), []string{path.Base(f.name)}, func(string) {}); err != nil {
		return err
	}
	uid, gid := owner(info)
	return m.noted(f.name, atomicfile.Replace(file, []byte(f.text), info.Mode().Perm(), uid, gid))
}

// create makes a folder like the one above it.
func (m *mending) create(f Finding) error {
	dir := filepath.Join(layout.Dir(m.c.root), f.name)
	info, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, info.Mode().Perm()); err != nil {
		return err
	}
	uid, gid := owner(info)
	return m.noted(f.name, errors.Join(os.Lchown(dir, uid, gid), os.Chmod(dir, info.Mode().Perm())))
}

// back takes all of it back.
func (m *mending) back(ctx context.Context) error {
	if _, err := m.set.RestoreAll(ctx); err != nil {
		return fmt.Errorf("what was put away stays in %s: %w", m.set.Path(""), err)
	}
	return nil
}

func owner(info os.FileInfo) (uid, gid int) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), int(stat.Gid)
	}
	return -1, -1
}

// noRecord is the record of a run that its set in quarantine is.
type noRecord struct{}

func (noRecord) StepBegun(int) error { return nil }
func (noRecord) StepDone(int) error  { return nil }
