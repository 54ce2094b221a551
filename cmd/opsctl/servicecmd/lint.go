package servicecmd

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/severity"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// lintOptions are the flags and what they are parsed into.
type lintOptions struct {
	read         systemd.FilesOptions
	root, failOn string
}

// lintFunc is what the command calls; tests put their own in its place.
type lintFunc func(context.Context, []string, systemd.FilesOptions) (*systemd.Report, error)

func newLint(env *cli.Env, run lintFunc) *cobra.Command {
	o := lintOptions{failOn: string(severity.Low)}
	cmd := &cobra.Command{
		Use:   "lint [flags] [FILE...]",
		Short: "Find what is wrong with unit files, by line, with the line to write",
		Long: "Reads unit files as systemd does and says what does not work as it is written:\n" +
			"comments behind values, directives that systemd ignores, programs that are not\n" +
			"there, secrets that every user can read, sandboxes that blind an exporter. A\n" +
			"unit is judged together with its drop-ins in FILE.d. Nothing is started or\n" +
			"changed, and no running systemd is asked.\n\n" +
			"FILE is a unit file, a drop-in, a folder of them or - (standard input, taken as\n" +
			"a service). Without FILE it reads this host's /etc/systemd/system. Findings of\n" +
			"severity info tell what could be better, and do not change the exit code unless\n" +
			"--fail-on says so. docs/unit-lint.md explains each id.",
		Example: "  opsctl service lint\n" +
			"  opsctl service lint node_exporter.service\n" +
			"  opsctl service lint --root /mnt/web01 --systemd-version 219 prometheus.service\n" +
			"  opsctl service lint units/ -o json | jq -r '.items[] | \"\\(.file):\\(.line) \\(.fix)\"'",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, env, args); err != nil {
				return err
			}
			report, err := run(cmd.Context(), args, o.read)
			if report == nil {
				return lintError(err)
			}
			if renderErr := render.Document(env, lintView(report, o.read.Host)); renderErr != nil {
				return renderErr
			}
			return o.verdict(report, err)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.root, "root", "", "take `DIR` as the host's /: look for programs there, and for units when no FILE is named")
	f.IntVar(&o.read.Version, "systemd-version", 0, "judge by systemd `N` instead of the host's own")
	f.StringVar(&o.failOn, "fail-on", o.failOn, "exit 3 on a finding of this `SEVERITY` or above: info, low, medium, high, critical")
	f.StringArrayVar(&o.read.Ignore, "ignore", nil, "leave out findings with this `ID` (repeatable)")
	f.BoolVar(&o.read.Exposure, "exposure", false, "add what systemd-analyze security, of 250 or newer, gives each service")
	return cmd
}

// check turns the flags into the package's options.
func (o *lintOptions) check(cmd *cobra.Command, env *cli.Env, args []string) error {
	if slices.Contains(args, "") {
		return cli.Usagef("FILE must not be empty")
	}
	for _, name := range []string{"root", "fail-on"} {
		if f := cmd.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
			return cli.Usagef("--%s must not be empty", name)
		}
	}
	limit, err := severity.Parse(o.failOn)
	if err != nil {
		return cli.Usagef("--fail-on: %w", err)
	}
	o.failOn = string(limit)
	var known []string
	for _, r := range systemd.Rules() {
		known = append(known, r.ID)
	}
	for _, id := range o.read.Ignore {
		if !slices.Contains(known, id) {
			return cli.Usagef("--ignore %s: no finding has that id; there are %s", id, strings.Join(known, ", "))
		}
	}
	o.read.Stdin = env.In
	return o.openHost(cmd)
}

func (o *lintOptions) openHost(cmd *cobra.Command) error {
	o.read.Host = host.Local()
	if o.root != "" {
		h, err := host.Root(o.root)
		if err != nil {
			return &cli.Error{Code: cli.CodeUsage, ID: "service.root", Err: err, Hint: "--root takes the folder that holds the host's etc and usr"}
		}
		o.read.Host = h
	}
	if !cmd.Flags().Changed("systemd-version") {
		o.read.Version = systemd.HostVersion(o.read.Host)
		return nil
	}
	if err := systemd.CheckVersion(o.read.Version); err != nil {
		return cli.Usagef("--systemd-version: %w", err)
	}
	return nil
}

// lintError gives the error of a run without a result its code.
func lintError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &cli.Error{Code: cli.CodeDenied, ID: "service.denied", Err: err, Hint: "run it as root"}
	case errors.Is(err, systemd.ErrNotUnit):
		return &cli.Error{Code: cli.CodeFailed, ID: "service.not-a-unit", Err: err, Hint: "name unit files, such as /etc/systemd/system/prometheus.service"}
	}
	return err
}

// verdict turns findings and files that could not be read into the exit code.
func (o *lintOptions) verdict(report *systemd.Report, err error) error {
	limit := severity.Severity(o.failOn)
	if slices.ContainsFunc(report.Items, func(f systemd.Finding) bool { return f.Severity.AtLeast(limit) }) {
		found := cli.Found()
		found.Err = err
		return found
	}
	if err != nil {
		return cli.Partial(err)
	}
	return nil
}

func lintView(report *systemd.Report, h *host.Host) render.View {
	name := ""
	if !h.Live() {
		name = h.Name()
	}
	return render.View{
		Kind:  "UnitLint",
		Host:  name,
		Body:  report,
		Page:  func(p *render.Page) { lintPage(p, report) },
		CSV:   func() ([]string, [][]string) { return lintRows(report) },
		Names: func() []string { return lintNames(report) },
	}
}

// lintNames are the places with their ids, FILE:LINE:ID.
func lintNames(report *systemd.Report) []string {
	names := []string{}
	for _, f := range report.Items {
		names = append(names, f.File+":"+strconv.Itoa(f.Line)+":"+f.ID)
	}
	return names
}

func lintRows(report *systemd.Report) ([]string, [][]string) {
	rows := [][]string{}
	for _, f := range report.Items {
		rows = append(rows, []string{f.File, strconv.Itoa(f.Line), f.ID, string(f.Severity), f.Message, f.Fix})
	}
	return []string{"file", "line", "id", "severity", "message", "fix"}, rows
}

// lintPage is the report for people. Findings of info are counted, and shown with wide.
func lintPage(p *render.Page, report *systemd.Report) {
	hidden, shown := 0, 0
	for _, f := range report.Items {
		if f.Severity == severity.Info && f.ID != "exposure" && !p.Wide() {
			hidden++
			continue
		}
		shown++
		p.Para("%s:%d: %s  %s", f.File, f.Line, p.Severity(string(f.Severity)), f.ID)
		p.Para("    %s", f.Message)
		for i, line := range strings.Split(f.Fix, "\n") {
			lead := "fix: "
			if i > 0 {
				lead = "     "
			}
			p.Para("    %s%s", lead, line)
		}
	}
	switch {
	case shown == 0 && hidden == 0:
		p.Para("%s: no findings", render.Count(len(report.Files), "file"))
	case hidden > 0:
		p.Para("%s: %s, and %s of severity info that -o wide shows", render.Count(len(report.Files), "file"), render.Count(shown, "finding"), strconv.Itoa(hidden))
	default:
		p.Para("%s: %s", render.Count(len(report.Files), "file"), render.Count(shown, "finding"))
	}
}
