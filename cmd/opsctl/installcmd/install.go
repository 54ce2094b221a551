// Package installcmd holds `opsctl install`.
package installcmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/plan"
)

// options are the flags, and what they are parsed into.
type options struct {
	component.Options
	requests  []component.Request
	archive   string
	sha256    string
	mirror    string
	bundle    string
	root      string
	systemd   int
	retention string
	set       []string
	secrets   []string
	scrape    string
	change    plancmd.Flags
}

// New builds the command.
func New(env *cli.Env) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "install COMPONENT[@VERSION]... [flags]",
		Short: "Install a program from its release archive, as a hardened service",
		Long: "Lays the release down under /opt/COMPONENT/VERSION, writes a hardened unit and\n" +
			"starts it; then it must answer, with metrics, and stay up, or everything is put\n" +
			"back as it was. It shows the plan first and asks. A second run changes nothing.\n" +
			"Without @VERSION an installed component stays at its version, and a new one takes\n" +
			"the pinned one; @latest asks the mirror, and passes over pre-releases. A Prometheus\n" +
			"that opsctl installed on this host is told of what is installed beside it.\n\n" + components(),
		Example: "  opsctl install node_exporter --archive node_exporter-1.12.1.linux-amd64.tar.gz --sha256 HEX\n" +
			"  opsctl install node_exporter --dry-run -o json\n" +
			"  opsctl install prometheus node_exporter@latest --mirror https://mirror.example.org --yes\n" +
			"  opsctl install prometheus --retention 90d --listen 127.0.0.1:9090 --arg=--web.enable-admin-api\n" +
			"  opsctl install mysqld_exporter --secret my.cnf=exporter.cnf --yes\n" +
			"  opsctl install prometheus --adopt --dry-run",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(cmd, env, args); err != nil {
				return plancmd.Explain(err)
			}
			return install(cmd.Context(), env, &o)
		},
	}
	o.flags(cmd.Flags())
	return cmd
}

func (o *options) flags(f *pflag.FlagSet) {
	f.StringVar(&o.archive, "archive", "", "take the release from `FILE` instead of fetching it")
	f.StringVar(&o.sha256, "sha256", "", "the archive's sum, in `HEX`")
	f.StringVar(&o.mirror, "mirror", DefaultMirror, "fetch from `URL`, laid out as GitHub's releases are")
	f.StringVar(&o.bundle, "bundle", "", "take the releases from the offline bundle `FILE`")
	f.StringVar(&o.Listen, "listen", "", "listen on `ADDRESS:PORT`")
	f.StringVar(&o.Data, "data-dir", "", "keep the data in `DIR` instead of /var/lib/COMPONENT")
	f.StringVar(&o.retention, "retention", "", "keep data for this `TIME`; the same as --set retention=TIME")
	f.StringArrayVar(&o.set, "set", nil, "set an option of the component, `NAME=VALUE` (repeatable)")
	f.StringArrayVar(&o.Args, "arg", nil, "give the program this `ARGUMENT` too (repeatable)")
	f.StringArrayVar(&o.secrets, "secret", nil, "hand the service the secret `NAME=FILE`; - is standard input (repeatable)")
	f.StringVar(&o.scrape, "scrape", "", "tell this host's Prometheus of it `HOW`: static, file or off")
	f.BoolVar(&o.Adopt, "adopt", false, "take over what somebody else installed, with its flags and its data")
	f.BoolVar(&o.Snapshot, "snapshot", false, "go back to a version that cannot read the data; they are copied first")
	f.DurationVar(&o.Wait, "wait", 10*time.Minute, "how long the service may take to be well, if it is getting on")
	f.DurationVar(&o.Settle, "settle", 2*time.Second, "how long it has to stay well")
	f.StringVar(&o.root, "root", "", "lay the files down below `DIR`, an image that does not run")
	f.IntVar(&o.systemd, "systemd-version", 0, "write the unit for systemd `N`; with --root, which cannot be asked")
	o.change.Add(f)
}

// components lists the catalogue for the help. A catalogue that cannot be read is an error of each run.
func components() string {
	catalogue, err := component.Shipped()
	if err != nil {
		return ""
	}
	var tried, untried []string
	for _, name := range catalogue.Names() {
		c, err := catalogue.Get(name)
		if err == nil && c.Tested != "" {
			tried = append(tried, name)
		} else {
			untried = append(untried, name)
		}
	}
	return plancmd.Wrap("Components: "+strings.Join(tried, ", ")+".", 80) + "\n" +
		plancmd.Wrap("Never tried with its program: "+strings.Join(untried, ", ")+".", 80)
}

func install(ctx context.Context, env *cli.Env, o *options) error {
	in, done, err := o.installer(ctx, env)
	if err != nil {
		return plancmd.Explain(err)
	}
	defer done()
	names := make([]string, len(o.requests))
	for i, r := range o.requests {
		names[i] = r.Name
	}
	return plancmd.Explain(o.change.Run(ctx, env, plancmd.Job{
		Kind: "InstallPlan", Components: names, Args: append([]string{"install"}, names...), In: in,
		Plan: func(ctx context.Context) (*plan.Plan, error) { return in.Plan(ctx, o.requests...) },
	}))
}

// installer connects to the host. The caller calls done.
func (o *options) installer(ctx context.Context, env *cli.Env) (in *component.Installer, done func(), err error) {
	done = func() {}
	if o.root == "" {
		in, done, err = component.Connect(ctx)
	} else if in, err = component.Image(o.root, o.systemd); err != nil {
		err = &cli.Error{Code: cli.CodeUsage, ID: "install.root", Err: err, Hint: "--root takes the folder that holds the image's etc and usr"}
	}
	if err != nil {
		return nil, nil, err
	}
	in.Unpack = o.unpack(env, in.Dir)
	return in, done, nil
}
