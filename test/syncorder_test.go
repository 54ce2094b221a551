package test

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// disk follows which changes a crash could still take back: nothing is on disk before fsync(2) says so, for a file's content
// as for the names in a folder.
type disk struct {
	files   map[string]int // where the last change of a file's content or mode ended, while it is not synced
	folders map[string]int // where the last change of a folder's names ended, while it is not synced
	faults  []string
}

// inOrder sorts calls by when they began, and those that sync by when they ended: a change that began before that had no use
// of it yet.
func inOrder(calls []call) []call {
	at := func(c call) int {
		if c.syncs() {
			return c.end
		}
		return c.begin
	}
	return slices.SortedStableFunc(slices.Values(calls), func(a, b call) int { return cmp.Compare(at(a), at(b)) })
}

func (c *call) syncs() bool { return c.name == "fsync" || c.name == "fdatasync" }

// follow takes calls one by one, [inOrder]. An fsync covers the changes that had ended when it began.
func (d *disk) follow(c *call) {
	if !c.ok() {
		return
	}
	if c.syncs() {
		for _, all := range []map[string]int{d.files, d.folders} {
			if end, ok := all[c.file(0)]; ok && end < c.begin {
				delete(all, c.file(0))
			}
		}
		return
	}
	switch c.name {
	case "rename":
		d.rename(c, c.path(-1, 0), c.path(-1, 1))
		return
	case "renameat", "renameat2":
		d.rename(c, c.path(0, 1), c.path(2, 3))
		return
	}
	for _, t := range c.touches() {
		switch t.how {
		case created: // with what was there, most often; what is written to it counts
		case written, changed:
			if _, isFolder := d.folders[t.path]; !isFolder {
				d.files[t.path] = c.end
			}
		case made:
			d.folders[path.Dir(t.path)] = c.end
			if strings.HasPrefix(c.name, "mkdir") {
				d.folders[t.path] = c.end
			} else if strings.HasPrefix(c.name, "open") {
				d.files[t.path] = c.end
			}
		case gone:
			d.forget(t.path)
			d.folders[path.Dir(t.path)] = c.end
		}
	}
}

// rename wants the content of what gets another name on disk, and carries what is known of it over.
func (d *disk) rename(c *call, from, to string) {
	d.forget(to)
	for _, all := range []map[string]int{d.files, d.folders} {
		for name, end := range all {
			if !below(name, from) {
				continue
			}
			if inPlace(to) {
				d.faults = append(d.faults, fmt.Sprintf("line %d: %s was renamed to %s before %s was synced", c.begin+1, from, to, name))
			}
			delete(all, name)
			all[to+strings.TrimPrefix(name, from)] = end
		}
	}
	d.folders[path.Dir(from)], d.folders[path.Dir(to)] = c.end, c.end
}

// inPlace says whether a path is one that things are known by. Within a release that is still to get its name, and out of the way
// before it is deleted, the order does not matter.
func inPlace(name string) bool { return !strings.Contains(name, "/.") }

// forget drops what is known of a path that is gone.
func (d *disk) forget(top string) {
	for _, all := range []map[string]int{d.files, d.folders} {
		for name := range all {
			if below(name, top) {
				delete(all, name)
			}
		}
	}
}

// unsynced are the files and folders that a crash could take changes of, when the journal says what kind tells. A lock holds
// nothing that has to last. useradd(8) syncs the accounts, not their former versions nor the folder, which is waited for until
// the run is committed.
func (d *disk) unsynced(kind string) []string {
	var names []string
	for _, all := range []map[string]int{d.files, d.folders} {
		for name := range all {
			dir, base := path.Split(name)
			switch {
			case name == "/var/lib/opsctl/lock", below(name, "/run"):
			case dir == "/etc/" && (base == ".pwd.lock" || strings.HasSuffix(base, "-")):
			case name == "/etc" && kind != "committed":
			default:
				names = append(names, name)
			}
		}
	}
	return names
}

// record is the kind of record that a call writes to opsctl's journal, "" for none.
func (c *call) record() string {
	if c.name != "pwrite64" || c.file(0) != "/var/lib/opsctl/journal" {
		return ""
	}
	_, rest, _ := strings.Cut(c.text(1), `"kind":"`)
	kind, _, _ := strings.Cut(rest, `"`)
	return kind
}

// What is renamed into place is on disk before, and what a step changed is before the journal says that it is done.
func TestWhatIsDoneIsOnDisk(t *testing.T) {
	r := newInstallRig(t)
	newer, err := testpeers.NodeExporter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mirror := r.mirror(t, "prometheus/node_exporter", "1.5.0", filepath.Join(r.debian, "usr/bin/prometheus-node-exporter"))
	for _, run := range []struct {
		name    string
		args    []string
		renames int // at least
	}{
		{"install", []string{"install", "node_exporter@1.5.0", "--mirror", mirror, "--yes", "--settle", "300ms"}, 4},
		{"upgrade", append(r.pack(t, "node_exporter", "1.12.1", newer), "--listen", "127.0.0.1:9100"), 4},
		{"rollback", []string{"service", "rollback", "node_exporter", "--yes", "--settle", "300ms"}, 2},
		{"remove", []string{"service", "remove", "node_exporter", "--yes"}, 3},
	} {
		t.Run(run.name, func(t *testing.T) {
			calls, out := r.traced(t, run.args...)
			if renames := judgeOrder(t, calls); renames < run.renames {
				t.Errorf("%d renames: too few to mean anything\n%s", renames, out)
			}
		})
	}
}

// judgeOrder looks at one run, and counts the renames that it saw.
func judgeOrder(t *testing.T, calls []call) (renames int) {
	t.Helper()
	d := &disk{files: map[string]int{}, folders: map[string]int{}}
	records := map[string]int{}
	for _, c := range inOrder(calls) {
		if kind := c.record(); kind != "" {
			records[kind]++
			for _, name := range d.unsynced(kind) {
				t.Errorf("the journal says %s before %s was synced", kind, name)
			}
		}
		if strings.HasPrefix(c.name, "rename") && c.ok() {
			renames++
		}
		d.follow(&c)
	}
	for _, fault := range d.faults {
		t.Error(fault)
	}
	for _, name := range d.unsynced("committed") {
		t.Errorf("%s was not synced at the end", name)
	}
	if records["committed"] != 1 || records["step-done"] == 0 {
		t.Errorf("the journal's records: %v", records)
	}
	return renames
}
