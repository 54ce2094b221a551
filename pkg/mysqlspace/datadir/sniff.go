package datadir

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
)

// check says why a file is not what its name promises, "" if it is. head is its front, at most headBytes; an empty file has
// none. besides holds for files that have no mark of their own.
type check func(f *seen) string

// seen is what a check looks at.
type seen struct {
	name string // path, as in File
	head []byte
	size int64
	// has says whether a file of this name is beside it.
	has func(base string) bool
}

// headBytes are enough for every check: page 0's header, a log's first lines.
const headBytes = 4096

// FIL header of a page (storage/innobase/include/fil0types.h): number at 4, type at 24, space id at 34; a page 0 has its
// space id again at 38 (fsp0types.h, FSP_SPACE_ID).
const (
	filPageNo  = 4
	filType    = 24
	filSpaceID = 34
	fspSpaceID = 38
	typeFSP    = 8
)

// isTablespace looks for the header of page 0.
func isTablespace(f *seen) string {
	if f.size == 0 {
		return "is empty"
	}
	if len(f.head) < fspSpaceID+4 {
		return "is shorter than a page"
	}
	if isTablespaceHead(f.head) || f.size%4096 == 0 && isUnwritten(f.head) {
		return ""
	}
	return "is no tablespace: its first page has no such header"
}

func isTablespaceHead(head []byte) bool {
	u32 := func(at int) uint32 { return binary.BigEndian.Uint32(head[at:]) }
	return u32(filPageNo) == 0 && binary.BigEndian.Uint16(head[filType:]) == typeFSP && u32(filSpaceID) == u32(fspSpaceID)
}

// isUnwritten knows a page 0 as it is between the making of a tablespace and the next checkpoint of a running server: zeros
// (MariaDB), or only the space's id, twice, and flags (MySQL; fil0fil.cc, fil_ibd_create).
func isUnwritten(head []byte) bool {
	if isZero(head) {
		return true
	}
	if len(head) < fspSpaceID+4 {
		return false
	}
	u32 := func(at int) uint32 { return binary.BigEndian.Uint32(head[at:]) }
	return u32(filPageNo) == 0 && binary.BigEndian.Uint16(head[filType:]) == 0 && u32(filSpaceID) != 0 && u32(filSpaceID) == u32(fspSpaceID)
}

func isZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// isMagic takes a file that begins in one of the ways.
func isMagic(why string, magics ...string) check {
	return func(f *seen) string {
		for _, m := range magics {
			if strings.HasPrefix(string(f.head), m) {
				return ""
			}
		}
		return why
	}
}

// isFRM knows binary definitions (sql/unireg.h), and the text files that views have.
var isFRM = isMagic("is no definition of a table or view", "\xfe\x01", "TYPE=VIEW", "TYPE=ALGORITHM")

// isArchive knows the marks of azio (storage/archive/azlib.h): 254 and a version, or gzip's of old ones.
var isArchive = isMagic("is no ARCHIVE file", "\xfe\x03", "\xfe\x02", "\x1f\x8b")

func isJSON(f *seen) string { return isMagic("is no JSON", "{", "[")(f) }

// isPartitions knows a .par (sql/ha_partition.cc, create_handler_file): its length in words of four bytes, without what
// MariaDB appends, and words whose exclusive or is 0.
func isPartitions(f *seen) string {
	if len(f.head) < 4 {
		return "is no list of partitions"
	}
	words := int64(binary.LittleEndian.Uint32(f.head))
	if words < 4 || words*4 > f.size {
		return "is no list of partitions"
	}
	var sum uint32
	for at := 0; at < int(words)*4 && words*4 <= int64(len(f.head)); at += 4 {
		sum ^= binary.LittleEndian.Uint32(f.head[at:])
	}
	if sum != 0 {
		return "is no list of partitions"
	}
	return ""
}

// isText takes what has neither NUL nor broken UTF-8, which a name in an old character set may have.
func isText(f *seen) string {
	if bytes.IndexByte(f.head, 0) >= 0 {
		return "is no text"
	}
	return ""
}

func isPEM(f *seen) string { return isMagic("is no PEM file", "-----BEGIN ")(f) }

func isPID(f *seen) string {
	if text := strings.TrimSpace(string(f.head)); f.size < 32 && onlyDigits(text) {
		return ""
	}
	return "is no process id"
}

// isBufferPool wants lines of "space,page".
func isBufferPool(f *seen) string {
	line, _, _ := bytes.Cut(f.head, []byte("\n"))
	a, b, ok := strings.Cut(string(line), ",")
	if f.size == 0 || ok && onlyDigits(a) && onlyDigits(strings.TrimSpace(b)) {
		return ""
	}
	return "is no list of pages"
}

// isErrorLog looks for what the servers and their wrapper write in the first lines.
func isErrorLog(f *seen) string {
	if f.size == 0 || hasAny(f.head, "[Note]", "[Warning]", "[ERROR]", "[System]", "mysqld_safe", "mariadbd-safe", "mysqld: ", "mariadbd: ", "\"err_code\"") {
		return ""
	}
	return "is no error log of a server"
}

// isServerLog is for what may be any of the logs: slow and general ones begin with what runs.
func isServerLog(f *seen) string {
	if f.size == 0 || hasAny(f.head, "started with:\n", "# Time: ", "# User@Host: ", " Query\t", " Connect\t") {
		return ""
	}
	if isErrorLog(f) == "" {
		return ""
	}
	return "is no log of a server"
}

func hasAny(text []byte, parts ...string) bool {
	if bytes.IndexByte(text, 0) >= 0 {
		return false
	}
	for _, p := range parts {
		if bytes.Contains(text, []byte(p)) {
			return true
		}
	}
	return false
}

// besides is for data that only the file beside it vouches for.
func besides(ext string) check {
	return func(f *seen) string {
		base := path.Base(f.name)
		if f.has(strings.TrimSuffix(base, path.Ext(base)) + ext) {
			return ""
		}
		return "has no " + ext + " beside it"
	}
}
