package mysqlcmd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/mysqlspace/reclaim"
)

// reclaimPage writes a plan for people: what there is to gain in a table, then each step with what to type.
type reclaimPage struct {
	*render.Page
	plan  *reclaim.Plan
	shown []reclaim.Step
}

func (w *reclaimPage) write() {
	if len(w.plan.Steps) == 0 {
		w.Para("nothing to reclaim")
	} else {
		w.overview()
	}
	for i := range w.shown {
		w.step(i+1, &w.shown[i])
	}
	if len(w.plan.Limits) > 0 {
		w.Heading("Limits")
		for _, l := range w.plan.Limits {
			w.Para("%s", l.What)
			if l.Help != "" {
				w.Para("    %s", l.Help)
			}
		}
	}
}

func (w *reclaimPage) overview() {
	rows := make([][]string, 0, len(w.shown))
	for i := range w.shown {
		s := &w.shown[i]
		rows = append(rows, []string{
			strconv.Itoa(i + 1), string(s.Kind), s.Name(), w.Bytes(s.FreesBytes), string(s.Risk), answer(s), needed(s),
		})
	}
	w.Table([]string{"STEP", "WHAT", "OF", "FREES", "RISK", "FITS", "NEEDS"}, []bool{true, false, false, true, false, false, true}, rows)
	what := render.Count(len(w.plan.Steps), "step")
	if len(w.shown) < len(w.plan.Steps) {
		what = fmt.Sprintf("%d of %s", len(w.shown), what)
	}
	w.Para("%s; those that can be done now, in this order, free %s. Nothing was changed", what, w.Bytes(w.plan.FreesBytes))
	for _, m := range w.plan.Mounts {
		w.Para("%s (%s): %s free", m.Path, strings.Join(m.For, ", "), w.Bytes(m.Free))
	}
}

// answer says whether a step fits, and whether it does only after those before it.
func answer(s *reclaim.Step) string {
	switch {
	case len(s.Blockers) > 0:
		return "blocked"
	case s.Fits != reclaim.Yes && s.FitsInOrder == reclaim.Yes:
		return "then"
	}
	return string(s.Fits)
}

func needed(s *reclaim.Step) string {
	var all int64
	for _, n := range s.Needs {
		all += n.Bytes
	}
	return render.Bytes(all)
}

func (w *reclaimPage) step(number int, s *reclaim.Step) {
	w.Heading(fmt.Sprintf("%d. %s %s", number, s.Kind, s.Name()))
	frees := w.Bytes(s.FreesBytes)
	if s.FreesLowBytes != s.FreesHighBytes {
		frees += fmt.Sprintf(" (%s to %s)", w.Bytes(s.FreesLowBytes), w.Bytes(s.FreesHighBytes))
	}
	if s.Mount != "" {
		frees += " on " + s.Mount
	}
	w.Para("frees %s, risk %s", frees, s.Risk)
	for _, n := range s.Needs {
		mount := n.Mount
		if mount == "" {
			mount = "a mount that is not known"
		}
		w.Para("needs %s (%s to %s) on %s for %s", w.Bytes(n.Bytes), w.Bytes(n.LowBytes), w.Bytes(n.HighBytes), mount, n.For)
	}
	switch {
	case s.Fits != reclaim.Yes && s.FitsInOrder == reclaim.Yes:
		w.Para("fits once the steps before it are done")
	case s.Fits == reclaim.No:
		w.Para("does not fit")
	case s.Fits == reclaim.Unsure:
		w.Para("may not fit: the free space is between the bounds")
	}
	for _, text := range s.Blockers {
		w.Para("blocked: %s", text)
	}
	for _, text := range s.Warnings {
		w.Para("note: %s", text)
	}
	for _, c := range s.Commands {
		how := c.Tool
		if c.Note != "" {
			how += " (" + c.Note + ")"
		}
		w.Para("%s:", how)
		for line := range strings.SplitSeq(c.Text, "\n") {
			w.Text("    " + line) // never wrapped: it is to be copied
		}
	}
}
