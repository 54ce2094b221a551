package mysqlcmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// collect reads what the flags name.
func (s *source) collect(cmd *cobra.Command, env *cli.Env, collect collectFunc, o mysqlspace.Options) (*space.Report, error) {
	ctx := cmd.Context()
	o.Now = func() time.Time { return env.Now().UTC().Truncate(time.Second) }
	o.Datadir = s.datadir
	if s.asksServer(cmd) {
		if err := s.ask(ctx, env, &o); err != nil {
			return nil, err
		}
	}
	o.Progress = env.Progress("reading tables", cli.Items)
	defer o.Progress.Done()
	report, err := collect(ctx, o)
	if err != nil {
		return nil, collectError(err)
	}
	return report, nil
}
