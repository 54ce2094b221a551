package authlog

import (
	"fmt"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]uint64{
		"invalid ": invalid0, "id user ": invalid5, "authenti": authenticating0, "cating u": authenticating8, "ng user ": authenticatingC,
	} {
		if got := word([]byte(text), 0); got != want {
			t.Errorf("%q is %#x, not %#x", text, got, want)
		}
	}
	for n := 1; n <= 8; n++ {
		digits := "98765432"[:n]
		if got := fmt.Sprint(decimal(word([]byte(digits+"] x port"), 0), n)); got != digits {
			t.Errorf("%s read as %s", digits, got)
		}
	}
	for c := range 256 {
		b := []byte(strings.Repeat(string(rune('0'+c%10)), 8))
		b[c%8] = byte(c)
		want := uint64(0x80) << (8 * (c % 8))
		if c >= '0' && c <= '9' {
			want = 0
		}
		if got := notDigits(word(b, 0)); got != want {
			t.Errorf("%q: %#x, want %#x", b, got, want)
		}
		if found := among(byte(c), word(b, 0)) != 0; !found {
			t.Errorf("%q not found in %q", byte(c), b)
		}
	}
}
