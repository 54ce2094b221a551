package component

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestFlagsOfOthers(t *testing.T) {
	for line, want := range map[string][]string{
		"p --a=1 -b 2 --c":          {"--a=1", "--b=2", "--c"},
		"p --no-collector.wifi":     {"--no-collector.wifi"},
		"p -a '' --x=y z":           {"--a=''", "--x=y"}, // z has no flag to go to
		"p stray --a":               {"--a"},
		"p --path -":                {"--path=-"},
		"p --web.listen-address :1": {"--web.listen-address=:1"},
	} {
		run := &foreignRun{argv: strings.Fields(line)}
		if got := run.flags(); !slices.Equal(got, want) {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestUnitsOfOthers(t *testing.T) {
	run, err := parseRun("x.service", []byte(`[Unit]
ExecStart=/no
[Service]
User=nobody
WorkingDirectory=-/srv
Environment="A=b c" D=e
ExecStart=-/opt/x --a="b c" \
  # between
  --d
`))
	if err != nil || !slices.Equal(run.argv, []string{"/opt/x", "--a=b c", "--d"}) || run.folder != "/srv" || run.user != "nobody" || run.environment["A"] != "b c" || run.environment["D"] != "e" {
		t.Errorf("%+v, %v", run, err)
	}
	for _, text := range []string{"", "[Service]\nExecStart=/x $ARGS\n", "[Service]\nExecStart=\"/x\n"} {
		if _, err := parseRun("x.service", []byte(text)); !errors.Is(err, errExpands) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDataSourceNamesBecomeOptionFiles(t *testing.T) {
	for dsn, want := range map[string]string{
		"u:p@(db1:3306)/":               "[client]\nuser=u\npassword=p\nhost=db1\nport=3306\n",
		"u:p@tcp(db1)/":                 "[client]\nuser=u\npassword=p\nhost=db1\nport=3306\n",
		"u:p@unix(/run/mysqld/x.sock)/": "[client]\nuser=u\npassword=p\nsocket=/run/mysqld/x.sock\n",
		"u:a#b'\"\\@(db1:1)/":           "[client]\nuser=u\npassword=\"a#b'\\\"\\\\\"\nhost=db1\nport=1\n",
		"u@([::1]:3307)/":               "[client]\nuser=u\nhost=::1\nport=3307\n",
	} {
		if got, err := clientFile(dsn); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", dsn, err, got)
		}
	}
	if _, err := clientFile("secret-without-a-slash"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

func FuzzUnitsOfOthers(f *testing.F) {
	f.Add([]byte("[Service]\nExecStart=/x --a b\nEnvironment=A=b\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		run, err := parseRun("x.service", text)
		if err == nil {
			run.flags()
		}
	})
}
