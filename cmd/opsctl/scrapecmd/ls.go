package scrapecmd

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/scrape"
)

func newLs(env *cli.Env) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "ls [flags]",
		Short: "List the scrape jobs with their targets and the lines they stand in",
		Long: "Lists the jobs under scrape_configs as Prometheus reads them, aliases and merge\n" +
			"keys resolved. Jobs in scrape_config_files are not read.",
		Example: "  opsctl scrape ls\n" +
			"  opsctl scrape ls --file prometheus.yml -o json | jq -r '.items[].groups[].targets[]'",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			data, err := scrape.Read(file)
			if err != nil {
				return explain("scrape.file", err)
			}
			jobs, err := scrape.Jobs(file, data)
			if err != nil {
				return explain("scrape.file", err)
			}
			return render.List(env, "ScrapeJobList", columns(), func(j scrape.Listed) string { return j.Name }, jobs)
		},
	}
	addFile(cmd, &file)
	return cmd
}

func columns() []render.Column[scrape.Listed] {
	return []render.Column[scrape.Listed]{
		{Head: "JOB", Value: func(j scrape.Listed) string { return j.Name }},
		{Head: "TARGETS", Value: targets},
		{Head: "LABELS", Value: labels},
		{Head: "DISCOVERY", Value: func(j scrape.Listed) string { return strings.Join(j.Discovery, " ") }},
		{Head: "PATH", Value: func(j scrape.Listed) string { return j.Path }},
		{Head: "SCHEME", Wide: true, Value: func(j scrape.Listed) string { return j.Scheme }},
		{Head: "HONOR LABELS", Wide: true, Value: func(j scrape.Listed) string { return strconv.FormatBool(j.HonorLabels) }},
		{Head: "FILE:LINE", Value: func(j scrape.Listed) string { return j.File + ":" + strconv.Itoa(j.Line) }},
	}
}

func targets(j scrape.Listed) string {
	var all []string
	for _, g := range j.Groups {
		all = append(all, g.Targets...)
	}
	return strings.Join(all, " ")
}

// labels are those of all groups, the groups apart.
func labels(j scrape.Listed) string {
	var groups []string
	for _, g := range j.Groups {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(g.Labels)) {
			pairs = append(pairs, name+"="+g.Labels[name])
		}
		if len(pairs) > 0 {
			groups = append(groups, strings.Join(pairs, ","))
		}
	}
	return strings.Join(groups, " ")
}
