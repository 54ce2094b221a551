package render_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
)

type item struct {
	Name  string    `json:"name"`
	Bytes int64     `json:"bytes"`
	Seen  time.Time `json:"lastSeen"`
}

var seen = time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)

func newEnv(format cli.Format) (*cli.Env, *bytes.Buffer) {
	var out bytes.Buffer
	return &cli.Env{
		Out: &out, Format: format, Version: "1.2.3",
		Hostname: func() (string, error) { return "web01", nil },
		Now:      func() time.Time { return time.Date(2026, 3, 1, 13, 0, 0, 999, time.FixedZone("CET", 3600)) },
		Location: time.FixedZone("CST", 8*3600),
	}, &out
}

func list(t *testing.T, env *cli.Env, items ...item) {
	t.Helper()
	name := func(i item) string { return i.Name }
	err := render.List(env, "ItemList", []render.Column[item]{
		{Head: "NAME", Value: name},
		{
			Head: "SIZE", Right: true, Value: func(i item) string { return render.Bytes(i.Bytes) },
			Raw: func(i item) string { return strconv.FormatInt(i.Bytes, 10) },
		},
		{Head: "LAST SEEN", Wide: true, Value: func(i item) string { return render.Time(env, i.Seen) }},
		{Head: "NOTE", Value: func(item) string { return "" }},
	}, name, items)
	if err != nil {
		t.Fatal(err)
	}
}

func TestTablesAlignWideCharacters(t *testing.T) {
	env, out := newEnv(cli.Table)
	list(t, env, item{"库.订单", 5 << 20, seen}, item{"app.users", 3, seen}, item{"e\u0301té", 1 << 30, seen})
	want := `NAME          SIZE  NOTE
库.订单    5.0 MiB
app.users      3 B
` + "e\u0301té        1.0 GiB\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWideAddsColumnsInLocalTimeWithItsZone(t *testing.T) {
	env, out := newEnv(cli.Wide)
	list(t, env, item{"a", 3, seen}, item{"b", 3, time.Time{}})
	want := "NAME  SIZE  LAST SEEN                NOTE\na      3 B  2026-03-01 20:30:00 CST\nb      3 B  -\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	env, out = newEnv(cli.Wide)
	env.UTC = true
	list(t, env, item{"a", 3, seen})
	if !strings.Contains(out.String(), "2026-03-01 12:30:00 UTC") {
		t.Error(out.String())
	}
}

func TestForeignTextIsInertInTables(t *testing.T) {
	env, out := newEnv(cli.Table)
	list(t, env, item{"\x1b[2Jroot\nfake\trow\u202e\xff", 3, seen})
	want := "NAME                 SIZE  NOTE\n\ufffd[2Jroot\ufffdfake\ufffdrow\ufffd\ufffd   3 B\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestListOfNothing(t *testing.T) {
	for format, want := range map[cli.Format]string{
		cli.Table: "NAME  SIZE  NOTE\n",
		cli.CSV:   "name,size,last_seen,note\n",
		cli.Name:  "",
	} {
		env, out := newEnv(format)
		if list(t, env); out.String() != want {
			t.Errorf("%s: %q", format, out.String())
		}
	}
	for _, format := range []cli.Format{cli.JSON, cli.YAML} {
		env, out := newEnv(format)
		if list(t, env); !strings.Contains(out.String(), "items") || !strings.Contains(out.String(), "[]") {
			t.Errorf("%s: %q", format, out.String())
		}
	}
}

func TestJSONIsOneDocumentThatKeepsTheTruth(t *testing.T) {
	env, out := newEnv(cli.JSON)
	name := "<a&b> \x1b[31m\u009b \u202e\U000e0041 库 \u2028"
	list(t, env, item{name, 3, seen})
	want := `{
  "apiVersion": "opsctl/v1",
  "kind": "ItemList",
  "host": "web01",
  "collectedAt": "2026-03-01T12:00:00Z",
  "opsctl": "1.2.3",
  "items": [
    {
      "name": "<a&b> \u001b[31m\u009b \u202e\udb40\udc41 库 \u2028",
      "bytes": 3,
      "lastSeen": "2026-03-01T12:30:00Z"
    }
  ]
}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	var back struct{ Items []item }
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.Items[0].Name != name {
		t.Errorf("read back %+q, %v", back.Items[0].Name, err)
	}
}

func TestYAMLSaysTheSameAsJSON(t *testing.T) {
	names := []string{
		"plain", "true", "no", "null", "~", "", "0x1f", "1e3", "012", "1:30", "2026-01-01", "- dash", "a: b", "#c", "'q'", `"q"`,
		"\x1b[31m", "a\nb", "tab\t", "\u202eevil", "\U000e0041", "库.订单", "\\", "trailing ", " leading", "👩\u200d🚒", "%x", "@y", "`z`", "<<", "=",
	}
	for _, name := range names {
		env, out := newEnv(cli.YAML)
		list(t, env, item{name, 1 << 60, seen})
		var back struct {
			APIVersion string `yaml:"apiVersion"`
			Items      []struct {
				Name  string `yaml:"name"`
				Bytes int64  `yaml:"bytes"`
			} `yaml:"items"`
		}
		if err := yaml.Unmarshal(out.Bytes(), &back); err != nil {
			t.Fatalf("%+q: %v\n%s", name, err, out.String())
		}
		if back.Items[0].Name != name || back.Items[0].Bytes != 1<<60 || back.APIVersion != "opsctl/v1" {
			t.Errorf("%+q read back as %+q\n%s", name, back.Items[0].Name, out.String())
		}
		if strings.ContainsAny(out.String(), "\x1b\u202e\t\U000e0041") {
			t.Errorf("%+q is live on a terminal: %q", name, out.String())
		}
	}
}

func TestCSVHoldsBaseUnitsAndAllColumns(t *testing.T) {
	env, out := newEnv(cli.CSV)
	list(t, env, item{"a,\"b\"\n", 3, seen})
	want := "name,size,last_seen,note\n\"a,\"\"b\"\"\ufffd\",3,2026-03-01 20:30:00 CST,\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestNamesAreOneALine(t *testing.T) {
	env, out := newEnv(cli.Name)
	list(t, env, item{"a\nb", 1, seen}, item{"库", 1, seen})
	if out.String() != "a\ufffdb\n库\n" {
		t.Errorf("%q", out.String())
	}
}

func view(page func(*render.Page)) render.View {
	return render.View{
		Kind: "Thing",
		Body: struct {
			Total int `json:"total"`
		}{7},
		Page: page,
	}
}

func TestDocumentPutsTheEnvelopeInFront(t *testing.T) {
	env, out := newEnv(cli.YAML)
	v := view(nil)
	v.Host = "db01"
	if err := render.Document(env, v); err != nil {
		t.Fatal(err)
	}
	want := "apiVersion: opsctl/v1\nkind: Thing\nhost: db01\ncollectedAt: \"2026-03-01T12:00:00Z\"\nopsctl: 1.2.3\ntotal: 7\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentOfAnEmptyOrWrongBody(t *testing.T) {
	env, out := newEnv(cli.JSON)
	if err := render.Document(env, render.View{Kind: "Empty", Body: struct{}{}}); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("%v, %s", err, out.String())
	}
	for _, body := range []any{[]int{1}, 7, nil, make(chan int)} {
		env, out := newEnv(cli.JSON)
		if err := render.Document(env, render.View{Kind: "Wrong", Body: body}); err == nil || out.Len() > 0 {
			t.Errorf("%T: %v, wrote %q", body, err, out.String())
		}
	}
}

func TestFormatsThatADocumentLacksAreUsageErrors(t *testing.T) {
	for _, format := range []cli.Format{cli.CSV, cli.Name} {
		env, out := newEnv(format)
		err := render.Document(env, view(nil))
		if typed, ok := errors.AsType[*cli.Error](err); !ok || typed.Code != cli.CodeUsage || out.Len() > 0 {
			t.Errorf("%s: %v, wrote %q", format, err, out.String())
		}
	}
}

func TestOtherFormatsAreWrittenWholeOrNotAtAll(t *testing.T) {
	v := view(nil)
	v.Others = map[cli.Format]func(io.Writer) error{
		cli.Prom: func(w io.Writer) error { _, err := io.WriteString(w, "x 1\n"); return err },
		cli.HTML: func(w io.Writer) error { _, _ = io.WriteString(w, "<p>"); return io.ErrShortWrite },
	}
	env, out := newEnv(cli.Prom)
	if err := render.Document(env, v); err != nil || out.String() != "x 1\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	env, out = newEnv(cli.HTML)
	if err := render.Document(env, v); !errors.Is(err, io.ErrShortWrite) || out.Len() > 0 {
		t.Errorf("%q, %v", out.String(), err)
	}
	err := render.Document(env, view(nil))
	if typed, ok := errors.AsType[*cli.Error](err); !ok || typed.Code != cli.CodeUsage {
		t.Error(err)
	}
}
