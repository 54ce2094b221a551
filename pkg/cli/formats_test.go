package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
)

// drawRoot has one command with formats of its own and one without.
func drawRoot(env *cli.Env) *cobra.Command {
	root := &cobra.Command{Use: "toy", Short: "Toy"}
	say := func(*cobra.Command) error {
		_, err := fmt.Fprintf(env.Out, "%s %s\n", env.Format, strings.Join(env.Args, " "))
		return err
	}
	root.AddCommand(cli.WithFormats(command("draw", say), cli.Prom, cli.HTML), command("list", say))
	return root
}

func TestFormatsOfSingleCommands(t *testing.T) {
	for _, c := range []struct {
		args, env string
		code      cli.Code
		out, err  string
	}{
		{"draw -o html", "", cli.CodeOK, "html draw -o html\n", ""},
		{"draw --output=prom", "json", cli.CodeOK, "prom draw --output=prom\n", ""},
		{"draw -o csv", "", cli.CodeOK, "csv draw -o csv\n", ""},
		{"draw", "yaml", cli.CodeOK, "yaml draw\n", ""},
		{"draw -o svg", "", cli.CodeUsage, "", "must be one of table, wide, json, yaml, csv, name, prom, html"},
		{"list -o html", "", cli.CodeUsage, "", "must be one of table, wide, json, yaml, csv, name\n"},
		{"draw", "html", cli.CodeUsage, "", `OPSCTL_OUTPUT: "html" is not one of`},
	} {
		w := newWorld()
		w.vars["OPSCTL_OUTPUT"] = c.env
		code := cli.Main(t.Context(), w.env, drawRoot, strings.Fields(c.args))
		if code != c.code || w.out.String() != c.out || !strings.Contains(w.err.String(), c.err) {
			t.Errorf("%s: %d\n%s%s", c.args, code, w.out.String(), w.err.String())
		}
	}
}

func TestHelpShowsTheFormatsOfACommand(t *testing.T) {
	for _, name := range []string{"draw", "list"} {
		w := newWorld()
		cli.Main(t.Context(), w.env, drawRoot, []string{name, "--help"})
		all := strings.Fields(w.out.String())
		if has := slices.Contains(all, "html"); has != (name == "draw") || strings.Count(w.out.String(), "--output") != 1 {
			t.Errorf("%s:\n%s", name, w.out.String())
		}
	}
}
