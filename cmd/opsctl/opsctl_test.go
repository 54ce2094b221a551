package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
)

// TestMain makes the test binary the command opsctl of scripts and examples.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"opsctl": main})
}

// repository is the top folder of the checkout, where the shared testdata is.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// searchPath returns a PATH on which opsctl is the binary under test: the one
// that OPSCTL_BIN names, else this test binary.
func searchPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PATH") // testscript.Main has put its own opsctl in front
	bin := os.Getenv("OPSCTL_BIN")
	if bin == "" {
		return path
	}
	dir := t.TempDir()
	if err := os.Symlink(bin, filepath.Join(dir, "opsctl")); err != nil {
		t.Fatal(err)
	}
	return dir + string(filepath.ListSeparator) + path
}

// skipOrFail ends a test that needs a program which is not there: by failing
// under OPSCTL_CI, else by a skip that names it.
func skipOrFail(t *testing.T, program string) {
	t.Helper()
	if os.Getenv("OPSCTL_CI") != "" {
		t.Fatalf("%s is missing", program)
	}
	t.Skipf("needs %s", program)
}

// inProcess runs one command line in this process and returns what it printed.
func inProcess(t *testing.T, args ...string) (stdout string, root *cobra.Command) {
	t.Helper()
	var out, errOut bytes.Buffer
	env := &cli.Env{
		In: strings.NewReader(""), Out: &out, Err: &errOut, Version: "devel",
		Getenv:   func(string) string { return "" },
		Hostname: func() (string, error) { return "web01", nil },
		Now:      func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	}
	keep := func(env *cli.Env) *cobra.Command {
		root = newRoot(env)
		return root
	}
	if code := cli.Main(t.Context(), env, keep, args); code != cli.CodeOK {
		t.Fatalf("opsctl %s: exit code %d\n%s", strings.Join(args, " "), code, errOut.String())
	}
	return out.String(), root
}

// everyCommand calls f for each command that users see, the root first.
func everyCommand(root *cobra.Command, f func(*cobra.Command)) {
	f(root)
	for _, sub := range root.Commands() {
		if !sub.Hidden {
			everyCommand(sub, f)
		}
	}
}
