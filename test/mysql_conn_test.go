package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
)

// databases runs a test on MariaDB 10.11, and under torture on MariaDB 11.8 and MySQL.
func databases(t *testing.T, run func(t *testing.T, d *testpeers.Database)) {
	t.Helper()
	t.Run("MariaDB 10.11", func(t *testing.T) { run(t, testpeers.RequireMariaDB(t, nil)) })
	if os.Getenv("OPSCTL_TORTURE") == "" {
		return
	}
	t.Run("MariaDB 11.8", func(t *testing.T) { run(t, testpeers.RequireMariaDB118(t)) })
	t.Run("MySQL", func(t *testing.T) { run(t, testpeers.RequireMySQL(t)) })
}

func noEnv(string) string { return "" }

// TestSessionIsHarmless looks what a session may do, how long, and what is left of it.
func TestSessionIsHarmless(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		sql(t, d, "create database shop; create table shop.t (n int primary key) engine=innodb; insert into shop.t values (1)")
		s := mysqltest.Connect(t, d, mysqlconn.Options{Limit: time.Second})
		ctx := t.Context()
		nothing := func(func(...any) error) error { return nil }
		for _, statement := range []string{"insert into shop.t values (2)", "delete from shop.t", "create table shop.u (n int)", "drop table shop.t"} {
			if err := s.Each(ctx, statement, nothing); err == nil {
				t.Errorf("%s was done", statement)
			}
		}
		if got := sql(t, d, "select group_concat(n) from shop.t"); got != "1" {
			t.Errorf("the table holds %s", got)
		}
		slow := "select count(*) from information_schema.collations a, information_schema.collations b, information_schema.collations c, information_schema.collations d"
		if err := s.Each(ctx, slow, nothing); !errors.Is(err, mysqlconn.ErrLimit) {
			t.Errorf("a statement without an end: %v", err)
		}
		if err := s.Each(ctx, "select n from shop.t", nothing); err != nil {
			t.Error(err)
		}
		// No metadata lock is held by a session that has read the table.
		sql(t, d, "set lock_wait_timeout = 1; alter table shop.t add column m int")
	})
}

// TestCancelledStatementEndsOnTheServer kills, and leaves no thread behind.
func TestCancelledStatementEndsOnTheServer(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		s := mysqltest.Connect(t, d, mysqlconn.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- s.Each(ctx, "select sleep(50)", func(func(...any) error) error { return nil })
		}()
		running := "select count(*) from information_schema.processlist where info like 'select sleep%'"
		poll(t, "the statement runs", is(t, d, running, "1"))
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got := sql(t, d, running); got != "0" {
			t.Errorf("%s statements go on", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		poll(t, "only the asking thread is left", is(t, d, "select count(*) from information_schema.processlist where user = 'root' and command <> 'Daemon'", "1"))
	})
}

// TestConnectsAsTheClientDoes finds the server by option files, flags and the environment.
func TestConnectsAsTheClientDoes(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil)
	sql(t, d, "create user app@'127.0.0.1' identified by 'a b#c'; create user app@localhost identified by 'a b#c'")
	home := t.TempDir()
	port := fmt.Sprint(d.Port)
	write := func(name, text string) string {
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := write("password", "a b#c\nmore\n")
	write(".my.cnf", "[client]\nuser=app\npassword=\"a b#c\"\nport="+port+"\nsocket="+d.Socket+"\n[clientwrong]\npassword=x\n")
	for name, c := range map[string]struct {
		o    mysqlconn.Options
		env  map[string]string
		in   string
		want error
		by   string // the end of the address
	}{
		"~/.my.cnf, the socket":          {by: d.Socket},
		"~/.my.cnf, a host":              {o: mysqlconn.Options{Host: "127.0.0.1"}, by: ":" + port},
		"--protocol":                     {o: mysqlconn.Options{Protocol: "tcp"}, by: ":" + port},
		"a group suffix":                 {o: mysqlconn.Options{DefaultsGroupSuffix: "wrong"}, want: mysqlconn.ErrDenied},
		"no defaults, a password's file": {o: mysqlconn.Options{NoDefaults: true, Host: "127.0.0.1", Port: d.Port, User: "app", PasswordFile: secret}, by: ":" + port},
		"no defaults, standard input":    {o: mysqlconn.Options{NoDefaults: true, Socket: d.Socket, User: "app", PasswordStdin: true}, in: "a b#c", by: d.Socket},
		"the environment":                {o: mysqlconn.Options{NoDefaults: true}, env: map[string]string{"OPSCTL_MYSQL_HOST": "127.0.0.1", "OPSCTL_MYSQL_PORT": port, "OPSCTL_MYSQL_USER": "app", "OPSCTL_MYSQL_PASSWORD": "a b#c"}, by: ":" + port},
		"nobody listens":                 {o: mysqlconn.Options{Socket: filepath.Join(home, "none")}, want: mysqlconn.ErrUnreachable},
		"TLS that is not there":          {o: mysqlconn.Options{Host: "127.0.0.1", SSLMode: "required"}, want: mysqlconn.ErrNoTLS},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := mysqlconn.Resolve(t.Context(), c.o, mysqlconn.Env{Getenv: func(name string) string { return c.env[name] }, Home: home, In: strings.NewReader(c.in)})
			if err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprintf("%v %+v %#v", config, config, config); strings.Contains(text, "a b#c") {
				t.Errorf("the password is printed: %s", text)
			}
			s, err := config.Open(t.Context())
			if !errors.Is(err, c.want) || err == nil && !strings.HasSuffix(config.Address(), c.by) {
				t.Errorf("%s: %v", config.Address(), err)
			}
			if err == nil {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// sql runs statements as root, and gives the rows without the last line end.
func sql(t *testing.T, d *testpeers.Database, text string) string {
	t.Helper()
	out, err := d.SQL(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(out, "\n")
}

// is a question for [poll].
func is(t *testing.T, d *testpeers.Database, query, want string) func() string {
	t.Helper()
	return func() string {
		if got := sql(t, d, query); got != want {
			return got + ", not " + want
		}
		return ""
	}
}
