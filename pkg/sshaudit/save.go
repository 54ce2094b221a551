package sshaudit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/klauspost/compress/gzip"

	"github.com/opsctl/opsctl/pkg/atomicfile"
)

// A saved partial is one gzipped JSON object. maxSaved bounds its text.
const (
	savedKind    = "SSHAuditPartial"
	savedVersion = 1
	maxSaved     = 1 << 30
)

// ErrSaved is what Collect says of a --merge file that Save did not write, or
// that is damaged. It comes wrapped in a FileError.
var ErrSaved = errors.New("is not a saved partial of this version")

var errNotForSaving = errors.New("collected without Options.Save")

type savedDoc struct {
	Kind    string          `json:"kind"`
	Version int             `json:"version"`
	Grace   uint32          `json:"grace"`
	Hosts   []savedHost     `json:"hosts"`
	Names   []string        `json:"names,omitempty"`
	Level   int             `json:"level"`
	Rows    []savedRow      `json:"failures"`
	Totals  []uint64        `json:"totals"`
	Logins  []savedLogin    `json:"logins"`
	Wrong   []savedNotice   `json:"wrongAddress"`
	Modes   []savedNotice   `json:"badModes"`
	Bursts  []savedBurst    `json:"bursts"`
	Files   []FileCoverage  `json:"files"`
	Bad     []savedEvidence `json:"unverifiable"`
}

type savedHost struct {
	Name       string         `json:"name"`
	Start      uint32         `json:"start"`
	From       uint32         `json:"from"`
	To         uint32         `json:"to"`
	Read       []savedStretch `json:"read"`
	Swept      uint32         `json:"swept"`
	Lines      uint64         `json:"lines"`
	Accepted   uint64         `json:"accepted"`
	WithKey    uint64         `json:"withKey"`
	WithoutKey uint64         `json:"withoutKey"`
	Head       []savedConn    `json:"head"`
	Open       []savedConn    `json:"open"`
	Found      []savedFound   `json:"found"`
	InHead     []savedProof   `json:"foundInHead"`
}

type savedStretch struct {
	From  uint32      `json:"from"`
	To    uint32      `json:"to"`
	Edges [][2]uint64 `json:"edges"` // time and hash of lines
}

type savedConn struct {
	Addr       string      `json:"addr"`
	PID        uint32      `json:"pid"`
	Port       uint16      `json:"port"`
	User       []byte      `json:"user"`
	Attempts   []savedTry  `json:"attempts,omitempty"`
	Weak       savedTry    `json:"weak,omitzero"`
	First      uint32      `json:"first"`
	Last       uint32      `json:"last"`
	State      connState   `json:"state"`
	Head       bool        `json:"head"`
	FirstIsEnd bool        `json:"firstIsEnd,omitempty"`
	Login      *savedLogin `json:"login,omitempty"`
	Proof      *savedProof `json:"proof,omitempty"`
	LoginTime  uint32      `json:"loginTime,omitempty"`
}

type savedTry struct {
	Time   uint32        `json:"time"`
	Count  uint32        `json:"count"`
	Reason Reason        `json:"reason,omitempty"`
	At     savedEvidence `json:"at"`
}

type savedProof struct {
	PID         uint32 `json:"pid"`
	Fingerprint []byte `json:"fingerprint"`
}

type savedFound struct {
	savedProof
	File []byte `json:"file"`
	Line uint32 `json:"line"`
	Time uint32 `json:"time"`
}

type savedRow struct {
	Host      uint32 `json:"host"`
	Addr      string `json:"addr,omitempty"`
	User      []byte `json:"user,omitempty"`
	Reason    Reason `json:"reason"`
	Collapsed uint8  `json:"collapsed,omitempty"`
	Bits      uint8  `json:"bits,omitempty"`
	Count     uint64 `json:"count"`
	First     uint32 `json:"first"`
	Last      uint32 `json:"last"`
}

type savedEvidence struct {
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Count  int64  `json:"count,omitempty"`
	Forged bool   `json:"forged,omitempty"`
}

// Text that a log holds need not be UTF-8: it is saved as bytes.
type savedLogin struct {
	Host    int           `json:"host"`
	Addr    string        `json:"addr"`
	Text    [8][]byte     `json:"text"` // user, method, key type, fingerprint, certificate id, CA type, CA, file
	IsCert  bool          `json:"isCert,omitempty"`
	Serial  uint64        `json:"serial,omitempty"`
	Line    uint32        `json:"line,omitempty"`
	Count   uint64        `json:"count"`
	First   uint32        `json:"first"`
	Last    uint32        `json:"last"`
	FirstAt savedEvidence `json:"firstAt"`
	LastAt  savedEvidence `json:"lastAt"`
}

type savedNotice struct {
	Host    int           `json:"host"`
	Addr    string        `json:"addr,omitempty"`
	User    []byte        `json:"user"`
	File    []byte        `json:"file"`
	Line    uint32        `json:"line"`
	Count   uint64        `json:"count"`
	First   uint32        `json:"first"`
	Last    uint32        `json:"last"`
	FirstAt savedEvidence `json:"firstAt"`
}

type savedBurst struct {
	Host     int           `json:"host"`
	Addr     string        `json:"addr"`
	Detected uint32        `json:"detected,omitempty"`
	At       savedEvidence `json:"at,omitzero"`
	Times    []savedTry    `json:"times,omitempty"`
}

// Save writes what the logs said to a file that a later Collect can merge: with
// mode 0600 if it is new, as a whole or not at all. A file that holds anything else
// than a saved partial is not overwritten. It must be called before Report, and needs
// Options.Save.
func (c *Collection) Save(path string) error {
	if !c.p.edges {
		return errNotForSaving
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		if _, err := loadSavedFile(path); err != nil {
			return &FileError{path, fmt.Errorf("not overwritten: it %w", err)}
		}
	}
	data, err := json.Marshal(c.encode())
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	if _, err := zw.Write(data); err != nil {
		return fmt.Errorf("packing %s: %w", path, err)
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("packing %s: %w", path, err)
	}
	return atomicfile.Write(path, packed.Bytes(), 0o600)
}

// savedPartial is a loaded --merge file.
type savedPartial struct {
	path  string
	p     *Partial
	files []FileCoverage
	bad   []unverifiable
	first int64 // earliest time of its hosts
}

// loadSaved reads the --merge files, in the order of their times.
func (c *collector) loadSaved() {
	for _, path := range c.o.Merge {
		s, err := loadSavedFile(path)
		if err == nil {
			err = c.claim(s)
		}
		if err != nil {
			c.errs = append(c.errs, &FileError{path, err})
			continue
		}
		c.saved = append(c.saved, s)
	}
	slices.SortStableFunc(c.saved, func(a, b *savedPartial) int { return cmp.Compare(a.first, b.first) })
}

func loadSavedFile(path string) (*savedPartial, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	data, err := io.ReadAll(io.LimitReader(zr, maxSaved))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	var doc savedDoc
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if doc.Kind != savedKind || doc.Version != savedVersion {
		return nil, fmt.Errorf("%w: kind %q, version %d", ErrSaved, doc.Kind, doc.Version)
	}
	s, err := doc.decode()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	s.path = path
	return s, nil
}

// errOverlap is said of a saved partial that covers the same time as another.
var errOverlap = errors.New("covers the same time of a host as another merged file: its events would count twice")

// claim takes the time that a saved partial covers, host by host.
func (c *collector) claim(s *savedPartial) error {
	spans := c.overlap.spans
	if spans == nil {
		spans = map[string][]span{}
		c.overlap.spans = spans
	}
	for _, h := range s.p.hosts {
		for _, r := range h.read {
			if slices.ContainsFunc(spans[h.name], func(o span) bool { return o.clashes(r) }) {
				return errOverlap
			}
		}
	}
	s.first = 1<<63 - 1
	for _, h := range s.p.hosts {
		for _, r := range h.read {
			spans[h.name] = append(spans[h.name], newSpan(r))
		}
		s.first = min(s.first, int64(h.from))
	}
	return nil
}

// mergeSaved merges the saved partials that begin before a time.
func (c *collector) mergeSaved(before int64) {
	for len(c.saved) > 0 && c.saved[0].first <= before {
		s := c.saved[0]
		c.saved = c.saved[1:]
		s.moveTo(c.out.p.pieces)
		s.p.apart = true
		c.out.p.merge(s.p)
		c.out.files = append(c.out.files, s.files...)
		for _, u := range s.bad {
			if u.at.piece != 0 {
				c.out.suspect(u)
			}
		}
		c.done++
	}
}
