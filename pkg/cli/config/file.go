package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

// SystemFile is read when there is neither --config nor a user's own file.
const SystemFile = "/etc/opsctl/config.yaml"

// Error is a setting or a file that is wrong. Source names the flag, the
// variable or the file, and Line the line of the file, 0 when there is none.
type Error struct {
	Source string
	Line   int
	Key    string
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Source
	if e.Line > 0 {
		text = fmt.Sprintf("%s:%d", text, e.Line)
	}
	if e.Key != "" {
		text += ": " + e.Key
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns the error below.
func (e *Error) Unwrap() error { return e.Err }

type fileEntry struct {
	value any
	line  int
}

type fileSettings struct {
	path    string
	entries map[string]fileEntry
}

func (f fileSettings) plain() map[string]any {
	values := make(map[string]any, len(f.entries))
	for key, entry := range f.entries {
		values[key] = entry.value
	}
	return values
}

// candidates returns the files to look for, the first that exists is read. A
// named file must exist.
func candidates(src Sources) (paths []string, named bool) {
	if src.File != "" {
		return []string{src.File}, true
	}
	if file := src.Getenv("OPSCTL_CONFIG"); file != "" {
		return []string{file}, true
	}
	// The XDG base directory specification ignores relative paths here.
	if dir := src.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		paths = append(paths, filepath.Join(dir, "opsctl", "config.yaml"))
	} else if home := src.Getenv("HOME"); home != "" {
		paths = append(paths, filepath.Join(home, ".config", "opsctl", "config.yaml"))
	}
	return append(paths, SystemFile), false
}

func readFile(src Sources) (fileSettings, error) {
	paths, named := candidates(src)
	for _, path := range paths {
		data, err := src.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && !named {
			continue
		}
		if err != nil {
			if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
				err = pathErr.Err
			}
			return fileSettings{}, &Error{Source: path, Err: err}
		}
		entries, err := parseFile(path, data)
		return fileSettings{path: path, entries: entries}, err
	}
	return fileSettings{}, nil
}

// parseFile reads one YAML mapping of known keys to scalars. It walks the nodes
// itself: a decoder into a struct cannot say in which line `timeout: 30` stands.
func parseFile(path string, data []byte) (map[string]fileEntry, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, &Error{Source: path, Err: err}
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, &Error{Source: path, Err: errors.New("holds more than one YAML document")}
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, &Error{Source: path, Line: root.Line, Err: errors.New("is not a mapping of keys to values")}
	}
	entries := map[string]fileEntry{}
	for pair := range slices.Chunk(root.Content, 2) {
		key, node := pair[0], pair[1]
		if _, twice := entries[key.Value]; twice {
			return nil, &Error{Source: path, Line: key.Line, Key: key.Value, Err: errors.New("is set twice")}
		}
		value, err := parseNode(key.Value, node)
		if err != nil {
			return nil, &Error{Source: path, Line: key.Line, Key: key.Value, Err: err}
		}
		entries[key.Value] = fileEntry{value: value, line: key.Line}
	}
	return entries, nil
}

// ErrUnknownKey is wrapped by the Error about a key that no setting has.
var ErrUnknownKey = errors.New("unknown key")

func parseNode(key string, node *yaml.Node) (any, error) {
	settings := Settings()
	at := slices.IndexFunc(settings, func(s Setting) bool { return s.Key == key })
	if at < 0 {
		return nil, ErrUnknownKey
	}
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		return nil, errors.New("needs a single value")
	}
	if _, isBool := settings[at].Default.(bool); isBool && node.Tag != "!!bool" {
		return nil, fmt.Errorf("%q is neither true nor false", node.Value)
	}
	return settings[at].parse(node.Value)
}
