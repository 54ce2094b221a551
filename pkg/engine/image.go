package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"github.com/opsctl/opsctl/pkg/progress"
)

// ErrPull says that an image could not be pulled.
var ErrPull = errors.New("pulling the image")

// Image is an image of the engine's.
type Image struct {
	ID  string   // "sha256:..."
	Env []string // what its containers start with
}

// Image describes an image, by its name or id.
func (e *Engine) Image(ctx context.Context, name string) (Image, error) {
	found, err := e.api.ImageInspect(ctx, name)
	if err != nil {
		return Image{}, explain(err, "looking at image", name, ErrNoImage)
	}
	image := Image{ID: found.ID}
	if found.Config != nil {
		image.Env = found.Config.Env
	}
	return image, nil
}

// UsedDigests lists the names by digest, NAME@DIGEST, of the images that containers are made of, running or not. An image that was
// never pulled from a registry nor pushed to one has none.
func (e *Engine) UsedDigests(ctx context.Context) ([]string, error) {
	all, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, explain(err, "listing", "containers", nil)
	}
	var used []string
	seen := map[string]bool{}
	for _, c := range all.Items {
		if seen[c.ImageID] {
			continue
		}
		seen[c.ImageID] = true
		image, err := e.api.ImageInspect(ctx, c.ImageID)
		if err != nil {
			return nil, explain(err, "looking at image", c.ImageID, ErrNoImage)
		}
		used = append(used, image.RepoDigests...)
	}
	return used, nil
}

// Pull has the engine fetch an image. rep counts bytes; its total is what the layers known so far have.
func (e *Engine) Pull(ctx context.Context, name string, rep progress.Reporter) error {
	answer, err := e.api.ImagePull(ctx, name, client.ImagePullOptions{})
	if err != nil {
		return fmt.Errorf("%w %s: %w", ErrPull, name, err)
	}
	defer func() { _ = answer.Close() }()
	rep = progress.OrNop(rep)
	rep.Start(0)
	defer rep.Done()
	have := map[string]int64{}
	for message, err := range answer.JSONMessages(ctx) {
		switch {
		case err != nil:
			return fmt.Errorf("%w %s: %w", ErrPull, name, err)
		case message.Error != nil:
			return fmt.Errorf("%w %s: %w", ErrPull, name, message.Error)
		case message.Status == "Downloading" && message.Progress != nil:
			rep.Add(message.Progress.Current - have[message.ID])
			have[message.ID] = message.Progress.Current
		}
	}
	return nil
}

// Import makes an image of one layer, the tar archive that it reads, as `docker import` does, and gives it the name. An image
// that had the name loses it and stays.
func (e *Engine) Import(ctx context.Context, name string, archive io.Reader) (Image, error) {
	answer, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: archive, SourceName: "-"}, name, client.ImageImportOptions{})
	if err != nil {
		return Image{}, explain(err, "importing image", name, nil)
	}
	defer func() { _ = answer.Close() }()
	var image Image
	for messages := json.NewDecoder(answer); ; {
		var message jsonstream.Message
		switch err := messages.Decode(&message); {
		case errors.Is(err, io.EOF):
			return image, nil
		case err != nil:
			return image, fmt.Errorf("importing image %s: %w", name, err)
		case message.Error != nil:
			return image, fmt.Errorf("importing image %s: %w", name, message.Error)
		}
		// The last status is the id.
		image.ID = message.Status
	}
}

// RemoveImage removes an image by its name or id. One that is not there is no error; one that a container uses, or that has
// more names, is.
func (e *Engine) RemoveImage(ctx context.Context, name string) error {
	_, err := e.api.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true})
	return ignore(explain(err, "removing image", name, ErrNoImage), ErrNoImage)
}
