package optionfile_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlconn/optionfile"
)

// TestOptionFilesAreReadAsTheProgramsDo makes option files by chance and holds what is read of them against my_print_defaults.
// OPSCTL_SEED repeats a run.
func TestOptionFilesAreReadAsTheProgramsDo(t *testing.T) {
	optionJudges(t, func(t *testing.T, j optionJudge) {
		t.Helper()
		chance := rand.New(rand.NewPCG(seed(t), 1))
		rounds, options := 300, 0
		if os.Getenv("OPSCTL_TORTURE") == "1" {
			rounds = 3000
		}
		for range rounds {
			dir := t.TempDir()
			main := writeOptionFiles(t, chance, dir)
			search := optionfile.Search{File: main, Home: filepath.Join(dir, "home")}
			if chance.IntN(3) == 0 {
				search.GroupSuffix = "_x"
			}
			options += j.compare(t, search, nil)
			if t.Failed() {
				return
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d trees of files, %d options", rounds, options)
		if options < rounds {
			t.Error("the files held next to nothing")
		}
	})
}

// optionJudge is my_print_defaults of one server.
type optionJudge struct {
	tree  *testpeers.Tree
	mysql bool
}

// optionJudges runs a test beside MariaDB 10.11's program, and under torture beside those of MariaDB 11.8 and MySQL.
func optionJudges(t *testing.T, run func(t *testing.T, j optionJudge)) {
	t.Helper()
	t.Run("MariaDB 10.11", func(t *testing.T) {
		run(t, optionJudge{tree: testpeers.RequireTree(t, testpeers.MariaDBPackages())})
	})
	if os.Getenv("OPSCTL_TORTURE") == "" {
		return
	}
	t.Run("MariaDB 11.8", func(t *testing.T) {
		run(t, optionJudge{tree: testpeers.RequireTree(t, testpeers.MariaDB118Packages())})
	})
	t.Run("MySQL", func(t *testing.T) {
		run(t, optionJudge{tree: testpeers.RequireTree(t, testpeers.MySQLPackages()), mysql: true})
	})
}

// compare reads what search says in both ways, and gives the number of options.
func (j optionJudge) compare(t *testing.T, search optionfile.Search, environment []string) int {
	t.Helper()
	want, refused := j.ask(t.Context(), t, search, environment)
	search.Getenv = func(name string) string {
		for _, one := range environment {
			if value, is := strings.CutPrefix(one, name+"="); is {
				return value
			}
		}
		return ""
	}
	var warnings []string
	search.Warn = func(text string) { warnings = append(warnings, text) }
	options, err := search.Load([]string{"client", "mysql"})
	if errors.Is(err, optionfile.ErrTooMany) {
		return 0 // the programs have no such bound
	}
	got := ""
	for _, o := range options {
		got += "--" + o.Name
		if o.HasValue {
			got += "=" + o.Value
		}
		got += "\n"
	}
	if (err != nil) != (refused != "") || err == nil && got != want {
		t.Errorf("err %v, warnings %q; my_print_defaults: %s\n%s", err, warnings, refused, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
		if filepath.Base(search.File) == mainFile {
			showFiles(t, filepath.Dir(search.File))
		}
	}
	return len(options)
}

// ask gives what the program prints, and why it has refused.
func (j optionJudge) ask(ctx context.Context, t *testing.T, search optionfile.Search, environment []string) (out, refused string) {
	t.Helper()
	var args []string
	if search.NoDefaults { // has to be the first
		args = append(args, "--no-defaults")
	}
	for name, value := range map[string]string{"--defaults-file=": search.File, "--defaults-extra-file=": search.ExtraFile, "--defaults-group-suffix=": search.GroupSuffix, "--login-path=": search.LoginPath} {
		if value != "" {
			args = append(args, name+value)
		}
	}
	if j.mysql {
		args = append(args, "--show")
	}
	cmd := j.tree.Command(ctx, "usr/bin/my_print_defaults", append(args, "client", "mysql")...)
	cmd.Env = append([]string{"HOME=" + search.Home}, environment...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		return stdout.String(), stderr.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stdout.String(), ""
}

// showFiles shows what a comparison failed on.
func showFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		t.Logf("%s: %d bytes, %q", path, len(text), text)
		return err
	})
	if err != nil {
		t.Log(err)
	}
}

// mainFile includes the others.
const mainFile = "main.cnf"

// writeOptionFiles makes a file and those that it includes, and gives its name.
func writeOptionFiles(t *testing.T, chance *rand.Rand, dir string) string {
	t.Helper()
	names := []string{mainFile, "b.cnf", "c.cnf", "d/1.cnf", "d/2.cnf", "d/a.b.cnf", "d/.cnf", "d/x.txt", "home/h.cnf"}
	for _, sub := range []string{"d", "home"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range names {
		mode := os.FileMode(0o600)
		if name != mainFile && chance.IntN(8) == 0 {
			mode = 0o602
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, fileText(chance, includes(chance, dir, i), 1+chance.IntN(12), chance.IntN(12) == 0), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, names[0])
}

// fileText is the text of one. Only a wild one has lines that programs refuse.
func fileText(chance *rand.Rand, directives []string, lines int, wild bool) []byte {
	var b bytes.Buffer
	if !wild {
		b.WriteString("[client]\n")
	}
	pick := func(of ...string) string { return of[chance.IntN(len(of))] }
	blank := func() string { return pick("", "", "", " ", "\t", " \t ", "\v", "\r") }
	for range lines {
		b.WriteString(blank())
		switch chance.IntN(12) {
		case 0, 1:
			b.WriteString("[" + pick("client", "CLIENT", "mysql", "mysqld", "client_x", " client", "client ", "", "client] # ]", "mysql_x\t") + pick("]", "]", "]", "] x", "]#") + blank())
			if wild && chance.IntN(4) == 0 {
				b.Truncate(b.Len() - 2)
			}
		case 2:
			b.WriteString(pick("#", ";", "# a = b", "; 'x", ""))
		case 3:
			b.WriteString(pick("!", "! ", "!\t") + pick(directives...) + blank())
		default:
			b.WriteString(optionLine(chance, pick, blank))
		}
		b.WriteString(pick("\n", "\n", "\n", "\n", "\r\n"))
	}
	last := bytes.TrimRight(b.Bytes(), "\r\n")
	if chance.IntN(8) == 0 && !bytes.Contains(last[bytes.LastIndexByte(last, '\n')+1:], []byte("!")) {
		return last // MariaDB cuts the name of an include that has no end of its line
	}
	return b.Bytes()
}

// includes are directives for the i-th file. Few lead back, so that there is an end to it.
func includes(chance *rand.Rand, dir string, i int) []string {
	all := []string{"include " + dir + "/b.cnf", "include\t" + dir + "/c.cnf", "includedir " + dir + "/d", "includedir  " + dir + "/d/", "include ~/h.cnf", "include " + dir + "/none.cnf", "includes x", "other"}
	switch chance.IntN(12) {
	case 0:
		return []string{"include", "includedir", "includedir " + dir + "/none"}
	case 1:
		if i < 2 {
			return []string{"include " + dir + "/main.cnf", "other"}
		}
	}
	return all[min(i, 5):]
}

// optionLine is a name and perhaps a value of pieces that mean something to the reader.
func optionLine(chance *rand.Rand, pick func(...string) string, blank func() string) string {
	name := pick("user", "pass-word", "ssl_ca", "loose-x", "loose_y", "a b", "host", "q'", `q"`, `b\`, "é")
	if chance.IntN(5) == 0 {
		return name + blank() + pick("", "# c", "'#'")
	}
	pieces := []string{"a", "b c", "#", ";", "=", "'", `"`, `\`, `\\`, `\n`, `\t`, `\s`, `\b`, `\r`, `\q`, `\"`, `\'`, " ", "\t", "é", "]", "!", "\xa0", "à"}
	n := chance.IntN(7)
	if chance.IntN(60) == 0 { // MariaDB cuts lines at 4094 bytes
		n, pieces = 1300, pieces[:2]
	}
	var value strings.Builder
	for range n {
		value.WriteString(pieces[chance.IntN(len(pieces))])
	}
	text := value.String()
	if quote := pick("", "", "'", `"`); quote != "" {
		text = quote + text + quote
	}
	return name + blank() + "=" + blank() + text + blank() + pick("", "", "", "# c", "#")
}

// seed is OPSCTL_SEED or a new one, and always printed.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := uint64(time.Now().UnixNano())
	if text := os.Getenv("OPSCTL_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("OPSCTL_SEED=%d", n)
	return n
}
