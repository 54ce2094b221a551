// Package installcmd holds `opsctl install`.
package installcmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/plan"
)

// options are the flags, and what they are parsed into.
type options struct {
	component.Options
	name    string
	archive string
	sha256  string
	mirror  string
	bundle  string
	root    string
	systemd int
	change  plancmd.Flags
}

// New builds the command.
func New(env *cli.Env) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "install COMPONENT[@VERSION] [flags]",
		Short: "Install a program from its release archive, as a hardened service",
		Long: "Lays the release down under /opt/COMPONENT/VERSION, writes a hardened unit and\n" +
			"starts it; then it must answer, with metrics, and stay up, or everything is put\n" +
			"back as it was. It shows the plan first and asks. A second run changes nothing.\n" +
			"Without @VERSION an installed component stays at its version.\n\n" +
			"Components: " + strings.Join(names(), ", ") + ".",
		Example: "  opsctl install node_exporter --archive node_exporter-1.12.1.linux-amd64.tar.gz --sha256 HEX\n" +
			"  opsctl install node_exporter --dry-run -o json\n" +
			"  opsctl install node_exporter@1.12.1 --listen 127.0.0.1:9100 --arg=--collector.systemd --yes",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(args[0]); err != nil {
				return err
			}
			return install(cmd.Context(), env, &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.archive, "archive", "", "take the release from `FILE` instead of fetching it")
	f.StringVar(&o.sha256, "sha256", "", "the archive's sum, in `HEX`")
	f.StringVar(&o.mirror, "mirror", DefaultMirror, "fetch from `URL`, laid out as GitHub's releases are")
	f.StringVar(&o.bundle, "bundle", "", "take the release from the offline bundle `FILE`")
	f.StringVar(&o.Listen, "listen", "", "listen on `ADDRESS:PORT`")
	f.StringArrayVar(&o.Args, "arg", nil, "give the program this `ARGUMENT` too (repeatable)")
	f.DurationVar(&o.Wait, "wait", time.Minute, "how long the service may take to be well")
	f.DurationVar(&o.Settle, "settle", 2*time.Second, "how long it has to stay well")
	f.StringVar(&o.root, "root", "", "lay the files down below `DIR`, an image that does not run")
	f.IntVar(&o.systemd, "systemd-version", 0, "write the unit for systemd `N`; with --root, which cannot be asked")
	o.change.Add(f)
	return cmd
}

// names lists the catalogue, for the help. A catalogue that cannot be read is an error of each run.
func names() []string {
	catalogue, err := component.Shipped()
	if err != nil {
		return nil
	}
	return catalogue.Names()
}

// parse takes COMPONENT[@VERSION], and checks the flags against each other.
func (o *options) parse(arg string) error {
	name, version, given := strings.Cut(arg, "@")
	o.name = name
	if given {
		v, err := component.ParseVersion(version)
		if err != nil {
			return cli.Usagef("%s: %w", arg, err)
		}
		o.Version = v
	}
	switch {
	case (o.archive == "") != (o.sha256 == ""):
		return cli.Usagef("--archive and --sha256 go together")
	case o.archive != "" && o.bundle != "":
		return cli.Usagef("--archive and --bundle exclude each other")
	case o.root == "" && o.systemd != 0:
		return cli.Usagef("--systemd-version goes with --root: a running systemd is asked")
	case o.root != "" && o.systemd == 0:
		return cli.Usagef("--root needs --systemd-version: the unit depends on it")
	case o.Wait <= 0 || o.Settle < 0:
		return cli.Usagef("--wait must be more than 0 and --settle not less")
	}
	return o.change.Check()
}

func install(ctx context.Context, env *cli.Env, o *options) error {
	in, done, err := o.installer(ctx, env)
	if err != nil {
		return plancmd.Explain(err)
	}
	defer done()
	return plancmd.Explain(o.change.Run(ctx, env, plancmd.Job{
		Kind: "InstallPlan", Component: o.name, Args: []string{"install", o.name}, In: in,
		Plan: func(ctx context.Context) (*plan.Plan, error) { return in.Plan(ctx, o.name, o.Options) },
	}))
}

// installer connects to the host. The caller calls done.
func (o *options) installer(ctx context.Context, env *cli.Env) (in *component.Installer, done func(), err error) {
	catalogue, err := component.Shipped()
	if err != nil {
		return nil, nil, err
	}
	if _, err := catalogue.Get(o.name); err != nil {
		return nil, nil, err
	}
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
