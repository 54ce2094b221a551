package sshaudit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Baseline holds who is expected to log in from where.
type Baseline struct {
	seen map[[3]string]bool // host, user, address
}

// maxBaseline bounds the bytes of a baseline.
const maxBaseline = 1 << 30

// ErrBaseline is said of a file that is no earlier result of an audit.
var ErrBaseline = errors.New("is neither the JSON of an audit (-o json) nor a saved partial (--save)")

// ReadBaseline takes the logins of an earlier audit: its JSON document, or a partial
// that Save wrote. The error is a FileError.
func ReadBaseline(path string) (*Baseline, error) {
	b, err := readBaseline(path)
	if err != nil {
		return nil, &FileError{path, err}
	}
	return b, nil
}

func readBaseline(path string) (*Baseline, error) {
	data, err := readLimited(path)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Kind   string  `json:"kind"`
		Logins []Login `json:"logins"`
	}
	if json.Unmarshal(data, &doc) == nil && doc.Kind == "SSHAudit" {
		return baselineOf(doc.Logins), nil
	}
	p, err := loadSavedFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBaseline, err)
	}
	p.p.finish()
	b := &Baseline{seen: map[[3]string]bool{}}
	for _, l := range p.p.logins {
		b.seen[[3]string{p.p.hosts[l.host].name, l.user, p.p.addrText(l.addr)}] = true
	}
	return b, nil
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxBaseline))
}

func baselineOf(logins []Login) *Baseline {
	b := &Baseline{seen: map[[3]string]bool{}}
	for i := range logins {
		b.seen[[3]string{logins[i].Host, logins[i].User, logins[i].IP}] = true
	}
	return b
}

func (b *Baseline) has(l *Login) bool { return b.seen[[3]string{l.Host, l.User, l.IP}] }
