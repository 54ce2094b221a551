package innodb_test

import (
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/innodb"
)

func TestDecodeName(t *testing.T) {
	for name, want := range map[string]string{
		"plain_1": "plain_1", "web@002d2@0020@65e5@672c": "web-2 日本", "an@002dgebot@003a@0020@0p": "an-gebot: é", "@a@@@h": "ａⓗ", "@GÀ": "@GÀ",
		"@": "@", "@0": "@0", "a@zz": "a@zz", "@d800": "@d800", "#mysql50#a": "#mysql50#a", "@0p@0p": "éé", "@  x": "@  x", "@à x": "@à x",
	} {
		if got := innodb.DecodeName(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func FuzzDecodeName(f *testing.F) {
	f.Add("web@002d2@0020@65e5@672c")
	f.Add("@a@@@h@0p@d800@")
	f.Fuzz(func(t *testing.T, name string) {
		got := innodb.DecodeName(name)
		if !strings.Contains(name, "@") && got != name || len(got) > len(name) {
			t.Errorf("%q: %q", name, got)
		}
	})
}
