package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/config"
)

// TestManPages writes the manual pages and lets man judge them. cobra's own
// generator sets Go's notation for flags and leaves out subcommands, exit codes
// and files.
func TestManPages(t *testing.T) {
	dir := *manDir
	if dir == "" {
		dir = t.TempDir()
	}
	_, root := inProcess(t, "version")
	date := sourceDate(t)
	everyCommand(root, func(cmd *cobra.Command) {
		writeFile(t, filepath.Join(dir, manName(cmd)+".1"), manPage(cmd, date))
	})
	man, err := exec.LookPath("man")
	if err != nil {
		skipOrFail(t, "man")
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 5 {
		t.Fatalf("only %v, %v", pages, err)
	}
	for _, page := range pages {
		cmd := exec.CommandContext(t.Context(), man, "--warnings", "-E", "UTF-8", "-l", page)
		cmd.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8")
		var out, complaints bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 || !strings.Contains(out.String(), "\nSYNOPSIS\n") {
			t.Errorf("%s: %v\n%s\n%s", filepath.Base(page), err, complaints.String(), out.String())
		}
	}
}

func manName(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "-")
}

// manPage is a page in the macros of man(7).
func manPage(cmd *cobra.Command, date time.Time) string {
	var page strings.Builder
	section := func(title, body string) {
		if body != "" {
			page.WriteString(".SH " + title + "\n" + body)
		}
	}
	fmt.Fprintf(&page, ".TH %s 1 %s opsctl \"User Commands\"\n", strings.ToUpper(manName(cmd)), date.Format(time.DateOnly))
	section("NAME", fmt.Sprintf("%s \\- %s\n", roff(manName(cmd)), roff(cmd.Short)))
	section("SYNOPSIS", ".B "+roff(synopsis(cmd))+"\n")
	section("DESCRIPTION", manText(cmd.Long))
	section("COMMANDS", manCommands(cmd))
	own := cmd.LocalNonPersistentFlags()
	section("OPTIONS", manFlags(own))
	section("GLOBAL OPTIONS", manFlags(cmd.Root().PersistentFlags()))
	section("EXAMPLES", manExample(cmd.Example))
	if !cmd.HasParent() {
		section("EXIT STATUS", manExitCodes())
		section("ENVIRONMENT", manEnvironment())
		section("FILES", ".TP\n.I ~/.config/opsctl/config.yaml\nthe user's settings\n.TP\n.I "+
			roff(config.SystemFile)+"\nthe system's, when the user has none\n")
	}
	section("SEE ALSO", manSeeAlso(cmd))
	return page.String()
}

func synopsis(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() && cmd.Use == cmd.Name() {
		return cmd.CommandPath() + " COMMAND [flags]"
	}
	return cmd.UseLine()
}

// roff escapes text for the formatter: backslashes, hyphens that are to be
// typed, and a period or quote at the start of a line.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// manText sets paragraphs; indented lines keep their form.
func manText(text string) string {
	var out strings.Builder
	literal := false
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimRight(line, "\n")
		indented := strings.HasPrefix(line, "  ")
		if indented != literal {
			out.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[indented])
			literal = indented
		}
		if line == "" {
			out.WriteString(".PP\n")
			continue
		}
		out.WriteString(roff(line) + "\n")
	}
	if literal {
		out.WriteString(".fi\n")
	}
	return out.String()
}

func manExample(text string) string {
	if text == "" {
		return ""
	}
	var out strings.Builder
	out.WriteString(".nf\n")
	for line := range strings.Lines(text) {
		out.WriteString(roff(strings.TrimSpace(line)) + "\n")
	}
	out.WriteString(".fi\n")
	return out.String()
}

func manCommands(cmd *cobra.Command) string {
	var out strings.Builder
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			fmt.Fprintf(&out, ".TP\n.B %s\n%s\n", roff(sub.Name()), roff(sub.Short))
		}
	}
	return out.String()
}

func manFlags(flags *pflag.FlagSet) string {
	var out strings.Builder
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || flag.Name == "help" {
			return
		}
		placeholder, usage := pflag.UnquoteUsage(flag)
		name := `\fB` + roff("--"+flag.Name) + `\fR`
		if flag.Shorthand != "" {
			name = `\fB` + roff("-"+flag.Shorthand) + `\fR, ` + name
		}
		if placeholder != "" {
			name += ` \fI` + roff(placeholder) + `\fR`
		}
		fmt.Fprintf(&out, ".TP\n%s\n%s\n", name, roff(usage))
	})
	return out.String()
}

func manExitCodes() string {
	var out strings.Builder
	for _, m := range cli.ExitCodes() {
		fmt.Fprintf(&out, ".TP\n.B %d\n%s\n", m.Code, roff(m.Meaning))
	}
	return out.String()
}

func manEnvironment() string {
	var out strings.Builder
	fmt.Fprintf(&out, ".TP\n.B OPSCTL_CONFIG\n%s\n", roff("the configuration file, as --config"))
	for _, s := range config.Settings() {
		fmt.Fprintf(&out, ".TP\n.B %s\n%s\n", roff(s.Env()), roff("as --"+s.Key))
	}
	out.WriteString(".TP\n.B NO_COLOR\nnever colour the output, whatever the value\n")
	return out.String()
}

func manSeeAlso(cmd *cobra.Command) string {
	var names []string
	if cmd.HasParent() {
		names = append(names, manName(cmd.Parent()))
	}
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			names = append(names, manName(sub))
		}
	}
	for i, name := range names {
		names[i] = `\fB` + roff(name) + `\fR(1)`
	}
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, ",\n") + "\n"
}

// sourceDate is the date of the last commit, so that a page does not change
// with the day on which it is built.
func sourceDate(t *testing.T) time.Time {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "log", "-1", "--format=%cI").Output()
	if err != nil {
		return time.Unix(0, 0).UTC()
	}
	date, err := time.Parse(time.RFC3339, strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return date.UTC()
}
