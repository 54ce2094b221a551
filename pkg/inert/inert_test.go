package inert_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/opsctl/opsctl/pkg/inert"
)

func TestString(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text stays", "root@web01 ~!", "root@web01 ~!"},
		{"CJK stays", "库.订单", "库.订单"},
		{"combining marks stay", "e\u0301", "e\u0301"},
		{"emoji with joiners stay", "👩\u200d🚒", "👩\u200d🚒"},
		{"escape sequences", "\x1b[31mroot\x1b[0m", "\ufffd[31mroot\ufffd[0m"},
		{"C1 control sequence introducer", "\u009b31m", "\ufffd31m"},
		{"a bare C1 byte is no UTF-8", "\x9b31m", "\ufffd31m"},
		{"NUL, tab, newline, return, delete", "a\x00b\tc\nd\re\x7f", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffd"},
		{"right-to-left override", "exe.\u202egnp", "exe.\ufffdgnp"},
		{"bidi isolates and marks", "\u2066a\u2069\u200f\u061c", "\ufffda\ufffd\ufffd\ufffd"},
		{"zero-width space and BOM", "a\u200bb\ufeff", "a\ufffdb\ufffd"},
		{"line and paragraph separators", "a\u2028b\u2029", "a\ufffdb\ufffd"},
		{"tag characters", "a\U000e0041", "a\ufffd"},
		{"private use and noncharacters", "\ue000\ufdd0\uffff", "\ufffd\ufffd\ufffd"},
		{"invalid bytes, each once", "a\xff\xfeb", "a\ufffd\ufffdb"},
		{"a surrogate in bytes", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"the replacement character itself", "a\ufffdb", "a\ufffdb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := inert.String(tt.in); got != tt.want {
				t.Errorf("got %+q, want %+q", got, tt.want)
			}
		})
	}
}

func TestHarmlessTextIsNotCopied(t *testing.T) {
	text := strings.Repeat("库 root ", 100)
	if n := testing.AllocsPerRun(10, func() { _ = inert.String(text) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func FuzzString(f *testing.F) {
	f.Add("\x1b]0;title\x07")
	f.Add("\u202e\xff")
	f.Fuzz(func(t *testing.T, in string) {
		got := inert.String(in)
		if !utf8.ValidString(got) || inert.String(got) != got {
			t.Errorf("%q became %q", in, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q kept %U", in, r)
			}
		}
	})
}
