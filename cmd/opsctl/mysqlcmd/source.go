package mysqlcmd

import (
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// notEmpty refuses a flag with an empty value: in a script it is a variable that was not set, and must not mean all tables, or
// no check.
func notEmpty(cmd *cobra.Command) error {
	var err error
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if err == nil && slices.Contains(values, "") {
			err = cli.Usagef("--%s must not be empty", f.Name)
		}
	})
	return err
}
