package mysqlspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/progress"
)

// Options say what a report is made from.
type Options struct {
	Selection
	Thresholds Thresholds
	// Datadir is a data folder; "" for none.
	Datadir   string
	Elsewhere []datadir.Place // further folders of the server
	// Snapshot is what a server said, at Address; nil for none. With a data folder as well both are joined.
	Snapshot *live.Snapshot
	Address  string
	// SamplePages are read of each index at most; 0 for 64, negative for none: neither rows nor fill nor predictions then.
	SamplePages int
	Seed        uint64
	Workers     int // files that are read at once; 0 for 32
	Progress    progress.Reporter
	Now         func() time.Time // nil: time.Now
}

// NoFolderError says that nothing in a folder is a server's.
type NoFolderError struct{ Dir string }

func (e *NoFolderError) Error() string {
	return e.Dir + " is no data folder: it has no file of a MySQL or MariaDB server"
}

// isFolder tells whether there is a file that only a server makes: any but definitions, logs and what no rule knows.
func isFolder(tree *datadir.Tree) bool {
	return len(tree.Problems) > 0 || slices.ContainsFunc(tree.Files, func(f datadir.File) bool {
		return f.Kind == datadir.FRM || !slices.Contains([]space.Category{space.Unknown, space.Metadata, space.Logs}, f.Category)
	})
}

// otherFlavour tells that a folder is one of MySQL's, which has its dictionary in mysql.ibd, and the server MariaDB, or the reverse.
func otherFlavour(tree *datadir.Tree, flavour string) bool {
	if flavour != "mariadb" {
		return tree.MariaDB()
	}
	return slices.ContainsFunc(tree.Files, func(f datadir.File) bool { return f.Path == "mysql.ibd" })
}

// ErrNothing says that Options name neither a data folder nor a server.
var ErrNothing = errors.New("neither a data folder nor a server")

func (o *Options) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// Collect makes a report, applies the selection and checks the thresholds. Files that are wrong or not readable are in the
// report's Problems; an error means that there is no report.
func Collect(ctx context.Context, o Options) (*space.Report, error) {
	report, _, err := o.gather(ctx)
	return report, err
}

// gather is Collect; the tree is nil without a data folder.
func (o *Options) gather(ctx context.Context) (*space.Report, *datadir.Tree, error) {
	if err := o.Check(); err != nil {
		return nil, nil, err
	}
	if o.Datadir == "" && o.Snapshot == nil {
		return nil, nil, ErrNothing
	}
	report := &space.Report{
		Items: []space.Item{}, Accounting: []space.Sum{}, Unknown: []space.File{}, Orphans: []space.File{}, Mounts: []space.Mount{},
		Findings: []space.Finding{}, Limits: []space.Limit{},
	}
	if o.Snapshot != nil {
		o.server(report)
	}
	var tree *datadir.Tree
	if o.Datadir != "" {
		var err error
		if tree, err = o.files(ctx, report); err != nil {
			return nil, nil, err
		}
	}
	o.Apply(report)
	o.Thresholds.Check(report)
	return report, tree, nil
}

// files adds what the data folder says.
func (o *Options) files(ctx context.Context, report *space.Report) (*datadir.Tree, error) {
	tree, err := datadir.Walk(ctx, datadir.Options{Dir: o.Datadir, Elsewhere: o.Elsewhere, Workers: o.Workers})
	if err != nil {
		return nil, err
	}
	if !isFolder(tree) {
		return nil, &NoFolderError{tree.Root}
	}
	if o.Snapshot != nil {
		if otherFlavour(tree, o.Snapshot.Flavour) {
			return nil, fmt.Errorf("%s is of another make: %w", tree.Root, ErrOtherServer)
		}
		if err := o.identify(tree, report); err != nil {
			return nil, err
		}
	}
	report.Datadir, report.Accounting = tree.Root, tree.Accounting()
	report.Elsewhere = tree.Beyond()
	report.Unknown, report.Orphans = tree.Of(space.Unknown), tree.Of(space.Orphans)
	if report.Mounts, err = tree.Mounts(); err != nil {
		return nil, err
	}
	items, problems, err := tree.Tables(ctx, datadir.TableOptions{
		ByIndex: o.By == "index", Sample: o.samplePages(), Seed: o.Seed, Match: o.Matches, Predict: o.predict, Now: o.now(), Progress: o.Progress,
	})
	if err != nil {
		return nil, err
	}
	report.Problems = slices.Concat(tree.Problems, problems)
	if o.Snapshot == nil {
		outdated(items)
		report.Items = items
		return tree, nil
	}
	attribute(items, o.Snapshot)
	outdated(items)
	report.Items, err = join(items, report.Items)
	return tree, err
}

func (o *Options) samplePages() int {
	if o.SamplePages == 0 {
		return 64
	}
	return max(o.SamplePages, 0)
}
