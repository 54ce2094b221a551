package registrycmd

import (
	"context"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/registry/deploy"
)

// upOptions are the flags of up.
type upOptions struct {
	deploy.Options
	listen, uiListen string
	change           plancmd.Flags
}

func newUp(env *cli.Env) *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up [flags]",
		Short: "Run a registry in the Docker engine, or make the one that runs as the flags say",
		Long: "Makes a volume and a container that may delete and that comes back after a restart, and\n" +
			"waits until the registry answers; with --ui a user interface beside it. A container that\n" +
			"differs from the flags is made anew, and its data stay; when the new one does not come\n" +
			"up, the former runs again. One that opsctl did not make is left alone. Files are copied\n" +
			"into the container: run it again when they change. It shows the plan first and asks. A\n" +
			"second run changes nothing. The engine is that of DOCKER_HOST, DOCKER_CONTEXT or the\n" +
			"current context.",
		Example: "  opsctl registry up --dry-run\n" +
			"  opsctl registry up --ui --yes\n" +
			"  opsctl registry up --listen 0.0.0.0:5000 --htpasswd users --tls-cert cert.pem --tls-key key.pem\n" +
			"  opsctl registry up --name cache --dir /srv/cache --listen 127.0.0.1:5002 --dry-run --exit-code",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.parse(); err != nil {
				return explainEngine(err)
			}
			return withEngine(cmd.Context(), env, func(ctx context.Context, e *engine.Engine) error { return up(ctx, env, e, &o) })
		},
	}
	o.flags(cmd.Flags())
	return cmd
}

func (o *upOptions) flags(f *pflag.FlagSet) {
	addName(f, &o.Name)
	f.StringVar(&o.Volume, "volume", "", "keep the data in volume `NAME` (without: that of the container's name)")
	f.StringVar(&o.Dir, "dir", "", "keep the data in the folder `PATH` of the engine's machine instead")
	f.StringVar(&o.Image, "image", "registry:2", "the registry's `IMAGE`")
	f.StringVar(&o.listen, "listen", "127.0.0.1:5000", "listen on `ADDRESS:PORT`")
	f.StringVar(&o.Htpasswd, "htpasswd", "", "let in only the users of `FILE`, made by htpasswd -B")
	f.StringVar(&o.TLSCert, "tls-cert", "", "the certificate `FILE`, with those of the authorities between")
	f.StringVar(&o.TLSKey, "tls-key", "", "the certificate's private key `FILE`")
	f.BoolVar(&o.UI, "ui", false, "run a user interface beside it")
	f.StringVar(&o.uiListen, "ui-listen", "127.0.0.1:5080", "the user interface's `ADDRESS:PORT`")
	f.StringVar(&o.UIImage, "ui-image", "joxit/docker-registry-ui:2", "the user interface's `IMAGE`")
	f.BoolVar(&o.Insecure, "insecure", false, "listen where others reach it, though without TLS or users")
	o.change.Add(f)
}

// addName defines the flag that says which registry of the engine is meant.
func addName(f *pflag.FlagSet, name *string) {
	f.StringVar(name, "name", "registry", "the container's `NAME`")
}

func (o *upOptions) parse() error {
	if err := o.change.Check(); err != nil {
		return err
	}
	for flag, to := range map[string]*netip.AddrPort{"--listen": &o.Listen, "--ui-listen": &o.UIListen} {
		text := o.listen
		if flag == "--ui-listen" {
			text = o.uiListen
		}
		address, err := parseListen(text)
		if err != nil {
			return cli.Usagef("%s %s: an IP address and a port, such as 127.0.0.1:5000", flag, text)
		}
		*to = address
	}
	return o.Check()
}

// parseListen takes also ":5000", for all addresses, and "localhost:5000".
func parseListen(text string) (netip.AddrPort, error) {
	switch host, port, _ := strings.Cut(text, ":"); host {
	case "":
		text = "0.0.0.0:" + port
	case "localhost":
		text = "127.0.0.1:" + port
	}
	return netip.ParseAddrPort(text)
}

func up(ctx context.Context, env *cli.Env, e *engine.Engine, o *upOptions) error {
	d := &deploy.Deployer{Engine: e, Options: o.Options, Pulling: func(image string) progress.Reporter {
		return env.Progress("pulling "+image, cli.Bytes)
	}}
	return o.change.Run(ctx, env, plancmd.Job{
		Kind: "RegistryUpPlan", Components: []string{o.Name}, In: plancmd.Direct{}, Quiet: true,
		Plan: func(ctx context.Context) (*plan.Plan, error) { return d.Up(ctx) },
	})
}
