package authlog_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// smallWindow is less than some lines.
const smallWindow = 64 << 10

func openWith(tb testing.TB, data []byte) *os.File {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "auth.log")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

// A file's pages give the lines that reading it gives, wherever it is cut.
func TestMappedLinesAreThoseRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	lengths := []int{0, 1, 100, 4095, 4096, smallWindow - 1, smallWindow, smallWindow + 1, authlog.MaxLine + 1, 128 << 10, 400 << 10}
	for round := range 20 {
		var data []byte
		for i := range 1 + rng.IntN(60) {
			data = append(data, bytes.Repeat([]byte{'a' + byte(i%26)}, lengths[rng.IntN(len(lengths)-round%5)]+rng.IntN(2))...)
			data = append(data, '\n')
		}
		data = data[:len(data)-rng.IntN(2)]
		f, size := openWith(t, data), int64(len(data))
		from := rng.Int64N(size + 1)
		to := from + rng.Int64N(size-from+1)
		for _, cut := range [][2]int64{{0, size}, {from, to}, {to, size}} {
			read := authlog.NewRange(f, cut[0], cut[1], size)
			mapped := authlog.MapFileRange(f, cut[0], cut[1], size, smallWindow)
			want, got := drain(t, read), drain(t, mapped)
			if !equal(got, want) || mapped.Long != read.Long || mapped.Read != read.Read {
				t.Errorf("%d bytes, %v: %d lines, %d long, %d bytes; read: %d, %d, %d",
					size, cut, len(got), mapped.Long, mapped.Read, len(want), read.Long, read.Read)
			}
			if err := mapped.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A log that becomes shorter under its reader ends there, as for read(2), and what comes
// to stand there instead is read.
func TestTruncatedWhileMapped(t *testing.T) {
	const length, lines, read = 50, 20000, 100 // 1 MB, of which less than two pages
	for name, tc := range map[string]struct {
		size  int64  // that is left
		then  string // is written behind it
		holds bool   // the line that the reader was given is gone, too
		want  int    // lines
	}{
		"to nothing":                             {want: read},
		"to nothing, and the line that is used":  {holds: true, want: read},
		"to what was read":                       {size: read * length, want: read},
		"to the end of a page":                   {size: 3 * 4096, want: 246},
		"into a line":                            {size: 1000*length + 5, want: 1001},
		"into a line of the next window":         {size: 10000*length + 3, want: 10001},
		"and written on":                         {size: read * length, then: "new\nlines", want: read + 2},
		"to nothing, and written to behind that": {then: strings.Repeat("new\n", 5000), want: read + (5000*4-read*length)/4},
	} {
		t.Run(name, func(t *testing.T) {
			var data bytes.Buffer
			for i := range lines {
				fmt.Fprintf(&data, "%0*d\n", length-1, i)
			}
			f := openWith(t, data.Bytes())
			l := authlog.MapFileRange(f, 0, int64(data.Len()), int64(data.Len()), smallWindow)
			n, used := 0, 0
			l.Guard(func() {
				for line, ok := l.Next(); ok; line, ok = l.Next() {
					if n++; n == read && tc.holds {
						shorten(t, f, tc.size, tc.then)
					}
					used += bytes.Count(line, []byte("0")) // reads it
					if n == read && !tc.holds {
						shorten(t, f, tc.size, tc.then)
					}
				}
			})
			if err := l.Err(); err != nil || n != tc.want || used == 0 {
				t.Errorf("%d lines, error %v; want %d", n, err, tc.want)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func shorten(tb testing.TB, f *os.File, size int64, then string) {
	tb.Helper()
	if err := f.Truncate(size); err != nil {
		tb.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(then), size); err != nil {
		tb.Fatal(err)
	}
}

// Guard is for the file's pages: other panics are the program's.
func TestGuardLeavesOtherPanics(t *testing.T) {
	l := authlog.MapFileRange(openWith(t, make([]byte, 2*smallWindow)), 0, 2*smallWindow, 2*smallWindow, smallWindow)
	defer func() { _ = l.Close() }()
	defer func() {
		if recover() == nil {
			t.Error("Guard took a panic that is no fault of the file")
		}
	}()
	var none *int
	l.Guard(func() { *none++ })
}
