package registrycmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/reference"
)

// keepFlags name manifests that are kept without a tag.
type keepFlags struct {
	file    string
	running bool
}

func (k *keepFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&k.file, "keep-ref", "", "keep the images that `FILE` names by digest, a reference a line; - is standard input")
	f.BoolVar(&k.running, "keep-running", false, "keep the images of the Docker engine's containers, running or not")
}

// digests reads what the flags name; nil is nothing.
func (k *keepFlags) digests(ctx context.Context, env *cli.Env) (*digest.Set, error) {
	if k.file == "" && !k.running {
		return nil, nil
	}
	keep := &digest.Set{}
	if err := k.read(env, keep); err != nil {
		return nil, err
	}
	if !k.running {
		return keep, nil
	}
	err := withEngine(ctx, env, func(ctx context.Context, e *engine.Engine) error {
		used, err := e.UsedDigests(ctx)
		for _, name := range used {
			ref, bad := reference.Parse(name)
			if bad != nil {
				return bad
			}
			keep.Add(ref.Digest)
		}
		return err
	})
	return keep, err
}

func (k *keepFlags) read(env *cli.Env, keep *digest.Set) (err error) {
	if k.file == "" {
		return nil
	}
	in, name := env.In, "standard input"
	if k.file != "-" {
		f, err := os.Open(k.file)
		if err != nil {
			return fmt.Errorf("reading --keep-ref: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in, name = f, k.file
	}
	return readKept(in, name, keep)
}

// readKept reads references, a line each; empty lines and those that begin with # are none. A tag keeps its image by itself, so
// that only digests are taken down. A line that is no reference is an error: what it meant would be lost.
func readKept(in io.Reader, name string, keep *digest.Set) error {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if d, err := digest.Parse(text); err == nil {
			keep.Add(d)
			continue
		}
		ref, err := reference.Parse(strings.TrimPrefix(text, "docker-pullable://"))
		if err != nil {
			return cli.Usagef("--keep-ref: %s, line %d: %w", name, n, err)
		}
		keep.Add(ref.Digest)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading --keep-ref: %s: %w", name, err)
	}
	return nil
}
