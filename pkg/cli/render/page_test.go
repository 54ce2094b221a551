package render_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
)

func page(t *testing.T, env *cli.Env, write func(*render.Page)) {
	t.Helper()
	if err := render.Document(env, view(write)); err != nil {
		t.Fatal(err)
	}
}

func report(p *render.Page) {
	p.Heading("Findings")
	p.Table([]string{"SEVERITY", "N", "SUBJECT"}, []bool{false, true}, [][]string{
		{p.Severity("high"), "12", "root\x1b[0m"},
		{p.Severity("ok"), "3", "库"},
	})
	p.Heading("Notes")
	p.Para("%d of %s are %s: %v\n%q", 3, "a\x1bb", p.Severity("FAIL"), errors.New("x\ny"), "\u202e")
}

func TestPage(t *testing.T) {
	env, out := newEnv(cli.Table)
	page(t, env, report)
	want := `Findings
SEVERITY   N  SUBJECT
high      12  root` + "\ufffd" + `[0m
ok         3  库

Notes
3 of a` + "\ufffd" + `b are FAIL: x` + "\ufffd" + `y
"\u202e"
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestPageColoursOnlyItsOwnWords(t *testing.T) {
	env, out := newEnv(cli.Table)
	env.Color = true
	page(t, env, report)
	want := "\x1b[1mFindings\x1b[0m\nSEVERITY   N  SUBJECT\n\x1b[31mhigh\x1b[0m      12  root\ufffd[0m\n" +
		"\x1b[32mok\x1b[0m         3  库\n\n\x1b[1mNotes\x1b[0m\n3 of a\ufffdb are \x1b[31mFAIL\x1b[0m: x\ufffdy\n\"\\u202e\"\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSeverityOfAForeignWordIsInert(t *testing.T) {
	env, out := newEnv(cli.Table)
	env.Color = true
	page(t, env, func(p *render.Page) { p.Para("%s", p.Severity("\x1b[2J")) })
	if out.String() != "\ufffd[2J\n" {
		t.Errorf("%q", out.String())
	}
}

func TestParagraphsWrapOnATerminalOnly(t *testing.T) {
	text := strings.TrimSpace(strings.Repeat("库word ", 12))
	write := func(p *render.Page) { p.Para("  %s", text) }
	env, out := newEnv(cli.Table)
	env.Width = 30
	if page(t, env, write); strings.Count(out.String(), "\n") != 1 {
		t.Errorf("wrapped into a pipe:\n%s", out.String())
	}
	env, out = newEnv(cli.Table)
	env.OutTerm, env.Width = true, 30
	page(t, env, write)
	want := strings.Repeat("  "+strings.TrimSpace(strings.Repeat("库word ", 4))+"\n", 3)
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTableWithoutHeads(t *testing.T) {
	env, out := newEnv(cli.Table)
	page(t, env, func(p *render.Page) {
		p.Table([]string{"", ""}, nil, [][]string{{"from", "2026"}, {"lines read", p.Bytes(2048)}, {"short"}})
	})
	want := "from        2026\nlines read  2.0 KiB\nshort\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWideIsKnownToThePage(t *testing.T) {
	env, _ := newEnv(cli.Wide)
	page(t, env, func(p *render.Page) {
		if !p.Wide() || p.Time(seen) != "2026-03-01 20:30:00 CST" {
			t.Errorf("wide %t, time %s", p.Wide(), p.Time(seen))
		}
	})
}

func TestNamesAreShortenedToTheTerminal(t *testing.T) {
	heads, right := []string{"A", "B", "SIZE"}, []bool{false, false, true}
	for name, c := range map[string]struct {
		terminal bool
		width    int
		want     string
	}{
		"no terminal":        {false, 300, "short  库订单库订单库订单库订单库订单库订单库订单库订...单end  1,000,000,000,000"},
		"a narrow terminal":  {true, 40, "short  库订单库订单库订单库订单库订单库订单库订单库订...单end  1,000,000,000,000"},
		"one of 100 columns": {true, 100, "short  " + strings.Repeat("库订单", 11) + "end  1,000,000,000,000"},
	} {
		t.Run(name, func(t *testing.T) {
			env, out := newEnv(cli.Table)
			env.OutTerm, env.Width = c.terminal, c.width
			page(t, env, func(p *render.Page) {
				rows := [][]string{{"short", strings.Repeat("库订单", 11) + "end", "1,000,000,000,000"}}
				p.Shorten(heads, rows, 0, 1)
				p.Table(heads, right, rows)
			})
			if _, line, _ := strings.Cut(strings.TrimSuffix(out.String(), "\n"), "\n"); line != c.want {
				t.Errorf("got\n%s, want\n%s", line, c.want)
			}
		})
	}
}

func TestTheLastColumnWrapsOnATerminalOnly(t *testing.T) {
	heads := []string{"AT", "WHY"}
	write := func(p *render.Page) {
		p.Table(heads, nil, p.Wrap(heads, [][]string{{"1s", "n1, n2: it has 库订单 elsewhere"}, {"10s", "-"}}))
	}
	for width, want := range map[int]string{
		0:  "AT   WHY\n1s   n1, n2: it has 库订单 elsewhere\n10s  -\n",
		24: "AT   WHY\n1s   n1, n2: it has\n     库订单 elsewhere\n10s  -\n",
	} {
		env, out := newEnv(cli.Table)
		env.OutTerm, env.Width = true, width
		page(t, env, write)
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Error(diff)
		}
		env, out = newEnv(cli.Table)
		env.Width = width
		if page(t, env, write); strings.Count(out.String(), "\n") != 3 {
			t.Errorf("wrapped into a pipe:\n%s", out.String())
		}
	}
}
