package mysqlcmd

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// source are the flags that say where figures come from.
type source struct {
	datadir string
}

func (s *source) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.datadir, "datadir", "", "read the files of `DIR`, the server's data folder or a copy of it")
}

// collect reads what the flags name.
func (s *source) collect(ctx context.Context, env *cli.Env, collect collectFunc, o mysqlspace.Options) (*space.Report, error) {
	if s.datadir == "" {
		err := cli.Usagef("which server?")
		err.Hint = "name the server's data folder with --datadir"
		return nil, err
	}
	o.Datadir, o.Progress = s.datadir, env.Progress("reading tables", cli.Items)
	o.Now = func() time.Time { return env.Now().UTC().Truncate(time.Second) }
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
