package fetch_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/fetch"
)

// unpack unpacks an archive into a folder beside others that must not change, and
// gives what the folder holds.
func unpack(tb testing.TB, archive []byte, limits fetch.Limits) (map[string]string, error) {
	tb.Helper()
	outer := tb.TempDir()
	file, root := filepath.Join(outer, "archive"), filepath.Join(outer, "inner", "root")
	err := errors.Join(
		os.WriteFile(file, archive, 0o600),
		os.MkdirAll(root, 0o755),
		os.WriteFile(filepath.Join(outer, "victim"), []byte("precious"), 0o600),
	)
	if err != nil {
		tb.Fatal(err)
	}
	before := tree(tb, outer)
	r, err := os.OpenRoot(root)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	err = fetch.Unpack(tb.Context(), file, r, limits, nil)
	held := tree(tb, root)
	if err != nil {
		if len(held) != 0 {
			tb.Errorf("left %v", held)
		}
		if !strings.Contains(err.Error(), file) {
			tb.Errorf("the error does not name the archive: %v", err)
		}
	}
	after := tree(tb, outer)
	for name := range after {
		if strings.HasPrefix(name, "inner/root/") {
			delete(after, name)
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		tb.Errorf("changed outside:\n%s", diff)
	}
	return held, err
}

func TestHostileArchives(t *testing.T) {
	top := prog("t/node_exporter", "program")
	long := reg(strings.Repeat("a/", 3000)+"x", "")
	many := make([]entry, 0, 60)
	for i := range cap(many) {
		many = append(many, reg(fmt.Sprint("t/", i), ""))
	}
	limits := fetch.Limits{Files: 50, FileBytes: 1 << 20, Bytes: 3 << 20}
	for name, tt := range map[string]struct {
		archive []byte
		want    error
	}{
		"a name that leads up":                   {tarOf(t, top, reg("../victim", "x")), fetch.ErrUnsafe},
		"a name that leads up inside":            {tarOf(t, top, reg("t/../t/x", "x")), fetch.ErrUnsafe},
		"a folder that leads up":                 {tarOf(t, top, dir("t/../../x/")), fetch.ErrUnsafe},
		"an absolute name":                       {tarOf(t, top, reg("/etc/opsctl-test", "x")), fetch.ErrUnsafe},
		"a symbolic link and a file in it":       {tarOf(t, top, typed(tar.TypeSymlink, "t/l", "../.."), reg("t/l/victim", "x")), fetch.ErrUnsafe},
		"a symbolic link inside":                 {tarOf(t, top, typed(tar.TypeSymlink, "t/l", "node_exporter")), fetch.ErrUnsafe},
		"a hard link out":                        {tarOf(t, top, typed(tar.TypeLink, "t/l", "/etc/passwd")), fetch.ErrUnsafe},
		"a hard link inside":                     {tarOf(t, top, typed(tar.TypeLink, "t/l", "t/node_exporter")), fetch.ErrUnsafe},
		"a character device":                     {tarOf(t, top, typed(tar.TypeChar, "t/null", "")), fetch.ErrUnsafe},
		"a block device":                         {tarOf(t, top, typed(tar.TypeBlock, "t/sda", "")), fetch.ErrUnsafe},
		"a pipe":                                 {tarOf(t, top, typed(tar.TypeFifo, "t/p", "")), fetch.ErrUnsafe},
		"a type of one's own":                    {tarOf(t, top, typed('Z', "t/p", "")), fetch.ErrUnsafe},
		"a sparse file":                          {sparseTar(t, "gnu"), fetch.ErrUnsafe},
		"a sparse file of POSIX' format":         {sparseTar(t, "pax"), fetch.ErrUnsafe},
		"a name that comes twice":                {tarOf(t, top, reg("t/node_exporter", "x")), fetch.ErrUnsafe},
		"a name that comes twice, written oddly": {tarOf(t, top, reg("./t//node_exporter", "x")), fetch.ErrUnsafe},
		"a folder that comes twice":              {tarOf(t, dir("t/"), top, dir("t")), fetch.ErrUnsafe},
		"a file in the place of a folder":        {tarOf(t, top, reg("t", "x")), fetch.ErrUnsafe},
		"a file in a file":                       {tarOf(t, top, reg("t/node_exporter/x", "x")), fetch.ErrUnsafe},
		"a folder in the place of a file":        {tarOf(t, top, dir("t/node_exporter/")), fetch.ErrUnsafe},
		"a name with a line feed":                {tarOf(t, top, reg("t/a\nb", "x")), fetch.ErrUnsafe},
		"a name that is no UTF-8":                {tarOf(t, top, rawName("t/\xff")), fetch.ErrUnsafe},
		"a name of thousands of folders":         {tarOf(t, top, long), fetch.ErrUnsafe},
		"a file that is the folder itself":       {tarOf(t, top, reg(".", "x")), fetch.ErrUnsafe},
		"nothing":                                {tarOf(t), fetch.ErrUnsafe},
		"a top folder and nothing":               {tarOf(t, dir("t/")), fetch.ErrUnsafe},
		"another compression":                    {[]byte("\xfd7zXZ\x00abcdefgh"), fetch.ErrUnsafe},
		"a zip":                                  {[]byte("PK\x03\x04abcdefgh"), fetch.ErrUnsafe},
		"a bomb of zeros":                        {gz(t, tarOf(t, top, reg("t/z", strings.Repeat("\x00", 1<<20+1)))), fetch.ErrTooLarge},
		"a bomb of several":                      {gz(t, tarOf(t, top, reg("t/1", strings.Repeat("\x00", 1<<20)), reg("t/2", strings.Repeat("\x00", 1<<20)), reg("t/3", strings.Repeat("\x00", 1<<20)))), fetch.ErrTooLarge},
		"a bomb of files":                        {tarOf(t, many...), fetch.ErrTooLarge},
		"a bomb of folders":                      {tarOf(t, top, reg(strings.Repeat("d/", 50)+"x", "")), fetch.ErrTooLarge},
		"a bomb behind the end":                  {gz(t, append(tarOf(t, top), make([]byte, 4<<20)...)), fetch.ErrTooLarge},
		"a truncated archive":                    {tarOf(t, top)[:515], errAny},
		"truncated gzip":                         {gz(t, tarOf(t, top))[:60], errAny},
		"gzip without its end":                   {cut(gz(t, tarOf(t, top)), 8), errAny},
		"gzip with a wrong checksum":             {flip(gz(t, tarOf(t, top)), 7), errAny},
		"gzip and more":                          {append(gz(t, tarOf(t, top)), "garbage"...), errAny},
		"no archive":                             {[]byte("<!DOCTYPE html>" + strings.Repeat("x", 1000)), errAny},
		"an empty file":                          {nil, fetch.ErrUnsafe},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := unpack(t, tt.archive, limits); !of(err, tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func cut(b []byte, n int) []byte { return b[:len(b)-n] }

func flip(b []byte, fromEnd int) []byte {
	b[len(b)-fromEnd] ^= 1
	return b
}

// rawName is an entry whose name is written as it is.
func rawName(name string) entry {
	e := reg(name, "")
	e.Format = tar.FormatGNU
	return e
}

// sparseTar is an archive that GNU tar made of a file with a hole.
func sparseTar(t *testing.T, format string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.Truncate(create(t, filepath.Join(dir, "t"), "hole"), 1<<20); err != nil {
		t.Fatal(err)
	}
	return gnuTar(t, "-C", dir, "--sparse", "--format", format, "-cf", "-", "t")
}

func TestTheRatioOfABomb(t *testing.T) {
	bomb := gz(t, tarOf(t, reg("t/z", strings.Repeat("\x00", 17<<20))))
	if _, err := unpack(t, bomb, fetch.Limits{}); !errors.Is(err, fetch.ErrTooLarge) || !strings.Contains(err.Error(), "100 times") {
		t.Errorf("got %v", err)
	}
	if _, err := unpack(t, bomb, fetch.Limits{Ratio: 100_000}); err != nil {
		t.Errorf("got %v", err)
	}
}

// create writes a file with its folders, and gives its path.
func create(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("content of "+name), 0o644)); err != nil {
		t.Fatal(err)
	}
	return path
}

func gnuTar(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "tar", args...)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tar %v: %v", args, err)
	}
	return out
}

// TestGNUTarAgrees unpacks releases that GNU tar packed, in each of its formats, with
// it and with Unpack.
func TestGNUTarAgrees(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "tar", "--version").Output(); err != nil || !bytes.Contains(out, []byte("GNU tar")) {
		t.Skip("needs GNU tar")
	}
	src := t.TempDir()
	names := []string{"LICENSE", "NOTICE", "node_exporter", "a/b/c", "a/.hidden", strings.Repeat("long-", 30), strings.Repeat("d/", 60) + "deep", "ünïcode 库", "empty"}
	for i, name := range names {
		path := create(t, filepath.Join(src, "node_exporter-1.12.1.linux-amd64"), name)
		when := time.Unix(1_600_000_000+int64(i), 0)
		if err := errors.Join(os.Chmod(path, []os.FileMode{0o644, 0o755}[i%2]), os.Chtimes(path, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(src, "node_exporter-1.12.1.linux-amd64", "empty"), 0); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"gnu", "pax", "oldgnu"} {
		for _, start := range []string{"node_exporter-1.12.1.linux-amd64", "./node_exporter-1.12.1.linux-amd64"} {
			archive := gnuTar(t, "-C", src, "--format", format, "--owner=1000", "--group=1000", "-czf", "-", start)
			theirs := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "tar", "-C", theirs, "-xzf", "-", "--no-same-owner", "--strip-components="+fmt.Sprint(strings.Count(start, "/")+1))
			cmd.Stdin = bytes.NewReader(archive)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			ours, err := unpack(t, archive, fetch.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, theirs), ours); diff != "" || len(ours) < len(names) {
				t.Errorf("%s, GNU tar's and ours:\n%s", format, diff)
			}
		}
	}
}

func TestModesAndTimesAreNormal(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	entries := []entry{reg("a", ""), reg("b", ""), reg("c", ""), reg("d", "")}
	for i, mode := range []int64{0o6755, 0o000, 0o1061, 0o660} {
		entries[i].Mode = mode
	}
	entries[0].ModTime = time.Now().Add(48 * time.Hour)
	entries[1].ModTime = time.Unix(-5, 0)
	odd := dir("e/")
	odd.Mode = 0o2777
	outer := t.TempDir()
	archive := filepath.Join(outer, "archive.tar")
	root := filepath.Join(outer, "root")
	if err := errors.Join(os.WriteFile(archive, tarOf(t, append(entries, odd, reg("f/x", ""))...), 0o600), os.Mkdir(root, 0o755)); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := fetch.Unpack(t.Context(), archive, r, fetch.Limits{}, nil); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"a": 0o755, "b": 0o644, "c": 0o755, "d": 0o644, "e": 0o755 | os.ModeDir, "f": 0o755 | os.ModeDir, "f/x": 0o644} {
		info, err := r.Stat(name)
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		if age := time.Since(info.ModTime()); age < 0 || name == "b" && info.ModTime().Unix() != 0 {
			t.Errorf("%s is of %s", name, info.ModTime())
		}
	}
}

func TestTheTopFolder(t *testing.T) {
	const in = " 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 2023-11-14T22:13:20Z"
	for name, tt := range map[string]struct {
		entries []entry
		want    []string
	}{
		"is left out":                       {[]entry{dir("t/"), reg("t/x", "x"), reg("t/d/y", "x")}, []string{"x", "d", "d/y"}},
		"is left out though not named":      {[]entry{reg("t/x", "x")}, []string{"x"}},
		"is named late":                     {[]entry{reg("t/x", "x"), dir("t")}, []string{"x"}},
		"is below a dot":                    {[]entry{dir("./"), dir("./t/"), reg("./t/x", "x")}, []string{"x"}},
		"has the program's name":            {[]entry{reg("x/x", "x")}, []string{"x"}},
		"holds a folder of its name":        {[]entry{reg("t/t/x", "x")}, []string{"t", "t/x"}},
		"holds what has the temporary name": {[]entry{reg("t/.top", "x"), reg("t/.top~/x", "x")}, []string{".top", ".top~", ".top~/x"}},
		"has the temporary name":            {[]entry{reg(".top/x", "x")}, []string{"x"}},
		"is not the only one":               {[]entry{reg("t/x", "x"), reg("y", "x")}, []string{"t", "t/x", "y"}},
		"is not there":                      {[]entry{reg("x", "x")}, []string{"x"}},
	} {
		t.Run(name, func(t *testing.T) {
			held, err := unpack(t, gz(t, tarOf(t, tt.entries...)), fetch.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for _, n := range tt.want {
				want[n] = "drwxr-xr-x"
				if strings.HasSuffix(n, "x") || strings.HasSuffix(n, "y") || n == ".top" {
					want[n] = "-rw-r--r--" + in
				}
			}
			if diff := cmp.Diff(want, held); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFolderThatIsNotEmptyIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(path, tarOf(t, reg("x", "x")), 0o600); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	create(t, root, "mine")
	r, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := fetch.Unpack(t.Context(), path, r, fetch.Limits{}, nil); !errors.Is(err, os.ErrExist) || len(tree(t, root)) != 1 {
		t.Errorf("got %v, holds %v", err, tree(t, root))
	}
}

func TestUnpackingStopsWhenTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(path, tarOf(t, reg("x", strings.Repeat("x", 1<<20))), 0o600); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	r, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	rep := &stopper{cancel: cancel}
	if err := fetch.Unpack(ctx, path, r, fetch.Limits{}, rep); !errors.Is(err, context.Canceled) || len(tree(t, root)) != 0 || rep.n == 0 {
		t.Errorf("got %v, holds %v", err, tree(t, root))
	}
}

// stopper cancels once something was reported.
type stopper struct {
	recorder
	cancel func()
}

func (s *stopper) Add(n int64) {
	s.recorder.Add(n)
	s.cancel()
}

func FuzzUnpack(f *testing.F) {
	top := prog("t/node_exporter", "program")
	f.Add(tarOf(f, top, reg("../victim", "x")))
	f.Add(tarOf(f, typed(tar.TypeSymlink, "t/l", "../.."), reg("t/l/victim", "x")))
	f.Add(tarOf(f, dir("t/"), top, typed(tar.TypeLink, "t/l", "/etc/passwd")))
	f.Add(gz(f, tarOf(f, dir("t/"), top)))
	f.Fuzz(func(t *testing.T, archive []byte) {
		held, err := unpack(t, archive, fetch.Limits{Files: 20, Bytes: 1 << 16, FileBytes: 1 << 15})
		if err != nil {
			return
		}
		for name, what := range held {
			if !strings.HasPrefix(what, "drwxr-xr-x") && !strings.HasPrefix(what, "-rw-r--r-- ") && !strings.HasPrefix(what, "-rwxr-xr-x ") {
				t.Errorf("%q is %s", name, what)
			}
		}
	})
}
