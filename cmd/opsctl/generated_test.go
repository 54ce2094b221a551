package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var (
	update = flag.Bool("update", false, "write the generated files instead of comparing them")
	manDir = flag.String("man", "", "write the manual pages to this folder")
)

// TestGenerated fails when completions or the command reference do not match
// the commands. `make gen` writes them.
func TestGenerated(t *testing.T) {
	files := map[string]string{"docs/commands.md": reference(t)}
	for shell, name := range map[string]string{
		"bash": "opsctl.bash", "zsh": "_opsctl", "fish": "opsctl.fish", "powershell": "opsctl.ps1",
	} {
		files["completions/"+name], _ = inProcess(t, "completion", shell)
	}
	for name, want := range files {
		path := filepath.Join(repository(t), name)
		if *update {
			writeFile(t, path, want)
			continue
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s is stale (%v): run make gen", name, err)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reference is the help of every command as one page.
func reference(t *testing.T) string {
	t.Helper()
	var page strings.Builder
	page.WriteString("# Commands\n\nGenerated from the commands' own help by `make gen`.\n")
	overview, root := inProcess(t, "--help")
	_, global, _ := strings.Cut(overview, "\nGlobal flags:\n")
	global, _, _ = strings.Cut(global, "\nRun '")
	everyCommand(root, func(cmd *cobra.Command) {
		args := strings.Fields(cmd.CommandPath())[1:]
		help, _ := inProcess(t, append(args, "--help")...)
		help, _, _ = strings.Cut(help, "\nGlobal flags:\n")
		fmt.Fprintf(&page, "\n## %s\n\n```text\n%s\n```\n", cmd.CommandPath(), strings.TrimSpace(help))
	})
	fmt.Fprintf(&page, "\n## Flags of every command\n\n```text\n%s\n```\n", strings.TrimRight(global, "\n"))
	return page.String()
}
