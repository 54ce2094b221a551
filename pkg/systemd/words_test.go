package systemd

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSplitExec(t *testing.T) {
	tests := map[string]struct {
		value  string
		want   [][]string // prefix, program, name, arguments
		failed bool
	}{
		"quotes go, also within a word":    {value: `/a b'c"d'e "x y" ''`, want: [][]string{{"", "/a", "/a", `bc"de`, "x y", ""}}},
		"escapes":                          {value: `/a \x41\101\u00e9\t\s\\ "\"" \"`, want: [][]string{{"", "/a", "/a", "AAé\t \\", `"`, `"`}}},
		"what is no escape stays":          {value: `/a \q \xZZ \x00 \400`, want: [][]string{{"", "/a", "/a", `\q`, `\xZZ`, `\x00`, `\400`}}},
		"prefixes":                         {value: `-@/a name b`, want: [][]string{{"-@", "/a", "name", "b"}}},
		"a lone semicolon separates":       {value: `/a b ; !!/c ";" \; ;d`, want: [][]string{{"", "/a", "/a", "b"}, {"!!", "/c", "/c", ";", ";", ";d"}}},
		"specifiers and variables stay":    {value: `/a %% $$ ${A} %i`, want: [][]string{{"", "/a", "/a", "%%", "$$", "${A}", "%i"}}},
		"quotes without end":               {value: `/a "b`, failed: true},
		"a backslash at the end stays":     {value: `/a b\`, want: [][]string{{"", "/a", "/a", `b\`}}},
		"a backslash at the end of quotes": {value: `/a "b\`, failed: true},
		"nothing":                          {value: ``},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			commands, err := SplitExec(test.value)
			if errors.Is(err, ErrQuoting) != test.failed {
				t.Fatal(err)
			}
			var got [][]string
			for _, c := range commands {
				row := []string{c.Prefix, c.Program.Text, c.Name}
				for _, w := range c.Args {
					row = append(row, w.Text)
				}
				got = append(got, row)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// literal undoes what systemd does to words after splitting, where nothing is set to expand.
func literal(word string) string {
	return strings.ReplaceAll(strings.ReplaceAll(word, "%%", "%"), "$$", "$")
}

func TestQuotedCommandsSplitIdentically(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 12)
		argv := []string{"/usr/bin/a b%c"}
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			argv = append(argv, strings.NewReplacer("\n", "%", "\r", "$").Replace(string(bytes.Draw(t, "arg"))))
		}
		checkRoundTrip(t, argv)
	})
}

func checkRoundTrip(t rapid.TB, argv []string) {
	t.Helper()
	value, err := QuoteExec(argv)
	if err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	u := Parse("a.service", []byte("[Service]\nExecStart="+value+"\n"))
	if len(u.Assignments) != 1 || len(u.Problems) != 0 {
		t.Fatalf("%q became %+v", value, u)
	}
	commands, err := SplitExec(u.Assignments[0].Value)
	if err != nil || len(commands) != 1 {
		t.Fatalf("%s: %v %v", value, commands, err)
	}
	got := []string{literal(commands[0].Program.Text)}
	for _, w := range commands[0].Args {
		if strings.Contains(strings.ReplaceAll(w.Text, "$$", ""), "$") || strings.Contains(strings.ReplaceAll(w.Text, "%%", ""), "%") {
			t.Fatalf("%q expands", w.Text)
		}
		got = append(got, literal(w.Text))
	}
	if diff := cmp.Diff(argv, got); diff != "" {
		t.Fatalf("%s\n%s", value, diff)
	}
}

func TestQuoteRefuses(t *testing.T) {
	for _, argv := range [][]string{nil, {"true"}, {"/a/../b"}, {"/a", "b\nUser=root"}, {"/a", "b\x00"}, {"/a", "\r"}, {"/a/"}} {
		if value, err := QuoteExec(argv); err == nil {
			t.Errorf("%q became %s", argv, value)
		}
	}
	for name, value := range map[string]string{"": "x", "A B": "x", "1A": "x", "A": "x\ny", "B": "\xff", "A=": ""} {
		if word, err := QuoteEnvironment(name, value); !errors.Is(err, ErrUnsafe) {
			t.Errorf("%q %q became %s", name, value, word)
		}
	}
	if word, err := QuoteEnvironment("A", `50% "of" 'it'`); err != nil || word != `"A=50%% \"of\" 'it'"` {
		t.Errorf("%s %v", word, err)
	}
}

func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"--a=b", `"'\`, "; # $A ${B} %i %", "é\xff\t\x7f", "", ";", `\;`, " x "} {
		f.Add(seed, "--next")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsAny(a+b, "\n\r\x00") {
			if value, err := QuoteExec([]string{"/a", a, b}); !errors.Is(err, ErrUnsafe) {
				t.Fatalf("%q: %v", value, err)
			}
			return
		}
		checkRoundTrip(t, []string{"/bin/x", a, b})
	})
}

func FuzzLint(f *testing.F) {
	f.Add("a.service", []byte("[Unit]\nDescription=x\n[Service]\nExecStart=/a \\\n# b\n c ${D} %z ; /e\nUser=nobody # x\nEnvironment=A=b \"C=d e\"\n"))
	f.Add("prometheus.service", []byte("[Service]\nExecStart=/opt/prometheus-3.1/prometheus --web.enable-lifecycle\nExecStart=\nFoo=1\n[X-Bar]\nA=1\n"))
	f.Add("a.socket", []byte(bom+"[Socket]\r\nListenStream=1 # x\r\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		u := Parse(name, data)
		for i, line := range u.Lines {
			if line.Number != i+1 {
				t.Fatalf("line %d has number %d", i+1, line.Number)
			}
		}
		for _, a := range u.Assignments {
			if a.Line < 1 || a.Last < a.Line || a.Last > len(u.Lines) || a.Value != strings.Trim(a.Value, blanks) {
				t.Fatalf("%+v", a)
			}
		}
		for _, finding := range Lint(name, u, LintOptions{Version: 252}) {
			if finding.Line < 1 || finding.Line > len(u.Lines) || finding.Message == "" || finding.Fix == "" {
				t.Fatalf("%+v", finding)
			}
		}
	})
}
