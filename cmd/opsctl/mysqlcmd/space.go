package mysqlcmd

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/bytesize"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/prom"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// collectFunc is what the commands call; tests put their own in its place.
type collectFunc func(context.Context, mysqlspace.Options) (*space.Report, error)

// spaceOptions are the flags of `mysql space`.
type spaceOptions struct {
	source
	mysqlspace.Options
	minSize, failOn string
	top             int // of metrics
}

// fewTables is how many items tables and metrics show unless --top says otherwise.
const fewTables = 20

func newSpace(env *cli.Env, collect collectFunc) *cobra.Command {
	var o spaceOptions
	cmd := &cobra.Command{
		Use:   "space [flags]",
		Short: "Show which tables use the disk, and what rebuilding them would free",
		Long: "Shows data, indexes, free pages and what a rebuild would give back, with its\n" +
			"bounds, of each table, partition, index or schema; what every file of the data\n" +
			"folder is; how full its file systems are; and what was found on the way. Each\n" +
			"figure says where it is from. Nothing is changed.\n\n" +
			"It asks the server that the mysql client would reach, by the same options and\n" +
			"option files, and reads its files as well where they can be read here. With\n" +
			"--datadir alone it reads files and asks nobody: of a server that runs, has\n" +
			"crashed, or was copied.\n\n" +
			"Sizes are bytes on the disk. -o prom writes metrics for node_exporter's\n" +
			"textfile collector, -o html a page with a treemap that needs no network.",
		Example: "  opsctl mysql space\n" +
			"  opsctl mysql space -h db1.example.org -u monitor -p --sort free\n" +
			"  opsctl mysql space --login-path backup --ssh ops@db1.example.org\n" +
			"  opsctl mysql space --datadir /var/lib/mysql\n" +
			"  opsctl mysql space --datadir /mnt/snapshot/mysql --schema shop --by index\n" +
			"  opsctl mysql space --datadir /var/lib/mysql --sort reclaimable --min-size 1GiB\n" +
			"  opsctl mysql space --fail-on reclaimable=20%,mount=90%\n" +
			"  opsctl mysql space --datadir /var/lib/mysql -o html > space.html\n" +
			"  opsctl mysql space --datadir /var/lib/mysql -o json | jq '.accounting[]'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(env, cmd); err != nil {
				return err
			}
			report, err := o.collect(cmd, env, collect, o.Options)
			if err != nil {
				return err
			}
			if err := render.Document(env, o.view(env, report)); err != nil {
				return err
			}
			return verdict(mysqlspace.Failed(report), report.Problems)
		},
	}
	cli.WithFormats(cmd, cli.Prom, cli.HTML)
	o.addFlags(cmd)
	return cmd
}

func (o *spaceOptions) addFlags(cmd *cobra.Command) {
	o.source.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Schema, "schema", "", "show only `NAME`, in which * stands for any characters")
	f.StringVar(&o.Table, "table", "", "show only tables called `NAME`, in which * stands for any characters")
	f.StringVar(&o.By, "by", "table", "sum by `WHAT`: "+strings.Join(mysqlspace.Bys(), ", "))
	f.IntVar(&o.Top, "top", 0, "show the `N` largest; 0 shows all (unless set: 20 in table, wide and prom, all elsewhere)")
	f.IntVar(&o.SamplePages, "sample", 0, "read `PAGES` of each index at most for rows, fill and predictions; -1 reads none (default 64)")
	f.StringVar(&o.minSize, "min-size", "", "show only what has `SIZE`, such as 100MiB, or more")
	f.StringVar(&o.Sort, "sort", "total", "put the largest `FIGURE` first: "+strings.Join(mysqlspace.Sorts(), ", "))
	f.StringVar(&o.failOn, "fail-on", "", "exit 3 where a `LIMIT` is reached: reclaimable=20%, mount=90%, autoincrement=80%, or several with commas between")
	for name, values := range map[string][]string{"by": mysqlspace.Bys(), "sort": mysqlspace.Sorts()} {
		// The only error is about a flag that does not exist or has one already.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// check turns the flags into the package's options.
func (o *spaceOptions) check(env *cli.Env, cmd *cobra.Command) error {
	if err := cli.NotEmpty(cmd); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return cli.Usagef("%w", err)
	}
	var err error
	if o.minSize != "" {
		if o.MinSize, err = bytesize.Parse(o.minSize); err != nil {
			return cli.Usagef("--min-size: %w", err)
		}
	}
	if o.Thresholds, err = mysqlspace.ParseThresholds(o.failOn); err != nil {
		return cli.Usagef("--fail-on: %w", err)
	}
	if !cmd.Flags().Changed("top") && slices.Contains([]cli.Format{cli.Table, cli.Wide, cli.Prom}, env.Format) {
		o.Top = fewTables
	}
	if env.Format == cli.Prom {
		if o.By != "table" || o.MinSize > 0 {
			return cli.Usagef("--by and --min-size do not go with -o prom: it has tables, and the sums of all")
		}
		o.top, o.Top = o.Top, 0
	}
	return nil
}

// view is the report in all its formats. Metrics hold the sums of all tables, so that their number is cut there.
func (o *spaceOptions) view(env *cli.Env, r *space.Report) render.View {
	return render.View{
		Kind: "TableSpaceList",
		Body: r,
		Page: func(p *render.Page) { (&spacePage{p, r}).write() },
		CSV:  func() ([]string, [][]string) { return spaceCSV(r) },
		Names: func() []string {
			names := make([]string, 0, len(r.Items))
			for i := range r.Items {
				names = append(names, cmp.Or(r.Items[i].Name(), address(r)))
			}
			return names
		},
		Others: map[cli.Format]func(io.Writer) error{
			cli.Prom: func(w io.Writer) error { return prom.Write(w, r, prom.Options{Top: o.top, At: env.Now()}) },
			cli.HTML: func(w io.Writer) error { return writeHTML(w, env, r, o.Schema == "" && o.Table == "") },
		},
	}
}

// address is the name of the server that a report is about: where it was asked, or where its files are.
func address(r *space.Report) string {
	if r.Server != nil && r.Server.Address != "" {
		return r.Server.Address
	}
	return r.Datadir
}

func spaceCSV(r *space.Report) (heads []string, rows [][]string) {
	columns := columnsFor(r.By)
	for _, c := range columns {
		heads = append(heads, c.csv)
	}
	for i := range r.Items {
		row := make([]string, 0, len(columns))
		for _, c := range columns {
			row = append(row, c.raw(&r.Items[i]))
		}
		rows = append(rows, row)
	}
	return heads, rows
}

// verdict turns limits that were crossed, and files that could not be judged, into the exit code.
func verdict(failed bool, problems []error) error {
	err := cli.Verdict(failed, errors.Join(problems...))
	if typed, ok := errors.AsType[*cli.Error](err); ok && errors.Is(err, fs.ErrPermission) {
		typed.Hint = asOwner
	}
	return err
}

// asOwner is what to do about files that may not be read.
const asOwner = "run it as root, or as the account that the server runs as"

// collectError gives the error of a run that has no result its code.
func collectError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &cli.Error{Code: cli.CodeDenied, ID: "mysql.denied", Err: err, Hint: asOwner}
	}
	if _, none := errors.AsType[*mysqlspace.NoFolderError](err); none {
		return &cli.Error{Code: cli.CodeFailed, ID: "mysql.datadir", Err: err, Hint: "--datadir wants the folder with ibdata1, or a copy of it; the server's variable datadir names it"}
	}
	if errors.Is(err, mysqlspace.ErrOtherServer) {
		return &cli.Error{Code: cli.CodeFailed, ID: "mysql.datadir", Err: err, Hint: "name the data folder of the server that answers, or one of the two alone"}
	}
	return err
}
