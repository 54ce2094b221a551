package component

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/mod/semver"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/plan"
)

// ErrFormat is in the error about data that the wanted version cannot read.
var ErrFormat = errors.New("cannot read the data")

// older tells whether version a is older than b.
func older(a, b string) bool { return semver.Compare("v"+a, "v"+b) < 0 }

// formats keeps the newest version that has written to the data, and refuses one that cannot read what that wrote.
func (t *target) formats(before *Settings) error {
	if t.c.Data == nil {
		return nil
	}
	written := t.want.Written
	if before != nil && (written == "" || older(written, before.Version)) {
		written = before.Version
	}
	if t.adopted != nil && t.adopted.version != "" {
		written = t.adopted.version
	}
	t.want.Written = written
	if written == "" || !older(t.want.Version, written) {
		t.want.Written = ""
	}
	if f := t.unreadable(); f != nil && !t.o.Snapshot {
		return fmt.Errorf("%s %s %w in %s: %s has written to them, and from %s on they are read by %s and newer only",
			t.c.Name, t.want.Version, ErrFormat, t.c.dataDir(t.want), t.want.Written, f.Since, f.ReadableFrom)
	}
	return nil
}

// unreadable is the format of the data that the wanted version does not read; nil for none.
func (t *target) unreadable() *Format {
	if t.want.Written == "" || t.have != nil && t.have.current == t.want.Version {
		return nil
	}
	for _, f := range t.c.Data.Formats {
		if !older(t.want.Written, f.Since) && older(t.want.Version, f.ReadableFrom) {
			return &f
		}
	}
	return nil
}

// snapshot adds the copy of the data that an older version may spoil.
func (in *Installer) snapshot(p *plan.Plan, t *target) error {
	if t.c.Data == nil || t.unreadable() == nil {
		return nil
	}
	from := t.c.dataDir(t.want)
	if found, err := in.Host.RealPath(from); err == nil {
		from = found // the data of a dynamic user
	} else if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	to := from + ".before-" + t.want.Version
	if _, err := in.Host.Lstat(to); err == nil {
		return fmt.Errorf("snapshot %s: %w", to, fs.ErrExist)
	}
	if t.have.up() {
		p.Add(in.halt(t, "so that its data are whole"))
	}
	p.Add(plan.Step{
		Action: "copy", Target: to, Detail: "the data as " + t.want.Written + " left them; blocks are linked, not copied",
		Former: former{Tree: to},
		Do: func(ctx context.Context) error {
			staging := to + ".new"
			if err := atomicfile.Remove(in.path(staging)); err != nil {
				return err
			}
			if err := in.copyTree(ctx, from, staging); err != nil {
				return errors.Join(err, atomicfile.Remove(in.path(staging)))
			}
			return atomicfile.Rename(in.path(staging), in.path(to))
		},
		Undo: func(context.Context) error { return atomicfile.Remove(in.path(to)) },
	})
	return nil
}

// writtenOnce tells the chunks and the index of a block, ULID/chunks/N and ULID/index (Prometheus, tsdb/docs/format).
func writtenOnce(rel string) bool {
	for _, pattern := range []string{"??????????????????????????/chunks/*", "??????????????????????????/index"} {
		if ok, err := filepath.Match(pattern, rel); err == nil && ok {
			return true
		}
	}
	return false
}
