package mysqlcmd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// meaning is what a source is called in the report.
func meaning(s space.Source) string {
	switch s {
	case space.FromFile:
		return "read from the files"
	case space.FromSample:
		return "computed from sampled pages"
	case space.FromTablespace:
		return "the server's list of tablespaces"
	case space.FromEngine:
		return "read from the engine's headers"
	case space.FromStatistics:
		return "statistics of the last ANALYZE"
	case space.FromServer:
		return "said by the server"
	}
	return string(s)
}

// age is how often a source was used, and of when its figures are.
type age struct {
	items          int
	oldest, newest time.Time
}

func (a *age) add(at time.Time) {
	a.items++
	if a.oldest.IsZero() || !at.IsZero() && at.Before(a.oldest) {
		a.oldest = at
	}
	if at.After(a.newest) {
		a.newest = at
	}
}

// when is "" where no time is known.
func (a *age) when(moment func(time.Time) string) string {
	switch {
	case a.oldest.IsZero():
		return ""
	case a.newest.Sub(a.oldest) < time.Minute:
		return ", " + moment(a.oldest)
	}
	return ", the oldest of " + moment(a.oldest)
}

// provenance says in a line for the sizes, and one for each figure that differs, where they are from and how old the oldest is.
// -o wide says it of each figure.
func provenance(items []space.Item, moment func(time.Time) string) []string {
	kinds := map[string]map[space.Source]*age{}
	add := func(figure string, source space.Source, at time.Time) {
		if source == "" {
			return
		}
		if kinds[figure] == nil {
			kinds[figure] = map[space.Source]*age{}
		}
		if kinds[figure][source] == nil {
			kinds[figure][source] = &age{}
		}
		kinds[figure][source].add(at)
	}
	for i := range items {
		add("", items[i].Source, items[i].AsOf)
		for figure, from := range items[i].Figures {
			add(figure, from.Source, from.AsOf)
		}
	}
	// Figures of one origin share a line.
	var origins []string
	figures := map[string][]string{}
	for _, figure := range slices.Sorted(maps.Keys(kinds)) {
		origin := strings.Join(sources(kinds[figure], moment), "; ")
		if figures[origin] == nil {
			origins = append(origins, origin)
		}
		figures[origin] = append(figures[origin], cmp.Or(figure, "sizes"))
	}
	lines := make([]string, 0, len(origins))
	for _, origin := range origins {
		lines = append(lines, strings.Join(figures[origin], ", ")+": "+origin)
	}
	return lines
}

func sources(ages map[space.Source]*age, moment func(time.Time) string) []string {
	var all []string
	for _, source := range slices.SortedFunc(maps.Keys(ages), func(a, b space.Source) int {
		return cmp.Or(cmp.Compare(ages[b].items, ages[a].items), cmp.Compare(a, b))
	}) {
		text := meaning(source)
		if len(ages) > 1 {
			text = fmt.Sprintf("%d %s", ages[source].items, text)
		}
		all = append(all, text+ages[source].when(moment))
	}
	return all
}
