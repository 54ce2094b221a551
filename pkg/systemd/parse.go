package systemd

import (
	"strings"
	"unicode/utf8"
)

// maxLine is the length at which systemd gives up on a unit: LONG_LINE_MAX of src/basic/fileio.h.
const maxLine = 1 << 20

// bom is the UTF-8 byte order mark.
const bom = "\uFEFF"

// Parse reads a unit file as config_parse (src/shared/conf-parser.c) of 252 does. It never fails: what systemd cannot read
// is in Problems. file is the name that lines carry.
//
// Lines end with LF, CR, NUL or a pair of different ones (read_line_full in src/basic/fileio.c). Comments are lines whose
// first character is # or ;, also between a line and its continuation. A backslash at the end of a line stands for a blank,
// and the next line that is no comment follows.
func Parse(file string, data []byte) *Unit {
	p := &parser{file: file, unit: &Unit{}}
	for text := range physicalLines(string(data)) {
		p.number++
		p.unit.Lines = append(p.unit.Lines, Line{file, p.number, text})
		p.line(text)
	}
	if p.continuing {
		p.logical(p.joined.String())
	}
	return p.unit
}

type parser struct {
	file       string
	unit       *Unit
	number     int // of the physical line
	section    string
	inSection  bool
	bomSeen    bool
	continuing bool
	first      int // line where the logical line begins
	joined     strings.Builder
}

// physicalLines cuts at line ends. A byte order mark stays.
func physicalLines(data string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for data != "" {
			end := strings.IndexAny(data, "\n\r\x00")
			if end < 0 {
				yield(data)
				return
			}
			text, rest := data[:end], data[end+1:]
			seen := data[end : end+1]
			for rest != "" && strings.ContainsRune("\n\r\x00", rune(rest[0])) && !strings.Contains(seen, rest[:1]) {
				seen += rest[:1]
				rest = rest[1:]
			}
			if !yield(text) {
				return
			}
			data = rest
		}
	}
}

func (p *parser) line(text string) {
	if len(text) > maxLine || p.joined.Len()+len(text) > maxLine {
		p.problem(ProblemLong, "", p.number)
		p.continuing = false
		p.joined.Reset()
		return
	}
	if trimmed := strings.TrimLeft(text, " \t"); trimmed != "" && (trimmed[0] == '#' || trimmed[0] == ';') {
		return
	}
	if rest, found := strings.CutPrefix(text, bom); found && !p.bomSeen {
		p.bomSeen, text = true, rest
	}
	if !p.continuing {
		p.first = p.number
	}
	p.joined.WriteString(text)
	whole := p.joined.String()
	p.joined.Reset()
	if endsInBackslash(whole) {
		p.continuing = true
		p.joined.WriteString(whole[:len(whole)-1])
		p.joined.WriteByte(' ')
		return
	}
	p.logical(whole)
	p.continuing = false
}

// endsInBackslash says whether the last character is a backslash that no other one escapes.
func endsInBackslash(text string) bool {
	n := len(text) - len(strings.TrimRight(text, `\`))
	return n%2 == 1
}

// logical takes a line with its continuations.
func (p *parser) logical(text string) {
	text = strings.Trim(text, " \t\n\r")
	if text == "" {
		return
	}
	if !utf8.ValidString(text) {
		p.problem(ProblemUTF8, text, p.first)
		return
	}
	if text[0] == '[' {
		p.header(text)
		return
	}
	if !p.inSection {
		p.problem(ProblemOutside, text, p.first)
		return
	}
	name, value, found := strings.Cut(text, "=")
	switch {
	case !found:
		p.problem(ProblemNoEqual, text, p.first)
		return
	case name == "":
		p.problem(ProblemNoName, text, p.first)
		return
	}
	p.unit.Assignments = append(p.unit.Assignments, Assignment{
		File: p.file, Line: p.first, Last: p.number, Section: p.section, Continued: p.continuing,
		Name: strings.Trim(name, " \t\n\r"), Value: strings.Trim(value, " \t\n\r"),
	})
}

func (p *parser) header(text string) {
	name, closed := strings.CutSuffix(text[1:], "]")
	if !closed {
		p.problem(ProblemHeader, text, p.first)
		return
	}
	p.section, p.inSection = name, true
	p.unit.Headers = append(p.unit.Headers, Header{p.file, p.first, name})
}

func (p *parser) problem(kind ProblemKind, text string, line int) {
	p.unit.Problems = append(p.unit.Problems, Problem{p.file, line, kind, text})
}
