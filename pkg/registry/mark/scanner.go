package mark

import "strings"

// scanner goes through a JSON text (RFC 8259). Each method stands at the first byte of a value and leaves the scanner
// behind it and the space that follows; false ends the reading.
type scanner struct {
	data  []byte
	at    int
	depth int
	seen  uint
}

// deepest is how many values may hold one another: manifests need five.
const deepest = 32

// peek is the next byte, 0 at the end.
func (q *scanner) peek() byte {
	if q.at < len(q.data) {
		return q.data[q.at]
	}
	return 0
}

func (q *scanner) space() {
	for q.at < len(q.data) {
		switch q.data[q.at] {
		case ' ', '\n', '\r', '\t':
			q.at++
		default:
			return
		}
	}
}

// take goes past a byte, and the space behind it.
func (q *scanner) take(c byte) bool {
	if q.peek() != c {
		return false
	}
	q.at++
	q.space()
	return true
}

func (q *scanner) end() bool { return q.at == len(q.data) }

// once is false the second time.
func (q *scanner) once(field uint) bool {
	again := q.seen&field != 0
	q.seen |= field
	return !again
}

// object calls field with the name of each member, where the scanner stands at its value.
func (q *scanner) object(field func(name []byte) bool) bool {
	if q.depth++; q.depth > deepest || !q.take('{') {
		return false
	}
	if q.take('}') {
		q.depth--
		return true
	}
	for {
		raw, plain := q.raw()
		if !plain || !q.take(':') || !field(raw) {
			return false
		}
		if !q.take(',') {
			q.depth--
			return q.take('}')
		}
	}
}

// array calls element where the scanner stands at each.
func (q *scanner) array(element func() bool) bool {
	if q.depth++; q.depth > deepest || !q.take('[') {
		return false
	}
	if q.take(']') {
		q.depth--
		return true
	}
	for {
		if !element() {
			return false
		}
		if !q.take(',') {
			q.depth--
			return q.take(']')
		}
	}
}

// text reads a string of plain ASCII.
func (q *scanner) text(to *string) bool {
	raw, plain := q.raw()
	*to = string(raw)
	return plain
}

// raw is a string's content as it stands there; plain says that this is what it means: ASCII without escapes.
func (q *scanner) raw() (content []byte, plain bool) {
	if q.peek() != '"' {
		return nil, false
	}
	start := q.at + 1
	for i := start; i < len(q.data); i++ {
		switch c := q.data[i]; {
		case c == '"':
			q.at = i + 1
			q.space()
			return q.data[start:i], true
		case c < ' ' || c == '\\' || c >= 0x80:
			return nil, false
		}
	}
	return nil, false
}

// digit reads a number of one digit.
func (q *scanner) digit(to *int) bool {
	c := q.peek()
	*to = int(c) - '0'
	q.at++
	if next := q.peek(); c < '0' || c > '9' || '0' <= next && next <= '9' {
		return false
	}
	q.at--
	return q.number()
}

// skip goes past any value.
func (q *scanner) skip() bool {
	switch c := q.peek(); {
	case c == '"':
		return q.skipString()
	case c == '{':
		return q.object(func([]byte) bool { return q.skip() })
	case c == '[':
		return q.array(q.skip)
	case c == '-' || '0' <= c && c <= '9':
		return q.number()
	}
	return q.word("true") || q.word("false") || q.word("null")
}

func (q *scanner) word(word string) bool {
	if !strings.HasPrefix(string(q.data[q.at:min(q.at+len(word), len(q.data))]), word) {
		return false
	}
	q.at += len(word)
	q.space()
	return true
}

// skipString goes past a string whose content does not matter; its escapes are checked.
func (q *scanner) skipString() bool {
	for i := q.at + 1; i < len(q.data); i++ {
		switch c := q.data[i]; {
		case c == '"':
			q.at = i + 1
			q.space()
			return true
		case c < ' ':
			return false
		case c == '\\':
			if i++; i >= len(q.data) || !strings.ContainsRune(`"\/bfnrt`, rune(q.data[i])) {
				return false // \u is rare
			}
		}
	}
	return false
}

// number goes past a number without fraction and exponent, of which sizes have none.
func (q *scanner) number() bool {
	start := q.at
	if q.peek() == '-' {
		q.at++
		start++
	}
	for '0' <= q.peek() && q.peek() <= '9' {
		q.at++
	}
	switch digits := q.at - start; {
	case digits == 0, digits > 1 && q.data[start] == '0':
		return false
	case q.peek() == '.' || q.peek() == 'e' || q.peek() == 'E':
		return false
	}
	q.space()
	return true
}

// folds reports whether a name is one of the others, whatever its case.
func folds(name []byte, others ...string) bool {
	for _, other := range others {
		if len(name) == len(other) && strings.EqualFold(string(name), other) {
			return true
		}
	}
	return false
}
