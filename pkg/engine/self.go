package engine

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// ErrArchitecture says that this program is made for other processors than the engine's.
var ErrArchitecture = errors.New("the engine's machine has another architecture than this program")

// Self is this program, to be run inside the engine: where paths of the engine's machine are not paths of this one.
type Self struct {
	Path    string // what os.Executable says; the program must be static
	Version string // for the image's name
}

// programName is the program's name in its image.
const programName = "opsctl"

// RunSelf runs the program as r says, in an image made of nothing but it; r.Image is not used, and r.Args are those of the program.
// The image has the name opsctl:VERSION-SUM and is removed afterwards, unless another container uses it. See [Engine.Run].
func (e *Engine) RunSelf(ctx context.Context, self Self, r Run) (exit int, err error) {
	if err := e.sameArchitecture(ctx); err != nil {
		return 0, err
	}
	name, err := self.imageName()
	if err != nil {
		return 0, err
	}
	r.Args = append([]string{"/" + programName}, r.Args...)
	for range imports {
		image, err := e.importSelf(ctx, self, name)
		if err != nil {
			return 0, err
		}
		r.Image = image.ID
		exit, err = e.Run(ctx, r)
		// A conflict: another run uses it.
		if gone := e.RemoveImage(context.WithoutCancel(ctx), image.ID); !errdefs.IsConflict(gone) {
			err = errors.Join(err, gone)
		}
		// Another run may have removed it before this one used it.
		if !errors.Is(err, ErrNoImage) {
			return exit, err
		}
	}
	return 0, fmt.Errorf("running image %s: %w", name, ErrNoImage)
}

// imports is how often an image is made that others remove.
const imports = 5

func (e *Engine) sameArchitecture(ctx context.Context) error {
	version, err := e.api.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return explain(err, "asking for the version of", e.host, nil)
	}
	if version.Arch != runtime.GOARCH || version.Os != runtime.GOOS {
		return fmt.Errorf("%w: %s/%s, not %s/%s", ErrArchitecture, version.Os, version.Arch, runtime.GOOS, runtime.GOARCH)
	}
	return nil
}

// imageName is such as opsctl:1.2.3-0123456789ab.
func (s Self) imageName() (string, error) {
	file, err := os.Open(s.Path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("reading %s: %w", s.Path, err)
	}
	version := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, "v"+s.Version)
	// A tag has at most 128 characters.
	return programName + ":" + version[1:min(len(version), 64)] + "-" + hex.EncodeToString(sum.Sum(nil)[:6]), nil
}

// importSelf makes the image, unless it is there. Two that do it at the same time make two, of which one has the name.
func (e *Engine) importSelf(ctx context.Context, self Self, name string) (Image, error) {
	if image, err := e.Image(ctx, name); !errors.Is(err, ErrNoImage) {
		return image, err
	}
	archive, out := io.Pipe()
	go func() { _ = out.CloseWithError(self.pack(out)) }()
	image, err := e.Import(ctx, name, archive)
	_ = archive.Close() // ends the packer, should the engine not have read it all
	return image, err
}

func (s Self) pack(out io.Writer) error {
	file, err := os.Open(s.Path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: programName, Mode: 0o755, Size: info.Size()}); err != nil {
		return err
	}
	if _, err := io.Copy(w, file); err != nil {
		return err
	}
	return w.Close()
}
