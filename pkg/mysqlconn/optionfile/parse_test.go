package optionfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOptionsOfALine(t *testing.T) {
	for line, want := range map[string]string{
		"user = a b # c":         "user=a b",
		`password="a#b\"c" # d`:  `password=a#b"c`,
		`password='a\sb\tc\n\q'`: "password=a b\tc\n\\q",
		"loose_ssl_ca=x":         "ssl-ca=x",
		"ssl-verify-server-cert": "ssl-verify-server-cert",
		"user=":                  "user=",
		"user=voilà":             "user=voil\xc3", // the no-break space of latin1, which MySQL trims
	} {
		r := &Reader{}
		if err := r.read(strings.NewReader("[client]\n"+line+"\n"), "x", 0, commentAt); err != nil || len(r.Options()) != 1 {
			t.Fatalf("%s: %v, %+v", line, err, r.Options())
		}
		o := r.Options()[0]
		got := o.Canonical()
		if o.HasValue {
			got += "=" + o.Value
		}
		if got != want || o.Line != 2 || o.Group != "client" {
			t.Errorf("%s: %q of line %d in [%s], not %q", line, got, o.Line, o.Group, want)
		}
	}
}

// TestFilesThatIncludeEachOtherEnd bounds what two lines alone would make 2^10 files.
func TestFilesThatIncludeEachOtherEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.cnf")
	write := func(times int) {
		t.Helper()
		if err := os.WriteFile(path, []byte("[client]\nuser=a\n"+strings.Repeat("!include "+path+"\n", times)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	r := &Reader{}
	if err := r.File(path); err != nil || len(r.Options()) != maxDepth+1 {
		t.Errorf("one include: %v, %d options", err, len(r.Options()))
	}
	write(1)
	if text, err := os.ReadFile(path); err != nil || os.WriteFile(path, text[:len(text)-1], 0o600) != nil {
		t.Fatal(err)
	}
	r = &Reader{}
	if err := r.File(path); err != nil || len(r.Options()) != maxDepth+1 {
		t.Errorf("a last line without its end: %v, %d options", err, len(r.Options()))
	}
	write(3)
	r = &Reader{}
	if err := r.File(path); !errors.Is(err, ErrTooMany) || len(r.Options()) > maxFiles {
		t.Errorf("three includes: %v, %d options", err, len(r.Options()))
	}
}
