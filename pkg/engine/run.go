package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Run is a program that is run to its end in a container of its own: without a network, with a root file system that it
// cannot write, but for a /tmp in memory.
type Run struct {
	Image string
	Args  []string // behind the image's entrypoint, or the whole command where it has none
	// VolumesFrom is a container, running or not, whose volumes and binds the program sees where that one has them.
	VolumesFrom string
	ReadOnly    bool // it cannot write them

	Stdin          io.Reader // nil: none
	Stdout, Stderr io.Writer // nil: discarded
}

// stopPatience is how long a program has after SIGTERM, when the caller's context ended.
const stopPatience = 30 * time.Second

// Run runs a program and gives its exit code. err is about the engine, never about the program. The container is gone
// afterwards, also when ctx ended: the program is then told with SIGTERM, and after half a minute killed, and err is
// ctx's. A Stdin that blocks is read once more after the program's end.
func (e *Engine) Run(ctx context.Context, r Run) (exit int, err error) {
	id, err := e.createRun(ctx, r)
	if err != nil {
		return 0, err
	}
	defer func() {
		// A conflict: it is about to remove itself.
		if gone := e.Remove(context.WithoutCancel(ctx), id); !errdefs.IsConflict(gone) {
			err = errors.Join(err, gone)
		}
	}()
	// The streams outlive ctx, for what the program says when it is told to end.
	still, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	streams, err := e.api.ContainerAttach(still, id, client.ContainerAttachOptions{Stream: true, Stdin: r.Stdin != nil, Stdout: true, Stderr: true})
	if err != nil {
		return 0, explain(err, "attaching to container", id, ErrNoContainer)
	}
	defer streams.Close()
	// It removes itself, also when nobody is left to do it; until then it holds its image.
	wait := e.api.ContainerWait(still, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	if err := e.Start(ctx, id); err != nil {
		return 0, err
	}
	copied := make(chan error, 1)
	go func() { copied <- r.copy(streams.HijackedResponse) }()
	defer context.AfterFunc(ctx, func() { e.end(still, id) })()
	exit, err = outcome(wait)
	if err == nil {
		err = <-copied
	}
	return exit, errors.Join(ctx.Err(), err)
}

func (e *Engine) createRun(ctx context.Context, r Run) (id string, err error) {
	config := &container.Config{
		Image: r.Image, Cmd: r.Args, AttachStdout: true, AttachStderr: true,
		AttachStdin: r.Stdin != nil, OpenStdin: r.Stdin != nil, StdinOnce: r.Stdin != nil,
	}
	host := &container.HostConfig{
		NetworkMode: "none", ReadonlyRootfs: true, AutoRemove: true, Tmpfs: map[string]string{"/tmp": ""},
		LogConfig: container.LogConfig{Type: "none"},
		// Volumes that SELinux keeps to the other container alone.
		SecurityOpt: []string{"label=disable"},
	}
	if r.VolumesFrom != "" {
		from := r.VolumesFrom
		if r.ReadOnly {
			from += ":ro"
		}
		host.VolumesFrom = []string{from}
	}
	made, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{Config: config, HostConfig: host})
	return made.ID, explain(err, "creating a container of image", r.Image, ErrNoImage)
}

// copy moves the bytes of all streams until the program's output ends.
func (r Run) copy(streams client.HijackedResponse) error {
	if r.Stdin != nil {
		go func() {
			// A program that has read enough ends the connection.
			_, _ = io.Copy(streams.Conn, r.Stdin)
			_ = streams.CloseWrite()
		}()
	}
	_, err := stdcopy.StdCopy(orDiscard(r.Stdout), orDiscard(r.Stderr), streams.Reader)
	return err
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// end tells a program to end, and kills it when it does not.
func (e *Engine) end(ctx context.Context, id string) {
	patience := int(stopPatience / time.Second)
	// What cannot be stopped is removed, which kills it.
	_, _ = e.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &patience})
}

func outcome(wait client.ContainerWaitResult) (int, error) {
	select {
	case end := <-wait.Result:
		if end.Error != nil {
			return 0, fmt.Errorf("waiting for the container: %s", end.Error.Message)
		}
		return int(end.StatusCode), nil
	case err := <-wait.Error:
		return 0, fmt.Errorf("waiting for the container: %w", err)
	}
}
