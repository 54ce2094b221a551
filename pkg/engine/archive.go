package engine

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"path"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Stat describes a file of a container, running or not. A symbolic link is described as such, with the absolute path in the
// container that it leads to in the end.
func (e *Engine) Stat(ctx context.Context, name, file string) (container.PathStat, error) {
	found, err := e.api.ContainerStatPath(ctx, name, client.ContainerStatPathOptions{Path: file})
	return found.Stat, explain(err, "looking at "+file+" in container", name, ErrNoFile)
}

// ReadFile reads a regular file of a container, running or not, through the engine's archive API; links are followed within the
// container. limit bounds its size in bytes.
func (e *Engine) ReadFile(ctx context.Context, name, file string, limit int64) ([]byte, error) {
	stat, err := e.Stat(ctx, name, file)
	if err != nil {
		return nil, err
	}
	if stat.LinkTarget != "" {
		file = stat.LinkTarget
	}
	answer, err := e.api.CopyFromContainer(ctx, name, client.CopyFromContainerOptions{SourcePath: file})
	if err != nil {
		return nil, explain(err, "reading "+file+" in container", name, ErrNoFile)
	}
	defer func() { _ = answer.Content.Close() }()
	entries := tar.NewReader(answer.Content)
	head, err := entries.Next()
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s in container %s: %w", file, name, err)
	case head.Typeflag != tar.TypeReg:
		return nil, fmt.Errorf("reading %s in container %s: it is no regular file", file, name)
	case head.Size > limit:
		return nil, fmt.Errorf("reading %s in container %s: it has %d bytes, more than %d", file, name, head.Size, limit)
	}
	return io.ReadAll(entries)
}

// WriteFiles writes files, owned by root, into a container that was created; the folder of each becomes one that all may read.
func (e *Engine) WriteFiles(ctx context.Context, name string, files []File) error {
	archive, out := io.Pipe()
	go func() {
		w := tar.NewWriter(out)
		err := writeFiles(w, files)
		if err == nil {
			err = w.Close()
		}
		_ = out.CloseWithError(err)
	}()
	_, err := e.api.CopyToContainer(ctx, name, client.CopyToContainerOptions{DestinationPath: "/", Content: archive})
	_ = archive.Close() // ends the writer, should the engine not have read it all
	return explain(err, "writing files into container", name, ErrNoContainer)
}

// File is a file to be written into a container.
type File struct {
	Name    string // absolute, "/DIR/FILE"
	Content []byte
	Mode    int64
}

func writeFiles(w *tar.Writer, files []File) error {
	for _, f := range files {
		dir := &tar.Header{Typeflag: tar.TypeDir, Name: path.Dir(f.Name[1:]) + "/", Mode: 0o755}
		if err := w.WriteHeader(dir); err != nil {
			return err
		}
		head := &tar.Header{Typeflag: tar.TypeReg, Name: f.Name[1:], Mode: f.Mode, Size: int64(len(f.Content))}
		if err := w.WriteHeader(head); err != nil {
			return err
		}
		if _, err := w.Write(f.Content); err != nil {
			return err
		}
	}
	return nil
}
