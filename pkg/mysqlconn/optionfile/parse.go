// Package optionfile reads the option files of MySQL's and MariaDB's programs, and MySQL's encrypted login file, as
// mysys/my_default.c (MySQL: my_default.cc) does.
package optionfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Option is one line of an option file.
type Option struct {
	Group string
	Name  string // as written
	Value string
	// HasValue: there was an equals sign. "password" alone asks for one, "password=" is an empty one.
	HasValue bool
	File     string
	Line     int
}

// Canonical is the name as programs compare it: underscores are hyphens, and "loose-" is left out.
func (o Option) Canonical() string {
	return strings.TrimPrefix(strings.ReplaceAll(o.Name, "_", "-"), "loose-")
}

// maxDepth is how deep files may include others.
const maxDepth = 10

// maxFile bounds a file, and maxFiles how many are read: two that include each other twice would be a thousand.
const (
	maxFile  = 16 << 20
	maxFiles = 1000
)

// ErrTooMany is said of files that include each other over and over.
var ErrTooMany = fmt.Errorf("more than %d option files", maxFiles)

// SyntaxError is a line that programs refuse; they then read nothing more.
type SyntaxError struct {
	File   string
	Line   int
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// Reader reads option files. Warn is told what programs warn of; nil drops it. Home is what "~" stands for in an include.
type Reader struct {
	Warn func(text string)
	Home string

	options []Option
	files   int
}

// Options are those read so far, in order: a later one outdoes an earlier one.
func (r *Reader) Options() []Option { return r.options }

// File reads a file and what it includes. One that others may write is passed over with a warning, as programs do.
func (r *Reader) File(path string) error { return r.file(path, 0) }

func (r *Reader) file(path string, depth int) error {
	if r.files++; r.files > maxFiles {
		return ErrTooMany
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && info.Mode()&0o002 != 0 {
		r.warn("%s can be written by everybody: it is ignored", path)
		return nil
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a folder", path)
	}
	return r.read(io.LimitReader(f, maxFile), path, depth, commentAt)
}

func (r *Reader) warn(format string, args ...any) {
	if r.Warn != nil {
		r.Warn(fmt.Sprintf(format, args...))
	}
}

// read is search_default_file_with_ext. end says where the text of an option ends: before its comment. Lines have any length, as
// MySQL 9 has them; MariaDB takes what is behind byte 4094 for a line of its own.
func (r *Reader) read(in io.Reader, path string, depth int, end func(string) int) error {
	group, grouped := "", false
	lines := bufio.NewReader(in)
	for number := 1; ; number++ {
		raw, err := lines.ReadString('\n')
		if raw == "" && err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("reading %s: %w", path, err)
		}
		text, _, _ := strings.Cut(raw, "\x00")
		text = trimLeft(text)
		wrong := func(reason string) error { return &SyntaxError{File: path, Line: number, Reason: reason} }
		switch {
		case text == "" || text[0] == '#' || text[0] == ';':
		case text[0] == '!':
			if err := r.directive(text[1:], path, number, depth); err != nil {
				return err
			}
		case text[0] == '[':
			end := strings.IndexByte(text, ']')
			if end < 0 {
				return wrong("a group without its closing bracket")
			}
			group, grouped = trimRight(text[1:end]), true
		case !grouped:
			return wrong("an option before the first group")
		default:
			o := option(text[:end(text)])
			o.Group, o.File, o.Line = group, path, number
			r.options = append(r.options, o)
		}
	}
}

// option splits a line that is neither empty nor a group.
func option(text string) Option {
	name, value, found := strings.Cut(text, "=")
	name = trimRight(name)
	if !found {
		return Option{Name: name}
	}
	return Option{Name: name, Value: unescape(unquote(trimLeft(trimRight(value)))), HasValue: true}
}

// commentAt is where a comment begins behind an option: at a # outside of quotes.
func commentAt(text string) int {
	var quote byte
	escaped := false
	for i := range len(text) {
		c := text[i]
		if (c == '\'' || c == '"') && !escaped {
			switch quote {
			case 0:
				quote = c
			case c:
				quote = 0
			}
		}
		if quote == 0 && c == '#' {
			return i
		}
		escaped = quote != 0 && c == '\\' && !escaped
	}
	return len(text)
}

func unquote(value string) string {
	if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[0] == value[n-1] {
		return value[1 : n-1]
	}
	return value
}

func unescape(value string) string {
	if !strings.Contains(value, `\`) {
		return value
	}
	codes := map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 's': ' ', '"': '"', '\'': '\'', '\\': '\\'}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '\\' || i == len(value)-1 {
			b.WriteByte(value[i])
			continue
		}
		i++
		if c, known := codes[value[i]]; known {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('\\')
		b.WriteByte(value[i])
	}
	return b.String()
}
