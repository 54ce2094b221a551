package datadir

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/progress"
)

// classifier says what files are by their names; contents come later, in look.
type classifier struct {
	top, schema *rules
	folders     map[string]*rules
	binlogs     map[string]class // by path, from the index files
}

func (t *Tree) newClassifier() *classifier {
	return &classifier{topRules(), schemaRules(), folderRules(), t.readIndexes()}
}

// classify gives each file of the data folder its category, kind and check.
func (t *Tree) classify() {
	c := t.newClassifier()
	for i := range t.Files {
		t.Files[i].set(c.of(&t.Files[i]))
	}
}

func (f *File) set(c class) { f.Category, f.Kind, f.Why, f.check = c.category, c.kind, c.why, c.check }

func (c *classifier) of(f *File) class {
	if f.folder {
		return class{space.Metadata, Folder, "folder", nil}
	}
	dir, base := path.Split(f.Path)
	dir = strings.TrimSuffix(dir, "/")
	found, known := c.binlogs[f.Path]
	if !known && !strings.Contains(dir, "/") {
		found, known = c.in(dir, base, dir == "")
	}
	if !known {
		found = class{category: space.Unknown, why: "no file of a server has such a name here"}
	}
	if f.odd {
		found.kind, found.check = Other, nil
	}
	return found
}

// in is what a file of a folder is, by the names of both; top says that the folder is no schema's.
func (c *classifier) in(folder, base string, top bool) (class, bool) {
	switch special := c.folders[folder]; {
	case special != nil:
		return special.of(base)
	case top:
		return c.ofTop(base)
	}
	return c.ofSchema(base)
}

func (c *classifier) ofTop(base string) (class, bool) {
	if strings.HasPrefix(base, "#sql") {
		return leftover(class{}), true
	}
	if strings.HasPrefix(base, "debian-") && strings.HasSuffix(base, ".flag") {
		return metadata("written by the package"), true
	}
	if strings.HasSuffix(base, ".sock") {
		return metadata("socket"), true
	}
	if strings.HasPrefix(base, "undo_") && strings.HasSuffix(base, "_trunc.log") {
		return metadata("an undo tablespace is being truncated"), true
	}
	if found, ok := c.top.of(base); ok {
		return found, true
	}
	if looksLikeBinlog(base) {
		return class{space.BinaryLogs, Binlog, "binary log that no index file lists", isBinlog}, true
	}
	return class{}, false
}

func (c *classifier) ofSchema(base string) (class, bool) {
	found, known := c.schema.of(base)
	if !known {
		return class{}, false
	}
	switch {
	case strings.HasPrefix(base, "#sql"):
		return leftover(found), true
	case found.kind == Tablespace && isFulltext(base):
		found.category = space.Fulltext
	}
	return found, true
}

// leftover is a file that a statement which changes a table has while it runs, and leaves behind where it is killed.
func leftover(c class) class {
	c.category, c.why = space.Orphans, "left by a statement that changed a table, unless it runs"
	return c
}

// isFulltext says whether a tablespace is one of those that InnoDB makes for a full-text index: FTS_, sixteen hexadecimal
// digits of the table's id, and what it holds (fts0priv.ic, fts_write_object_id). MySQL 8 writes them in lower case.
func isFulltext(base string) bool {
	if len(base) < len("FTS_0123456789abcdef_") || !strings.EqualFold(base[:4], "fts_") {
		return false
	}
	return base[20] == '_' && strings.Trim(base[4:20], "0123456789abcdefABCDEF") == ""
}

// look reads the front of each file whose name is not enough.
func (t *Tree) look(ctx context.Context, rep progress.Reporter) error {
	names := make(map[string]bool, len(t.Files))
	var todo []int
	for i := range t.Files {
		names[t.Files[i].Path] = true
		if t.Files[i].check != nil {
			todo = append(todo, i)
		}
	}
	var mu sync.Mutex
	var gone []int
	err := forEach(ctx, t.options.workers(), len(todo), func(i int) {
		f := &t.Files[todo[i]]
		err := t.inspect(f, names)
		rep.Add(1)
		switch {
		case err == nil:
		case vanished(err):
			mu.Lock()
			gone = append(gone, todo[i])
			mu.Unlock()
		default:
			mu.Lock()
			t.Problems = append(t.Problems, err)
			mu.Unlock()
		}
	})
	slices.Sort(gone)
	for _, i := range slices.Backward(gone) {
		t.Files = slices.Delete(t.Files, i, i+1)
	}
	return err
}

// inspect judges one file by its front. What cannot be read keeps the class of its name; the error says so.
func (t *Tree) inspect(f *File, names map[string]bool) error {
	check := f.check
	f.check = nil
	head, err := t.front(f)
	if err != nil {
		if errors.Is(err, syscall.ELOOP) { // a link since it was listed
			f.odd, f.Kind = true, Other
			return nil
		}
		f.Kind = Other
		return err
	}
	dir := path.Dir(f.Path)
	why := check(&seen{name: f.Path, head: head, size: max(f.Apparent, int64(len(head))), has: func(base string) bool {
		return names[path.Join(dir, base)]
	}})
	if why == "" {
		f.keep(head)
		return nil
	}
	kind := f.Kind
	f.set(class{category: space.Unknown, why: "named like " + describeKind(f.Why, path.Ext(f.Path)) + ", but " + why})
	if kind == Other || kind == Binlog {
		return nil
	}
	return &WrongError{Path: f.Path, Why: why}
}

// front is what is looked at of a file. Tables are read later: what is needed of a small one then is asked for already.
func (t *Tree) front(f *File) ([]byte, error) {
	file, err := open(t.abs(f.Path))
	if err != nil {
		return nil, err
	}
	if f.Kind == Tablespace {
		file.soon(innodb.HeadBytes)
	}
	head, err := file.head(headBytes)
	return head, errors.Join(err, file.Close())
}

// keep reads a definition that is there as a whole.
func (f *File) keep(head []byte) {
	if f.Kind != FRM || int64(len(head)) != f.Apparent {
		return
	}
	if d, err := parseFRM(head); err == nil {
		f.definition = &d
	}
}

func describeKind(why, ext string) string {
	if why == "" {
		why = "a table's tablespace"
	}
	return why + " (" + ext + ")"
}

// orphans finds tablespaces of MariaDB that no table claims: it writes a definition before the tablespace, and removes it after,
// so that one without was copied here, or is what a crash left. Auxiliary tables of full-text indexes have none.
func (t *Tree) orphans() {
	if !t.MariaDB() {
		return
	}
	defined := make(map[string]bool)
	for i := range t.Files {
		if f := &t.Files[i]; f.Kind == FRM {
			defined[stem(f.Path)] = true
		}
	}
	for i := range t.Files {
		f := &t.Files[i]
		if f.Kind != Tablespace || f.Category != space.Tables || f.odd || defined[stem(f.Path)] {
			continue
		}
		if _, err := os.Lstat(t.abs(stem(f.Path) + ".frm")); vanished(err) { // not one that was made while files were listed
			f.Category, f.Why = space.Orphans, "no table has it: there is no definition (.frm) beside it"
		}
	}
}
