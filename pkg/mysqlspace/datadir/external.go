package datadir

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// beyond adds a file that lies beyond the data folder, of a class that is known. Paths below it and what is not there add
// nothing.
func (t *Tree) beyond(name string, c class) *File {
	if !filepath.IsAbs(name) {
		return nil
	}
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		if err != nil && !vanished(err) {
			t.Problems = append(t.Problems, err)
		}
		return nil
	}
	f := describe(name, info)
	f.set(c)
	return t.addBeyond(&f)
}

// addBeyond adds a file unless it has been found before: what names it comes before the folder it is in.
func (t *Tree) addBeyond(f *File) *File {
	if i, found := t.externalAt[f.Path]; found {
		return &t.external[i]
	}
	t.externalAt[f.Path] = len(t.external)
	t.external = append(t.external, *f)
	return &t.external[len(t.external)-1]
}

// follow adds what is beyond the data folder: tablespaces that .isl files name, targets of symbolic links, folders of Options.
func (t *Tree) follow(ctx context.Context) error {
	schema, places := schemaRules(), t.options.Elsewhere
	for i := range t.Files {
		f := &t.Files[i]
		switch {
		case f.Kind == Link:
			t.followISL(f)
		case f.odd:
			places = append(places, t.followLink(f, schema)...)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	for _, p := range places {
		t.scan(p)
	}
	names := make(map[string]bool, len(t.external))
	for i := range t.external {
		names[t.external[i].Path] = true
	}
	for i := range t.external {
		if f := &t.external[i]; f.check != nil {
			if err := t.inspect(f, names); err != nil && !vanished(err) {
				t.Problems = append(t.Problems, err)
			}
		}
	}
	t.Files = append(t.Files, t.external...)
	t.external = nil
	return nil
}

// followISL adds the tablespace that a link file of InnoDB names in its one line.
func (t *Tree) followISL(f *File) {
	text, err := readHead(t.abs(f.Path), headBytes)
	if err != nil {
		return
	}
	target := t.relative(strings.TrimSpace(string(text)))
	f.Why = "the tablespace is " + target
	found := t.beyond(target, class{space.Tables, Tablespace, "tablespace of " + strings.TrimSuffix(f.Path, ".isl"), isTablespace})
	if found != nil && isFulltext(path.Base(target)) {
		found.Category = space.Fulltext
	}
}

// followLink adds the target of a symbolic link, a MyISAM or Aria file or a tablespace, or returns that of a schema's folder.
func (t *Tree) followLink(f *File, schema *rules) []Place {
	link, err := os.Readlink(t.abs(f.Path))
	if err != nil {
		return nil // a socket or a pipe
	}
	target, err := filepath.EvalSymlinks(t.abs(f.Path))
	if err != nil {
		f.Why = "link to " + link + ", which is not there"
		return nil
	}
	info, err := os.Stat(target)
	if err != nil {
		return nil
	}
	target = t.relative(target)
	switch c, known := schema.of(path.Base(f.Path)); {
	case info.IsDir() && path.Dir(f.Path) == ".":
		f.Category, f.Why = space.Metadata, "link to the folder "+link
		return []Place{{Dir: target, For: "schema " + f.Path}}
	case known && strings.Contains(f.Path, "/"):
		f.Why = "link to " + link
		c.check = nil // the file beside it, which vouches for it, may be elsewhere
		if c.kind == Tablespace {
			c.check = isTablespace
		}
		t.beyond(target, c)
	}
	return nil
}

// scan adds those files of a folder beyond the data folder that a server makes, and of schemas' folders below it. What else
// is there belongs to somebody else.
func (t *Tree) scan(p Place) {
	root, err := filepath.EvalSymlinks(p.Dir)
	if err != nil || !filepath.IsAbs(t.relative(root)) {
		return // not there, or below the data folder
	}
	c := &classifier{top: topRules(), schema: schemaRules(), folders: folderRules()}
	t.scanFolder(c, root, !strings.HasPrefix(p.For, "schema "))
}

func (t *Tree) scanFolder(c *classifier, folder string, top bool) {
	files, problems := t.readDir(folder)
	t.Problems = append(t.Problems, problems...)
	for i := range files {
		f := files[i]
		base := path.Base(f.Path)
		switch {
		case f.folder && top && (c.folders[base] != nil || hasTables(f.Path)):
			t.scanFolder(c, f.Path, false)
		case f.folder || f.odd:
		default:
			if found, known := c.in(path.Base(folder), base, top); known {
				f.set(found)
				t.addBeyond(&f)
			}
		}
	}
}

// hasTables says whether a folder has a tablespace, and so is a schema's.
func hasTables(folder string) bool {
	f, err := os.Open(folder)
	if err != nil {
		return false
	}
	names, err := f.Readdirnames(1000)
	if err := errors.Join(err, f.Close()); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	for _, name := range names {
		if path.Ext(name) == ".ibd" {
			return true
		}
	}
	return false
}
