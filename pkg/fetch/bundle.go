package fetch

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/progress"
)

// A bundle is a tar file without compression, as its members are compressed:
//
//	bundle.lock.json        first, so that one pass is enough
//	archives/SHA256/FILE    each archive, in the lock's order
const (
	lockName    = "bundle.lock.json"
	archivesDir = "archives/"
	lockVersion = "opsctl/v1"
	lockKind    = "Bundle"
	// maxLock bounds the lock: an item takes some 300 bytes.
	maxLock = 1 << 20
)

// BundleItem is one archive of a bundle, as its lock names it.
type BundleItem struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	File    string `json:"file"`
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	// Origin is where the archive was got from when the bundle was made.
	Origin string `json:"origin,omitempty"`
}

// bundleLock is the lock's document.
type bundleLock struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Items      []BundleItem `json:"items"`
}

func (i BundleItem) member() string { return archivesDir + i.SHA256 + "/" + i.File }

func (i BundleItem) check() error {
	switch {
	case !element(i.File):
		return fmt.Errorf("item %q cannot be the name of a file", i.File)
	case !isSum(i.SHA256) || i.SHA256 != strings.ToLower(i.SHA256):
		return fmt.Errorf("item %s: %q is not a sha256 in lower case", i.File, i.SHA256)
	case !element(i.Name) || !element(i.OS) || !element(i.Arch):
		return fmt.Errorf("item %s: name %q, os %q or arch %q cannot be one", i.File, i.Name, i.OS, i.Arch)
	case i.Bytes <= 0 || i.Bytes > defaultMaxBytes:
		return fmt.Errorf("item %s: %w: %d bytes", i.File, ErrTooLarge, i.Bytes)
	}
	return nil
}

// Bundle is a Source of one file that WriteBundle wrote: installs without a
// network.
type Bundle struct {
	path  string
	items []BundleItem
	rep   progress.Reporter
}

// OpenBundle reads a bundle's lock. rep may be nil; it counts bytes of archives.
func OpenBundle(path string, rep progress.Reporter) (*Bundle, error) {
	b := &Bundle{path: path, rep: progress.OrNop(rep)}
	err := b.read(func(r *tar.Reader) error {
		var err error
		b.items, err = readLock(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Items are the archives in the bundle.
func (b *Bundle) Items() []BundleItem { return slices.Clone(b.items) }

// Get implements Source. The item is the one of the asset's name, version, os and
// arch; its content must have the lock's sum and the asset's, if that has one.
func (b *Bundle) Get(ctx context.Context, a Asset, dir string) (f File, err error) {
	if err := a.check(); err != nil {
		return File{}, err
	}
	i := slices.IndexFunc(b.items, func(i BundleItem) bool {
		return i.Name == a.Name && i.Version == a.Version && i.OS == a.OS && i.Arch == a.Arch
	})
	if i < 0 {
		return File{}, fmt.Errorf("bundle %s: %w: %s %s for %s/%s", b.path, ErrNotFound, a.Name, a.Version, a.OS, a.Arch)
	}
	item := b.items[i]
	origin := b.path + ": " + item.File
	want, err := wanted(origin, a.SHA256, item.SHA256)
	if err != nil {
		return File{}, err
	}
	b.rep.Start(item.Bytes)
	defer b.rep.Done()
	err = b.read(func(r *tar.Reader) error {
		if err := seekMember(r, item); err != nil {
			return err
		}
		f, err = copyVerified(ctx, progress.Reader(r, b.rep), want, origin, dir, a.File)
		return err
	})
	return f, err
}

func (b *Bundle) read(use func(*tar.Reader) error) error {
	f, _, err := openRegular(b.path, math.MaxInt64)
	if err != nil {
		return err
	}
	if err := errors.Join(use(tar.NewReader(f)), f.Close()); err != nil {
		return fmt.Errorf("reading the bundle %s: %w", b.path, err)
	}
	return nil
}

func readLock(r *tar.Reader) ([]BundleItem, error) {
	head, err := r.Next()
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is not a bundle: %w", bare(err))
	case head.Name != lockName || head.Typeflag != tar.TypeReg:
		return nil, fmt.Errorf("it is not a bundle: it begins with %q, not with %s", head.Name, lockName)
	case head.Size > maxLock:
		return nil, fmt.Errorf("%s: %w: %d bytes", lockName, ErrTooLarge, head.Size)
	}
	var lock bundleLock
	if err := json.NewDecoder(r).Decode(&lock); err != nil {
		return nil, fmt.Errorf("%s: %w", lockName, err)
	}
	if lock.APIVersion != lockVersion || lock.Kind != lockKind {
		return nil, fmt.Errorf("%s: it is %q of %q, not %q of %q", lockName, lock.Kind, lock.APIVersion, lockKind, lockVersion)
	}
	for _, i := range lock.Items {
		if err := i.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", lockName, err)
		}
	}
	return lock.Items, nil
}

func seekMember(r *tar.Reader, item BundleItem) error {
	for {
		head, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: member %s", ErrNotFound, item.member())
		case err != nil:
			return err
		case head.Name != item.member():
			continue
		case head.Typeflag != tar.TypeReg || head.Size != item.Bytes:
			return fmt.Errorf("%w: member %s is no file of %d bytes", ErrUnsafe, item.member(), item.Bytes)
		}
		return nil
	}
}

// BundleFile is an archive that goes into a bundle.
type BundleFile struct {
	Asset Asset
	// File is what a Source gave for the asset.
	File File
}

// WriteBundle writes a bundle of verified archives, which it verifies once more
// while it reads them. The same archives give the same bytes. After an error what
// was written to w is no bundle.
func WriteBundle(ctx context.Context, w io.Writer, files []BundleFile) error {
	lock := bundleLock{APIVersion: lockVersion, Kind: lockKind, Items: []BundleItem{}}
	for _, f := range files {
		item := BundleItem{
			Name: f.Asset.Name, Version: f.Asset.Version, OS: f.Asset.OS, Arch: f.Asset.Arch,
			File: f.Asset.File, SHA256: f.File.SHA256, Bytes: f.File.Bytes, Origin: f.File.Origin,
		}
		if err := item.check(); err != nil {
			return fmt.Errorf("writing the bundle: %w", err)
		}
		lock.Items = append(lock.Items, item)
	}
	text, err := json.MarshalIndent(lock, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	text = append(text, '\n')
	tw := tar.NewWriter(w)
	err = addMember(tw, lockName, int64(len(text)), bytes.NewReader(text))
	for i := 0; err == nil && i < len(files); i++ {
		err = addArchive(ctx, tw, lock.Items[i], files[i].File.Path)
	}
	if err = errors.Join(err, tw.Close()); err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	return nil
}

func addArchive(ctx context.Context, tw *tar.Writer, item BundleItem, path string) error {
	f, _, err := openRegular(path, defaultMaxBytes)
	if err != nil {
		return err
	}
	sum := sha256.New()
	err = addMember(tw, item.member(), item.Bytes, io.TeeReader(&contextReader{ctx: ctx, r: f}, sum))
	if got := hex.EncodeToString(sum.Sum(nil)); err == nil && got != item.SHA256 {
		err = fmt.Errorf("%s: %w: expected %s, got %s", path, ErrSum, item.SHA256, got)
	}
	return errors.Join(err, f.Close())
}

func addMember(tw *tar.Writer, name string, size int64, r io.Reader) error {
	head := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, Format: tar.FormatPAX}
	if err := tw.WriteHeader(head); err != nil {
		return err
	}
	// The writer refuses a file that has grown since, its Close one that has shrunk.
	if n, err := io.Copy(tw, r); err != nil {
		return fmt.Errorf("member %s, after %d of %d bytes: %w", name, n, size, err)
	}
	return nil
}
