package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/mysqlspace/history"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/sshaudit"
)

// The README's tables are written by hand, for people; these tests hold them to
// what is there.

func readmeTable(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), "<!-- "+name+":begin -->\n")
	section, _, ended := strings.Cut(rest, "<!-- "+name+":end -->")
	if !found || !ended {
		t.Fatalf("README.md has no section %s", name)
	}
	// The two lines of the table's head. The marks stand around the table: between
	// its rows they would end it.
	rows := strings.SplitAfterN(section, "\n", 3)
	if len(rows) < 3 || !strings.HasPrefix(section, "|") {
		t.Fatalf("README.md has no table in section %s", name)
	}
	return rows[2]
}

// TestReadmeShowsTheDemo runs `make demo` and finds the README's run in it, line by
// line. "..." stands for lines, or the end of a line, that were left out.
func TestReadmeShowsTheDemo(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		skipOrFail(t, "bash")
	}
	data, err := os.ReadFile(filepath.Join(repository(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "<!-- demo:begin")
	_, rest, _ = strings.Cut(rest, "```console\n")
	shown, _, found := strings.Cut(rest, "```\n<!-- demo:end -->")
	if !found {
		t.Fatal("README.md shows no demo")
	}
	out := runDemo(t)
	for line := range strings.Lines(shown) {
		line = strings.TrimSuffix(line, "\n")
		if line == "..." {
			continue
		}
		want := "\n" + line + "\n"
		if begin, cut := strings.CutSuffix(line, " ..."); cut {
			want = "\n" + begin + " "
		}
		_, after, found := strings.Cut(out, want)
		if !found {
			t.Fatalf("make demo does not print, or not in this order: %s\nbut\n%s", line, out)
		}
		out = "\n" + after
	}
}

func runDemo(t *testing.T) string {
	t.Helper()
	path := searchPath(t)
	t.Setenv("PATH", path)
	program, err := exec.LookPath("opsctl")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(repository(t), ".ci", "demo"), program)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func TestReadmeListsEveryCommand(t *testing.T) {
	section := readmeTable(t, "commands")
	_, root := inProcess(t, "version")
	everyCommand(root, func(cmd *cobra.Command) {
		isTopic := cmd.Parent() != nil && cmd.Parent().Name() == "help"
		if !cmd.HasSubCommands() && !isTopic && !strings.Contains(section, "| `"+cmd.CommandPath()) {
			t.Errorf("README.md lacks a row for %s", cmd.CommandPath())
		}
	})
	for row := range strings.Lines(section) {
		path, _, _ := strings.Cut(strings.TrimPrefix(row, "| `opsctl "), "`")
		if cmd, _, err := root.Find(strings.Fields(path)); err != nil || cmd == root {
			t.Errorf("README.md has a row for what does not exist: %s", row)
		}
	}
}

func TestReadmeListsExitCodes(t *testing.T) {
	var want strings.Builder
	for _, m := range cli.ExitCodes() {
		fmt.Fprintf(&want, "| %d | %s |\n", m.Code, m.Meaning)
	}
	if got := readmeTable(t, "exit-codes"); got != want.String() {
		t.Errorf("README.md says\n%swant\n%s", got, want.String())
	}
}

func TestReadmeSaysWhyEachDependencyIsThere(t *testing.T) {
	section := readmeTable(t, "dependencies")
	cmd := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all")
	cmd.Dir = repository(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for module := range strings.Lines(string(out)) {
		if module = strings.TrimSpace(module); module != "" && !strings.Contains(section, module) {
			t.Errorf("README.md does not say why %s is needed", module)
		}
	}
}

// TestDocsNameEveryField fails when a document has a field that its page in docs/ does not explain.
func TestDocsNameEveryField(t *testing.T) {
	for page, types := range map[string][]reflect.Type{
		"ssh-audit.md":   {reflect.TypeFor[sshaudit.Document]()},
		"mysql-space.md": {reflect.TypeFor[space.Report](), reflect.TypeFor[history.Report]()},
	} {
		data, err := os.ReadFile(filepath.Join(repository(t), "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(string(data), "## The JSON document")
		section, _, _ = strings.Cut(section, "\n## ")
		fields := map[string]bool{}
		for _, typ := range types {
			jsonFields(typ, fields)
		}
		if len(fields) < 30 {
			t.Fatalf("found only %d fields for %s", len(fields), page)
		}
		for name := range fields {
			if !regexp.MustCompile("[`.]" + name + "(\\[\\])?[`.]").MatchString(section) {
				t.Errorf("docs/%s does not explain the field %s", page, name)
			}
		}
	}
}

// jsonFields collects the names of all fields below a type of this module.
func jsonFields(typ reflect.Type, names map[string]bool) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		jsonFields(typ.Elem(), names)
	case reflect.Struct:
		if !strings.HasPrefix(typ.PkgPath(), module) {
			return
		}
		for field := range typ.Fields() {
			if field.Anonymous {
				jsonFields(field.Type, names)
			}
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
				names[name] = true
				jsonFields(field.Type, names)
			}
		}
	}
}
