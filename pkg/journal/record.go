package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"
)

// kind says what a record tells of its run.
type kind string

const (
	kindBegun     kind = "begun"
	kindStepBegun kind = "step-begun"
	kindStepDone  kind = "step-done"
	kindCommitted kind = "committed"
	kindAborted   kind = "aborted"
	kindUndone    kind = "undone"
)

// record is one line of the file.
type record struct {
	Run  string    `json:"run"`
	Kind kind      `json:"kind"`
	Time time.Time `json:"time"`
	// Step belongs to the two kinds about steps.
	Step int `json:"step,omitempty"`
	// Args and Plan belong to kindBegun.
	Args []string        `json:"args,omitempty"`
	Plan json.RawMessage `json:"plan,omitempty"`
}

// A line is a JSON object whose last member is the CRC-32C, as eight hexadecimal
// digits, of all bytes before it, so that jq reads the file too:
//
//	{"run":"20261122T165433.000000Z","kind":"step-done",...,"crc":"0123abcd"}
const (
	lineStart = `{"run":"`
	crcPrefix = `,"crc":"`
	crcSuffix = `"}`
	crcLen    = len(crcPrefix) + 8 + len(crcSuffix)
)

// errChecksum is of a line that is not what encode wrote: torn, or changed since.
var errChecksum = errors.New("checksum does not match")

// encode gives the line of a record, line feed included.
func encode(r record) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	line := text[:len(text)-1]
	return fmt.Appendf(line, "%s%08x%s\n", crcPrefix, checksum(line), crcSuffix), nil
}

// decode reads a line, without its line feed.
func decode(line []byte) (record, error) {
	var r record
	if len(line) < crcLen {
		return r, errChecksum
	}
	body, tail := line[:len(line)-crcLen], line[len(line)-crcLen:]
	hex, ok := bytes.CutPrefix(tail, []byte(crcPrefix))
	if !ok || !bytes.HasSuffix(hex, []byte(crcSuffix)) {
		return r, errChecksum
	}
	sum, err := strconv.ParseUint(string(hex[:8]), 16, 32)
	if err != nil || sum != uint64(checksum(body)) {
		return r, errChecksum
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	return r, nil
}

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}
