// Package locate finds out how a registry in a container is set up, from outside and without starting anything: which
// driver keeps its data, in which volume or folder, whether that can be reached from this process, and what it caches.
package locate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/registry/server"
)

var (
	// ErrNotRegistry says that a container runs something else.
	ErrNotRegistry = errors.New("the container is no registry")
	// ErrDriver says that a registry keeps its data elsewhere than in files.
	ErrDriver = errors.New("the registry does not keep its data in files")
)

// Registry is a registry in a container.
type Registry struct {
	Name, ID string
	Image    string // as it was named when the container was made
	Running  bool
	Started  time.Time // of the container; zero when it never was
	Config   server.Config

	// Root is the driver's rootdirectory in the container, links resolved.
	Root string
	// Mount is what the root lies on; nil for the container's own layer, which ends with it.
	Mount *Mount
	// HostRoot is the root on the engine's machine, "" without Mount.
	HostRoot string
	// Reachable says that HostRoot is that folder in this process as well, and Unreachable why it is not.
	Reachable   bool
	Unreachable string

	// Published are the addresses of the engine's machine on which the registry's port listens, and IPs those of the container;
	// Port is the one that it listens on there.
	Published []netip.AddrPort
	IPs       []netip.Addr
	Port      uint16

	ReadOnly bool // the container cannot write its own file system; its volumes it may
	User     User
}

// Mount is a volume or a folder of the engine's machine in a container.
type Mount struct {
	Volume   string // "" for a folder
	Source   string // on the engine's machine
	Target   string // in the container
	Writable bool
}

// User is who the registry runs as, in the container.
type User struct {
	UID, GID int
	Known    bool // not where the container's /etc/passwd does not tell
}

// inspector is an engine, as far as it is looked at: [engine.Engine].
type inspector interface {
	Inspect(ctx context.Context, name string) (container.InspectResponse, error)
	Stat(ctx context.Context, name, file string) (container.PathStat, error)
	ReadFile(ctx context.Context, name, file string, limit int64) ([]byte, error)
	Local() bool
}

var _ inspector = (*engine.Engine)(nil)

// Container describes the registry in a container, running or not. [ErrNotRegistry] and [ErrDriver] name what was found instead;
// [engine.ErrNoContainer] passes through.
func Container(ctx context.Context, e inspector, name string) (*Registry, error) {
	found, err := e.Inspect(ctx, name)
	if err != nil {
		return nil, err
	}
	if found.Config == nil || found.HostConfig == nil || found.State == nil || found.NetworkSettings == nil {
		return nil, fmt.Errorf("container %s: the engine does not describe it", name)
	}
	config, err := readConfig(ctx, e, &found)
	if err != nil {
		return nil, fmt.Errorf("container %s: %w", name, err)
	}
	if config.Driver != "filesystem" {
		return nil, fmt.Errorf("container %s: %w, but with driver %s", name, ErrDriver, config.Driver)
	}
	r := &Registry{
		Name: strings.TrimPrefix(found.Name, "/"), ID: found.ID, Image: found.Config.Image, Running: found.State.Running, Config: *config,
		ReadOnly: found.HostConfig.ReadonlyRootfs,
	}
	if r.Started, err = time.Parse(time.RFC3339Nano, found.State.StartedAt); err != nil || r.Started.Year() <= 1 {
		r.Started = time.Time{}
	}
	r.addresses(&found)
	if err := r.user(ctx, e, found.Config.User); err != nil {
		return nil, err
	}
	if err := r.place(ctx, e, &found); err != nil {
		return nil, err
	}
	return r, nil
}

// addresses collects where the registry listens.
func (r *Registry) addresses(found *container.InspectResponse) {
	_, port, _ := strings.Cut(r.Config.Addr[max(0, strings.LastIndexByte(r.Config.Addr, ':')):], ":")
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return
	}
	r.Port = uint16(number)
	for inside, bindings := range found.NetworkSettings.Ports {
		for _, b := range bindings {
			outside, err := strconv.ParseUint(b.HostPort, 10, 16)
			if err == nil && inside.Num() == r.Port && inside.Proto() == "tcp" {
				r.Published = append(r.Published, netip.AddrPortFrom(b.HostIP, uint16(outside)))
			}
		}
	}
	for _, network := range found.NetworkSettings.Networks {
		if network != nil && network.IPAddress.IsValid() {
			r.IPs = append(r.IPs, network.IPAddress)
		}
	}
	sort.Slice(r.Published, func(i, j int) bool { return r.Published[i].Compare(r.Published[j]) < 0 })
	sort.Slice(r.IPs, func(i, j int) bool { return r.IPs[i].Less(r.IPs[j]) })
	if found.HostConfig.NetworkMode.IsHost() {
		r.Published = append(r.Published, netip.AddrPortFrom(netip.IPv4Unspecified(), r.Port))
	}
}

// user resolves UID, UID:GID, NAME or NAME:GROUP (the engine's Config.User). A group's name stays unknown.
func (r *Registry) user(ctx context.Context, e inspector, text string) error {
	name, group, _ := strings.Cut(text, ":")
	if name == "" {
		name = "0"
	}
	uid, err := strconv.Atoi(name)
	gid := 0
	if err != nil {
		passwd, err := e.ReadFile(ctx, r.ID, "/etc/passwd", maxFile)
		if errors.Is(err, engine.ErrNoFile) {
			return nil
		}
		if err != nil {
			return err
		}
		var ok bool
		if uid, gid, ok = account(string(passwd), name); !ok {
			return nil
		}
	}
	if group != "" {
		if gid, err = strconv.Atoi(group); err != nil {
			return nil //nolint:nilerr // a group's name: not known
		}
	}
	r.User = User{UID: uid, GID: gid, Known: true}
	return nil
}

// account looks a name up in a passwd(5) file.
func account(passwd, name string) (uid, gid int, ok bool) {
	for line := range strings.Lines(passwd) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) < 4 || fields[0] != name {
			continue
		}
		uid, errUID := strconv.Atoi(fields[2])
		gid, errGID := strconv.Atoi(fields[3])
		return uid, gid, errUID == nil && errGID == nil
	}
	return 0, 0, false
}

// maxFile bounds a file that is read out of a container.
const maxFile = 1 << 20

// clean is an absolute path in the container, as the process with that working directory means it.
func clean(dir, name string) string {
	if !path.IsAbs(name) {
		name = path.Join("/", dir, name)
	}
	return path.Clean(name)
}
