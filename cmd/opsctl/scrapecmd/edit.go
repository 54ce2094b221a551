package scrapecmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/scrape"
)

// editOptions are the flags of the commands that change the file.
type editOptions struct {
	file     string
	promtool string
	dryRun   bool
	exitCode bool
	yes      bool
}

// edited is the document of kind ScrapeEdit.
type edited struct {
	File    string `json:"file"`
	Job     string `json:"job"`
	Changed bool   `json:"changed"` // the file differs from what was asked for, or differed
	Applied bool   `json:"applied"`
	// Promtool is what promtool says to the new file; unchecked without promtool and before it is applied.
	Promtool scrape.Verdict `json:"promtool"`
	Diff     string         `json:"diff"`
}

func addFile(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "file", scrape.DefaultFile, "the configuration `FILE` of Prometheus")
}

func (o *editOptions) flags(cmd *cobra.Command) {
	addFile(cmd, &o.file)
	f := cmd.Flags()
	f.StringVar(&o.promtool, "promtool", "", "let this `FILE` check the result (without: promtool in PATH, or the installed one)")
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "show the change and make none")
	f.BoolVar(&o.exitCode, "exit-code", false, "with --dry-run, exit 3 when there is something to change")
	f.BoolVarP(&o.yes, "yes", "y", false, "make the change without asking")
}

// run reads the file, edits the text, shows the change, asks, lets promtool judge it and writes it.
func (o *editOptions) run(ctx context.Context, env *cli.Env, job string, edit func(name string, data []byte) ([]byte, error)) error {
	if o.exitCode && !o.dryRun {
		return cli.Usagef("--exit-code goes with --dry-run")
	}
	before, err := scrape.Read(o.file)
	if err != nil {
		return explain("scrape.file", err)
	}
	after, err := edit(o.file, before)
	if err != nil {
		return explain("scrape.edit", err)
	}
	r := &edited{File: o.file, Job: job, Changed: !bytes.Equal(before, after), Promtool: scrape.Unchecked}
	if r.Changed {
		r.Diff = plan.Diff(o.file, before, after)
	}
	if r.Changed && !o.dryRun {
		if err := o.agree(env, r); err != nil {
			return err
		}
		if err := o.write(ctx, env, r, before, after); err != nil {
			return explain("scrape.edit", err)
		}
	}
	if err := render.Document(env, render.View{Kind: "ScrapeEdit", Body: r, Page: r.page, CSV: r.csv, Names: r.names}); err != nil {
		return err
	}
	if o.exitCode && r.Changed {
		return cli.Found()
	}
	return nil
}

// agree shows the change on stderr and asks, unless --yes was given: stdout is for the result.
func (o *editOptions) agree(env *cli.Env, r *edited) error {
	if o.yes {
		return nil
	}
	if env.InTerm && env.ErrTerm && !env.NoInput {
		for line := range strings.Lines(printable(r.Diff)) {
			if _, err := fmt.Fprintln(env.Err, render.Safe(strings.TrimSuffix(line, "\n"))); err != nil {
				return err
			}
		}
	}
	return env.Confirm("Change " + o.file + "?")
}

// write lets promtool judge the new text and puts it into the file's place.
func (o *editOptions) write(ctx context.Context, env *cli.Env, r *edited, before, after []byte) error {
	promtool := o.promtool
	if promtool == "" {
		promtool = scrape.FindPromtool()
	}
	if promtool != "" {
		verdict, err := scrape.CheckWith(ctx, promtool, o.file, after)
		if err != nil {
			return err
		}
		r.Promtool = verdict
	}
	switch {
	case env.Quiet:
	case r.Promtool == scrape.Unchecked:
		note(env, "promtool is not here: the result was not checked (--promtool FILE)")
	case r.Promtool == scrape.RefusedBefore:
		note(env, "promtool refuses the file as it did before this change: promtool check config "+o.file)
	}
	if err := scrape.Write(o.file, before, after); err != nil {
		return err
	}
	r.Applied = true
	return nil
}

// note tells something on stderr; who does not read it misses nothing of the result.
func note(env *cli.Env, text string) { _, _ = fmt.Fprintln(env.Err, "note: "+render.Safe(text)) }

// printable is a diff without what a terminal would make unreadable of it: tabs, and the CR before a line's end.
func printable(diff string) string {
	return strings.ReplaceAll(strings.ReplaceAll(diff, "\r\n", "\n"), "\t", "    ")
}

func (r *edited) page(p *render.Page) {
	if !r.Changed {
		p.Para("%s: nothing to do for job %s", r.File, r.Job)
		return
	}
	p.Text(printable(r.Diff))
}

func (r *edited) csv() ([]string, [][]string) {
	return []string{"file", "job", "changed", "applied", "promtool"},
		[][]string{{r.File, r.Job, strconv.FormatBool(r.Changed), strconv.FormatBool(r.Applied), string(r.Promtool)}}
}

// names is the file, when it changes.
func (r *edited) names() []string {
	if !r.Changed {
		return nil
	}
	return []string{r.File}
}

// explain gives the package's errors their exit codes and next steps. id is for those that have none of their own.
func explain(id string, err error) error {
	typed := &cli.Error{Code: cli.CodeFailed, ID: id, Err: err, Hint: "edit that place by hand; nothing was changed"}
	if fault, ok := errors.AsType[*scrape.Error](err); ok && fault.Hint != "" {
		typed.Hint = fault.Hint
	}
	switch {
	case errors.Is(err, scrape.ErrInvalid):
		typed.Code, typed.ID, typed.Hint = cli.CodeUsage, "usage", "opsctl scrape add --help shows what goes where"
	case errors.Is(err, fs.ErrPermission):
		typed.Code, typed.ID, typed.Hint = cli.CodeDenied, "scrape.denied", "run it as root, or as the owner of the file"
	case errors.Is(err, os.ErrNotExist):
		typed.ID, typed.Hint = "scrape.file", "--file names the configuration of Prometheus"
	case errors.Is(err, scrape.ErrRefused):
		typed.ID = "scrape.refused"
	case errors.Is(err, scrape.ErrDiscovery):
		typed.ID = "scrape.discovery"
	case errors.Is(err, scrape.ErrChanged):
		typed.ID = "scrape.changed"
	}
	return typed
}
