package bytesize_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/opsctl/opsctl/pkg/bytesize"
)

func TestFormat(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1: "1 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 10 << 10: "10 KiB",
		1<<20 - 1: "1.0 MiB", 3 << 30: "3.0 GiB", 1<<40 - 1: "1.0 TiB", math.MaxInt64: "8.0 EiB",
		-1536: "-1.5 KiB", math.MinInt64: "-8.0 EiB", 10188: "9.9 KiB", 10189: "10 KiB",
	} {
		if got := bytesize.Format(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "512": 512, "512B": 512, "64K": 64 << 10, "64k": 64 << 10, "64KiB": 64 << 10, "1.5 GiB": 3 << 29,
		" 2 MiB ": 2 << 20, "7E": 7 << 60,
	} {
		if got, err := bytesize.Parse(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "K", "-1", "1KB", "1 MB", "1.2.3", "8E", "1e3", "0x10", "1 K iB", "1iB", "nan", "inf"} {
		if got, err := bytesize.Parse(text); !errors.Is(err, bytesize.ErrSyntax) {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
}

func TestParseReadsWhatFormatPrints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1<<62).Draw(t, "n")
		got, err := bytesize.Parse(bytesize.Format(n))
		// Format keeps two digits.
		if err != nil || math.Abs(float64(got-n)) > 0.051*float64(n) {
			t.Fatalf("%d printed as %s and read as %d, %v", n, bytesize.Format(n), got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("1.5 GiB")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := bytesize.Parse(text); err == nil && n < 0 {
			t.Errorf("%q is %d", text, n)
		}
	})
}
