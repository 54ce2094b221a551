package installcmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/fetch"
	"github.com/opsctl/opsctl/pkg/progress"
)

// DefaultMirror is where the releases of the catalogue's projects are.
const DefaultMirror = "https://github.com"

// source is where releases come from: a file, a bundle, or the mirror.
func (o *options) source(env *cli.Env, rep progress.Reporter) (fetch.Source, error) {
	switch {
	case o.archive != "":
		return &fetch.Archive{Path: o.archive, SHA256: o.sha256, Progress: rep}, nil
	case o.bundle != "":
		return fetch.OpenBundle(o.bundle, rep)
	}
	return fetch.NewMirror(o.mirror, fetch.Options{UserAgent: "opsctl/" + env.Version, Progress: rep})
}

// unpack gets a release, verified, and unpacks it into a folder.
func (o *options) unpack(env *cli.Env, root string) func(context.Context, *component.Component, string, string) error {
	return func(ctx context.Context, c *component.Component, version, dir string) (err error) {
		rep := env.Progress("fetching", cli.Bytes)
		defer rep.Done()
		source, err := o.source(env, rep)
		if err != nil {
			return err
		}
		downloads := filepath.Join(root, component.StateDir, "downloads")
		if _, err := atomicfile.Mkdir(downloads, 0o700); err != nil {
			return err
		}
		file, err := source.Get(ctx, c.Asset(version, runtime.GOARCH), downloads)
		if err != nil {
			return err
		}
		// The release is what stays.
		defer func() { err = errors.Join(err, atomicfile.Remove(file.Path)) }()
		into, err := os.OpenRoot(dir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, into.Close()) }()
		return fetch.Unpack(ctx, file.Path, into, fetch.Limits{}, nil)
	}
}
