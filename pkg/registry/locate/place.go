package locate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"

	"github.com/opsctl/opsctl/pkg/engine"
)

// place finds the root, what it lies on, and whether that is to be reached from here.
func (r *Registry) place(ctx context.Context, e inspector, found *container.InspectResponse) error {
	r.Root = clean(found.Config.WorkingDir, r.Config.Root)
	stat, err := e.Stat(ctx, r.ID, r.Root)
	switch {
	case errors.Is(err, engine.ErrNoFile): // nothing was pushed yet
	case err != nil:
		return err
	case stat.LinkTarget != "":
		r.Root = stat.LinkTarget
	}
	within, ok := "", false
	for _, m := range found.Mounts {
		rest, below := below(r.Root, m.Destination)
		if !below || r.Mount != nil && len(m.Destination) <= len(r.Mount.Target) {
			continue
		}
		r.Mount, within, ok = &Mount{Source: m.Source, Target: m.Destination, Writable: m.RW}, rest, true
		if m.Type == mount.TypeVolume {
			r.Mount.Volume = m.Name
		} else if m.Type != mount.TypeBind {
			r.Mount, ok = nil, false // in memory
		}
	}
	if !ok {
		r.Unreachable = "its data are in the container itself"
		return nil
	}
	r.HostRoot = filepath.Join(r.Mount.Source, filepath.FromSlash(within))
	for _, m := range found.Mounts {
		if _, split := below(m.Destination, r.Root); split && m.Destination != r.Root {
			r.Unreachable = "a part of its data is mounted apart, at " + m.Destination
			return nil
		}
	}
	r.Unreachable, err = unreachable(ctx, e, r.ID, r.Root, r.HostRoot)
	r.Reachable = err == nil && r.Unreachable == ""
	return err
}

// below says whether name is dir or lies in it, and where.
func below(name, dir string) (rest string, ok bool) {
	if name == dir {
		return "", true
	}
	return strings.CutPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// attempts are made at comparing two folders: one that is being pushed to changes between two looks.
const attempts = 5

// unreachable says why a folder of this machine is not that of the container, "" when it is. The engine may be in a virtual
// machine, or its socket be forwarded from elsewhere: a folder of that name is not yet the same one. Folders that were changed in the same
// nanosecond are.
func unreachable(ctx context.Context, e inspector, id, root, hostRoot string) (why string, err error) {
	if !e.Local() {
		return "the engine is on another machine", nil
	}
	if _, err := os.Stat(hostRoot); errors.Is(err, fs.ErrNotExist) {
		return hostRoot + " is not on this machine", nil
	}
	for range attempts {
		why = ""
		for _, sub := range []string{"", "docker/registry/v2", "docker/registry/v2/repositories", "docker/registry/v2/blobs"} {
			why, err = differ(ctx, e, id, path.Join(root, sub), filepath.Join(hostRoot, filepath.FromSlash(sub)))
			if err != nil {
				return "", err
			}
			if why != "" {
				break
			}
		}
		if why == "" {
			break
		}
	}
	return why, nil
}

// differ says how a folder of this machine differs from one of a container, "" when it does not. What both lack is no
// difference; that the root itself is there, the caller has seen to.
func differ(ctx context.Context, e inspector, id, inside, outside string) (string, error) {
	there, err := e.Stat(ctx, id, inside)
	missing := errors.Is(err, engine.ErrNoFile)
	if err != nil && !missing {
		return "", err
	}
	here, err := os.Stat(outside)
	switch {
	case errors.Is(err, fs.ErrNotExist) && missing:
		return "", nil
	case errors.Is(err, fs.ErrNotExist):
		return outside + " is not on this machine", nil
	case errors.Is(err, fs.ErrPermission):
		return "this user may not look into " + outside, nil
	case err != nil:
		return "", err
	case missing:
		return fmt.Sprintf("%s is another folder on this machine", outside), nil
	case !there.Mtime.Equal(here.ModTime()) || there.Mode != here.Mode():
		return fmt.Sprintf("%s is another folder on this machine", outside), nil
	}
	return "", nil
}
