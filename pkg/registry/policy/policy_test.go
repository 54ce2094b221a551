package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func tag(name string, days float64) Tag {
	return Tag{Name: name, Time: noon.Add(-time.Duration(days * float64(day)))}
}

func whole(t *testing.T, text string) *regexp.Regexp {
	t.Helper()
	e, err := Expression(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestChoose(t *testing.T) {
	tags := []Tag{
		tag("latest", 1), tag("v3", 1), tag("v2", 10), tag("v1", 40), tag("pr-7", 50), tag("pr-8", 2), tag("v1-pr-1", 60),
		{Name: "reproducible", Time: time.Unix(0, 0)},
		{Name: "unknown"},
		{Name: "sha256-0000", Time: noon.Add(-90 * day), Fallback: true},
	}
	for name, c := range map[string]struct {
		rules Rules
		want  []string
	}{
		"the newest stay, those of one time together": {Rules{Keep: 1, KeepSet: true}, []string{"pr-7", "pr-8", "v1", "v1-pr-1", "v2"}},
		"as many as there are stay":                   {Rules{Keep: 7, KeepSet: true}, nil},
		"none is kept, but for what has no age":       {Rules{KeepSet: true}, []string{"latest", "pr-7", "pr-8", "v1", "v1-pr-1", "v2", "v3"}},
		"by age":                                      {Rules{OlderThan: 30 * day}, []string{"pr-7", "v1", "v1-pr-1"}},
		"exactly that old is not older":               {Rules{OlderThan: 40 * day}, []string{"pr-7", "v1-pr-1"}},
		"both have to say so":                         {Rules{Keep: 5, KeepSet: true, OlderThan: 30 * day}, []string{"pr-7", "v1-pr-1"}},
		"the age spares what is beyond the newest":    {Rules{Keep: 1, KeepSet: true, OlderThan: 45 * day}, []string{"pr-7", "v1-pr-1"}},
		"an expression is about whole names":          {Rules{Match: whole(t, "pr-[0-9]+")}, []string{"pr-7", "pr-8"}},
		"alternatives are whole names as well":        {Rules{Match: whole(t, "v1|v2")}, []string{"v1", "v2"}},
		"the newest of what matches":                  {Rules{Match: whole(t, "v.*"), Keep: 2, KeepSet: true}, []string{"v1", "v1-pr-1"}},
		"exceptions do not count among the newest":    {Rules{Except: whole(t, "latest|v3"), Keep: 1, KeepSet: true}, []string{"pr-7", "v1", "v1-pr-1", "v2"}},
		"a form without an age needs none":            {Rules{Match: whole(t, "u.*|r.*")}, []string{"reproducible", "unknown"}},
		"fallback tags match nothing":                 {Rules{Match: whole(t, "sha256-.*")}, nil},
		"all":                                         {Rules{All: true}, []string{"latest", "pr-7", "pr-8", "reproducible", "sha256-0000", "unknown", "v1", "v1-pr-1", "v2", "v3"}},
	} {
		if got := c.rules.Choose(tags, noon); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestRulesThatMeanNothing(t *testing.T) {
	for name, rules := range map[string]Rules{
		"less than none":  {Keep: -1, KeepSet: true},
		"the future":      {OlderThan: -day},
		"only exceptions": {Except: whole(t, "latest")},
		"all, and some":   {All: true, Match: whole(t, "v.*")},
	} {
		if err := rules.Check(); !errors.Is(err, ErrRules) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"(", "a)(b", "a)|(b", "[", `\`} {
		if e, err := Expression(text); !errors.Is(err, ErrRules) {
			t.Errorf("%s: %v", text, e)
		}
	}
	if !(Rules{}).IsZero() || (Rules{All: true}).IsZero() || (Rules{KeepSet: true}).IsZero() {
		t.Error("no rules")
	}
}

// TestChooseKeepsItsPromises for any tags and rules, whatever the order of the tags.
func TestChooseKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ages := rapid.SliceOfN(rapid.IntRange(-2, 12), 0, 12).Draw(t, "ages")
		tags := make([]Tag, len(ages))
		for i, age := range ages {
			tags[i] = tag(fmt.Sprintf("t%d", i), float64(age))
			tags[i].Fallback = rapid.IntRange(0, 9).Draw(t, "fallback") == 0
			if rapid.IntRange(0, 4).Draw(t, "unknown") == 0 {
				tags[i].Time = rapid.SampledFrom([]time.Time{{}, time.Unix(0, 0)}).Draw(t, "nothing")
			}
		}
		keep := Rules{KeepSet: true, Keep: rapid.IntRange(0, 6).Draw(t, "keep")}
		old := Rules{OlderThan: time.Duration(rapid.IntRange(1, 10).Draw(t, "days")) * day}
		both := Rules{KeepSet: true, Keep: keep.Keep, OlderThan: old.OlderThan}
		byKeep, byAge, byBoth := keep.Choose(tags, noon), old.Choose(tags, noon), both.Choose(tags, noon)
		datedStay := 0
		for _, tg := range tags {
			k, a, b := slices.Contains(byKeep, tg.Name), slices.Contains(byAge, tg.Name), slices.Contains(byBoth, tg.Name)
			if b != (k && a) {
				t.Fatalf("%v: kept by one rule and removed by both, or the other way", tg)
			}
			if (tg.Fallback || !tg.known()) && (k || a) {
				t.Fatalf("%v goes", tg)
			}
			if !tg.Fallback && tg.known() && !k {
				datedStay++
			}
			for _, other := range tags {
				if k && !tg.Fallback && other.known() && !other.Fallback && other.Time.Before(tg.Time) && !slices.Contains(byKeep, other.Name) {
					t.Fatalf("%v goes before the older %v", tg, other)
				}
			}
		}
		if len(byKeep) > 0 && datedStay < keep.Keep {
			t.Fatalf("%d stay, want %d", datedStay, keep.Keep)
		}
		shuffled := rapid.Permutation(tags).Draw(t, "order")
		if !slices.Equal(both.Choose(shuffled, noon), byBoth) {
			t.Fatal("the order of the tags matters")
		}
	})
}
