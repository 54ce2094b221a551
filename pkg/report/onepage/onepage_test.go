package onepage_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opsctl/opsctl/pkg/report/onepage"
)

func files(page string) fstest.MapFS {
	return fstest.MapFS{
		"reports/p.html": {Data: []byte(page)}, "reports/p.css": {Data: []byte("b{}")}, "reports/p.js": {Data: []byte("two();")}, "reports/p-one.js": {Data: []byte("one();")},
	}
}

func TestPagesHaveTheirTextsAndPermitTheirOwnScriptAlone(t *testing.T) {
	s, err := onepage.Load(files("<!--policy-->|<!--style-->|<!--script-->|<!--title-->|"), "p", "p-one")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := s.Write(&out, map[string]string{"title": "<!--script-->"}); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(out.String(), "|")
	if parts[1] != "b{}" || parts[2] != "one();two();" || parts[3] != "<!--script-->" {
		t.Errorf("got %q", parts)
	}
	sum := sha256.Sum256([]byte("one();two();"))
	if !strings.Contains(parts[0], "default-src 'none'; script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; style-src 'sha256-") {
		t.Errorf("the policy is %s", parts[0])
	}
}

func TestMarksAndTextsHaveToMatch(t *testing.T) {
	for page, complaint := range map[string]string{"<!--name-->": `a mark "name"`, "": "0 marks for 1 texts", "<!--title": `a mark "title"`} {
		s, err := onepage.Load(files(page), "p")
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := s.Write(&out, map[string]string{"title": "t"}); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%q: %v", page, err)
		}
	}
	if _, err := onepage.Load(files(""), "p", "none"); err == nil {
		t.Error("a script that is not there is loaded")
	}
}

func TestForeignTextIsEscaped(t *testing.T) {
	if got := onepage.Text("<b>&\u202e\x1b\"'"); got != "&lt;b&gt;&amp;\ufffd\ufffd&#34;&#39;" {
		t.Errorf("got %q", got)
	}
}
