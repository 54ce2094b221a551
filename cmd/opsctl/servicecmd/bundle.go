package servicecmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/installcmd"
	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/fetch"
)

type bundleOptions struct{ out, mirror, arch string }

func newBundle(env *cli.Env) *cobra.Command {
	var o bundleOptions
	cmd := &cobra.Command{
		Use:   "bundle COMPONENT[@VERSION]... --out FILE [flags]",
		Short: "Put releases into one file, for hosts without a network",
		Long: "Fetches each release, verifies it, and writes them with their sums into one file, which\n" +
			"opsctl install --bundle takes. The same releases give the same bytes.",
		Example: "  opsctl service bundle prometheus node_exporter --out monitoring.bundle\n" +
			"  opsctl service bundle node_exporter@1.12.1 --arch arm64 --out arm.bundle",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.out == "" {
				return cli.Usagef("--out FILE says where to")
			}
			items, err := o.bundle(cmd.Context(), env, args)
			if err != nil {
				return plancmd.Explain(err)
			}
			return render.List(env, "BundleItemList", bundleColumns(), func(i fetch.BundleItem) string { return i.Name + "@" + i.Version }, items)
		},
	}
	cmd.Flags().StringVar(&o.out, "out", "", "write to `FILE`, which must not be there")
	cmd.Flags().StringVar(&o.mirror, "mirror", installcmd.DefaultMirror, "fetch from `URL`, laid out as GitHub's releases are")
	cmd.Flags().StringVar(&o.arch, "arch", "amd64", "for machines of `ARCHITECTURE`")
	return cmd
}

// bundle fetches what args name and writes the file: whole, or not at all.
func (o *bundleOptions) bundle(ctx context.Context, env *cli.Env, args []string) (items []fetch.BundleItem, err error) {
	assets, err := o.assets(args)
	if err != nil {
		return nil, err
	}
	rep := env.Progress("fetching", cli.Bytes)
	defer rep.Done()
	mirror, err := fetch.NewMirror(o.mirror, fetch.Options{UserAgent: "opsctl/" + env.Version, Progress: rep})
	if err != nil {
		return nil, cli.Usagef("--mirror: %w", err)
	}
	if _, err := os.Lstat(o.out); !errors.Is(err, fs.ErrNotExist) {
		return nil, cli.Usagef("--out %s: %w", o.out, fs.ErrExist)
	}
	work, err := os.MkdirTemp(filepath.Dir(o.out), ".bundle-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	files := []fetch.BundleFile{}
	for _, asset := range assets {
		file, err := mirror.Get(ctx, asset, work)
		if err != nil {
			return nil, err
		}
		files = append(files, fetch.BundleFile{Asset: asset, File: file})
	}
	whole := filepath.Join(work, "bundle")
	if err := writeBundle(ctx, whole, files); err != nil {
		return nil, err
	}
	read, err := fetch.OpenBundle(whole, nil)
	if err != nil {
		return nil, err
	}
	return read.Items(), os.Rename(whole, o.out)
}

func (o *bundleOptions) assets(args []string) ([]fetch.Asset, error) {
	catalogue, err := component.Shipped()
	if err != nil {
		return nil, err
	}
	assets := []fetch.Asset{}
	for _, arg := range args {
		name, version, given := strings.Cut(arg, "@")
		c, err := catalogue.Get(name)
		if err != nil {
			return nil, err
		}
		if !given {
			version = c.Version
		}
		if version, err = component.ParseVersion(version); err != nil {
			return nil, cli.Usagef("%s: %w", arg, err)
		}
		assets = append(assets, c.Asset(version, o.arch))
	}
	return assets, nil
}

func writeBundle(ctx context.Context, path string, files []fetch.BundleFile) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := fetch.WriteBundle(ctx, f, files); err != nil {
		return err
	}
	return f.Sync()
}

func bundleColumns() []render.Column[fetch.BundleItem] {
	return []render.Column[fetch.BundleItem]{
		{Head: "COMPONENT", Value: func(i fetch.BundleItem) string { return i.Name }},
		{Head: "VERSION", Value: func(i fetch.BundleItem) string { return i.Version }},
		{Head: "ARCH", Value: func(i fetch.BundleItem) string { return i.Arch }},
		{
			Head: "SIZE", Right: true,
			Value: func(i fetch.BundleItem) string { return render.Bytes(i.Bytes) },
			Raw:   func(i fetch.BundleItem) string { return strconv.FormatInt(i.Bytes, 10) },
		},
		{Head: "SHA256", Value: func(i fetch.BundleItem) string { return i.SHA256 }},
		{Head: "ORIGIN", Wide: true, Value: func(i fetch.BundleItem) string { return i.Origin }},
	}
}
