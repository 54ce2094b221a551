package datadir

import (
	"encoding/binary"
	"os"
	"strings"
	"syscall"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// other reads a table of another engine than InnoDB.
func (r *reader) other(f *File) ([]space.Item, []error) {
	item := r.item(f, map[Kind]string{MyISAMIndex: "MyISAM", AriaIndex: "Aria", CSVData: "CSV", ArchiveData: "ARCHIVE"}[f.Kind])
	var err error
	switch f.Kind {
	case MyISAMIndex, AriaIndex:
		err = r.isam(&item, f)
	case CSVData:
		item.DataBytes, item.IndexBytes, item.TotalBytes = new(f.Apparent), new(int64(0)), new(f.Apparent)
	case ArchiveData:
		item.DataBytes, item.IndexBytes, item.FreeBytes, item.TotalBytes = new(f.Apparent), new(int64(0)), new(int64(0)), new(f.Apparent)
		err = r.archive(&item, f)
	default:
		return r.definitionOnly(f)
	}
	if err != nil {
		return []space.Item{item}, []error{err}
	}
	return []space.Item{item}, nil
}

// isam reads a MyISAM or Aria table: its figures are those of the index file's header, which the engine keeps exactly. Data
// are the bytes that rows use, free those that deleted rows left.
func (r *reader) isam(item *space.Item, f *File) error {
	aria := f.Kind == AriaIndex
	head, err := readHead(r.tree.abs(f.Path), headBytes)
	if err != nil {
		return err
	}
	data, found := r.dataFile(strings.TrimSuffix(strings.TrimSuffix(f.Path, ".MYI"), ".MAI") + map[bool]string{false: ".MYD", true: ".MAD"}[aria])
	if found {
		item.FileBytes, item.AllocatedBytes = new(f.Apparent+data.Apparent), new(f.Bytes+data.Bytes)
	}
	s, ok := parseISAM(head, aria)
	if !ok {
		return &WrongError{Path: f.Path, Why: "its header is cut off, or contradicts itself"}
	}
	item.Source = space.FromEngine
	if found && s.dataBytes > data.Apparent {
		item.Notes = append(item.Notes, "its header says more than the data file has")
	}
	item.Rows, item.FreeBytes = new(s.rows), new(s.empty)
	item.DataBytes, item.IndexBytes, item.TotalBytes = new(s.dataBytes-s.empty), new(s.keyBytes), new(s.dataBytes+s.keyBytes)
	if !aria { // OPTIMIZE leaves no deleted row; what it makes of the index, in blocks of a KiB, is not known
		item.ReclaimableBytes, item.ReclaimableLowBytes, item.ReclaimableHighBytes = new(s.empty), new(s.empty), new(s.empty+s.keyBytes)
		item.Method = "copy"
	}
	return nil
}

// dataFile is the data file of a table, or what a link of its name leads to.
func (r *reader) dataFile(name string) (File, bool) {
	i, found := r.shelf.files[name]
	if !found {
		return File{}, false
	}
	f := r.tree.Files[i]
	if f.odd {
		info, err := os.Stat(r.tree.abs(name))
		if err != nil {
			return File{}, false
		}
		f.Apparent = info.Size()
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			f.Bytes = st.Blocks * 512
		}
	}
	return f, true
}

// archive reads the number of rows that an ARCHIVE file has in its header (storage/archive/azlib.h, AZHEADER_SIZE; the
// least significant byte first, from version 3 on).
func (r *reader) archive(item *space.Item, f *File) error {
	const rows = 29
	head, err := readHead(r.tree.abs(f.Path), headBytes)
	if err != nil {
		return err
	}
	if len(head) >= rows+8 && head[0] == 0xfe && head[1] == 3 {
		if n := binary.LittleEndian.Uint64(head[rows:]); n < 1<<48 {
			item.Rows, item.Source = new(int64(n)), space.FromEngine
		}
	}
	return nil
}

// definitionOnly is for a table whose definition is its only file: one of an engine that keeps its data elsewhere.
func (r *reader) definitionOnly(f *File) ([]space.Item, []error) {
	d, err := r.shelf.definition(f.Path)
	if err != nil {
		return nil, []error{err}
	}
	if d.View || d.Engine == "" {
		return nil, nil
	}
	item := r.item(f, d.Engine)
	item.FileBytes, item.AllocatedBytes, item.File = nil, nil, ""
	if d.Engine == "InnoDB" {
		item.Notes = append(item.Notes, "has no file of its own: it is in the system tablespace or a general one, or its file is missing")
	}
	return []space.Item{item}, nil
}
