package optionfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// directive is a line that begins with "!"; what is neither include nor includedir is passed over. A name on a last line without
// its end is whole, as for MySQL 9; MariaDB drops its last character.
func (r *Reader) directive(text, path string, line, depth int) error {
	if depth >= maxDepth {
		r.warn("%s:%d: files are included more than %d deep: !%s is passed over", path, line, maxDepth, trimRight(text))
		return nil
	}
	text = trimLeft(text)
	for _, keyword := range []string{"includedir", "include"} {
		rest, found := strings.CutPrefix(text, keyword)
		if !found || rest == "" || !isSpace(rest[0]) {
			continue
		}
		argument := trimRight(trimLeft(rest))
		if argument == "" {
			return &SyntaxError{File: path, Line: line, Reason: "!" + keyword + " of nothing"}
		}
		if keyword == "include" {
			return r.included(argument, depth)
		}
		return r.folder(argument, path, line, depth)
	}
	return nil
}

// folder reads the files of a folder whose names end in ".cnf", in the order of their names.
func (r *Reader) folder(name, path string, line, depth int) error {
	name = expand(name, r.Home)
	entries, err := os.ReadDir(name)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", path, line, err)
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".cnf" {
			if err := r.included(filepath.Join(name, entry.Name()), depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// included reads what another file names. What is wrong there is no reason to stop here, as for the programs: they say it and
// read on.
func (r *Reader) included(path string, depth int) error {
	err := r.file(expand(path, r.Home), depth+1)
	if errors.Is(err, ErrTooMany) {
		return err
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.warn("%v", err)
	}
	return nil
}

// expand is what "~/" at the beginning of a name stands for.
func expand(name, home string) string {
	if rest, found := strings.CutPrefix(name, "~/"); found && home != "" {
		return filepath.Join(home, rest)
	}
	return name
}
