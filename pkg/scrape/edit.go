package scrape

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// splice replaces data[at:at+del] by text.
type splice struct {
	at, del int
	text    string
}

// change is one way to make an edit: what happens to the text, and what is to become of its meaning.
type change struct {
	splices []splice
	// path leads to the node that changes; mean changes it. For an empty document path is nil and the node a new mapping.
	path []int
	mean func(n *yaml.Node)
}

// errMeaning is the reason of an edit whose result would not mean what it should.
var errMeaning = errors.New("the edit would change what the file says elsewhere")

// commit makes the first of the changes whose result parses and means what it should, and which undo, where given, takes
// back to the byte. If undo can take none of them back, the first that means what it should stands.
func (f *file) commit(at *yaml.Node, changes []change, undo func(*file) ([]byte, error)) ([]byte, error) {
	var fallback []byte
	var first error
	for _, c := range changes {
		data, g, err := f.try(c)
		if err != nil {
			first = cmp.Or(first, err)
			continue
		}
		if undo == nil {
			return data, nil
		}
		if back, err := undo(g); err == nil && bytes.Equal(back, f.data) {
			return data, nil
		}
		if fallback == nil {
			fallback = data
		}
	}
	if fallback != nil {
		return fallback, nil
	}
	fault := &Error{File: f.name, Line: 1, Err: cmp.Or(first, errMeaning), Reason: "this cannot be edited safely"}
	if at != nil {
		fault.Line = at.Line
	}
	return nil, fault
}

// try makes a change and holds the result against what it is to mean.
func (f *file) try(c change) ([]byte, *file, error) {
	data := apply(f.data, c.splices)
	g, err := parse(f.name, data)
	if err != nil {
		return nil, nil, errors.Join(errMeaning, err)
	}
	want, err := f.tree()
	if err != nil {
		return nil, nil, err
	}
	if want == nil {
		want = mapping()
	}
	n := want
	for _, i := range c.path {
		n = n.Content[i]
	}
	c.mean(n)
	got := g.root
	if got == nil && len(want.Content) == 0 {
		return data, g, nil
	}
	if differ(want, got) != nil {
		return nil, nil, errMeaning
	}
	return data, g, nil
}

// apply makes the splices, which must not overlap.
func apply(data []byte, splices []splice) []byte {
	splices = slices.Clone(splices)
	sort.SliceStable(splices, func(i, j int) bool { return splices[i].at < splices[j].at })
	var out []byte
	at := 0
	for _, s := range splices {
		out = append(append(out, data[at:s.at]...), s.text...)
		at = s.at + s.del
	}
	return append(out, data[at:]...)
}

// newline is the line break to use before line i: that of the line above, else the file's first, else LF.
func (f *file) newline(i int) string {
	for _, j := range []int{i - 1, 0} {
		if j >= 0 && j < len(f.lines) && f.lines[j].next > f.lines[j].end {
			return string(f.data[f.lines[j].end:f.lines[j].next])
		}
	}
	return "\n"
}

// insertLines puts lines before line i. Behind a last line without a break they bring the break in front instead.
func (f *file) insertLines(i int, lines []string) splice {
	nl := f.newline(i)
	if i == len(f.lines) && i > 0 && f.lines[i-1].next == f.lines[i-1].end {
		return splice{at: len(f.data), text: nl + strings.Join(lines, nl)}
	}
	at := len(f.data)
	if i < len(f.lines) {
		at = f.lines[i].start
	}
	return splice{at: at, text: strings.Join(lines, nl) + nl}
}

// deleteLines takes lines from up to but without to. Where the last one has no break, that of the line above goes.
func (f *file) deleteLines(from, to int) splice {
	start, end := f.lines[from].start, f.lines[to-1].next
	if to == len(f.lines) && f.lines[to-1].end == end && from > 0 {
		start = f.lines[from-1].end
	}
	return splice{at: start, del: end - start}
}

// blankAbove says whether an empty line stands above line i.
func (f *file) blankAbove(i int) bool { return i > 0 && i <= len(f.lines) && f.isBlank(i-1) }
