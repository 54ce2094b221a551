package fetch_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/fetch"
)

// errAny stands for an error of no kind.
var errAny = errors.New("an error of no kind")

// of says whether an error is of a kind; nil is of its own.
func of(err, kind error) bool {
	if errors.Is(kind, errAny) {
		return err != nil
	}
	return errors.Is(err, kind)
}

// asset is the release that the tests get.
func asset() fetch.Asset {
	return fetch.Asset{
		Owner: "prometheus", Repo: "node_exporter", Name: "node_exporter", Version: "1.12.1",
		OS: "linux", Arch: "amd64", File: "node_exporter-1.12.1.linux-amd64.tar.gz",
	}
}

const (
	folderURL  = "/prometheus/node_exporter/releases/download/v1.12.1/"
	archiveURL = folderURL + "node_exporter-1.12.1.linux-amd64.tar.gz"
	sumsURL    = folderURL + "sha256sums.txt"
)

// noise is content that no compression makes smaller.
func noise(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// sumsOf is a release's sums file for an archive.
func sumsOf(archive []byte) string {
	return strings.Repeat("0", 64) + "  node_exporter-1.12.1.darwin-amd64.tar.gz\n" +
		sumOf(archive) + "  " + asset().File + "\n"
}

// text is a handler that answers with a body.
func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

// pipes is a listener whose connections are in memory, so that both ends live in a
// synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// serve starts a server in the bubble and gives the way to it.
func serve(t *testing.T, h http.Handler) *http.Transport {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	// A bubble ends only with all that runs in it.
	var busy sync.WaitGroup
	counted := func(w http.ResponseWriter, r *http.Request) {
		busy.Add(1)
		defer busy.Done()
		h.ServeHTTP(w, r)
	}
	server := &http.Server{Handler: http.HandlerFunc(counted), ReadHeaderTimeout: time.Hour}
	go func() { _ = server.Serve(l) }()
	transport := &http.Transport{DialContext: l.dial, DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		busy.Wait()
	})
	return transport
}

func mirror(t *testing.T, base string, opts fetch.Options) *fetch.Mirror {
	t.Helper()
	m, err := fetch.NewMirror(base, opts)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tree is what a folder holds: names, modes and contents.
func tree(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	held := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		held[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			held[name] += " " + sumOf(b) + " " + info.ModTime().UTC().Format(time.RFC3339)
			return err
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	delete(held, ".")
	return held
}

// entry is a member of an archive; its content is its Linkname's when that is a file.
type entry struct {
	tar.Header
	body string
}

func reg(name, body string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, ModTime: time.Unix(1_700_000_000, 0)}, body}
}

func dir(name string) entry {
	return entry{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}, ""}
}

func prog(name, body string) entry {
	e := reg(name, body)
	e.Mode = 0o755
	return e
}

func typed(kind byte, name, link string) entry {
	return entry{tar.Header{Typeflag: kind, Name: name, Linkname: link, Mode: 0o644}, ""}
}

// tarOf is a plain archive.
func tarOf(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		e.Size = int64(len(e.body))
		if err := w.WriteHeader(&e.Header); err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func gz(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}
