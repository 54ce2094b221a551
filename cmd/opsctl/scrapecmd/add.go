package scrapecmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/scrape"
)

func newAdd(env *cli.Env) *cobra.Command {
	var (
		o      editOptions
		job    scrape.Job
		labels []string
	)
	cmd := &cobra.Command{
		Use:   "add JOB TARGET... [flags]",
		Short: "Add a scrape job, or targets to one, without touching another byte",
		Long: "Makes the job when there is none, else adds the targets to the first group of it\n" +
			"with the same labels, or to a new group. What is there already stays as it is.\n" +
			"TARGET is HOST:PORT. The change is shown and asked about; promtool must accept\n" +
			"it if it accepted the file. Prometheus reads the file at its next reload.",
		Example: "  opsctl scrape add node web01:9100 web02:9100\n" +
			"  opsctl scrape add node web03:9100 --label env=prod --label rack=b2 --dry-run\n" +
			"  opsctl scrape add pushgateway localhost:9091 --honor-labels --yes",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			job.Name, job.Targets = args[0], args[1:]
			if len(job.Targets) == 0 && len(job.FileSD) == 0 {
				return cli.Usagef("scrape add: name a TARGET such as web01:9100, or --file-sd")
			}
			pairs, err := parseLabels(labels)
			if err != nil {
				return err
			}
			job.Labels = pairs
			return o.run(cmd.Context(), env, job.Name, func(name string, data []byte) ([]byte, error) {
				return scrape.Add(name, data, job)
			})
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&labels, "label", nil, "put the label `NAME=VALUE` onto the targets (repeatable)")
	f.StringVar(&job.MetricsPath, "metrics-path", "", "scrape this `PATH` of the targets instead of /metrics")
	f.StringVar(&job.Scheme, "scheme", "", "`http` or https")
	f.BoolVar(&job.HonorLabels, "honor-labels", false, "keep the labels that the targets send, as for a Pushgateway")
	f.StringArrayVar(&job.FileSD, "file-sd", nil, "find targets in the files of this `PATTERN` (repeatable; new jobs only)")
	return cmd
}

// parseLabels reads NAME=VALUE; a name that comes twice with other values is an error.
func parseLabels(pairs []string) (map[string]string, error) {
	labels := map[string]string{}
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return nil, cli.Usagef("--label %q is not NAME=VALUE", pair)
		}
		if have, twice := labels[name]; twice && have != value {
			return nil, cli.Usagef("--label %s: %w", name, fmt.Errorf("both %q and %q", have, value))
		}
		labels[name] = value
	}
	return labels, nil
}
