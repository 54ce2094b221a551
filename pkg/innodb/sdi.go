package innodb

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/opsctl/opsctl/pkg/innodb/sdi"
)

// Where page 0 says which page is the root of the SDI index: behind 115 bytes of encryption data, after a version
// (fsp0fsp.ic: fsp_header_get_sdi_offset; os0enc.h: INFO_MAX_SIZE).
const (
	encryptionInfo = 115
	sdiVersion     = 1
)

// Offsets in a record of the SDI index, from its origin (dict0sdi.h).
const (
	sdiKind     = 0
	sdiID       = 4
	sdiPlainLen = 25
	sdiPackLen  = 29
	sdiData     = 33
	// sdiLimit bounds a document: one of a table with 8192 partitions has some ten MiB.
	sdiLimit = 256 << 20
)

// ErrNoSDI is that of a tablespace that has no dictionary in it, as those of MariaDB and MySQL 5.7.
var ErrNoSDI = errors.New("no dictionary in the tablespace")

// SDI reads the dictionary that MySQL 8 and later keep in each tablespace. What is damaged is left out and in the error, beside
// what could be read.
func (s *Space) SDI(ctx context.Context) (*sdi.Document, error) {
	root, err := s.sdiRoot()
	if err != nil {
		return nil, err
	}
	if s.Header.Encrypted {
		return nil, ErrEncrypted
	}
	d := &sdi.Document{}
	s.sdiPages = 0
	var damage []error
	leaf, err := s.leftmost(root)
	if err != nil {
		return d, err
	}
	for left := s.Header.FilePages; left > 0 && leaf != None; left-- {
		if ctx.Err() != nil {
			return d, ctx.Err()
		}
		next, errs := s.sdiLeaf(d, leaf)
		damage = append(damage, errs...)
		if len(damage) >= maxDamage {
			break
		}
		leaf = next
	}
	return d, errors.Join(damage...)
}

func (s *Space) sdiRoot() (uint32, error) {
	at := s.encryptionOffset() + encryptionInfo
	if !s.Header.Flags.SDI || at+8 > s.Header.Flags.PhysicalSize || u32(s.head, at) != sdiVersion {
		return 0, ErrNoSDI
	}
	return u32(s.head, at+4), nil
}

// sdiPage gives a page of the index as it is in memory.
func (s *Space) sdiPage(number uint32) ([]byte, error) {
	page, err := s.content(number)
	if err != nil {
		return nil, err
	}
	if t := typeOf(page); t != TypeSDI {
		return nil, pageErrorf(number, "it should be of the SDI index, and has the type %d", t)
	}
	if s.Header.Flags.Compressed {
		return s.unzipSDI(page, number)
	}
	return page, nil
}

// leftmost goes down to the first leaf: an inner record is the key and the page below.
func (s *Space) leftmost(number uint32) (uint32, error) {
	last := 1 << 16
	for {
		page, err := s.sdiPage(number)
		if err != nil {
			return 0, err
		}
		level := int(u16(page, pageLevel))
		if level == 0 {
			return number, nil
		}
		child := nextRecord(page, compactInfimum, true)
		if level >= last || child < compactStart || child+16 > len(page) {
			return 0, pageErrorf(number, "the tree below it has no end")
		}
		last, number = level, u32(page, child+12)
	}
}

// sdiLeaf adds a page's documents, and returns the next page.
func (s *Space) sdiLeaf(d *sdi.Document, number uint32) (next uint32, damage []error) {
	page, err := s.sdiPage(number)
	if err != nil {
		return None, []error{err}
	}
	page = bytes.Clone(page) // pages of large documents are read in between
	whole := walk(page, func(origin int, info byte) {
		if info&(deletedFlag|minRecFlag) != 0 {
			return
		}
		if err := s.sdiRecord(d, page, origin); err != nil {
			damage = append(damage, fmt.Errorf("page %d: %w", number, err))
		}
	})
	if !whole {
		damage = append(damage, pageErrorf(number, "its list of records contradicts itself"))
	}
	return u32(page, filNext), damage
}

// sdiRecord decodes a record: its last column alone has a length that varies, said in one or two bytes before the header.
func (s *Space) sdiRecord(d *sdi.Document, page []byte, origin int) error {
	if origin+sdiData > len(page) || origin < compactStart {
		return errors.New("a record leaves the page")
	}
	length, external := sdiLength(page, origin)
	plain, packed := u32(page, origin+sdiPlainLen), u32(page, origin+sdiPackLen)
	id := u64(page, origin+sdiID)
	if origin+sdiData+length > len(page) || plain > sdiLimit {
		return fmt.Errorf("the record of object %d is longer than can be", id)
	}
	data := page[origin+sdiData:][:length]
	if external {
		var err error
		if data, err = s.sdiExternal(data, packed); err != nil {
			return err
		}
	}
	text, err := s.inflater.document(data, plain)
	if err != nil {
		return fmt.Errorf("unpacking object %d: %w", id, err)
	}
	return d.Add(u32(page, origin+sdiKind), id, text)
}

// Of a value that is stored outside, a record has 20 bytes: tablespace, first page, offset or version, length (lob0types.h). Pages
// have the length of their part and the next page behind the header; packed ones are one zlib stream.
const (
	externRef  = 20
	externPage = 4
	partHeader = 8
)

// sdiExternal collects a document from its pages, at most as many bytes as the record promises.
func (s *Space) sdiExternal(local []byte, length uint32) ([]byte, error) {
	if len(local) < externRef {
		return nil, errors.New("a reference to other pages is cut off")
	}
	ref := local[len(local)-externRef:]
	out := bytes.Clone(local[:len(local)-externRef])
	var parts []byte
	next := u32(ref, externPage)
	for ; next != None && len(parts) < int(length); s.sdiPages++ {
		if s.sdiPages > s.Header.FilePages {
			return nil, pageErrorf(next, "a document that leads to it has no end")
		}
		page, err := s.content(next)
		if err != nil {
			return nil, err
		}
		switch t := typeOf(page); t {
		case TypeInstant: // SDI_BLOB
			n := int(u32(page, filData))
			if n > len(page)-filData-partHeader {
				return nil, pageErrorf(next, "its part of a document is longer than the page")
			}
			parts = append(parts, page[filData+partHeader:][:n]...)
			next = u32(page, filData+4)
		case TypeSDIZBlob:
			parts = append(parts, page[filData:]...)
			next = u32(page, filNext)
		default:
			return nil, pageErrorf(next, "a document leads to it, and its type is %d", t)
		}
	}
	if s.Header.Flags.Compressed {
		inner, err := s.inflater.document(parts, length)
		if err != nil {
			return nil, fmt.Errorf("unpacking a document's pages: %w", err)
		}
		parts = inner
	}
	return append(out, parts...), nil
}

// NameFromSDI gives the structure's indexes their names and tables, as far as the document has them: that of a partition other
// than a table's first has none, and takes the document of the first.
func (st *Structure) NameFromSDI(d *sdi.Document) {
	byID := make(map[uint64]*Index, len(st.Indexes))
	for i := range st.Indexes {
		byID[st.Indexes[i].ID] = &st.Indexes[i]
	}
	for i := range d.Tables {
		t := &d.Tables[i]
		t.Walk(func(partition string, _ uint64, index *sdi.Index) {
			x := byID[index.ID]
			if x == nil || index.Space != st.SpaceID {
				return
			}
			x.Name, x.Table = index.Name, t.Schema+"/"+t.Name
			if index.Hidden && index.Name == "PRIMARY" { // of a table without a primary key, as INNODB_INDEXES calls it
				x.Name = "GEN_CLUST_INDEX"
			}
			if partition != "" {
				x.Table += "#P#" + partition
			}
		})
	}
}
