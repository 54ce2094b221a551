package fetch

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"github.com/opsctl/opsctl/pkg/progress"
)

// Limits bound what an archive may unpack to. Zero values stand for what is said of
// each, which is several times what the largest release takes.
type Limits struct {
	// Files is how many files and folders, 10,000.
	Files int
	// Bytes is all of them together, 4 GiB; FileBytes one of them, 2 GiB.
	Bytes, FileBytes int64
	// Ratio is how many times the compressed size, 100; programs reach 5. It counts
	// beyond the first 16 MiB.
	Ratio int64
}

const (
	gib = 1 << 30
	// maxName is PATH_MAX of limits.h.
	maxName = 4096
	// freeBytes is what Ratio says nothing of.
	freeBytes = 16 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Files <= 0 {
		l.Files = 10_000
	}
	if l.Bytes <= 0 {
		l.Bytes = 4 * gib
	}
	if l.FileBytes <= 0 {
		l.FileBytes = 2 * gib
	}
	if l.Ratio <= 0 {
		l.Ratio = 100
	}
	return l
}

// Unpack unpacks a verified tar archive, plain or with gzip, into an empty folder.
// When all of it lies under one top folder, that one is left out. Only files and
// folders are taken: links, devices, pipes, sparse files, names that are absolute
// or hold "..", and names that come twice are ErrUnsafe. Files are the process's
// own with mode 0644, or 0755 when the archive has any x for them; folders have
// 0755; a file's time is the archive's, though not in the future. All of it is on
// disk on return, except for root's own name. After an error root is empty again.
// rep may be nil; it counts bytes of the archive file.
func Unpack(ctx context.Context, archive string, root *os.Root, limits Limits, rep progress.Reporter) (err error) {
	if names, err := list(root); err != nil || len(names) > 0 {
		return fmt.Errorf("unpacking %s: the folder %s is not empty: %q: %w", archive, root.Name(), names, errors.Join(err, fs.ErrExist))
	}
	f, size, err := openRegular(archive, math.MaxInt64)
	if err != nil {
		return err
	}
	rep = progress.OrNop(rep)
	rep.Start(size)
	defer rep.Done()
	u := &unpacker{root: root, limits: limits.withDefaults(), seen: map[string]entryKind{}, now: time.Now()}
	err = errors.Join(u.unpack(progress.Reader(&contextReader{ctx: ctx, r: f}, rep)), f.Close())
	if err == nil {
		err = u.settle()
	}
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", archive, errors.Join(err, empty(root)))
	}
	return nil
}

// entryKind is what a name in the archive has been used for.
type entryKind int

const (
	// impliedFolder was made for what lies in it, and may still be named itself.
	impliedFolder entryKind = iota + 1
	folder
	file
)

// unpacker is one archive being unpacked.
type unpacker struct {
	root   *os.Root
	limits Limits
	seen   map[string]entryKind
	now    time.Time
}

func (u *unpacker) unpack(r io.Reader) error {
	stream, err := u.decompress(r)
	if err != nil {
		return err
	}
	tr := tar.NewReader(stream)
	for {
		head, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil || errors.Is(err, tar.ErrInsecurePath) { // that is entry's to judge
			err = u.entry(head, tr)
		}
		if err != nil {
			return bare(err)
		}
	}
	if len(u.seen) == 0 {
		return fmt.Errorf("%w: it holds nothing", ErrUnsafe)
	}
	// To the end: only there stands gzip's own checksum.
	_, err = io.Copy(io.Discard, stream)
	return err
}

// decompress gives the tar stream of an archive, with its limits.
func (u *unpacker) decompress(r io.Reader) (io.Reader, error) {
	in := &countingReader{r: r}
	buffered := bufio.NewReaderSize(in, 64<<10)
	magic, err := buffered.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	out := &boundedReader{in: in, limits: u.limits}
	switch {
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		if out.r, err = gzip.NewReader(buffered); err != nil {
			return nil, bare(err)
		}
	case bytes.HasPrefix(magic, []byte("PK")), bytes.HasPrefix(magic, []byte("\xfd7zXZ")),
		bytes.HasPrefix(magic, []byte("BZh")), bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")):
		return nil, fmt.Errorf("%w: it is compressed otherwise than with gzip", ErrUnsafe)
	default:
		out.r = buffered
	}
	return out, nil
}

func (u *unpacker) entry(head *tar.Header, r io.Reader) error {
	if head.Typeflag == tar.TypeXGlobalHeader {
		return nil // comments of git-archive(1)
	}
	name, err := safeName(head)
	if err != nil || name == "." {
		return err
	}
	if err := u.parents(name); err != nil {
		return err
	}
	if old := u.seen[name]; old != 0 && (old != impliedFolder || head.Typeflag != tar.TypeDir) {
		return fmt.Errorf("%w: %q comes twice", ErrUnsafe, name)
	}
	if head.Typeflag == tar.TypeDir {
		return u.mkdir(name, folder)
	}
	if err := u.use(name, file); err != nil {
		return err
	}
	return u.write(name, head, r)
}

// use counts a name.
func (u *unpacker) use(name string, kind entryKind) error {
	if len(u.seen) >= u.limits.Files && u.seen[name] == 0 {
		return fmt.Errorf("%w: more than %d files", ErrTooLarge, u.limits.Files)
	}
	u.seen[name] = kind
	return nil
}

// safeName is the cleaned path of an entry, or an error for one that no release
// holds.
func safeName(head *tar.Header) (string, error) {
	name := head.Name
	switch {
	case head.Typeflag != tar.TypeReg && head.Typeflag != tar.TypeDir:
		return "", fmt.Errorf("%w: %q is no file and no folder, but of type %q", ErrUnsafe, name, head.Typeflag)
	case name == "" || strings.HasPrefix(name, "/"):
		return "", fmt.Errorf("%w: the name %q is absolute", ErrUnsafe, name)
	case len(name) > maxName:
		return "", fmt.Errorf("%w: a name of %d bytes", ErrUnsafe, len(name))
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", fmt.Errorf("%w: the name %q has control characters", ErrUnsafe, name)
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", fmt.Errorf("%w: the name %q leads out of the folder", ErrUnsafe, name)
	}
	for key := range head.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return "", fmt.Errorf("%w: %q is a sparse file", ErrUnsafe, name)
		}
	}
	name = path.Clean(name)
	if name == "." && head.Typeflag != tar.TypeDir {
		return "", fmt.Errorf("%w: the name %q is no file's", ErrUnsafe, head.Name)
	}
	return name, nil
}

// parents makes the folders that the archive has not named, or not yet.
func (u *unpacker) parents(name string) error {
	for i, c := range name {
		if c != '/' {
			continue
		}
		switch parent := name[:i]; u.seen[parent] {
		case file:
			return fmt.Errorf("%w: %q lies in %q, which is a file", ErrUnsafe, name, parent)
		case 0:
			if err := u.mkdir(parent, impliedFolder); err != nil {
				return err
			}
		case impliedFolder, folder:
		}
	}
	return nil
}

func (u *unpacker) mkdir(name string, kind entryKind) error {
	known := u.seen[name] != 0
	if err := u.use(name, kind); err != nil || known {
		return err
	}
	if err := u.root.Mkdir(name, 0o755); err != nil {
		return err
	}
	// Whatever the umask. By descriptor, as older kernels have no other way that does
	// not follow links.
	d, err := u.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Chmod(0o755), d.Close())
}

func (u *unpacker) write(name string, head *tar.Header, r io.Reader) error {
	if head.Size > u.limits.FileBytes {
		return fmt.Errorf("%w: %q of %d bytes, more than %d", ErrTooLarge, name, head.Size, u.limits.FileBytes)
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Chmod(mode(head.Mode))
	}
	if err == nil {
		err = u.root.Chtimes(name, u.now, u.clamp(head.ModTime))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// mode has no setuid, setgid and sticky bit, and nothing for others to write to.
func mode(archived int64) fs.FileMode {
	if archived&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

func (u *unpacker) clamp(t time.Time) time.Time {
	switch {
	case t.After(u.now):
		return u.now
	case t.Before(time.Unix(0, 0)):
		return time.Unix(0, 0)
	}
	return t
}
