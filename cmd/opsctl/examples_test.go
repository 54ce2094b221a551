package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestExamples runs every line of every command's Example in a shell, in an
// empty folder. It must exit 0, or 3 for a check that finds something.
//
// An example that names files or servers of the user's is run in another form:
// testdata/script/examples.txt holds lines EXAMPLE => COMMAND, where COMMAND sees
// the samples as $TESTDATA. Its own flags must parse all the same.
func TestExamples(t *testing.T) {
	_, err := exec.LookPath("bash")
	if err != nil {
		skipOrFail(t, "bash")
	}
	instead, used := readInstead(t), map[string]bool{}
	shell := exampleShell(t)
	_, root := inProcess(t, "version")
	everyCommand(root, func(cmd *cobra.Command) {
		lines := exampleLines(t, cmd)
		for _, line := range lines {
			t.Run(line, func(t *testing.T) {
				used[line] = true
				if _, err := exec.LookPath("jq"); err != nil && strings.Contains(line, "| jq ") {
					skipOrFail(t, "jq")
				}
				if command, ok := instead[line]; ok {
					shell(t, withHelp(line))
					line = command
				}
				shell(t, line)
			})
		}
	})
	for line := range instead {
		if !used[line] {
			t.Errorf("examples.txt names no example of today: %s", line)
		}
	}
}

// exampleLines checks the form of an Example and returns its command lines.
func exampleLines(t *testing.T, cmd *cobra.Command) []string {
	t.Helper()
	if cmd.Example == "" {
		t.Errorf("%s has no example", cmd.CommandPath())
		return nil
	}
	var lines []string
	for line := range strings.Lines(cmd.Example) {
		text, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "  ")
		switch {
		case !ok:
			t.Errorf("%s: an example line wants two spaces in front: %q", cmd.CommandPath(), line)
		case text == "" || strings.HasPrefix(text, "#"):
		case !strings.Contains(text, "opsctl"):
			t.Errorf("%s: an example without opsctl: %q", cmd.CommandPath(), text)
		default:
			lines = append(lines, text)
		}
	}
	return lines
}

func readInstead(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open(filepath.Join(repository(t), "testdata", "script", "examples.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	instead := map[string]string{}
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		example, command, ok := strings.Cut(line, " => ")
		if !ok {
			t.Fatalf("examples.txt: no => in %q", line)
		}
		instead[strings.TrimSpace(example)] = strings.TrimSpace(command)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return instead
}

// exampleShell returns a function that runs a line with opsctl on the PATH.
func exampleShell(t *testing.T) func(*testing.T, string) {
	t.Helper()
	path, top := searchPath(t), repository(t)
	return func(t *testing.T, line string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", line)
		cmd.Dir = t.TempDir()
		cmd.Env = []string{"PATH=" + path, "HOME=" + cmd.Dir, "TESTDATA=" + filepath.Join(top, "testdata")}
		out, err := cmd.CombinedOutput()
		exit, _ := errors.AsType[*exec.ExitError](err)
		if err != nil && (exit == nil || exit.ExitCode() != 3) {
			t.Errorf("%s\n%v\n%s", line, err, out)
		}
	}
}

// withHelp is the first command of a shell line with --help behind it: flags are
// parsed before help is shown.
func withHelp(line string) string {
	quote := rune(0)
	for i, r := range line {
		switch {
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case r == quote:
			quote = 0
		case quote == 0 && strings.ContainsRune("|;&<>", r):
			return line[:i] + "--help"
		}
	}
	return line + " --help"
}
