package datadir

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// maxIndexBytes bounds what is read of an index file: names of some 100,000 logs.
const maxIndexBytes = 16 << 20

// looksLikeBinlog is for NAME.NNNNNN, with six digits or more.
func looksLikeBinlog(base string) bool {
	digits := strings.TrimPrefix(path.Ext(base), ".")
	return len(digits) >= 6 && len(digits) < len(base)-1 && onlyDigits(digits)
}

// isBinlog wants the mark that binary and relay logs begin with: 254 or, encrypted by MySQL, 253, and "bin"
// (sql/log_event.h, BINLOG_MAGIC; sql/rpl_log_encryption.cc).
var isBinlog = isMagic("is no binary log", "\xfebin", "\xfdbin")

// relayFlag is LOG_EVENT_RELAY_LOG_F, in the flags of a relay log's first event.
const relayFlag = 0x40

// isRelay says whether the front of a log is that of a relay log: behind the mark of four bytes a first event whose header
// has its flags at 17 (sql/log_event.h, FLAGS_OFFSET).
func isRelay(head []byte) bool {
	const flags = 4 + 17
	return len(head) >= flags+2 && head[0] == 0xfe && binary.LittleEndian.Uint16(head[flags:])&relayFlag != 0
}

// parseIndex reads the names of an index file: a line each, below the data folder or absolute. ok is false for a file that
// is none: a line that is no log's name.
func parseIndex(r io.Reader) (names []string, ok bool) {
	lines := bufio.NewScanner(io.LimitReader(r, maxIndexBytes))
	for lines.Scan() {
		name := strings.TrimSpace(lines.Text())
		if name == "" {
			continue
		}
		base := path.Base(name)
		if !looksLikeBinlog(base) && path.Ext(base) != ".ibb" || strings.ContainsAny(name, "\x00") {
			return nil, false
		}
		names = append(names, name)
	}
	return names, lines.Err() == nil
}

// readIndexes finds the logs that index files list, and adds those beyond the data folder. The files are not checked for
// their mark: some are encrypted, and the index is the server's word.
func (t *Tree) readIndexes() map[string]class {
	found := make(map[string]class)
	for i := range t.Files {
		f := &t.Files[i]
		if path.Dir(f.Path) != "." || path.Ext(f.Path) != ".index" || f.odd || f.folder {
			continue
		}
		text, err := readHead(t.abs(f.Path), int(min(f.Apparent+1, maxIndexBytes)))
		if err != nil {
			if !vanished(err) {
				t.Problems = append(t.Problems, err)
			}
			continue
		}
		names, ok := parseIndex(bytes.NewReader(text))
		if !ok || len(names) == 0 && !strings.Contains(f.Path, "bin") {
			continue
		}
		category := t.logCategory(f.Path, names)
		t.addIndex(found, f.Path, category, names)
	}
	return found
}

// logCategory tells relay from binary logs: by the first log that has a mark, else by the names that servers give.
func (t *Tree) logCategory(index string, names []string) space.Category {
	for _, name := range names[:min(len(names), 4)] {
		head, err := readHead(t.abs(t.relative(name)), 64)
		if err == nil && len(head) > 22 && head[0] == 0xfe {
			if isRelay(head) {
				return space.RelayLogs
			}
			return space.BinaryLogs
		}
	}
	if strings.Contains(path.Base(index), "relay") {
		return space.RelayLogs
	}
	return space.BinaryLogs
}

func (t *Tree) addIndex(found map[string]class, index string, category space.Category, names []string) {
	what := strings.TrimSuffix(string(category), "s")
	what = strings.ReplaceAll(what, "-", " ")
	found[index] = class{category, BinlogIndex, what + "s by name", nil}
	stem := strings.TrimSuffix(index, ".index")
	for _, beside := range []string{index + "_crash_safe", stem + ".~rec~", stem + ".state"} {
		found[beside] = class{category, Other, what + "s' state", nil}
	}
	for _, name := range names {
		rel := t.relative(name)
		found[rel] = class{category, Binlog, what, nil}
		found[rel+".idx"] = class{category, Other, what + "'s index of GTIDs", nil}
		t.beyond(rel, found[rel])
	}
}

// relative is a name as File has it: below the data folder where it lies there, absolute otherwise.
func (t *Tree) relative(name string) string {
	if !filepath.IsAbs(name) {
		return path.Clean(name)
	}
	clean := filepath.Clean(name)
	if rel, err := filepath.Rel(t.Root, clean); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return clean
}
