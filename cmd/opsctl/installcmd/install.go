// Package installcmd holds `opsctl install`.
package installcmd

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/systemd/manager"
	"github.com/opsctl/opsctl/templates"
)

// options are the flags, and what they are parsed into.
type options struct {
	component.Options
	name     string
	archive  string
	sha256   string
	mirror   string
	bundle   string
	root     string
	systemd  int
	dryRun   bool
	yes      bool
	exitCode bool
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
	f.StringVar(&o.mirror, "mirror", defaultMirror, "fetch from `URL`, laid out as GitHub's releases are")
	f.StringVar(&o.bundle, "bundle", "", "take the release from the offline bundle `FILE`")
	f.StringVar(&o.Listen, "listen", "", "listen on `ADDRESS:PORT`")
	f.StringArrayVar(&o.Args, "arg", nil, "give the program this `ARGUMENT` too (repeatable)")
	f.DurationVar(&o.Wait, "wait", time.Minute, "how long the service may take to be well")
	f.DurationVar(&o.Settle, "settle", 2*time.Second, "how long it has to stay well")
	f.StringVar(&o.root, "root", "", "lay the files down below `DIR`, an image that does not run")
	f.IntVar(&o.systemd, "systemd-version", 0, "write the unit for systemd `N`; with --root, which cannot be asked")
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "show the plan and change nothing")
	f.BoolVar(&o.exitCode, "exit-code", false, "with --dry-run: exit 3 when something would change")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

// names lists the catalogue, for the help. A catalogue that cannot be read is an error of each run.
func names() []string {
	catalogue, err := component.Load(templates.Components, "components")
	if err != nil {
		return nil
	}
	return catalogue.Names()
}

const defaultMirror = "https://github.com"

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
	case o.exitCode && !o.dryRun:
		return cli.Usagef("--exit-code goes with --dry-run")
	case o.dryRun && o.yes:
		return cli.Usagef("--dry-run and --yes exclude each other")
	case o.root == "" && o.systemd != 0:
		return cli.Usagef("--systemd-version goes with --root: a running systemd is asked")
	case o.root != "" && o.systemd == 0:
		return cli.Usagef("--root needs --systemd-version: the unit depends on it")
	case o.Wait <= 0 || o.Settle < 0:
		return cli.Usagef("--wait must be more than 0 and --settle not less")
	}
	return nil
}

// installer connects to the host. The caller calls done.
func (o *options) installer(ctx context.Context, env *cli.Env) (in *component.Installer, done func(), err error) {
	catalogue, err := component.Load(templates.Components, "components")
	if err != nil {
		return nil, nil, err
	}
	if _, err := catalogue.Get(o.name); err != nil {
		return nil, nil, err
	}
	in = &component.Installer{Catalogue: catalogue, Client: plainClient(), Unpack: o.unpack(env)}
	if o.root != "" {
		h, err := host.Root(o.root)
		if err != nil {
			return nil, nil, &cli.Error{Code: cli.CodeUsage, ID: "install.root", Err: err, Hint: "--root takes the folder that holds the image's etc and usr"}
		}
		if o.root, err = filepath.Abs(o.root); err != nil { // useradd(8) takes no other
			return nil, nil, err
		}
		in.Host, in.Dir, in.Systemd = h, o.root, o.systemd
		return in, func() {}, nil
	}
	m, err := manager.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	in.Host, in.Dir, in.Manager = host.Local(), "/", m
	if in.Systemd, err = m.Version(); err != nil {
		m.Close()
		return nil, nil, err
	}
	return in, m.Close, nil
}

// explain gives an error its code and the next step.
func explain(err error) error {
	switch {
	case errors.Is(err, manager.ErrNone):
		return &cli.Error{Code: cli.CodeFailed, ID: "install.systemd", Err: err, Hint: "lay the files down in an image with --root DIR --systemd-version N"}
	case errors.Is(err, component.ErrUnknown), errors.Is(err, component.ErrSetting), errors.Is(err, component.ErrVersion):
		return &cli.Error{Code: cli.CodeUsage, ID: "usage", Err: err}
	case errors.Is(err, component.ErrForeign):
		return &cli.Error{Code: cli.CodeDeclined, ID: "install.foreign", Err: err, Hint: "move it out of the way first, or leave it in charge"}
	}
	return err
}
