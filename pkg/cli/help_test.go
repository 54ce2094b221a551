package cli_test

import (
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
)

func TestHelpFitsTheTerminal(t *testing.T) {
	for _, width := range []int{60, 80, 200, 0} {
		w := newWorld()
		w.env.Width = width
		w.run(t, "ssh", "audit", "--help")
		limit := 100
		if width > 0 {
			limit = min(width, 100)
		}
		for line := range strings.Lines(w.out.String()) {
			if n := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); n > limit {
				t.Errorf("%d columns in a terminal of %d: %s", n, width, line)
			}
		}
	}
}

func TestHelpTellsOwnFlagsFromGlobalOnes(t *testing.T) {
	w := newWorld()
	w.run(t, "ssh", "audit", "--help")
	own, global, found := strings.Cut(w.out.String(), "\nGlobal flags:\n")
	if !found || !strings.Contains(own, "--from CIDR") || strings.Contains(own, "--output") {
		t.Errorf("own flags:\n%s", own)
	}
	if !strings.Contains(global, "-o, --output FORMAT") || !strings.Contains(global, "-h, --help") {
		t.Errorf("global flags:\n%s", global)
	}
}

func TestHelpListsGroupsUnderTheirTitles(t *testing.T) {
	w := newWorld()
	cli.Main(t.Context(), w.env, func(env *cli.Env) *cobra.Command {
		root := toyRoot(env)
		root.AddGroup(&cobra.Group{ID: "self", Title: "About toy"})
		about := command("about", func(*cobra.Command) error { return nil })
		about.GroupID = "self"
		hidden := command("hidden-command-with-a-long-name", func(*cobra.Command) error { return nil })
		hidden.Hidden = true
		root.AddCommand(about, hidden)
		return root
	}, []string{"--help"})
	want := `
Commands:
  end    Ways to end
  help   Help about any command
  ssh    Secure shells

About toy:
  about  Run about
`
	if !strings.Contains(w.out.String(), want) {
		t.Errorf("got\n%s", w.out.String())
	}
}
