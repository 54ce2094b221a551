package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// file is a configuration with the places of its parts. Only its first document counts, as for Prometheus.
type file struct {
	name  string
	data  []byte
	lines []line
	// root is the mapping at the top, nil when the document is empty.
	root *yaml.Node
	// limit is the index of the first line behind the document.
	limit int
}

// line is a line of the file: data[start:end] without its break, which ends at next.
type line struct{ start, end, next int }

const byteOrderMark = "\ufeff"

// parse reads a configuration. Its errors are *Error.
func parse(name string, data []byte) (*file, error) {
	f := &file{name: name, data: data}
	if err := f.checkText(); err != nil {
		return nil, err
	}
	f.lines = splitLines(data)
	f.limit = f.documentEnd()
	root, err := f.tree()
	if err != nil {
		return nil, &Error{File: name, Err: err, Hint: "promtool check config " + name + " shows the fault"}
	}
	f.root = root
	if root == nil {
		return f, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, f.fault(root, "the configuration is no mapping of names to values")
	}
	return f, nil
}

// checkText refuses what no editor would show as text. The parser would take UTF-16, but its positions count characters.
func (f *file) checkText() error {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(f.data, []byte(mark)) {
			return &Error{File: f.name, Reason: "the file is UTF-16, not UTF-8", Hint: "iconv -f UTF-16 -t UTF-8 converts it"}
		}
	}
	if i := bytes.LastIndex(f.data, []byte(byteOrderMark)); i > 0 {
		return &Error{File: f.name, Line: 1 + bytes.Count(f.data[:i], []byte("\n")), Reason: "a byte order mark inside the file"}
	}
	at := 0
	if i := bytes.IndexByte(f.data, 0); i >= 0 {
		at = i + 1
	} else {
		for i := 0; i < len(f.data); {
			r, size := utf8.DecodeRune(f.data[i:])
			if r == utf8.RuneError && size == 1 {
				at = i + 1
				break
			}
			i += size
		}
	}
	if at == 0 {
		return nil
	}
	number := 1 + bytes.Count(f.data[:at-1], []byte("\n"))
	return &Error{File: f.name, Line: number, Reason: fmt.Sprintf("byte 0x%02x: the file is no UTF-8 text", f.data[at-1])}
}

// tree parses the first document anew. An empty one gives nil.
func (f *file) tree() (root *yaml.Node, err error) {
	defer func() {
		// The scanner is a port of C whose bounds are not proven; a fault in it must not end the program.
		if v := recover(); v != nil {
			root, err = nil, fmt.Errorf("the YAML parser stopped: %v", v)
		}
	}()
	var doc, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(f.data[:f.lineStart(f.limit)]))
	if err := decoder.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil //nolint:nilnil // no document and no fault
	}
	// Text behind the last line of the mapping is not read by Prometheus, nor is it taken for a fault; to add a job
	// between them would bring it back.
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.Join(errors.New("lines behind the end of the configuration are not read"), err)
	}
	root = doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" && root.Value == "" && root.Anchor == "" && root.Style == 0 {
		return nil, nil //nolint:nilnil // the same
	}
	return root, nil
}

// splitLines splits at what YAML 1.1 and the parser call a break: CR LF, LF, CR, NEL, LS and PS.
func splitLines(data []byte) []line {
	var lines []line
	start := 0
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		start = len(byteOrderMark)
	}
	for i := start; i < len(data); {
		size := breakAt(data[i:])
		if size == 0 {
			i++
			continue
		}
		lines = append(lines, line{start, i, i + size})
		i += size
		start = i
	}
	if start < len(data) {
		lines = append(lines, line{start, len(data), len(data)})
	}
	return lines
}

// breakAt is the length of the line break that b begins with, 0 for none.
func breakAt(b []byte) int {
	switch {
	case len(b) >= 2 && b[0] == '\r' && b[1] == '\n':
		return 2
	case b[0] == '\n', b[0] == '\r':
		return 1
	case len(b) >= 2 && b[0] == 0xc2 && b[1] == 0x85:
		return 2
	case len(b) >= 3 && b[0] == 0xe2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9):
		return 3
	}
	return 0
}

// documentEnd finds the line that ends the first document: a "..." or a "---" behind its start, which is another "---"
// or its first line of content.
func (f *file) documentEnd() int {
	started := false
	for i := range f.lines {
		text := f.text(i)
		start, end := isMark(text, "---"), isMark(text, "...")
		switch {
		case started && (start || end):
			return i
		case end, f.isBlank(i), f.isComment(i), !start && bytes.HasPrefix(text, []byte("%")):
		default:
			started = true
		}
	}
	return len(f.lines)
}

func isMark(text []byte, mark string) bool {
	rest, ok := bytes.CutPrefix(text, []byte(mark))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t')
}

// text is line i without its break.
func (f *file) text(i int) []byte { return f.data[f.lines[i].start:f.lines[i].end] }

// offset is where a node begins in data.
func (f *file) offset(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(f.lines) {
		return len(f.data)
	}
	l := f.lines[n.Line-1]
	at := l.start
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(f.data[at:l.end])
		at += size
	}
	return at
}

// lineStart is where line i begins, or the end of the file behind the last.
func (f *file) lineStart(i int) int {
	if i < len(f.lines) {
		return f.lines[i].start
	}
	return len(f.data)
}

// fault is an error at a node.
func (f *file) fault(n *yaml.Node, format string, a ...any) *Error {
	return &Error{File: f.name, Line: n.Line, Reason: fmt.Sprintf(format, a...)}
}

// isBlank says whether line i holds nothing but blanks.
func (f *file) isBlank(i int) bool { return len(bytes.Trim(f.text(i), " \t")) == 0 }

// isComment says whether line i looks like a comment alone; it might also be text of a scalar.
func (f *file) isComment(i int) bool {
	return bytes.HasPrefix(bytes.TrimLeft(f.text(i), " \t"), []byte("#"))
}

// indent is the number of spaces that line i begins with.
func (f *file) indent(i int) int {
	text := f.text(i)
	return len(text) - len(bytes.TrimLeft(text, " "))
}

// bodyEnd is the line behind a block that begins in line first, ends before limit, and stands at column col: its last
// line with content, and the comments behind it that are indented deeper than the block.
func (f *file) bodyEnd(first, limit, col int) int {
	end := first + 1
	for i := end; i < limit; i++ {
		if !f.isBlank(i) && !f.isComment(i) {
			end = i + 1
		}
	}
	for i := end; i < limit; i++ {
		switch {
		case f.isBlank(i):
		case f.isComment(i) && f.indent(i) > col:
			end = i + 1
		default:
			return end
		}
	}
	return end
}
