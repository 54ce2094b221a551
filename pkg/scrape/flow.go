package scrape

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// flow is the text of a collection in brackets: data[open] and data[closed] are the brackets.
type flow struct {
	open, closed int
	elements     []element
	// trailing says whether a comma stands behind the last element.
	trailing bool
}

// element is one item, or one key with its value: data[start:end]; comma is where its comma stands, 0 for none.
type element struct{ start, end, comma int }

// flow finds the elements of a collection in brackets and holds them against what the parser found.
func (f *file) flow(n *yaml.Node) (flow, error) {
	s := flowScanner{data: f.data, at: f.offset(n)}
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	s.properties()
	found, ok := s.scan()
	wrong := !ok || len(found.elements) != len(n.Content)/step
	for i := 0; !wrong && i < len(found.elements); i++ {
		wrong = f.offset(n.Content[i*step]) != found.elements[i].start
	}
	if wrong {
		return flow{}, f.fault(n, "the brackets are too unusual to be edited safely")
	}
	return found, nil
}

// flowScanner goes through a flow collection by the rules of the YAML scanner: what is quoted, what is a comment, what is
// a bracket.
type flowScanner struct {
	data []byte
	at   int
	out  flow
	cur  element
	// plain says that a plain scalar goes on: quotes in it are text.
	plain bool
	depth int
}

// properties passes the anchor and the tag before the bracket.
func (s *flowScanner) properties() {
	for s.at < len(s.data) && (s.data[s.at] == '&' || s.data[s.at] == '!') {
		s.word()
		for s.at < len(s.data) && isSpace(s.data[s.at:]) {
			s.at++
		}
	}
}

// word passes all up to a blank or a sign of flow style.
func (s *flowScanner) word() {
	for s.at < len(s.data) && !isSpace(s.data[s.at:]) && strings.IndexByte(",[]{}", s.data[s.at]) < 0 {
		s.at++
	}
}

// isSpace says whether b begins with a blank or a break.
func isSpace(b []byte) bool { return b[0] == ' ' || b[0] == '\t' || breakAt(b) > 0 }

func (s *flowScanner) scan() (flow, bool) {
	for s.at < len(s.data) {
		if done, ok := s.step(); done || !ok {
			return s.out, ok
		}
	}
	return s.out, false
}

// step passes one sign.
func (s *flowScanner) step() (done, ok bool) {
	c := s.data[s.at]
	switch {
	case isSpace(s.data[s.at:]):
		s.at += max(1, breakAt(s.data[s.at:]))
		return false, true
	case c == '#' && (!s.plain || isSpaceBefore(s.data, s.at)):
		for s.at < len(s.data) && breakAt(s.data[s.at:]) == 0 {
			s.at++
		}
		return false, true
	case c == '[' || c == '{':
		s.plain = false
		s.depth++
		if s.depth == 1 {
			s.out.open = s.at
			s.at++
			return false, true
		}
		s.mark(1)
	case c == ']' || c == '}':
		s.plain = false
		s.depth--
		if s.depth == 0 {
			s.close()
			return true, true
		}
		s.mark(1)
	case c == ',' && s.depth == 1:
		s.cur.comma = s.at
		s.out.elements = append(s.out.elements, s.cur)
		s.out.trailing = true
		s.cur, s.plain = element{}, false
		s.at++
	default:
		return false, s.token(c) && s.depth > 0
	}
	return false, true
}

func isSpaceBefore(data []byte, at int) bool {
	return at == 0 || data[at-1] == ' ' || data[at-1] == '\t' || data[at-1] == '\n' || data[at-1] == '\r'
}

func (s *flowScanner) close() {
	s.out.closed = s.at
	if s.cur.end > 0 {
		s.out.elements = append(s.out.elements, s.cur)
		s.out.trailing = false
	}
}

// mark takes n bytes into the current element.
func (s *flowScanner) mark(n int) {
	if s.cur.end == 0 {
		s.cur.start = s.at
	}
	s.at += n
	s.cur.end = s.at
}

// token passes a quoted scalar, a property, an alias, or one byte of a plain scalar.
func (s *flowScanner) token(c byte) bool {
	switch {
	case s.plain && c == ':' && (s.at+1 == len(s.data) || isSpace(s.data[s.at+1:]) || s.data[s.at+1] == ','):
		s.plain = false
		s.mark(1)
	case s.plain:
		s.mark(1)
	case c == '\'' || c == '"':
		end := quotedEnd(s.data, s.at)
		if end < 0 {
			return false
		}
		s.mark(end - s.at)
	case c == '&' || c == '*' || c == '!':
		from := s.at
		s.word()
		n := s.at - from
		s.at = from
		s.mark(n)
	case c == ',' || c == ':' || c == '?':
		s.mark(1)
	default:
		s.plain = true
		s.mark(1)
	}
	if c == ',' {
		s.plain = false
	}
	return true
}

// quotedEnd is the place behind the quote that closes the one at data[at], -1 when none does.
func quotedEnd(data []byte, at int) int {
	quote := data[at]
	for i := at + 1; i < len(data); i++ {
		switch {
		case data[i] == '\\' && quote == '"':
			i++
		case data[i] == quote && quote == '\'' && i+1 < len(data) && data[i+1] == quote:
			i++
		case data[i] == quote:
			return i + 1
		}
	}
	return -1
}
