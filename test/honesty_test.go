package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// planned is a step of a plan, as --dry-run -o json has it.
type planned struct{ Action, Target string }

// covers says whether a change of a path is what the step speaks of: at its target or below, or, where its target is a unit or
// a user, in what systemd keeps of the one and useradd(8) of the other.
func (s planned) covers(name string) bool {
	unit, isUnit := strings.CutSuffix(s.Target, ".service")
	_, isUser := strings.CutPrefix(s.Target, "user ")
	dir, base := path.Split(name)
	switch {
	case strings.HasPrefix(s.Target, "/"):
		return below(name, s.Target)
	case isUser:
		return dir == "/etc/" && slices.Contains([]string{"passwd", "group", "shadow", "gshadow", "subuid", "subgid", ".pwd.lock"}, strings.TrimSuffix(base, "-"))
	case isUnit && (s.Action == "enable" || s.Action == "disable"):
		return strings.HasSuffix(dir, ".wants/") && base == s.Target || strings.HasSuffix(name, ".wants")
	case isUnit && slices.Contains([]string{"start", "restart", "stop"}, s.Action):
		// StateDirectory= of systemd.exec(5), and what the service writes there, some when it ends.
		return below(name, "/var/lib/"+unit) || below(name, "/var/lib/private")
	}
	return false
}

// above says whether a folder had to be made for a step's target to lie in it.
func (s planned) above(name string) bool { return s.Target != name && below(s.Target, name) }

// snapshot is what every file of the machine is, so that two differ where something changed, whoever did it.
func (r *installRig) snapshot(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(r.Root()+"/", func(name string, d fs.DirEntry, err error) error {
		inside := "/" + strings.TrimLeft(strings.TrimPrefix(name, r.Root()), "/")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone meanwhile
		case err != nil:
			return err
		case slices.Contains([]string{"/proc", "/sys", "/dev", "/run", "/tmp", "/usr/share", "/var/log", "/var/tmp", "/var/lib/systemd"}, inside):
			return fs.SkipDir
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("%s: no stat", name)
		}
		all[inside] = fmt.Sprint(info.Mode(), stat.Uid, stat.Gid)
		if !d.IsDir() { // a folder also changes with the names in it
			all[inside] += fmt.Sprint(info.Size(), stat.Ctim)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 1000 {
		t.Fatalf("the snapshot has %d files", len(all))
	}
	return all
}

// differing are the paths where two snapshots differ.
func differing(before, after map[string]string) []string {
	var names []string
	for name := range before {
		if before[name] != after[name] {
			names = append(names, name)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// The plan is what happens: --dry-run changes nothing, --yes changes what it showed and all of it, and a second run nothing.
func TestThePlanIsWhatHappens(t *testing.T) {
	r := newInstallRig(t)
	newer, err := testpeers.NodeExporter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mirror := r.mirror(t, "prometheus/pushgateway", "1.5.1", filepath.Join(r.debian, "usr/bin/prometheus-pushgateway"))
	older := slices.DeleteFunc(r.pack(t, "node_exporter", "1.5.0", ""), func(arg string) bool { return arg == "--yes" })
	upgrade := slices.DeleteFunc(r.pack(t, "node_exporter", "1.12.1", newer), func(arg string) bool { return arg == "--yes" })
	for _, run := range []struct {
		name, unit string
		args       []string
		paths      int // steps whose target is a path
		repeatable bool
	}{
		{"install", "pushgateway", []string{"install", "pushgateway@1.5.1", "--mirror", mirror, "--settle", "300ms"}, 4, true},
		{"install with an account", "node_exporter", older, 4, true},
		{"upgrade", "node_exporter", upgrade, 3, true},
		{"remove", "pushgateway", []string{"service", "remove", "pushgateway"}, 3, false},
	} {
		t.Run(run.name, func(t *testing.T) {
			steps := r.changesNothing(t, run.unit, append(run.args, "--dry-run", "-o", "json")...)
			paths := r.changesThat(t, steps, append(run.args, "--yes")...)
			if paths != run.paths {
				t.Errorf("%d steps about paths: %v", paths, steps)
			}
			if run.repeatable {
				if left := r.changesNothing(t, run.unit, append(run.args, "--yes", "-o", "json")...); len(left) > 0 {
					t.Errorf("a second run has steps: %v", left)
				}
			}
		})
	}
}

// changesNothing runs opsctl, which must open nothing for writing, change nothing and ask systemd for no change, and returns
// the steps that it shows.
func (r *installRig) changesNothing(t *testing.T, unit string, args ...string) []planned {
	t.Helper()
	before, service := r.snapshot(t), r.service(t, unit)
	calls, out := r.traced(t, args...)
	for _, c := range calls {
		if name, flags := c.opened(); c.ok() && opensForWriting(flags) && name != "/dev/null" && name != "/dev/tty" {
			t.Errorf("%v opened %s with %s", args, name, flags)
		}
		for _, touched := range c.touches() {
			t.Errorf("%v: %s %s by %s", args, touched.path, touched.how, c.name)
		}
		if method := c.asksSystemd(); method != "" {
			t.Errorf("%v called systemd's %s", args, method)
		}
	}
	for _, name := range differing(before, r.snapshot(t)) {
		t.Errorf("%v: %s is another", args, name)
	}
	if after := r.service(t, unit); after != service {
		t.Errorf("%v: the service was %s and is %s", args, service, after)
	}
	var plan struct{ Steps []planned }
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return plan.Steps
}

func opensForWriting(flags string) bool {
	for flag := range strings.SplitSeq(flags, "|") {
		switch flag {
		case "O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE":
			return true
		}
	}
	return false
}

// methods of org.freedesktop.systemd1(5) that change something, by the action that asks for them.
func methods() map[string]string {
	return map[string]string{
		"EnableUnitFiles": "enable", "DisableUnitFiles": "disable", "Reload": "reload", "StopUnit": "stop",
		"RestartUnit": "restart", "StartUnit": "start", "ReloadUnit": "reload", "StartTransientUnit": "run", "ResetFailedUnit": "reset-failed",
	}
}

// asksSystemd is the method of systemd's that a message on a socket calls, if it changes something; else "".
func (c *call) asksSystemd() string {
	if !strings.HasPrefix(c.name, "send") && !strings.HasPrefix(c.name, "write") {
		return ""
	}
	for method := range methods() {
		// In D-Bus' wire form a NUL follows a name.
		if strings.Contains(strings.Join(c.args, " "), method+`\0`) {
			return method
		}
	}
	return ""
}

// changesThat runs opsctl, which must change what the steps say and all of it, and counts the steps whose target is a path.
func (r *installRig) changesThat(t *testing.T, steps []planned, args ...string) (paths int) {
	t.Helper()
	before := r.snapshot(t)
	calls, _ := r.traced(t, args...)
	after := r.snapshot(t)
	changed, asked := map[string]bool{}, map[string]bool{}
	for _, name := range differing(before, after) {
		changed[name] = true
	}
	for i := range calls {
		for _, touched := range calls[i].touches() {
			changed[touched.path] = true
		}
		if method := calls[i].asksSystemd(); method != "" {
			asked[methods()[method]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		_, was := before[name]
		mode, is := after[name]
		isNewFolder := !was && strings.HasPrefix(mode, "d")
		switch {
		case below(name, "/var/lib/opsctl"): // its own record
		case !was && !is: // a temporary name
		case slices.ContainsFunc(steps, func(s planned) bool { return s.covers(name) }):
		case isNewFolder && slices.ContainsFunc(steps, func(s planned) bool { return s.above(name) }):
		default:
			t.Errorf("%v changed %s, of which no step speaks: %v", args, name, steps)
		}
	}
	return allDone(t, steps, changed, asked)
}

// allDone looks whether each step's path was changed, and whether systemd was asked for what the other steps say and for
// nothing else.
func allDone(t *testing.T, steps []planned, changed, asked map[string]bool) (paths int) {
	t.Helper()
	shown := map[string]bool{"reset-failed": true} // goes before a restart, and leaves no trace
	for _, s := range steps {
		action := s.Action
		if action == "start" {
			action = "restart" // of what does not run
		}
		shown[action] = true
		switch {
		case strings.HasPrefix(s.Target, "/"):
			paths++
			if !slices.ContainsFunc(slices.Collect(maps.Keys(changed)), s.covers) {
				t.Errorf("nobody did %s %s", s.Action, s.Target)
			}
		case s.Target == "systemd" || strings.HasSuffix(s.Target, ".service"):
			if !asked[action] {
				t.Errorf("nobody asked systemd to %s %s", s.Action, s.Target)
			}
		}
	}
	for action := range asked {
		if !shown[action] {
			t.Errorf("systemd was asked to %s, of which no step speaks: %v", action, steps)
		}
	}
	return paths
}
