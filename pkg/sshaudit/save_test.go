package sshaudit

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// savedSample is what Save writes of a captured log.
func savedSample(tb testing.TB, name string) []byte {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "saved")
	c, err := Collect(tb.Context(), Options{
		Logs: []string{filepath.Join(samples, name)}, Location: time.UTC, Save: true,
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.Save(path); err != nil {
		tb.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func unpack(tb testing.TB, data []byte) []byte {
	tb.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(zr); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// FuzzSaved decodes documents that nobody saved: an error, or a partial that can
// be merged and reported.
func FuzzSaved(f *testing.F) {
	f.Add(unpack(f, savedSample(f, "openssh-9.2/auth-repeated.log")))
	f.Add([]byte(`{"kind":"SSHAuditPartial","version":1,"totals":[0,0,0,0,0,0,0,0,0],"hosts":[{"name":"a"}],"logins":[{"host":0,"addr":"x"}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		var doc savedDoc
		if json.Unmarshal(data, &doc) != nil {
			return
		}
		s, err := doc.decode()
		if err != nil {
			return
		}
		p := newPartial(DefaultGrace)
		s.moveTo(p.pieces)
		p.merge(s.p)
		c := &Collection{p: p, files: s.files, bad: s.bad}
		c.Report(ReportOptions{Top: 5})
	})
}

func TestDamagedPartialsAreRefused(t *testing.T) {
	good := savedSample(t, "openssh-9.2/auth-rfc3164.log")
	dir := t.TempDir()
	other := bytes.Replace(unpack(t, good), []byte(`"version":1`), []byte(`"version":9`), 1)
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	if _, err := zw.Write(other); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"cut": good[:len(good)/2], "no gzip": []byte("{}"), "empty": nil, "of another version": packed.Bytes(),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Collect(t.Context(), Options{Merge: []string{path}})
		var fileErr *FileError
		if c != nil || !errors.Is(err, ErrSaved) || !errors.As(err, &fileErr) || fileErr.Path != path {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}
