package authlog_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// drain gives copies of all lines.
func drain(tb testing.TB, l *authlog.Lines) (lines [][]byte) {
	tb.Helper()
	for {
		line, ok := l.Next()
		if !ok {
			break
		}
		lines = append(lines, bytes.Clone(line))
	}
	if _, ok := l.Next(); ok || l.Err() != nil {
		tb.Errorf("after the end: %v, error %v", ok, l.Err())
	}
	return lines
}

// Every line is given once and cut at MaxLine, whatever its length and wherever a file
// is cut into ranges.
func TestLinesOfRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	lengths := []int{0, 1, 100, authlog.MaxLine - 1, authlog.MaxLine, authlog.MaxLine + 1, 128<<10 - 1, 128 << 10, 128<<10 + 1, 400 << 10}
	for range 60 {
		var data []byte
		var want [][]byte
		for i := range 1 + rng.IntN(20) {
			n := lengths[rng.IntN(len(lengths))] + rng.IntN(2)
			line := bytes.Repeat([]byte{'a' + byte(i)}, n)
			data = append(append(data, line...), '\n')
			want = append(want, line[:min(n, authlog.MaxLine)])
		}
		if rng.IntN(2) == 0 {
			data = append(data, "no line feed"...)
			want = append(want, []byte("no line feed"))
		}
		all := authlog.NewLines(iotest.HalfReader(bytes.NewReader(data)))
		if got := drain(t, all); !equal(got, want) || all.Read != int64(len(data)) {
			t.Fatalf("%d lines and %d bytes, want %d and %d", len(got), all.Read, len(want), len(data))
		}
		var got [][]byte
		for from, size := int64(0), int64(len(data)); from < size; {
			to := min(from+1+rng.Int64N(200<<10), size)
			got = append(got, drain(t, authlog.NewRange(bytes.NewReader(data), from, to, size))...)
			from = to
		}
		if !equal(got, want) {
			t.Fatalf("%d lines of ranges, want %d", len(got), len(want))
		}
	}
}

func equal(a, b [][]byte) bool {
	return bytes.Equal(bytes.Join(a, []byte("\n")), bytes.Join(b, []byte("\n"))) && len(a) == len(b)
}
