package sshaudit

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/authlog"
)

const samples = "../../testdata/ssh"

// text reads a captured sample, unpacked.
func text(tb testing.TB, name string) []byte {
	tb.Helper()
	f, err := os.Open(filepath.Join(samples, name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r, _, err := authlog.Decompress(f)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// scanRange reads the lines that start in [from, to).
func scanRange(tb testing.TB, data []byte, from, to int) *Partial {
	tb.Helper()
	p := newPartial(DefaultGrace)
	s := &scanner{
		p: p, clock: authlog.NewClock(time.UTC, 2026), piece: p.pieces.add(&piece{file: "log", first: from == 0, base: linesBefore(data, from)}),
		overlap: &overlap{},
	}
	r := s.run(tb.Context(), authlog.NewRange(bytes.NewReader(data), int64(from), int64(to), int64(len(data))), func(int64) {})
	if r.err != nil {
		tb.Fatal(r.err)
	}
	return s.p
}

// linesBefore counts the lines that start before a byte.
func linesBefore(data []byte, at int) int64 {
	n := int64(bytes.Count(data[:at], []byte("\n")))
	if at > 0 && data[at-1] != '\n' {
		n++
	}
	return n
}

// say gives all that a partial says, as JSON.
func say(tb testing.TB, p *Partial) string {
	tb.Helper()
	c := &Collection{p: p}
	doc := c.Report(ReportOptions{MinRSA: 3072, UnusedAfter: time.Hour})
	out, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		tb.Fatal(err)
	}
	return string(out)
}

// excerpt gives about n bytes of whole lines from the middle of a log.
func excerpt(data []byte, n int) []byte {
	if len(data) <= n {
		return data
	}
	from := (len(data) - n) / 2
	from += bytes.IndexByte(data[from:], '\n') + 1
	to := bytes.LastIndexByte(data[:from+n], '\n') + 1
	return data[from:to]
}

func TestEverySplitPointSaysTheSame(t *testing.T) {
	for _, log := range []struct {
		name        string
		bytes, step int // how much of it, and every how many bytes it is cut
	}{
		{"openssh-9.2/auth-rfc3164.log", 12 << 10, 1},
		{"openssh-10.0/auth-iso8601.log.gz", 12 << 10, 1},
		{"openssh-9.2/journal.json.gz", 64 << 10, 499},
		{"demo/var/log/auth.log", 24 << 10, 1},
	} {
		t.Run(log.name, func(t *testing.T) {
			data := excerpt(text(t, log.name), log.bytes)
			want := say(t, scanRange(t, data, 0, len(data)))
			if testing.Short() {
				log.step *= 13
			}
			for cut := 0; cut <= len(data); cut += log.step {
				p := scanRange(t, data, 0, cut)
				p.merge(scanRange(t, data, cut, len(data)))
				if got := say(t, p); got != want {
					t.Fatalf("cut at byte %d:\n%s", cut, diff(want, got))
				}
			}
		})
	}
}

// diff shows where two texts part.
func diff(want, got string) string {
	i := 0
	for i < min(len(want), len(got)) && want[i] == got[i] {
		i++
	}
	from := max(i-300, 0)
	return "want ..." + want[from:min(len(want), i+300)] + "\ngot ..." + got[from:min(len(got), i+300)]
}

func TestMergeIsAssociative(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	data := text(t, "openssh-9.2/auth-rfc3164.log")
	want := say(t, scanRange(t, data, 0, len(data)))
	for range 200 {
		a, b := rng.IntN(len(data)), rng.IntN(len(data))
		a, b = min(a, b), max(a, b)
		left := scanRange(t, data, 0, a)
		left.merge(scanRange(t, data, a, b))
		left.merge(scanRange(t, data, b, len(data)))
		right := scanRange(t, data, a, b)
		right.merge(scanRange(t, data, b, len(data)))
		whole := scanRange(t, data, 0, a)
		whole.merge(right)
		for _, p := range []*Partial{left, whole} {
			if got := say(t, p); got != want {
				t.Fatalf("cut at %d and %d:\n%s", a, b, diff(want, got))
			}
		}
	}
}
