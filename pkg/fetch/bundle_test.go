package fetch_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opsctl/opsctl/pkg/fetch"
)

func TestArchive(t *testing.T) {
	good := noise(1, 5000)
	pinned := func(sum string) fetch.Asset {
		a := asset()
		a.SHA256 = sum
		return a
	}
	src := t.TempDir()
	path := filepath.Join(src, "my.tar.gz")
	huge := filepath.Join(src, "huge")
	pipe := filepath.Join(src, "pipe")
	if err := errors.Join(os.WriteFile(path, good, 0o600), os.WriteFile(huge, nil, 0o600), os.Truncate(huge, 1<<40), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		archive fetch.Archive
		asset   fetch.Asset
		want    error
	}{
		"the user's sum":           {fetch.Archive{Path: path, SHA256: strings.ToUpper(sumOf(good))}, asset(), nil},
		"the pinned sum":           {fetch.Archive{Path: path}, pinned(sumOf(good)), nil},
		"both":                     {fetch.Archive{Path: path, SHA256: sumOf(good)}, pinned(sumOf(good)), nil},
		"no sum":                   {fetch.Archive{Path: path}, asset(), fetch.ErrNoSum},
		"another sum":              {fetch.Archive{Path: path, SHA256: sumOf(nil)}, asset(), fetch.ErrSum},
		"a sum that is not pinned": {fetch.Archive{Path: path, SHA256: sumOf(good)}, pinned(sumOf(nil)), fetch.ErrSum},
		"no sum at all":            {fetch.Archive{Path: path, SHA256: "abc"}, asset(), errAny},
		"no file":                  {fetch.Archive{Path: path + "x", SHA256: sumOf(good)}, asset(), os.ErrNotExist},
		"a folder":                 {fetch.Archive{Path: src, SHA256: sumOf(good)}, asset(), errAny},
		"a pipe":                   {fetch.Archive{Path: pipe, SHA256: sumOf(good)}, asset(), errAny},
		"a huge file":              {fetch.Archive{Path: huge, SHA256: sumOf(good)}, asset(), fetch.ErrTooLarge},
		"an odd asset":             {fetch.Archive{Path: path, SHA256: sumOf(good)}, fetch.Asset{File: "../x"}, errAny},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			rep := &recorder{}
			tt.archive.Progress = rep
			f, err := tt.archive.Get(t.Context(), tt.asset, dir)
			if !of(err, tt.want) {
				t.Fatalf("got %v", err)
			}
			held := tree(t, dir)
			if err != nil {
				if len(held) != 0 {
					t.Errorf("left %v", held)
				}
				return
			}
			if want := (fetch.File{Path: filepath.Join(dir, asset().File), SHA256: sumOf(good), Bytes: 5000, Origin: path}); f != want || len(held) != 1 {
				t.Errorf("got %+v, holds %v", f, held)
			}
			if rep.n != 5000 || rep.dones != 1 {
				t.Errorf("reported %+v", rep)
			}
			// What is there is not written again.
			if f, err := tt.archive.Get(t.Context(), tt.asset, dir); err != nil || f.Origin != f.Path {
				t.Errorf("the second time %+v, %v", f, err)
			}
		})
	}
}

// bundled writes a bundle of two archives, and gives its path and their contents.
func bundled(t *testing.T) (path string, contents [][]byte) {
	t.Helper()
	dir := t.TempDir()
	var files []fetch.BundleFile
	for i, arch := range []string{"amd64", "arm64"} {
		b := noise(uint64(i), 3000+i)
		a := asset()
		a.Arch, a.File = arch, "node_exporter-1.12.1.linux-"+arch+".tar.gz"
		src := filepath.Join(dir, a.File)
		if err := os.WriteFile(src, b, 0o600); err != nil {
			t.Fatal(err)
		}
		contents = append(contents, b)
		files = append(files, fetch.BundleFile{Asset: a, File: fetch.File{Path: src, SHA256: sumOf(b), Bytes: int64(len(b)), Origin: "https://mirror.test/x"}})
	}
	var one, two bytes.Buffer
	if err := errors.Join(fetch.WriteBundle(t.Context(), &one, files), fetch.WriteBundle(t.Context(), &two, files)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("the same archives give two bundles")
	}
	path = filepath.Join(dir, "bundle.tar")
	if err := os.WriteFile(path, one.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, contents
}

func TestBundle(t *testing.T) {
	path, contents := bundled(t)
	b, err := fetch.OpenBundle(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if items := b.Items(); len(items) != 2 || items[1].Arch != "arm64" || items[1].SHA256 != sumOf(contents[1]) || items[1].Bytes != 3001 || items[1].Origin != "https://mirror.test/x" {
		t.Errorf("holds %+v", items)
	}
	dir := t.TempDir()
	a := asset()
	a.Arch = "arm64"
	f, err := b.Get(t.Context(), a, dir)
	if err != nil || f.Path != filepath.Join(dir, a.File) || f.SHA256 != sumOf(contents[1]) || f.Bytes != 3001 || !strings.Contains(f.Origin, path) {
		t.Errorf("got %+v, %v", f, err)
	}
	if got, err := os.ReadFile(f.Path); err != nil || !bytes.Equal(got, contents[1]) || len(tree(t, dir)) != 1 {
		t.Errorf("holds %v, %v", tree(t, dir), err)
	}
	for name, change := range map[string]func(*fetch.Asset){
		"another version": func(a *fetch.Asset) { a.Version = "1.5.0" },
		"another arch":    func(a *fetch.Asset) { a.Arch = "riscv64" },
		"another pin":     func(a *fetch.Asset) { a.SHA256 = sumOf(nil) },
		"an odd name":     func(a *fetch.Asset) { a.File = "../x" },
	} {
		a, dir := asset(), t.TempDir()
		change(&a)
		if _, err := b.Get(t.Context(), a, dir); err == nil || len(tree(t, dir)) != 0 {
			t.Errorf("%s: %v, %v", name, err, tree(t, dir))
		}
	}
}

// TestGNUTarReadsABundle holds the form to what the tool says that everybody has.
func TestGNUTarReadsABundle(t *testing.T) {
	path, contents := bundled(t)
	out := gnuTar(t, "-tf", path)
	first, second := sumOf(contents[0]), sumOf(contents[1])
	want := "bundle.lock.json\narchives/" + first + "/node_exporter-1.12.1.linux-amd64.tar.gz\narchives/" + second + "/node_exporter-1.12.1.linux-arm64.tar.gz\n"
	if string(out) != want {
		t.Errorf("lists %s", out)
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "tar", "-C", dir, "-xf", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "archives", first, asset().File)); err != nil || !bytes.Equal(got, contents[0]) {
		t.Errorf("unpacks something else: %v", err)
	}
	var lock struct {
		APIVersion, Kind string
		Items            []map[string]any
	}
	text, err := os.ReadFile(filepath.Join(dir, "bundle.lock.json"))
	if err := errors.Join(err, json.Unmarshal(text, &lock)); err != nil || lock.APIVersion != "opsctl/v1" || lock.Kind != "Bundle" || len(lock.Items) != 2 {
		t.Errorf("the lock: %s, %v", text, err)
	}
}

// TestEveryByteOfABundleCounts changes bytes all over a bundle: it is refused, or
// what comes out is what went in.
func TestEveryByteOfABundleCounts(t *testing.T) {
	path, contents := bundled(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "bundle.tar")
	try := func(what string, i int, data []byte) {
		if err := os.WriteFile(damaged, data, 0o600); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		b, err := fetch.OpenBundle(damaged, nil)
		var f fetch.File
		if err == nil {
			f, err = b.Get(t.Context(), asset(), dir)
		}
		held := tree(t, dir)
		if err != nil && (len(held) != 0 || !strings.Contains(err.Error(), damaged)) || err == nil && (len(held) != 1 || f.SHA256 != sumOf(contents[0])) {
			t.Errorf("%s %d: %v, %+v, holds %v", what, i, err, f, held)
		}
	}
	for i := 0; i < len(whole); i += 61 {
		try("changed byte", i, slices.Concat(whole[:i], []byte{whole[i] ^ 1}, whole[i+1:]))
		try("cut at", i, whole[:i])
	}
}

func TestHostileBundles(t *testing.T) {
	lock := func(items string) entry {
		return reg("bundle.lock.json", `{"apiVersion":"opsctl/v1","kind":"Bundle","items":[`+items+`]}`)
	}
	item := func(file, sum, size string) string {
		return `{"name":"node_exporter","version":"1.12.1","os":"linux","arch":"amd64","file":"` + file + `","sha256":"` + sum + `","bytes":` + size + `}`
	}
	x := sumOf([]byte("x"))
	member := "archives/" + x + "/f"
	long := lock(item("f", x, "1"))
	long.body += strings.Repeat(" ", 1<<20)
	link := typed(tar.TypeSymlink, member, "/etc/passwd")
	for name, entries := range map[string][]entry{
		"no lock":                  {reg(member, "x")},
		"a lock that is not first": {reg(member, "x"), lock("")},
		"a lock that is a link":    {typed(tar.TypeSymlink, "bundle.lock.json", "/etc/passwd")},
		"a lock that is a page":    {reg("bundle.lock.json", "<html>")},
		"a lock of another kind":   {reg("bundle.lock.json", `{"apiVersion":"opsctl/v2","kind":"Bundle"}`)},
		"an endless lock":          {long, reg(member, "x")},
		"a file elsewhere":         {lock(item("../f", x, "1")), reg("archives/"+x+"/../f", "x")},
		"no sum":                   {lock(item("f", "", "1")), reg("archives//f", "x")},
		"no size":                  {lock(item("f", x, "-1")), reg(member, "x")},
		"another size":             {lock(item("f", x, "2")), reg(member, "x")},
		"a huge size":              {lock(item("f", x, "99999999999")), reg(member, "x")},
		"no member":                {lock(item("f", x, "1"))},
		"a member that is a link":  {lock(item("f", x, "1")), link},
		"another content":          {lock(item("f", x, "1")), reg(member, "y")},
	} {
		path, dir := filepath.Join(t.TempDir(), "bundle.tar"), t.TempDir()
		if err := os.WriteFile(path, tarOf(t, entries...), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := fetch.OpenBundle(path, nil)
		if err == nil {
			_, err = b.Get(t.Context(), asset(), dir)
		}
		if err == nil || !strings.Contains(err.Error(), path) || len(tree(t, dir)) != 0 {
			t.Errorf("%s: %v, holds %v", name, err, tree(t, dir))
		}
	}
}

func TestABundleOfWhatHasChangedIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	good := noise(1, 1000)
	for name, content := range map[string][]byte{"shorter": good[1:], "longer": append(bytes.Clone(good), 'x'), "other": noise(2, 1000)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		files := []fetch.BundleFile{{Asset: asset(), File: fetch.File{Path: path, SHA256: sumOf(good), Bytes: 1000}}}
		if err := fetch.WriteBundle(t.Context(), &bytes.Buffer{}, files); err == nil {
			t.Errorf("%s content is bundled", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	files := []fetch.BundleFile{{Asset: asset(), File: fetch.File{Path: path, SHA256: sumOf(good), Bytes: 1000}}}
	if err := fetch.WriteBundle(ctx, &bytes.Buffer{}, files); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	files[0].Asset.OS = ""
	if err := fetch.WriteBundle(t.Context(), &bytes.Buffer{}, files); err == nil {
		t.Error("an item without an os is bundled")
	}
}
