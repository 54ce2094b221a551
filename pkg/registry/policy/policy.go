// Package policy chooses which tags of a repository go: all but the newest, those above an age, those of some form. It
// promises to be on the safe side: a tag whose age nobody knows is never old, and where two rules are given a tag
// goes only when both say so.
package policy

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"time"
)

// ErrRules is wrapped by the errors of rules that choose nothing, or that mean nothing.
var ErrRules = errors.New("not a policy")

// Rules are what is chosen by, for one repository at a time.
type Rules struct {
	// Keep, where KeepSet, is how many of the newest stay.
	Keep    int
	KeepSet bool
	// OlderThan, where above zero, is the age up to which tags stay.
	OlderThan time.Duration
	// Match are the tags that the rules are about, Except those that they are not about: whole names. Nil is all, and none.
	Match, Except *regexp.Regexp
	// All chooses every tag, whatever its age, fallback tags as well.
	All bool
}

// Expression reads a regular expression (RE2) that a whole tag has to match.
func Expression(text string) (*regexp.Regexp, error) {
	// By itself first: what closes the group early is no expression.
	if _, err := regexp.Compile(text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRules, err)
	}
	return regexp.MustCompile(`^(?:` + text + `)$`), nil
}

// IsZero reports whether nothing was asked for.
func (r Rules) IsZero() bool {
	return !r.All && !r.KeepSet && r.OlderThan == 0 && r.Match == nil && r.Except == nil
}

// Check refuses rules that would choose everything without having said so, and those that cannot be.
func (r Rules) Check() error {
	switch {
	case r.All && (r.KeepSet || r.OlderThan != 0 || r.Match != nil || r.Except != nil):
		return fmt.Errorf("%w: all tags, and some only", ErrRules)
	case r.Keep < 0:
		return fmt.Errorf("%w: fewer than no tags cannot be kept", ErrRules)
	case r.OlderThan < 0:
		return fmt.Errorf("%w: no tag is younger than now", ErrRules)
	case r.Except != nil && r.Match == nil && !r.KeepSet && r.OlderThan == 0:
		return fmt.Errorf("%w: exceptions alone choose nothing", ErrRules)
	}
	return nil
}

// Dated reports whether the ages of tags matter.
func (r Rules) Dated() bool { return r.KeepSet || r.OlderThan > 0 }

// Tag is a tag of the repository.
type Tag struct {
	Name string
	// Time is when it was set or its image made. Zero and 1970 are not known: the latter is what reproducible builds write.
	Time time.Time
	// Fallback tags list what is about an image, and go with it.
	Fallback bool
}

func (t Tag) known() bool { return t.Time.After(time.Unix(0, 0)) }

// Choose returns the names of the tags that go, sorted.
//
// A tag goes by Keep when at least that many of the tags that the rules are about are newer, so those of the same time stay or
// go together; by OlderThan when it is older than that. One whose time is not known goes by neither, and does not count
// as one of the newest.
func (r Rules) Choose(tags []Tag, now time.Time) []string {
	var about []Tag
	for _, t := range tags {
		if r.All || !t.Fallback && r.about(t.Name) {
			about = append(about, t)
		}
	}
	var dated []time.Time // the newest first
	for _, t := range about {
		if t.known() {
			dated = append(dated, t.Time)
		}
	}
	sort.Slice(dated, func(i, j int) bool { return dated[i].After(dated[j]) })
	names := []string{}
	for _, t := range about {
		if r.goes(t, dated, now) {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return names
}

// about reports whether the rules are about a tag.
func (r Rules) about(name string) bool {
	return (r.Match == nil || r.Match.MatchString(name)) && (r.Except == nil || !r.Except.MatchString(name))
}

func (r Rules) goes(t Tag, dated []time.Time, now time.Time) bool {
	if r.Dated() && !t.known() {
		return false
	}
	if r.OlderThan > 0 && now.Sub(t.Time) <= r.OlderThan {
		return false
	}
	if !r.KeepSet {
		return true
	}
	newer, _ := slices.BinarySearchFunc(dated, t.Time, func(d, own time.Time) int { return cmp.Compare(0, d.Compare(own)) })
	return newer >= r.Keep
}
