package raftplay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/raftsim/trace"
	"github.com/opsctl/opsctl/pkg/report/raftplay"
)

func player(t *testing.T, rec *trace.Recording) string {
	t.Helper()
	var out bytes.Buffer
	if err := raftplay.WritePage(&out, rec); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestForeignTextStaysTextInThePage(t *testing.T) {
	page, tame := player(t, hostileRecording()), player(t, handmade(3))
	tag := regexp.MustCompile(`</?[a-z!][a-z0-9-]*`)
	if got, want := tag.FindAllString(page, -1), tag.FindAllString(tame, -1); !slices.Equal(got, want) {
		t.Errorf("a name added tags:\n%q\nwant\n%q", got, want)
	}
	if strings.ContainsAny(page, "\u202e\x1b\u2028\x00") {
		t.Error("control characters reach the page")
	}
}

func TestThePlayerLoadsNothing(t *testing.T) {
	page := player(t, &trace.Recording{})
	for _, pattern := range []string{`src=`, `href=`, `@import`, `url\((?:[^#]|$)`, `https?://(?:[^w]|$)`, `fetch\(`, `XMLHttpRequest`, `WebSocket`, ` on[a-z]+=`, `style=`, `eval\(`, `innerHTML`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
	if !strings.Contains(page, `content="default-src 'none'; script-src 'sha256-`) || strings.Contains(page, "unsafe-inline") || strings.Contains(page, "<!--") {
		t.Error("the page has no policy, or a weak one, or a mark was left")
	}
}

func TestEventsAreSmall(t *testing.T) {
	rec := handmade(9)
	page := player(t, rec)
	_, rest, _ := strings.Cut(page, `<script id="data" type="application/json">`)
	text, _, _ := strings.Cut(rest, "</script>")
	var d struct {
		Count  int
		Events string
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil || d.Count != len(rec.Events) {
		t.Fatalf("%d events, not %d: %v", d.Count, len(rec.Events), err)
	}
	if each := float64(len(d.Events)) / float64(d.Count); each > 16 {
		t.Errorf("an event takes %.1f bytes", each)
	}
}

func TestAPageThatCannotBeWritten(t *testing.T) {
	if err := raftplay.WritePage(full{}, handmade(3)); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
