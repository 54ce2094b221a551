package mysqlconn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// resolve has the option file home, without those of this machine.
func resolve(t *testing.T, home string, o Options, environment map[string]string) (*Config, error) {
	t.Helper()
	o.DefaultsFile = filepath.Join(t.TempDir(), "my.cnf")
	if err := os.WriteFile(o.DefaultsFile, []byte(home), 0o600); err != nil {
		t.Fatal(err)
	}
	return Resolve(t.Context(), o, Env{
		Getenv: func(name string) string { return environment[name] },
		In:     strings.NewReader("piped\nmore\n"),
		Ask:    func(context.Context, string) (string, error) { return "asked", nil },
	})
}

func TestWhereAValueIsFrom(t *testing.T) {
	c, err := resolve(t, "[client]\nuser=file\nport=3307\nhost=db\nloose_ssl-ca=/ca\npassword=secret\n[opsctl]\nport=3308\n[mysqld]\nuser=no\n",
		Options{Host: "flag", SSLMode: "verify_ca"}, map[string]string{"OPSCTL_MYSQL_USER": "environment", "OPSCTL_MYSQL_HOST": "no", "MYSQL_TCP_PORT": "1", "MYSQL_PWD": "no"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != "flag" || c.User != "environment" || c.Port != 3308 || c.Password != "secret" || c.CA != "/ca" || c.Mode != "VERIFY_CA" {
		t.Errorf("%+v", c)
	}
	for name, origin := range c.Origins {
		if _, line, is := strings.Cut(origin, "my.cnf:"); is {
			c.Origins[name] = "line " + line
		}
	}
	want := map[string]string{"host": "--host", "user": "OPSCTL_MYSQL_USER", "port": "line 8", "password": "line 6", "ssl-ca": "line 5", "ssl-mode": "--ssl-mode"}
	if diff := cmp.Diff(want, c.Origins); diff != "" {
		t.Error(diff)
	}
	if text := fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c.Password, c.Password, c.Password); strings.Contains(text, "secret") || strings.Contains(text, "736563726574") {
		t.Errorf("the password is printed: %s", text)
	}
}

func TestSocketOrTCP(t *testing.T) {
	const file = "[client]\nsocket=/s\nport=3307\n"
	for want, all := range map[string][]Options{
		"/s":             {{}, {Host: "localhost"}, {Protocol: "SOCKET", Host: "db"}},
		"/t":             {{Socket: "/t"}, {Socket: "/t", Port: 5}, {Socket: "/t", Host: "localhost"}},
		"127.0.0.1:3307": {{Protocol: "tcp"}, {Host: "127.0.0.1"}},
		"127.0.0.1:5":    {{Port: 5}},
		"db:3307":        {{Host: "db"}, {Host: "db", Socket: "/t"}},
		"[::1]:3307":     {{Host: "::1"}},
	} {
		for _, o := range all {
			if c, err := resolve(t, file, o, nil); err != nil || c.Address() != want {
				t.Errorf("%+v: %+v, %v, not %s", o, c, err, want)
			}
		}
	}
}

func TestPasswordsAndWhatCannotBeMeant(t *testing.T) {
	for name, c := range map[string]struct {
		file, want, origin string
		o                  Options
	}{
		"an option without a value": {file: "[client]\npassword\n", want: "asked", origin: "prompt"},
		"an empty one":              {file: "[client]\npassword=\n"},
		"--password-stdin":          {file: "[client]\npassword=x\n", o: Options{PasswordStdin: true}, want: "piped", origin: "--password-stdin"},
		"a flag to ask":             {file: "[client]\npassword=x\n", o: Options{AskPassword: true}, want: "asked", origin: "prompt"},
	} {
		got, err := resolve(t, c.file, c.o, nil)
		if err != nil || string(got.Password) != c.want || c.origin != "" && got.Origins["password"] != c.origin {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, file := range []string{"port=x", "port=65536", "port=-1", "protocol=pipe", "ssl-mode=maybe"} {
		_, err := resolve(t, "[client]\n"+file+"\n", Options{}, nil)
		if _, is := errors.AsType[*UsageError](err); !is || !strings.Contains(err.Error(), "my.cnf:2") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestTLSModeOfMariaDBsOptions(t *testing.T) {
	for file, want := range map[string]string{
		"": "PREFERRED", "ssl": "REQUIRED", "ssl=1": "REQUIRED", "ssl=0": "DISABLED", "skip-ssl": "DISABLED", "skip_ssl": "DISABLED", "disable-ssl": "DISABLED", "skip-password": "PREFERRED",
		"ssl-verify-server-cert": "VERIFY_IDENTITY", "ssl-mode=required": "REQUIRED", "ssl\nssl-mode=DISABLED": "DISABLED",
	} {
		if c, err := resolve(t, "[client]\n"+file+"\n", Options{}, nil); err != nil || c.Mode != want {
			t.Errorf("%q: %+v, %v, not %s", file, c, err, want)
		}
	}
}
