package test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/check"
)

// mutant is a fault of consensus, written into the core or into what surrounds it.
type mutant struct {
	name string
	file string // below the core's module, or pkg/raftsim/
	from string // text that must be there once
	to   string
	by   []check.Invariant // that may find it
}

// fewMutants are built in a plain run: building each takes as long as finding it.
const fewMutants = 4

// mutants are those that a checker must catch, each by the invariant that it breaks. What a client sees is what stale reads break;
// everything else shows in logs, leaders or machines first.
func mutants() []mutant {
	logs := []check.Invariant{check.LogMatching, check.LeaderCompleteness, check.StateMachineSafety, check.LeaderAppendOnly}
	reads := []check.Invariant{check.ReadFreshness, check.Linearizability}
	return []mutant{
		{
			"a vote is forgotten at restart", "pkg/raftsim/disk/disk.go",
			"	return d.hard, voters, learners", "	return core.Hard{Term: d.hard.Term, Commit: d.hard.Commit}, voters, learners",
			[]check.Invariant{check.ElectionSafety},
		},
		{
			"a vote is always granted", "raft.go",
			"		if canVote && r.raftLog.isUpToDate(candLastID) {", "		if canVote || candLastID.index > 0 {",
			append([]check.Invariant{check.ElectionSafety}, logs...),
		},
		{
			"entries and votes are acknowledged before they are on the disk", "pkg/raftsim/node.go",
			"	if leads {\n		n.send(r.Messages)", "	if !leads {\n		leads = true\n	}\n	if leads {\n		n.send(r.Messages)",
			[]check.Invariant{check.Durability, check.ElectionSafety},
		},
		{
			"entries are applied before they are committed", "pkg/raftsim/node.go",
			"		n.apply(r.Committed)\n	}\n	if r.Sync", "		n.apply(append(r.Committed[:len(r.Committed):len(r.Committed)], r.Entries...))\n	}\n	if r.Sync",
			[]check.Invariant{check.StateMachineSafety},
		},
		{
			"a leader answers reads by itself", "pkg/raftsim/serve.go",
			"	n.ask(&n.requests[len(n.requests)-1])\n", "	if last := &n.requests[len(n.requests)-1]; q.read && n.role == core.Leader {\n		last.index = max(n.applied, 1)\n		n.answerReads()\n		return\n	}\n	n.ask(&n.requests[len(n.requests)-1])\n",
			reads,
		},
		{
			"a lease outlives a pause or a clock that is slow", "pkg/raftsim/core/core.go",
			"	if c.LeaseReads {", "	if c.LeaseReads || c.CheckQuorum {",
			reads,
		},
		{
			"a disk is wiped and the node comes back under its id", "pkg/raftsim/inject.go",
			"		c.crash(n)\n		c.replace(n)", "		c.crash(n)\n		n.disk, n.base = disk.New(c.beginning(n.voters)), 0\n		c.reload(n)\n		c.restart(n)",
			append([]check.Invariant{check.Durability, check.ElectionSafety}, logs...),
		},
		{
			"a snapshot has not the members of its time", "pkg/raftsim/node.go",
			"n.appliedTerm, n.voters, nil,", "n.appliedTerm, n.c.founders(), nil,",
			append([]check.Invariant{check.ElectionSafety}, logs...),
		},
		{
			"a node leaves a change of members out", "pkg/raftsim/node.go",
			"	changed, voters, _ := n.core.ApplyChange(e)", "	if n.id <= 2 {\n		return\n	}\n	changed, voters, _ := n.core.ApplyChange(e)",
			append([]check.Invariant{check.ElectionSafety}, logs...),
		},
		{
			"entries of a former term are committed by counting", "log.go", // figure 8 of the paper
			"	if at.term != 0 && at.index > l.committed && l.matchTerm(at) {", "	if at.index > l.committed {",
			append([]check.Invariant{check.ElectionSafety}, logs...),
		},
		{
			"a new leader changes members while a change is pending", "raft.go", // Ongaro, raft-dev, 2015
			"	r.pendingConfIndex = r.raftLog.lastIndex()\n", "	r.pendingConfIndex = 0\n",
			append([]check.Invariant{check.ElectionSafety}, logs...),
		},
	}
}

// build makes raftrun with the mutant: of the core by a copy that replaces its module, of what surrounds it by an overlay.
func (m *mutant) build(t *testing.T, core string) string {
	t.Helper()
	dir := t.TempDir()
	if !strings.HasPrefix(m.file, "pkg/") {
		copied := filepath.Join(dir, "core")
		if err := os.CopyFS(copied, os.DirFS(core)); err != nil {
			t.Fatal(err)
		}
		m.patch(t, filepath.Join(core, m.file), filepath.Join(copied, m.file))
		return raftrun(t, "-modfile", modfile(t, dir, "go.etcd.io/raft/v3 => "+copied))
	}
	path, err := filepath.Abs(filepath.Join("..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(dir, filepath.Base(m.file))
	m.patch(t, path, changed)
	return raftrun(t, "-overlay", overlay(t, dir, map[string]string{path: changed}))
}

// patch writes the mutant of a file, and fails where the text to change is not there once.
func (m *mutant) patch(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.from); n != 1 {
		t.Fatalf("%s has the text of the mutant %q %d times:\n%s", m.file, m.name, n, m.from)
	}
	writeText(t, to, strings.Replace(string(text), m.from, m.to, 1))
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil { // a copy of a module is read-only
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func overlay(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Replace": files})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	writeText(t, path, string(text))
	return path
}

// modfile is the product's go.mod with a replacement, beside a copy of its sums.
func modfile(t *testing.T, dir, replace string) string {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			text = append(text, []byte("\nreplace "+replace+"\n")...)
		}
		writeText(t, filepath.Join(dir, "alt"+strings.TrimPrefix(name, "go")), string(text))
	}
	return filepath.Join(dir, "alt.mod")
}

// raftrun builds the program.
func raftrun(t *testing.T, flags ...string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "raftrun")
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", bin}, flags...), "./internal/raftrun")...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(flags, " "), err, out)
	}
	return bin
}

func moduleDir(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// finding is what raftrun prints.
type finding struct {
	Seeds      int
	Seed       uint64
	CPUSeconds float64
	Invariant  check.Invariant
	Text       string
	Faults     int
	Small      []string
}

func hunt(ctx context.Context, t *testing.T, bin string, from uint64, seeds int, flags ...string) finding {
	t.Helper()
	cmd := exec.CommandContext(ctx, bin, append([]string{"-from", fmt.Sprint(from), "-seeds", fmt.Sprint(seeds), "-cpu", mutantBudget.String()}, flags...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var f finding
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// mutantBudget is the CPU time in which each has to be found.
const mutantBudget = time.Minute

// TestMutantsAreCaught builds each mutant, and has it found on seeds that nobody has seen before, under the nemesis that all share.
func TestMutantsAreCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program for each mutant")
	}
	number := seed(t)
	core := moduleDir(t, "go.etcd.io/raft/v3")
	for i, m := range mutants()[:numberOfCases(fewMutants, len(mutants()), len(mutants()))] {
		t.Run(m.name, func(t *testing.T) {
			bin := m.build(t, core)
			f := hunt(t.Context(), t, bin, number>>16+uint64(i)<<32, 1<<30)
			t.Logf("%s, by %s after %d seeds and %.1f CPU s; %d faults became %d: %s", f.Text, f.Invariant, f.Seeds, f.CPUSeconds, f.Faults, len(f.Small), strings.Join(f.Small, "; "))
			if !slices.Contains(m.by, f.Invariant) {
				t.Errorf("found by %q, want one of %q", f.Invariant, m.by)
			}
		})
	}
}

// TestNothingIsFoundWhereNothingIs runs the core as it is on seeds that nobody has seen before: the checks must not cry wolf.
func TestNothingIsFoundWhereNothingIs(t *testing.T) {
	seeds := numberOfCases(0, 1000, 20_000)
	if seeds == 0 {
		t.Skip("many seeds are run under OPSCTL_TORTURE; pkg/raftsim has 500")
	}
	from := seed(t) >> 16
	f := hunt(t.Context(), t, raftrun(t), from, seeds, "-cpu", "1h", "-small", "0")
	t.Logf("%d seeds of 10 s in %.0f CPU s", f.Seeds, f.CPUSeconds)
	if f.Invariant != "" || f.Seeds != seeds {
		t.Errorf("seed %d is found by %q: %s", f.Seed, f.Invariant, f.Text)
	}
}
