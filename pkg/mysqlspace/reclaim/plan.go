// Package reclaim plans how a MySQL or MariaDB server gives disk space back: rebuilds of tables, binary logs, undo and
// temporary tablespaces, leftovers and logs, ranked by what they free for their risk. It plans and runs nothing; a step that
// something speaks against stays in the plan and says what.
package reclaim

import (
	"cmp"
	"slices"
	"sort"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// Kind is what a step does.
type Kind string

// The kinds of steps.
const (
	Rebuild       Kind = "rebuild"
	PurgeBinlogs  Kind = "purge-binary-logs"
	TruncateUndo  Kind = "truncate-undo"
	TruncateTemp  Kind = "truncate-temporary"
	RemoveOrphan  Kind = "remove-orphan"
	RotateLog     Kind = "rotate-log"
	MoveFromSpace Kind = "move-from-shared-tablespace"
)

// Risk is how much a step may disturb, or lose.
type Risk string

// The risks. Low neither locks nor loses what is in use; medium loads the server and every replica for as long as it takes;
// high locks writers out, needs a restart, or cannot be taken back.
const (
	Low    Risk = "low"
	Medium Risk = "medium"
	High   Risk = "high"
)

// weight divides what a step frees when steps are ranked: one of medium risk comes first only if it frees four times as much
// as one of low risk.
func (r Risk) weight() int64 { return map[Risk]int64{Low: 1, Medium: 4, High: 16}[r] }

// Answer says whether a step's temporary space is there.
type Answer string

// The answers. Unsure is between the bounds of what the step needs; Unasked is for a mount that could not be looked at.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unsure  Answer = "unsure"
	Unasked Answer = "unknown"
)

// Command is one way of doing a step.
type Command struct {
	Tool string `json:"tool"` // "sql", "shell", "gh-ost", "pt-online-schema-change"
	Text string `json:"text"` // as typed: SQL with its semicolons, or a line for a POSIX shell
	Note string `json:"note,omitempty"`
}

// Need is space that a step takes for a while.
type Need struct {
	Mount string `json:"mount"` // the mount point; "" where it is not known
	For   string `json:"for"`   // "the new file", "sort files"
	// Bytes is the expected peak, between LowBytes and HighBytes.
	Bytes     int64 `json:"bytes"`
	LowBytes  int64 `json:"lowBytes"`
	HighBytes int64 `json:"highBytes"`
}

// Step is one thing that gives space back.
type Step struct {
	Kind      Kind   `json:"kind"`
	Schema    string `json:"schema,omitempty"`
	Table     string `json:"table,omitempty"`
	Partition string `json:"partition,omitempty"`
	File      string `json:"file,omitempty"`

	FreesBytes     int64  `json:"freesBytes"`
	FreesLowBytes  int64  `json:"freesLowBytes"`
	FreesHighBytes int64  `json:"freesHighBytes"`
	Mount          string `json:"mount,omitempty"` // where

	Risk     Risk      `json:"risk"`
	Method   string    `json:"method,omitempty"`
	Commands []Command `json:"commands"`
	Needs    []Need    `json:"needs"`
	// Fits is the answer for the free space of now; FitsInOrder for that after the steps before this one.
	Fits        Answer `json:"fits"`
	FitsInOrder Answer `json:"fitsInOrder"`
	// Blockers forbid the step as things stand; Warnings are what to know first.
	Blockers []string `json:"blockers"`
	Warnings []string `json:"warnings"`
}

// Name is what a step works on, as people write it.
func (s *Step) Name() string {
	if s.Table == "" {
		return s.File
	}
	item := space.Item{Schema: s.Schema, Table: s.Table, Partition: s.Partition}
	return item.Name()
}

// Plan is the steps, ranked.
type Plan struct {
	Steps  []Step        `json:"steps"`
	Mounts []space.Mount `json:"mounts"`
	// FreesBytes sums the steps without blockers that fit, now or in their order.
	FreesBytes int64         `json:"freesBytes"`
	Limits     []space.Limit `json:"limits"`
	Problems   []error       `json:"-"`
}

// Rank orders steps and says of each whether it fits. Steps that free less than least bytes even at best, or nothing, are left out
// beforehand: nobody does them.
func Rank(steps []Step, mounts []space.Mount, least int64) *Plan {
	steps = slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return s.FreesHighBytes < max(1, least) })
	sort.SliceStable(steps, func(i, j int) bool {
		a, b := &steps[i], &steps[j]
		return cmp.Or(cmp.Compare(len(a.Blockers[:min(1, len(a.Blockers))]), len(b.Blockers[:min(1, len(b.Blockers))])),
			cmp.Compare(b.FreesBytes/b.Risk.weight(), a.FreesBytes/a.Risk.weight()), cmp.Compare(a.Name(), b.Name())) < 0
	})
	plan := &Plan{Steps: steps, Mounts: mounts}
	now, later := freeSpace(mounts), freeSpace(mounts)
	for i := range steps {
		s := &steps[i]
		s.Fits, s.FitsInOrder = fits(s.Needs, now), fits(s.Needs, later)
		if len(s.Blockers) > 0 || s.FitsInOrder != Yes {
			continue
		}
		plan.FreesBytes += max(0, s.FreesBytes)
		if _, known := later[s.Mount]; known {
			later[s.Mount] += max(0, s.FreesLowBytes)
		}
	}
	return plan
}

func freeSpace(mounts []space.Mount) map[string]int64 {
	free := make(map[string]int64, len(mounts))
	for _, m := range mounts {
		free[m.Path] = m.Free
	}
	return free
}

// fits compares the sums of a step's needs with what each mount has free.
func fits(needs []Need, free map[string]int64) Answer {
	low, high := map[string]int64{}, map[string]int64{}
	for _, n := range needs {
		low[n.Mount] += n.LowBytes
		high[n.Mount] += n.HighBytes
	}
	answer := Yes
	for mount := range high {
		has, known := free[mount]
		switch {
		case known && low[mount] > has:
			return No
		case !known:
			answer = Unasked
		case high[mount] > has && answer == Yes:
			answer = Unsure
		}
	}
	return answer
}
