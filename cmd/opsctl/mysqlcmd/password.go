package mysqlcmd

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
)

// guardPasswords refuses -pSECRET, which mysql takes, in all commands below that have -p. It would be read as -p and then as
// other flags: -pSecret as -S ecret. The error repeats nothing of what was typed.
func guardPasswords(env *cli.Env, group *cobra.Command) {
	for _, cmd := range group.Commands() {
		guardPasswords(env, cmd)
	}
	if group.Flags().Lookup("password-file") == nil {
		return
	}
	args := group.Args
	group.Args = func(cmd *cobra.Command, list []string) error {
		if hasAttached(env.Args) {
			return attachedError()
		}
		return args(cmd, list)
	}
	group.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if hasAttached(env.Args) {
			return attachedError()
		}
		return cmd.Root().FlagErrorFunc()(cmd, err)
	})
}

func hasAttached(args []string) bool {
	for _, arg := range args {
		if arg == "--" {
			return false
		}
		if strings.HasPrefix(arg, "-p") && len(arg) > 2 || strings.HasPrefix(arg, "--password=") {
			return true
		}
	}
	return false
}

func attachedError() error {
	err := cli.Usagef("a password does not stand on the command line, where everybody can read it")
	err.Hint = "-p asks for it; --password-file, --password-stdin, OPSCTL_MYSQL_PASSWORD or [client] in ~/.my.cnf give it"
	return err
}
