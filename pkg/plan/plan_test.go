package plan_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/opsctl/opsctl/pkg/plan"
)

type log struct{ lines []string }

func (l *log) add(text string) { l.lines = append(l.lines, text) }

func (l *log) StepBegun(i int) error { l.add("begun " + string(rune('a'+i))); return nil }
func (l *log) StepDone(i int) error  { l.add("done " + string(rune('a'+i))); return nil }

// steps makes three steps of which one fails.
func (l *log) steps(failing int, err error) *plan.Plan {
	p := &plan.Plan{}
	for i, name := range []string{"a", "b", "c"} {
		s := plan.Step{
			Action: "create", Target: name,
			Do: func(context.Context) error {
				l.add("do " + name)
				if i == failing {
					return err
				}
				return nil
			},
		}
		if name != "b" {
			s.Undo = func(context.Context) error { l.add("undo " + name); return nil }
		}
		p.Add(s)
	}
	return p
}

func TestApplyDoesTheStepsInOrder(t *testing.T) {
	l := &log{}
	if err := l.steps(-1, nil).Apply(t.Context(), l, func(plan.Step) {}); err != nil {
		t.Fatal(err)
	}
	want := []string{"begun a", "do a", "done a", "begun b", "do b", "done b", "begun c", "do c", "done c"}
	if !slices.Equal(l.lines, want) {
		t.Errorf("%q", l.lines)
	}
}

func TestAFailedStepUndoesAllBeforeIt(t *testing.T) {
	l, cause := &log{}, errors.New("disk full")
	err := l.steps(2, cause).Apply(t.Context(), l, func(plan.Step) {})
	failed, ok := errors.AsType[*plan.FailedError](err)
	if !ok || !errors.Is(err, cause) || failed.Step.Target != "c" || failed.Left != nil {
		t.Fatalf("%v", err)
	}
	want := []string{"begun a", "do a", "done a", "begun b", "do b", "done b", "begun c", "do c", "undo c", "undo a"}
	if !slices.Equal(l.lines, want) {
		t.Errorf("%q", l.lines)
	}
}

func TestACancelledRunIsUndone(t *testing.T) {
	l := &log{}
	ctx, cancel := context.WithCancel(t.Context())
	p := l.steps(-1, nil)
	p.Steps[0].Do = func(context.Context) error { cancel(); return nil }
	err := p.Apply(ctx, l, func(plan.Step) {})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if want := []string{"begun a", "done a", "undo a"}; !slices.Equal(l.lines, want) {
		t.Errorf("%q", l.lines)
	}
}
