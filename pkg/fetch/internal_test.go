package fetch

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestParseSums(t *testing.T) {
	a, b := strings.Repeat("a1", 32), strings.Repeat("b2", 32)
	tests := []struct{ name, text, want string }{
		{"sha256sum's own form", b + "  y\n" + a + "  x\n", a},
		{"binary mode", a + " *x\n", a},
		{"tabs, carriage returns, empty lines, no line feed at the end", "\r\n\n" + a + "\tx\r", a},
		{"upper case", strings.ToUpper(a) + "  x", a},
		{"the same twice", a + "  x\n" + a + " *x\n", a},
		{"two sums", a + "  x\n" + b + "  x\n", ""},
		{"a longer name", a + "  x.sig\n" + b + "  ax\n", ""},
		{"a name in a folder", a + "  ./x\n" + a + "  d/x\n", ""},
		{"a name with more behind it", a + "  x y\n", ""},
		{"a name with a pattern's letters", a + "  .\n", ""},
		{"no blank", a + "x\n", ""},
		{"a comment", "# sums\n" + a + "  x\n", ""},
		{"a blank before", " " + a + "  x\n", ""},
		{"63 digits", a[1:] + "  x\n", ""},
		{"65 digits", a + "0  x\n", ""},
		{"sha512", a + a + "  x\n", ""},
		{"BSD's form", "SHA256 (x) = " + a + "\n", ""},
		{"a page", "<html>\n" + a + "  x\n</html>", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		got, err := parseSums([]byte(tt.text), "x")
		if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, ErrNoSum) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

func FuzzParseSums(f *testing.F) {
	sum := strings.Repeat("a1", 32)
	f.Add([]byte(sum + "  x\n" + sum + " *y\r\n"))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseSums(data, "x")
		if err != nil {
			return
		}
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			if len(fields) == 2 && strings.EqualFold(fields[0], got) && (fields[1] == "x" || fields[1] == "*x") {
				return
			}
		}
		t.Errorf("%q comes from no line of %q", got, data)
	})
}

func TestContentRange(t *testing.T) {
	tests := []struct {
		text        string
		from, total int64
		ok          bool
	}{
		{"bytes 5-9/10", 5, 10, true},
		{"bytes 0-0/1", 0, 1, true},
		{"bytes */10", -1, 10, true},
		{"bytes 5-9/*", 5, -1, true},
		{text: ""},
		{text: "bytes"},
		{text: "bytes 5-9"},
		{text: "items 5-9/10"},
		{text: "bytes 9-5/10"},
		{text: "bytes -5-9/10"},
		{text: "bytes 5/10"},
		{text: "bytes 5-9/-1"},
		{text: "bytes 5-9/99999999999999999999"},
		{text: "bytes x-y/z"},
	}
	for _, tt := range tests {
		if from, total, ok := contentRange(tt.text); from != tt.from || total != tt.total || ok != tt.ok {
			t.Errorf("%q: %d, %d, %t", tt.text, from, total, ok)
		}
	}
}

func TestBackoff(t *testing.T) {
	for failures, most := range []time.Duration{1: firstWait, 2: 2 * firstWait, 3: 4 * firstWait, 6: lastWait, 10: lastWait, 2000: lastWait} {
		if most == 0 {
			continue
		}
		for range 20 {
			if wait := backoff(failures); wait < most/2 || wait >= most {
				t.Errorf("after %d failures %s", failures, wait)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "9999999": 24 * time.Hour, "99999999999999999999": 0,
		"Sun, 22 Nov 2026 00:00:09 GMT": 9 * time.Second, "Sat, 21 Nov 2026 00:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestValidator(t *testing.T) {
	const date = "Sun, 22 Nov 2026 00:00:09 GMT"
	for tag, want := range map[string]string{`"1"`: `"1"`, `W/"1"`: date, "": date} {
		h := http.Header{"Last-Modified": {date}}
		h.Set("ETag", tag)
		if got := validator(h); got != want {
			t.Errorf("of %s it is %s", tag, got)
		}
	}
}
