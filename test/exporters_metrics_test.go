package test

import (
	"regexp"
	"slices"
	"strings"
)

// exposition is what a daemon's /metrics says, in Prometheus' text format.
type exposition struct {
	shapes map[string]bool   // "family{label,label}" of each family, and the bare name of one without samples
	series map[string]string // "name{label=\"value\",...}" and its value
}

// parseExposition reads it. Families are those of the TYPE lines: _bucket, _sum and _count are parts of theirs.
func parseExposition(text string) *exposition {
	e := &exposition{map[string]bool{}, map[string]string{}}
	label := regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"`)
	sample := regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})? (\S+)`)
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) == 4 && words[0] == "#" && words[1] == "TYPE" {
			e.shapes["family "+words[2]] = true
			continue
		}
		if m := sample.FindStringSubmatch(line); m != nil {
			names := []string{}
			for _, each := range label.FindAllStringSubmatch(m[2], -1) {
				names = append(names, each[1])
			}
			slices.Sort(names)
			e.shapes[m[1]+"{"+strings.Join(names, ",")+"}"] = true
			e.series[m[1]+m[2]] = m[3]
		}
	}
	return e
}

// lacks lists what other has and e does not.
func (e *exposition) lacks(other *exposition) (shapes []string) {
	for shape := range other.shapes {
		if !e.shapes[shape] {
			shapes = append(shapes, shape)
		}
	}
	slices.Sort(shapes)
	return shapes
}

// value is that of the one series with that beginning and that label; "" for none.
func (e *exposition) value(name, label string) string {
	for series, value := range e.series {
		if strings.HasPrefix(series, name) && strings.Contains(series, label) {
			return value
		}
	}
	return ""
}
