package remove

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/opsctl/opsctl/pkg/lockfile"
	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/remote"
)

// Kind is what the quarantine's sets of a removal are called.
const Kind = "registry rm"

// InFolders puts tags and the links of manifests into the quarantine of a registry's folder, in one set that a run of undo
// puts back. The registry may run. It is for one caller at a time, who closes it.
type InFolders struct {
	base *os.Root
	yard *quarantine.Yard
	now  func() time.Time

	lock *lockfile.Lock
	set  *quarantine.Set
}

// OpenFolders begins nothing before something is put away. root is the driver's rootdirectory.
func OpenFolders(root string, now func() time.Time) (*InFolders, error) {
	yard, err := quarantine.Open(layout.Dir(root))
	if err != nil {
		return nil, err
	}
	base, err := os.OpenRoot(layout.Dir(root))
	if err != nil {
		return nil, errors.Join(err, yard.Close())
	}
	return &InFolders{base: base, yard: yard, now: now}, nil
}

// Close ends the use of the quarantine, and lets go of it.
func (f *InFolders) Close() error {
	var err error
	if f.lock != nil {
		err = f.lock.Release()
	}
	return errors.Join(err, f.base.Close(), f.yard.Close())
}

// Run is the ID that undoes it all, once what was put away is on disk; "" when nothing was.
func (f *InFolders) Run() (string, error) {
	if f.set == nil {
		return "", nil
	}
	return f.set.ID, f.yard.Sync()
}

// Ready implements [Remover]. Nothing is created before it was agreed to.
func (*InFolders) Ready(ctx context.Context, _ string) error { return ctx.Err() }

// begin takes the quarantine for this process, once.
func (f *InFolders) begin() (err error) {
	if f.set != nil {
		return nil
	}
	if f.lock == nil {
		if f.lock, err = f.yard.Lock(); err != nil {
			return err
		}
	}
	f.set, err = f.yard.Begin(f.now(), Kind)
	return err
}

// Tag implements [Remover]. What a push has set meanwhile is put back.
func (f *InFolders) Tag(ctx context.Context, repository, tag string, d digest.Digest, _ []string) error {
	dir := layout.TagsDir(repository)
	folder := path.Join(dir, tag)
	named, err := link(f.base, folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case named != d:
		return fmt.Errorf("%w: %s", remote.ErrChanged, named)
	}
	if err := f.begin(); err != nil {
		return err
	}
	if err := f.set.Take(dir, []string{tag}, func(string) {}); err != nil {
		return err
	}
	// Looked at again where nobody else writes: what was set between the two is not ours to take.
	tree, err := f.set.Tree()
	if err != nil {
		return err
	}
	defer func() { _ = tree.Close() }()
	switch named, err = link(tree, folder); {
	case errors.Is(err, fs.ErrNotExist): // somebody else was faster
		return nil
	case err == nil && named == d:
		return nil
	case err == nil:
		err = fmt.Errorf("%w: %s", remote.ErrChanged, named)
	}
	_, restoreErr := f.set.Restore(context.WithoutCancel(ctx), folder)
	return errors.Join(err, restoreErr)
}

// link reads what the folder of a tag names.
func link(root *os.Root, folder string) (digest.Digest, error) {
	text, err := root.ReadFile(path.Join(folder, "current/link"))
	if err != nil {
		return digest.Digest{}, err
	}
	return digest.Parse(string(text))
}

// Manifest implements [Remover]: first the tags go, then the link that says that the repository has the manifest.
func (f *InFolders) Manifest(ctx context.Context, repository string, d digest.Digest, tags []string) error {
	for _, tag := range tags {
		if err := f.Tag(ctx, repository, tag, d, nil); err != nil {
			return fmt.Errorf("the tag %s: %w", tag, err)
		}
	}
	if err := f.begin(); err != nil {
		return err
	}
	var errs []error
	for _, dir := range []string{layout.RevisionsDir(repository), layout.LayersDir(repository)} {
		err := f.set.Take(path.Join(dir, d.Algorithm()), []string{d.Hex()}, func(string) {})
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
