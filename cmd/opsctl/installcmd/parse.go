package installcmd

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/fetch"
)

// parse checks the flags against each other and makes a request of each argument.
func (o *options) parse(cmd *cobra.Command, env *cli.Env, args []string) error {
	if err := o.check(); err != nil {
		return err
	}
	if len(args) > 1 {
		for _, flag := range []string{"archive", "listen", "data-dir", "retention", "set", "arg", "secret"} {
			if cmd.Flags().Changed(flag) {
				return cli.Usagef("--%s goes with one component, and %d are named", flag, len(args))
			}
		}
	}
	if err := o.values(env); err != nil {
		return err
	}
	catalogue, err := component.Shipped()
	if err != nil {
		return err
	}
	for _, arg := range args {
		r := component.Request{Options: o.Options}
		name, version, given := strings.Cut(arg, "@")
		r.Name = name
		c, err := catalogue.Get(name)
		if err != nil {
			return err
		}
		if given {
			if r.Version, err = o.version(cmd.Context(), env, c, version); err != nil {
				return err
			}
		}
		o.requests = append(o.requests, r)
	}
	return nil
}

// check refuses combinations that mean nothing.
func (o *options) check() error {
	switch {
	case (o.archive == "") != (o.sha256 == ""):
		return cli.Usagef("--archive and --sha256 go together")
	case o.archive != "" && o.bundle != "":
		return cli.Usagef("--archive and --bundle exclude each other")
	case o.root == "" && o.systemd != 0:
		return cli.Usagef("--systemd-version goes with --root: a running systemd is asked")
	case o.root != "" && o.systemd == 0:
		return cli.Usagef("--root needs --systemd-version: the unit depends on it")
	case o.root != "" && o.Adopt:
		return cli.Usagef("--adopt looks at what runs, and an image does not")
	case o.Wait <= 0 || o.Settle < 0:
		return cli.Usagef("--wait must be more than 0 and --settle not less")
	}
	return o.change.Check()
}

// version takes VERSION or latest.
func (o *options) version(ctx context.Context, env *cli.Env, c *component.Component, text string) (string, error) {
	if text != "latest" {
		v, err := component.ParseVersion(text)
		if err != nil {
			return "", cli.Usagef("%s@%s: %w", c.Name, text, err)
		}
		return v, nil
	}
	if o.archive != "" || o.bundle != "" {
		return "", cli.Usagef("@latest is asked of a mirror: name the version of a file")
	}
	mirror, err := fetch.NewMirror(o.mirror, fetch.Options{UserAgent: "opsctl/" + env.Version})
	if err != nil {
		return "", cli.Usagef("--mirror: %w", err)
	}
	owner, repo, _ := strings.Cut(c.Repository, "/")
	return mirror.Latest(ctx, owner, repo)
}

// maxSecret bounds a secret, in bytes: systemd takes credentials of 1 MiB in all (systemd.exec(5)).
const maxSecret = 1 << 20

// values takes what --set, --retention, --scrape and --secret say.
func (o *options) values(env *cli.Env) error {
	o.Set = map[string]string{}
	for _, text := range o.set {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return cli.Usagef("--set %s: NAME=VALUE", text)
		}
		o.Set[name] = value
	}
	if _, set := o.Set["retention"]; set && o.retention != "" {
		return cli.Usagef("--retention and --set retention= say the same")
	}
	if o.retention != "" {
		o.Set["retention"] = o.retention
	}
	switch o.scrape {
	case "":
	case "static":
		o.Scrape = new(component.ScrapeStatic)
	case component.ScrapeFile, component.ScrapeOff:
		o.Scrape = &o.scrape
	default:
		return cli.Usagef("--scrape %s: static, file or off", o.scrape)
	}
	o.Secrets = map[string][]byte{}
	for _, text := range o.secrets {
		name, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return cli.Usagef("--secret takes NAME=FILE")
		}
		data, err := readSecret(env, file)
		if err != nil {
			return &cli.Error{Code: cli.CodeUsage, ID: "install.secret", Err: err, Hint: "--secret NAME=FILE takes a file with the secret in it, or - for standard input"}
		}
		o.Secrets[name] = data
	}
	return nil
}

func readSecret(env *cli.Env, file string) (_ []byte, err error) {
	r := env.In
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(data) == 0 || len(data) > maxSecret {
		return nil, errors.New("a secret has 1 byte to 1 MiB")
	}
	return data, nil
}
