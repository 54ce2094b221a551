package mysqlcmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
	"github.com/opsctl/opsctl/pkg/mysqlconn/optionfile"
	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
)

// source are the flags that say where figures come from: a server, the files of one, or both.
type source struct {
	mysqlconn.Options
	datadir string
	noFiles bool
	limit   time.Duration
}

func (s *source) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.datadir, "datadir", "", "read the files of `DIR`, the server's data folder or a copy of it")
	f.BoolVar(&s.noFiles, "no-files", false, "ask the server alone, also where its files can be read")
	f.Bool("help", false, "show this help") // its -h is the host's, as users of mysql know it
	f.StringVarP(&s.Host, "host", "h", "", "connect to `HOST`; localhost is the socket")
	f.IntVarP(&s.Port, "port", "P", 0, "connect to `PORT` (default 3306)")
	f.StringVarP(&s.Socket, "socket", "S", "", "connect to the socket `FILE`")
	f.StringVarP(&s.User, "user", "u", "", "log in as `NAME`")
	f.BoolVarP(&s.AskPassword, "password", "p", false, "ask for the password")
	f.StringVar(&s.PasswordFile, "password-file", "", "take the password from the first line of `FILE`")
	f.BoolVar(&s.PasswordStdin, "password-stdin", false, "take the password from standard input")
	f.StringVar(&s.Protocol, "protocol", "", "connect by `WAY`: tcp, socket")
	f.StringVar(&s.DefaultsFile, "defaults-file", "", "read options from `FILE` alone")
	f.StringVar(&s.DefaultsExtraFile, "defaults-extra-file", "", "read options from `FILE` as well")
	f.StringVar(&s.DefaultsGroupSuffix, "defaults-group-suffix", "", "also read groups that end in `TEXT`, such as [client_a]")
	f.BoolVar(&s.NoDefaults, "no-defaults", false, "read no option files")
	f.StringVar(&s.LoginPath, "login-path", "", "take the login `NAME` of mysql_config_editor")
	f.StringVar(&s.SSLMode, "ssl-mode", "", "use TLS as `MODE` says: "+strings.ToLower(strings.Join(mysqlconn.Modes(), ", ")))
	f.StringVar(&s.SSLCA, "ssl-ca", "", "trust the certificates of `FILE`")
	f.StringVar(&s.SSH, "ssh", "", "reach the server through `[USER@]HOST[:PORT]`")
	f.DurationVar(&s.limit, "statement-limit", time.Minute, "let no statement run longer than `DURATION` on the server")
}

// asksServer says whether a server is to be asked: not where only files are named.
func (s *source) asksServer(cmd *cobra.Command) bool {
	if s.datadir == "" {
		return true
	}
	for _, name := range []string{"host", "port", "socket", "user", "password", "password-file", "password-stdin", "defaults-file", "defaults-extra-file", "defaults-group-suffix", "login-path", "ssh", "protocol"} {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}

// ask adds what the server says to the options: also where its files are, when they can be read here.
func (s *source) ask(ctx context.Context, env *cli.Env, o *mysqlspace.Options) (err error) {
	s.Limit = s.limit
	if s.AskPassword && s.PasswordFile != "" {
		return cli.Usagef("-p and --password-file do not go together")
	}
	config, err := mysqlconn.Resolve(ctx, s.Options, connectEnv(env))
	if err != nil {
		return connectError(err)
	}
	session, err := config.Open(ctx)
	if err != nil {
		return connectError(err)
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	o.Address = config.Address()
	_, increments := o.Thresholds[mysqlspace.AutoIncrement]
	if o.Snapshot, err = live.Collect(ctx, session, live.Options{Match: o.Matches, Now: o.Now, Files: s.readsFiles(config), Increments: increments}); err != nil {
		return connectError(err)
	}
	if dir := o.Snapshot.Variables["datadir"]; s.datadir == "" && s.readsFiles(config)(dir) {
		o.Datadir = filepath.Clean(dir)
	}
	if o.Datadir != "" {
		o.Elsewhere = mysqlspace.Places(o.Snapshot, o.Datadir)
	}
	return nil
}

// readsFiles says whether files are read beside the server: those that are named, or its own where it runs here.
func (s *source) readsFiles(config *mysqlconn.Config) func(datadir string) bool {
	return func(dir string) bool {
		return s.datadir != "" || !s.noFiles && config.Socket != "" && config.SSH == "" && isDatadir(dir)
	}
}

func connectEnv(env *cli.Env) mysqlconn.Env {
	return mysqlconn.Env{
		Getenv: env.Getenv, Home: env.Getenv("HOME"), In: env.In, Ask: env.AskSecret, Warn: func(text string) { env.Log.Warn(text) },
	}
}

// isDatadir says whether a folder that a server named can be read here, and is one.
func isDatadir(dir string) bool {
	if dir == "" {
		return false
	}
	f, err := os.Open(filepath.Join(dir, "ibdata1"))
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// connectError gives the error of a connection its code and its next step.
func connectError(err error) error {
	e := &cli.Error{Code: cli.CodeFailed, ID: "mysql.connection", Err: err}
	var usage *mysqlconn.UsageError
	var syntax *optionfile.SyntaxError
	switch {
	case errors.As(err, &usage), errors.As(err, &syntax):
		return cli.Usagef("%w", err)
	case errors.Is(err, mysqlconn.ErrDenied):
		e.Code, e.ID = cli.CodeDenied, "mysql.denied"
		e.Hint = "name the user and the password: -u NAME -p, --login-path, or [client] in ~/.my.cnf"
	case errors.Is(err, mysqlconn.ErrPrivilege):
		e.Code, e.ID = cli.CodeDenied, "mysql.denied"
	case errors.Is(err, mysqlconn.ErrHostKey):
		e.Hint = "ssh-keyscan shows the key; compare it with the host's before it goes into known_hosts"
	case errors.Is(err, mysqlconn.ErrNoTLS):
		e.Hint = "--ssl-mode preferred goes on without TLS"
	case errors.Is(err, mysqlconn.ErrLimit):
		e.Hint = "--statement-limit allows more, --datadir asks no server"
	case errors.Is(err, mysqlconn.ErrUnreachable):
		e.Hint = "-S names the socket, -h and -P the address; --datadir reads the files of a server that does not run"
	default:
		var own *cli.Error
		if errors.As(err, &own) || errors.Is(err, context.Canceled) {
			return err
		}
	}
	return e
}
