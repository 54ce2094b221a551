package component

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/journal"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// Run is a run that changed the host.
type Run struct {
	ID       string    `json:"id"`
	Command  string    `json:"command"`
	Status   string    `json:"status"` // "committed", "undone", "aborted", "unfinished"
	Begun    time.Time `json:"begun"`
	Steps    int       `json:"steps"`
	Undoable bool      `json:"undoable"`
}

// What undoing may say.
var (
	ErrNoRun    = errors.New("no such run")
	ErrNotUndo  = errors.New("cannot be undone")
	ErrSinceRun = errors.New("has changed since that run")
)

// keptRuns is how many runs can be undone.
const keptRuns = 20

func formerFileOf(id string) string { return path.Join(StateDir, "undo", id+".json") }

// keepFormer puts on disk what undoing the run takes, with that of killed runs that it makes good: mode 0600, since it holds
// files as they were.
func (in *Installer) keepFormer(id string, p *plan.Plan, killed []*journal.Run) error {
	var all []former
	for _, old := range killed {
		earlier, err := in.readFormer(old.ID)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		all = append(all, earlier...)
	}
	for _, s := range p.Steps {
		if f, ok := s.Former.(former); ok {
			all = append(all, f)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	dir := in.path(path.Dir(formerFileOf(id)))
	if _, err := atomicfile.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := atomicfile.Write(in.path(formerFileOf(id)), append(text, '\n'), 0o600); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	slices.Sort(names) // IDs sort as their runs began
	for _, name := range names[:max(0, len(names)-keptRuns)] {
		if err := atomicfile.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

func (in *Installer) dropFormer(r *journal.Run) error {
	return atomicfile.Remove(in.path(formerFileOf(r.ID)))
}

func (in *Installer) readFormer(id string) ([]former, error) {
	const maxFormer = 1 << 30 // the owners of a large database's files
	text, err := in.Host.ReadFile(formerFileOf(id), maxFormer)
	if err != nil {
		return nil, err
	}
	var all []former
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", in.Host.Path(formerFileOf(id)), err)
	}
	return all, nil
}

// Runs lists what changed the host, the latest first.
func (in *Installer) Runs() ([]Run, error) {
	j, err := journal.Open(in.path(path.Join(StateDir, "journal")), time.Now)
	if err != nil {
		return nil, err
	}
	runs := []Run{}
	for _, r := range slices.Backward(j.Runs()) {
		_, err := in.Host.Lstat(formerFileOf(r.ID))
		runs = append(runs, Run{
			ID: r.ID, Command: strings.Join(r.Args, " "), Status: string(r.Status), Begun: r.Begun, Steps: len(r.Steps),
			Undoable: err == nil && (r.Status == journal.Committed || r.Status == journal.Unfinished),
		})
	}
	return runs, errors.Join(j.Close())
}

// Undo plans that a run is taken back, one that was killed too; with "" the latest that was neither taken back nor took one
// back. What it wrote must stand as it left it. id is that of the run.
func (in *Installer) Undo(ctx context.Context, run string, o Options) (p *plan.Plan, id string, err error) {
	runs, err := in.Runs()
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(runs, func(r Run) bool {
		return r.ID == run || run == "" && r.Undoable && !strings.HasPrefix(r.Command, "service undo")
	})
	if i < 0 {
		return nil, "", fmt.Errorf("%w: %s", ErrNoRun, run)
	}
	id = runs[i].ID
	if !runs[i].Undoable {
		return nil, id, fmt.Errorf("run %s, %s, is %s and %w", id, runs[i].Command, runs[i].Status, ErrNotUndo)
	}
	all, err := in.readFormer(id)
	if err != nil {
		return nil, id, err
	}
	if err := errors.Join(in.unchanged(id, all), in.readableOnce(all)); err != nil {
		return nil, id, err
	}
	p = &plan.Plan{}
	return p, id, in.takeBack(ctx, p, oldest(all), o)
}

// unchanged is an error when somebody changed since what the run wrote. What is as it was before the run has been taken back
// by an undoing that was killed.
func (in *Installer) unchanged(id string, all []former) error {
	seen := map[string]bool{}
	for _, f := range slices.Backward(all) {
		if f.Gone != "" {
			return fmt.Errorf("run %s removed %s, and %w: install it again, its data and configuration are there", id, f.Gone, ErrNotUndo)
		}
		if f.File == nil || seen[f.File.Path] {
			continue
		}
		seen[f.File.Path] = true
		now, err := in.look(f.File.Path)
		if err != nil {
			return err
		}
		if state := now.state(); state != f.File.Left && state != f.File.state() {
			return fmt.Errorf("%s %w, %s", in.Host.Path(f.File.Path), ErrSinceRun, id)
		}
	}
	return nil
}

// takeBack adds the steps back: units are stopped, everything is put back in reverse, and units run again that ran.
func (in *Installer) takeBack(ctx context.Context, p *plan.Plan, all []former, o Options) error {
	units, err := in.unitsOf(ctx, all)
	if err != nil {
		return err
	}
	for _, u := range units {
		in.haltUnit(p, u)
	}
	for _, f := range slices.Backward(all) {
		if err := in.takeBackOne(p, f); err != nil {
			return err
		}
	}
	// An undoing that was killed may have put all files back, and no more.
	if in.Manager != nil && (len(p.Steps) > 0 || slices.ContainsFunc(units, unitThen.lacks)) {
		p.Add(in.daemonReload("so that it knows the units as they were"))
		for _, u := range units {
			in.resume(p, u, o)
		}
	}
	if err := in.rereadOnce(ctx, p, all, units, o); err != nil {
		return err
	}
	return in.deleteAside(p, all)
}

// unitThen is a unit as it was before a run, and as it is.
type unitThen struct {
	*formerUnit
	now *formerUnit
}

// lacks tells whether the unit is to be enabled, or to run, and is not.
func (u unitThen) lacks() bool { return u.Active && !u.now.Active || u.Enabled && !u.now.Enabled }

// moves tells whether the unit comes from another file again, to which the links of its enabling lead.
func (u unitThen) moves() bool { return u.File != "" && u.File != u.now.File }

// unitsOf lists the units of a run as they were before it: its first step for a unit says so.
func (in *Installer) unitsOf(ctx context.Context, all []former) ([]unitThen, error) {
	units := []unitThen{}
	if in.Manager == nil {
		return units, nil
	}
	for _, f := range all {
		if f.Unit == nil || slices.ContainsFunc(units, func(u unitThen) bool { return u.Name == f.Unit.Name }) {
			continue
		}
		live, err := in.Manager.Unit(ctx, f.Unit.Name)
		if err != nil {
			return nil, err
		}
		units = append(units, unitThen{f.Unit, unitFormer(f.Unit.Name, live)})
	}
	return units, nil
}

// haltUnit stops and disables a unit whose files will change.
func (in *Installer) haltUnit(p *plan.Plan, u unitThen) {
	was := former{Unit: u.now}
	if u.now.Active {
		in.stop(p, was)
	}
	if u.now.Enabled && (!u.Enabled || u.moves()) {
		p.Add(plan.Step{
			Action: "disable", Target: u.Name, Former: was,
			Do:   func(ctx context.Context) error { return in.Manager.Disable(ctx, u.Name) },
			Undo: func(ctx context.Context) error { return in.Manager.Enable(ctx, u.Name) },
		})
	}
}

// resume makes a unit as it was, once its files are.
func (in *Installer) resume(p *plan.Plan, u unitThen, o Options) {
	was := former{Unit: u.now}
	if u.Enabled && (!u.now.Enabled || u.moves()) {
		p.Add(plan.Step{
			Action: "enable", Target: u.Name, Former: was,
			Do:   func(ctx context.Context) error { return in.Manager.Enable(ctx, u.Name) },
			Undo: func(ctx context.Context) error { return in.Manager.Disable(ctx, u.Name) },
		})
	}
	if !u.Active {
		return
	}
	p.Add(plan.Step{
		Action: "start", Target: u.Name, Detail: "as it ran before", Former: was,
		Do: func(ctx context.Context) error {
			if err := in.Manager.Restart(ctx, u.Name); err != nil || u.Ailing {
				return err
			}
			if err := in.stays(ctx, u.Name, o); err != nil {
				return in.withLog(ctx, u.Name, err)
			}
			return nil
		},
		Undo: func(ctx context.Context) error { return in.Manager.Stop(ctx, u.Name) },
	})
}

// takeBackOne adds the step back for one former.
func (in *Installer) takeBackOne(p *plan.Plan, f former) error {
	switch {
	case f.File != nil:
		return in.takeBackFile(p, f.File)
	case f.Tree != "":
		return in.removeTree(p, f.Tree)
	case f.Folder != "":
		p.Add(plan.Step{Action: "remove", Target: f.Folder, Detail: "if nothing is in it", Do: func(context.Context) error { return in.emptyFolders(f.Folder) }})
	case f.Moved != nil:
		if _, err := in.Host.Lstat(f.Moved.To); err == nil {
			p.Add(in.rename(f.Moved.To, f.Moved.From, "its name from before"))
		}
	case f.Account != "":
		if _, has, err := in.findAccount(f.Account); err != nil || !has {
			return err
		}
		p.Add(plan.Step{
			Action: "remove", Target: "user " + f.Account,
			Do:   func(ctx context.Context) error { return in.run(ctx, "userdel", f.Account) },
			Undo: in.addAccount(f.Account).Do,
		})
	case f.Owners != nil:
		now, err := in.owners(f.Owners.Path)
		if err != nil {
			return err
		}
		p.Add(plan.Step{
			Action: "own", Target: f.Owners.Path, Detail: "its files go back to whom they belonged", Former: former{Owners: now},
			Do:   func(ctx context.Context) error { return in.disown(ctx, f.Owners) },
			Undo: func(ctx context.Context) error { return in.disown(ctx, now) },
		})
	}
	return nil
}

func (in *Installer) takeBackFile(p *plan.Plan, was *formerFile) error {
	now, err := in.look(was.Path)
	if err != nil {
		return err
	}
	back := *was
	if now.state() == was.state() {
		left, err := atomicfile.Left(in.path(was.Path))
		if err != nil {
			return err
		}
		// A run that was killed before the file had its name may have left its folder.
		if entries, err := in.Host.ReadDir(path.Dir(was.Path)); was.Absent && err == nil && len(entries) == 0 {
			left = append(left, path.Dir(was.Path))
		}
		if len(left) > 0 {
			p.Add(plan.Step{Action: "remove", Target: left[0], Detail: "that run began to write it", Do: func(context.Context) error { return in.put(&back) }})
		}
		return nil
	}
	s := in.change(now, &back)
	switch {
	case strings.Contains(was.Path, "/secrets/"):
		s.Detail = "a secret, as it was"
	case was.Link == "" && now.Link == "":
		s.Diff = systemd.Redact(plan.Diff(was.Path, now.text(), was.text()))
	case was.Link != "":
		s.Detail = "to " + was.Link
	}
	p.Add(s)
	return nil
}
