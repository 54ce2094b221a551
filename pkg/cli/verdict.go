package cli

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// NotEmpty refuses a flag with an empty value: in a script it is a variable that was not set, and must not mean all of
// something, or no check.
func NotEmpty(cmd *cobra.Command) error {
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
			err = Usagef("--%s must not be empty", f.Name)
		}
	})
	return err
}

// Verdict is the error of a run whose result was rendered: a check that failed, with what could not be done beside it, or the
// latter alone; nil for neither.
func Verdict(failed bool, err error) error {
	switch {
	case failed:
		found := Found()
		found.Err = err
		return found
	case err != nil:
		return Partial(err)
	}
	return nil
}
