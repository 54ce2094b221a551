package mysqlcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/lockfile"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/history"
	"github.com/opsctl/opsctl/pkg/span"
)

func newHistory(env *cli.Env, collect collectFunc) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Keep how large tables are, and say how they grow",
		Example: "  opsctl mysql history record --datadir /var/lib/mysql\n" +
			"  opsctl mysql history show",
	}
	cmd.AddCommand(newRecord(env, collect), newShow(env))
	return cmd
}

// historyFile is the flag that both commands have.
func historyFile(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "file", "", "keep the history in `FILE` (default /var/lib/opsctl/mysql-history.ndjson as root,\n"+
		"else $XDG_STATE_HOME/opsctl/mysql-history.ndjson)")
}

// historyPath is the flag's value, or the default: below root's state, or the user's by the XDG base directory specification.
func historyPath(env *cli.Env, file string) (string, error) {
	const name = "mysql-history.ndjson"
	state, home := env.Getenv("XDG_STATE_HOME"), env.Getenv("HOME")
	switch {
	case file != "":
		return file, nil
	case os.Geteuid() == 0:
		return filepath.Join("/var/lib/opsctl", name), nil
	case filepath.IsAbs(state):
		return filepath.Join(state, "opsctl", name), nil
	case filepath.IsAbs(home):
		return filepath.Join(home, ".local/state/opsctl", name), nil
	}
	return "", cli.Usagef("there is no home folder to keep the history in: name its file with --file")
}

func newRecord(env *cli.Env, collect collectFunc) *cobra.Command {
	var from source
	var file string
	cmd := &cobra.Command{
		Use:   "record [flags]",
		Short: "Add the sizes of now to the history",
		Long: "Adds one line to the history: the sizes of the 1,000 largest tables, of all\n" +
			"schemas and categories of files, and how full the file systems are. Run it once\n" +
			"a day, or once an hour, from cron or a timer. A line is added whole and synced,\n" +
			"or not at all, and runs at the same time wait for each other; from 64 MiB on the\n" +
			"file is moved aside, and nine such are kept.",
		Example: "  opsctl mysql history record --datadir /var/lib/mysql\n" +
			"  opsctl mysql history record --datadir /var/lib/mysql --file /srv/sizes.ndjson",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.NotEmpty(cmd); err != nil {
				return err
			}
			path, err := historyPath(env, file)
			if err != nil {
				return err
			}
			report, err := from.collect(cmd, env, collect, mysqlspace.Options{SamplePages: -1})
			if err != nil {
				return err
			}
			host, _ := env.Hostname()
			record := history.FromReport(report, host, env.Now())
			if err := history.Append(cmd.Context(), path, record); err != nil {
				return recordError(err)
			}
			if err := render.Document(env, recordView(path, record)); err != nil {
				return err
			}
			return verdict(mysqlspace.Failed(report), report.Problems)
		},
	}
	from.addFlags(cmd)
	historyFile(cmd, &file)
	return cmd
}

// recordError gives the error of a record that was not written its hint.
func recordError(err error) error {
	if _, held := errors.AsType[*lockfile.HeldError](err); held {
		return &cli.Error{Code: cli.CodeFailed, ID: "mysql.locked", Err: err, Hint: "another run has been writing for long: see what it waits for, and try again"}
	}
	return err
}

func recordView(path string, r *history.Record) render.View {
	body := struct {
		File    string    `json:"file"`
		At      time.Time `json:"at"`
		Server  string    `json:"server"`
		Tables  int       `json:"tables"`
		Schemas int       `json:"schemas"`
		Mounts  int       `json:"mounts"`
	}{path, r.At, r.Server, len(r.Tables), len(r.Schemas), len(r.Mounts)}
	return render.View{
		Kind: "TableSpaceRecord",
		Body: body,
		Page: func(p *render.Page) {
			p.Para("%s of %s in %s, and %s, kept in %s", render.Count(body.Tables, "table"), body.Server,
				render.Count(body.Schemas, "schema"), render.Count(body.Mounts, "mount"), path)
		},
		Names: func() []string { return []string{path} },
	}
}

// showOptions are the flags of `mysql history show`.
type showOptions struct {
	history.Options
	file, since, failOn string
}

func newShow(env *cli.Env) *cobra.Command {
	o := showOptions{Options: history.Options{MinRecords: history.DefaultMinRecords, MinSpan: history.DefaultMinSpan, By: "table", Top: fewTables}}
	cmd := &cobra.Command{
		Use:   "show [flags]",
		Short: "Show which tables grow, and when each mount is full",
		Long: "Computes growth a day, as the median of the slopes of all pairs of records, with\n" +
			"bounds between which it lies in 95 of 100 cases; and from that when each file\n" +
			"system will be full. What too few records, or too short a time, do not carry is\n" +
			"not said.",
		Example: "  opsctl mysql history show\n" +
			"  opsctl mysql history show --file /srv/sizes.ndjson --since 30d --schema shop\n" +
			"  opsctl mysql history show --file /srv/sizes.ndjson --fail-on full=30d\n" +
			"  opsctl mysql history show -o json | jq '.mounts[] | {path, daysUntilFull}'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			limit, err := o.check(env, cmd)
			if err != nil {
				return err
			}
			path, err := historyPath(env, o.file)
			if err != nil {
				return err
			}
			report, problems, err := readHistory(path, o.Options)
			if err != nil {
				return err
			}
			if err := render.Document(env, historyView(report)); err != nil {
				return err
			}
			return historyVerdict(report, limit, problems)
		},
	}
	o.addFlags(cmd)
	return cmd
}

func (o *showOptions) addFlags(cmd *cobra.Command) {
	historyFile(cmd, &o.file)
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "leave out records before `TIME`: 2026-11-01, or 30d for 30 days ago")
	f.StringVar(&o.By, "by", o.By, "show growth by `WHAT`: table, schema, server")
	f.StringVar(&o.Schema, "schema", "", "show only `NAME`")
	f.StringVar(&o.Table, "table", "", "show only tables called `NAME`")
	f.StringVar(&o.Server, "server", "", "show the records of `NAME`, where a history holds those of several servers")
	f.IntVar(&o.Top, "top", o.Top, "show the `N` that grow most; 0 shows all")
	f.IntVar(&o.MinRecords, "min-records", o.MinRecords, "say nothing about growth from fewer than `N` records")
	f.Var(span.Value{D: &o.MinSpan}, "min-span", "say nothing about growth over less than `DURATION`")
	f.StringVar(&o.failOn, "fail-on", "", "exit 3 where a mount will be full within a time: `full=30d`")
}

// check reads the flags and returns within which time a mount that will be full is a failure, 0 for never.
func (o *showOptions) check(env *cli.Env, cmd *cobra.Command) (time.Duration, error) {
	if err := cli.NotEmpty(cmd); err != nil {
		return 0, err
	}
	if !slices.Contains([]string{"table", "schema", "server"}, o.By) {
		return 0, cli.Usagef("--by %q is none of table, schema, server", o.By)
	}
	if o.Top < 0 || o.MinRecords < 2 {
		return 0, cli.Usagef("--top must not be negative, and --min-records at least 2")
	}
	if o.since != "" {
		since, err := span.Moment(o.since, env.Now(), env.Zone())
		if err != nil {
			return 0, cli.Usagef("--since: %w", err)
		}
		o.Since = since
	}
	if o.failOn == "" {
		return 0, nil
	}
	text, ok := strings.CutPrefix(o.failOn, "full=")
	limit, err := span.Parse(text)
	if !ok || err != nil || limit == 0 {
		return 0, cli.Usagef("--fail-on %q: write full=30d", o.failOn)
	}
	return limit, nil
}

func readHistory(path string, o history.Options) (*history.Report, error, error) {
	records, problems, err := history.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &cli.Error{Code: cli.CodeFailed, ID: "mysql.history", Err: err, Hint: "opsctl mysql history record begins a history"}
	case err != nil:
		return nil, nil, err
	}
	report, err := history.Show(records, o)
	if err != nil {
		return nil, nil, showError(path, err, problems)
	}
	for _, problem := range problems {
		report.Notes = append(report.Notes, problem.Error())
	}
	return report, errors.Join(problems...), nil
}

// showError says what a history lacks, and which of its lines were left out.
func showError(path string, err error, problems []error) error {
	typed := &cli.Error{Code: cli.CodeFailed, ID: "mysql.history", Err: errors.Join(append([]error{fmt.Errorf("%s: %w", path, err)}, problems...)...)}
	if several, ok := errors.AsType[*history.ServersError](err); ok {
		typed.Hint = "name one with --server: " + strings.Join(several.Servers, ", ")
	}
	return typed
}

// historyVerdict gives a mount that will be full in time exit code 3, and lines that were left out 4.
func historyVerdict(r *history.Report, limit time.Duration, problems error) error {
	for i := range r.Mounts {
		if days := r.Mounts[i].DaysUntilFull; limit > 0 && days != nil && *days*24 <= limit.Hours() {
			found := cli.Found()
			found.Err = problems
			return found
		}
	}
	if problems != nil {
		return cli.Partial(problems)
	}
	return nil
}
