package datadir

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// shelf finds the files beside a table's by name.
type shelf struct {
	tree  *Tree
	files map[string]int // by path
	sdi   map[string]int // MySQL's definitions of tables of other engines, by path without number and extension
	// data are the tables, by path without partition and extension, that a file other than a definition is of.
	data map[string]bool
}

func (t *Tree) shelf() *shelf {
	s := &shelf{tree: t, files: make(map[string]int), sdi: make(map[string]int), data: make(map[string]bool)}
	for i := range t.Files {
		f := &t.Files[i]
		switch f.Kind {
		case FRM, MyISAMData, AriaData:
			s.files[f.Path] = i
		case SDI:
			s.sdi[withoutID(f.Path)] = i
		case Tablespace, MyISAMIndex, AriaIndex, CSVData, ArchiveData:
			s.data[stem(f.Path)] = true
		default:
		}
		if f.odd && f.Category == space.OtherEngines {
			s.files[f.Path] = i
		}
	}
	return s
}

// stem is a table's path without partition and extension.
func stem(file string) string {
	dir, base := path.Split(file)
	base = strings.TrimSuffix(base, path.Ext(base))
	base, _, _ = cutFold(base, "#p#")
	base, _, _ = strings.Cut(base, "#i#")
	return dir + base
}

// withoutID is the path of TABLE_123.sdi without what follows the name.
func withoutID(file string) string {
	file = strings.TrimSuffix(file, path.Ext(file))
	if i := strings.LastIndexByte(file, '_'); i >= 0 && onlyDigits(file[i+1:]) {
		return file[:i]
	}
	return file
}

// definition reads what a table's definition says; nothing where there is none, and an error where it is wrong.
func (s *shelf) definition(file string) (Definition, error) {
	name := stem(file)
	if i, found := s.files[name+".frm"]; found {
		return s.read(i, parseFRM)
	}
	if i, found := s.sdi[name]; found {
		return s.read(i, parseSDI)
	}
	return Definition{}, nil
}

func (s *shelf) read(i int, parse func([]byte) (Definition, error)) (Definition, error) {
	f := &s.tree.Files[i]
	if f.definition != nil {
		return *f.definition, nil
	}
	text, err := readHead(s.tree.abs(f.Path), int(min(f.Apparent, maxFRMBytes)))
	if vanished(err) {
		return Definition{}, nil
	}
	if err != nil {
		return Definition{}, err
	}
	d, err := parse(text)
	if err != nil {
		return d, pathError(f, err)
	}
	return d, nil
}

// parseSDI reads a .sdi file: MySQL's dictionary entry of a table as JSON (sql/dd/impl/types/table_impl.cc, serialize).
func parseSDI(text []byte) (Definition, error) {
	var entry struct {
		Object struct {
			Engine    string `json:"engine"`
			Comment   string `json:"comment"`
			RowFormat int    `json:"row_format"`
		} `json:"dd_object"`
	}
	if err := json.Unmarshal(text, &entry); err != nil {
		return Definition{}, err
	}
	o := entry.Object
	// enum_row_format of sql/dd/types/table.h has no default before it: fixed is 1, as in .frm; 6 is "paged".
	return Definition{Engine: o.Engine, Comment: o.Comment, RowFormat: rowFormat(o.RowFormat)}, nil
}
