package treemap_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/report/treemap"
)

const hostile = "</script><script>alert(1)</script><!--data--> \u202eevil\x1b[2J ' \" & ]]> \u2028"

func write(t *testing.T, p *treemap.Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := treemap.Write(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func hostilePage() *treemap.Page {
	return &treemap.Page{
		Title: hostile, Lead: hostile, Foot: hostile,
		Tiles:  []treemap.Tile{{Label: hostile, Value: hostile, Note: hostile}},
		Leaves: []treemap.Leaf{{Group: hostile, Name: hostile, Data: 5, Facts: [][2]string{{hostile, hostile}}}},
		Sections: []treemap.Section{{
			Heading: hostile, Notes: []string{hostile}, Heads: []string{hostile, "N"}, Right: []bool{false, true},
			Rows: [][]treemap.Cell{{{Text: hostile}, {Text: hostile, Share: new(0.5)}}},
		}},
	}
}

func TestForeignTextStaysText(t *testing.T) {
	page := write(t, hostilePage())
	tame := write(t, &treemap.Page{
		Title: "t", Tiles: []treemap.Tile{{Label: "l", Value: "v", Note: "n"}},
		Sections: []treemap.Section{{Heading: "h", Notes: []string{"n"}, Heads: []string{"h", "N"}, Rows: [][]treemap.Cell{{{}, {Share: new(1.0)}}}}},
	})
	tag := regexp.MustCompile(`</?[a-z!][a-z0-9-]*`)
	if got, want := tag.FindAllString(page, -1), tag.FindAllString(tame, -1); strings.Join(got, "") != strings.Join(want, "") {
		t.Errorf("a name added tags:\n%q\nwant\n%q", got, want)
	}
	if strings.ContainsAny(page, "\u202e\x1b\u2028") {
		t.Error("control characters reach the page")
	}
}

func TestTheMapIsJSONByGroup(t *testing.T) {
	page := write(t, &treemap.Page{Leaves: []treemap.Leaf{
		{Group: "a", Name: "x", Data: 1, Index: 2, Free: -3, Other: 4, Reclaimable: &treemap.Range{Low: -1, Bytes: 2, High: 3}},
		{Group: "b", Name: "<y>"},
		{Group: "a", Name: "z", Facts: [][2]string{{"rows", "7"}}},
	}})
	_, rest, _ := strings.Cut(page, `<script id="data" type="application/json">`)
	text, _, _ := strings.Cut(rest, "</script>")
	want := `{"groups":[{"name":"a","leaves":[{"n":"x","d":1,"i":2,"o":4,"r":[-1,2,3]},{"n":"z","t":[["rows","7"]]}]},` +
		`{"name":"b","leaves":[{"n":"\u003cy\u003e"}]}]}`
	if text != want || !json.Valid([]byte(text)) {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestThePageLoadsNothing(t *testing.T) {
	page := write(t, &treemap.Page{})
	for _, pattern := range []string{`src=`, `href=`, `@import`, `url\((?:[^#]|$)`, `https?://(?:[^w]|$)`, `fetch\(`, `XMLHttpRequest`, ` on[a-z]+=`, `style=`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
	if !strings.Contains(page, `content="default-src 'none'; script-src 'sha256-`) || strings.Contains(page, "unsafe-inline") {
		t.Error("the page has no policy, or a weak one")
	}
	if strings.Contains(page, "<!--") {
		t.Error("a mark was left")
	}
}
