package optionfile_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlconn/optionfile"
)

// TestFilesAreSoughtWhereTheProgramsLook holds the order of the files, and who may write them, against my_print_defaults.
func TestFilesAreSoughtWhereTheProgramsLook(t *testing.T) {
	optionJudges(t, func(t *testing.T, j optionJudge) {
		t.Helper()
		dir := t.TempDir()
		write := func(name, text string) string {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		home := filepath.Join(dir, "home")
		write("home/.my.cnf", "[client]\nhost=home\n[mysql_a]\nhost=a\n[mysql_b]\nhost=b\n")
		write("server/my.cnf", "[client]\nhost=server\n")
		write("other/my.cnf", "[client]\nhost=other\n")
		extra := write("extra.cnf", "[client]\nhost=extra\n")
		written := write("written.cnf", "[client]\nhost=written\n")
		if err := os.Chmod(written, 0o602); err != nil {
			t.Fatal(err)
		}
		server := "MYSQL_HOME=" + filepath.Join(dir, "server")
		for name, c := range map[string]struct {
			search optionfile.Search
			env    []string
		}{
			"home":                       {},
			"MYSQL_HOME and home":        {env: []string{server}},
			"MYSQL_HOME is home":         {env: []string{"MYSQL_HOME=" + home}},
			"an extra file":              {search: optionfile.Search{ExtraFile: extra}, env: []string{server}},
			"an extra file below ~":      {search: optionfile.Search{ExtraFile: "~/../extra.cnf"}},
			"an extra file not there":    {search: optionfile.Search{ExtraFile: extra + ".none"}},
			"one file":                   {search: optionfile.Search{File: extra}, env: []string{server}},
			"one file below ~":           {search: optionfile.Search{File: "~/../extra.cnf"}},
			"one file not there":         {search: optionfile.Search{File: extra + ".none"}},
			"one file that all write":    {search: optionfile.Search{File: written}},
			"an extra file all write":    {search: optionfile.Search{ExtraFile: written}},
			"one file and an extra file": {search: optionfile.Search{File: extra, ExtraFile: written}},
			"none":                       {search: optionfile.Search{NoDefaults: true}, env: []string{server}},
			"a suffix":                   {search: optionfile.Search{GroupSuffix: "_a"}},
			"a suffix by environment":    {env: []string{"MYSQL_GROUP_SUFFIX=_a"}},
			"a suffix over environment":  {search: optionfile.Search{GroupSuffix: "_b"}, env: []string{"MYSQL_GROUP_SUFFIX=_a"}},
			"MariaDB's suffix":           {env: []string{"MARIADB_GROUP_SUFFIX=_a", "MYSQL_GROUP_SUFFIX=_b"}},
			"MariaDB's home":             {env: []string{server, "MARIADB_HOME=" + filepath.Join(dir, "other")}},
		} {
			t.Run(name, func(t *testing.T) {
				if j.mysql && strings.HasPrefix(name, "MariaDB's") {
					t.Skip("MySQL does not know it")
				}
				if j.mysql && name == "one file not there" {
					t.Skip("the client refuses it, my_print_defaults of MySQL does not")
				}
				c.search.Home = home
				j.compare(t, c.search, c.env)
			})
		}
	})
}

// TestLoginFilesAreReadAsTheProgramsDo has mysql_config_editor write them, and holds what is read against my_print_defaults.
func TestLoginFilesAreReadAsTheProgramsDo(t *testing.T) {
	if os.Getenv("OPSCTL_TORTURE") == "" {
		t.Skip("MySQL alone has the program: with OPSCTL_TORTURE")
	}
	j := optionJudge{tree: testpeers.RequireTree(t, testpeers.MySQLPackages()), mysql: true}
	chance := rand.New(rand.NewPCG(seed(t), 2))
	options := 0
	for range 40 {
		home := t.TempDir()
		path := filepath.Join(home, "login.cnf")
		environment := []string{"MYSQL_TEST_LOGIN_FILE=" + path}
		for _, group := range []string{"client", "work", "work_x", "unread"} {
			j.edit(t, environment, value(chance)+"\n", "set", "--skip-warn", "--login-path="+group, "--host="+value(chance), "--user="+value(chance), "--port=3307", "--socket="+value(chance), "--password")
		}
		for _, search := range []optionfile.Search{{}, {LoginPath: "work"}, {LoginPath: "work", GroupSuffix: "_x"}, {LoginPath: "work", NoDefaults: true}} {
			search.Home = home
			options += j.compare(t, search, environment)
		}
		for _, mode := range []os.FileMode{0o400, 0o700, 0o640, 0o604, 0o601} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			j.compare(t, optionfile.Search{Home: home}, environment)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d options", options)
	if options < 40*(4+9+14) {
		t.Error("the login files held less than was written")
	}
}

// edit runs mysql_config_editor, which reads the password from its standard input.
func (j optionJudge) edit(t *testing.T, environment []string, input string, args ...string) {
	t.Helper()
	cmd := j.tree.Command(t.Context(), "usr/bin/mysql_config_editor", args...)
	cmd.Env, cmd.Stdin = environment, strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", args, err, out)
	}
}

// value is a text that has to be quoted and escaped by whoever writes it.
func value(chance *rand.Rand) string {
	pieces := []string{"a", "7", " ", "#", ";", "=", "'", `"`, `\`, `\n`, `\\`, "[x]", "!", "é", "à", "\t"}
	text := "v"
	for range chance.IntN(20) {
		text += pieces[chance.IntN(len(pieces))]
	}
	return text
}
