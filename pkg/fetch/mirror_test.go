package fetch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opsctl/opsctl/pkg/fetch"
)

// get asks a server in a bubble for the asset, and says what is in the folder then.
func get(t *testing.T, h http.Handler, a fetch.Asset, opts fetch.Options) (fetch.File, map[string]string, error) {
	t.Helper()
	opts.Transport = serve(t, h)
	dir := t.TempDir()
	f, err := mirror(t, "http://mirror.test", opts).Get(t.Context(), a, dir)
	return f, tree(t, dir), err
}

// content serves bytes as a file server does, with ranges and, where it is not "",
// an ETag.
func content(tag string, b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if tag != "" {
			w.Header().Set("ETag", tag)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// breaking serves bytes whole or from the range that was asked for, and breaks the
// connection after n of them.
func breaking(tag string, b []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		content(tag, b)(&breaker{ResponseWriter: w, left: n}, r)
	}
}

type breaker struct {
	http.ResponseWriter
	left int
}

func (b *breaker) Write(p []byte) (int, error) {
	n, err := b.ResponseWriter.Write(p[:min(len(p), b.left)])
	if b.left -= n; b.left == 0 {
		_ = http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// turns answers each request with the next handler, the last one from then on.
func turns(handlers ...http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1)) - 1
		handlers[min(i, len(handlers)-1)](w, r)
	}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// endless sends until nobody listens.
func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

// drip sends a byte a second.
func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = w.Write([]byte{0})
		_ = http.NewResponseController(w).Flush()
		time.Sleep(time.Second)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestGet(t *testing.T) {
	good, other := noise(1, 450<<10), noise(2, 450<<10)
	half := len(good) / 2
	const limit = 1 << 20
	tests := []struct {
		name    string
		archive http.HandlerFunc
		sums    http.HandlerFunc // nil for the right ones
		want    error            // nil for success; errAny for an error of no kind
		says    string
		// requests for the archive, and the time that all may take at most.
		requests int
		least    time.Duration
	}{
		{name: "a good release", archive: content("", good), requests: 1},
		{name: "tampered content", archive: content("", append(bytes.Clone(good[:len(good)-1]), 'x')), want: fetch.ErrSum, says: sumOf(good), requests: 1},
		{name: "content that ends early", archive: content("", good[:half]), want: fetch.ErrSum, requests: 1},
		{name: "connections that always break at the same place", archive: breaking("", good, 10), want: io.ErrUnexpectedEOF, says: "gave up after", requests: 5},
		{name: "another file's sum", archive: content("", good), sums: text(sumOf(good) + "  other.tar.gz\n"), want: fetch.ErrNoSum, says: "names node_exporter-1.12.1.linux-amd64.tar.gz"},
		{name: "the sum of other content", archive: content("", good), sums: text(sumsOf(other)), want: fetch.ErrSum, requests: 1},
		{name: "no file of sums", archive: content("", good), sums: status(404), want: fetch.ErrNoSum},
		{name: "an empty file of sums", archive: content("", good), sums: text(""), want: fetch.ErrNoSum},
		{name: "a page instead of sums", archive: content("", good), sums: text("<!DOCTYPE html>\n" + sumsOf(good)), want: fetch.ErrNoSum, says: "line 1"},
		{name: "two sums", archive: content("", good), sums: text(sumsOf(good) + sumsOf(other)), want: fetch.ErrNoSum, says: "has two"},
		{name: "endless sums", archive: content("", good), sums: endless, want: fetch.ErrTooLarge},
		{name: "endless content", archive: endless, want: fetch.ErrTooLarge, says: "1048576", requests: 1},
		{name: "a length over the limit", archive: status(200, "Content-Length", "1048577"), want: fetch.ErrTooLarge, says: "1048577", requests: 1},
		{name: "no such archive", archive: status(404), want: fetch.ErrNotFound, requests: 1},
		{name: "forbidden", archive: status(403), want: errAny, says: "403 Forbidden", requests: 1},
		{name: "no content", archive: status(204), want: errAny, says: "204", requests: 1},
		{name: "part of what was asked for whole", archive: status(206, "Content-Range", "bytes 0-1/2"), want: errAny, says: "206", requests: 1},
		{name: "overloaded, then well", archive: turns(status(500), status(503), content("", good)), requests: 3, least: 750 * time.Millisecond},
		{name: "overloaded for good", archive: status(502), want: errAny, says: "502 Bad Gateway (gave up after 5", requests: 5},
		{name: "asked to wait", archive: turns(status(429, "Retry-After", "70"), content("", good)), requests: 2, least: 70 * time.Second},
		{name: "asked to wait for long", archive: status(429, "Retry-After", "99999999999"), want: errAny, says: "asks to wait", requests: 1},
		{name: "asked to wait until a date", archive: turns(status(503, "Retry-After", "Sat, 01 Jan 2000 00:01:00 GMT"), content("", good)), requests: 2, least: 50 * time.Second},
		{name: "no answer", archive: hang, want: errAny, says: "stopped sending", requests: 5, least: 150 * time.Second},
		{name: "a byte a second", archive: drip, want: errAny, says: "stopped sending", requests: 5, least: 150 * time.Second},
		{name: "a broken connection", archive: turns(breaking("", good, half), content("", good)), requests: 2},
		{name: "many broken connections", archive: breaking("", good, 70<<10), requests: 7},
		{name: "ranges that are ignored", archive: turns(breaking("", good, half), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(good) }), requests: 2},
		{name: "an entity that changes", archive: turns(breaking(`"1"`, other, half), content(`"2"`, good)), requests: 2},
		{name: "an entity that changes without a tag", archive: turns(breaking("", other, half), content("", good)), requests: 3},
		{name: "an entity with a weak tag", archive: turns(breaking(`W/"1"`, good, half), content(`W/"1"`, good)), requests: 2},
		{name: "an If-Range that is ignored", archive: turns(breaking(`"1"`, other, half), status(206, "ETag", `"2"`, "Content-Range", fmt.Sprintf("bytes %d-%d/%d", half, len(good)-1, len(good))), content(`"2"`, good)), requests: 3},
		{name: "another range than asked for", archive: turns(breaking("", good, half), status(206, "Content-Range", "bytes 0-9/10"), content("", good)), requests: 3},
		{name: "a range that says nothing", archive: turns(breaking("", good, half), status(206), content("", good)), requests: 3},
		{name: "more than the range", archive: turns(breaking("", good, half), tooMuch(half)), want: fetch.ErrTooLarge, says: "that are due", requests: 2},
		{name: "a range of too much", archive: turns(breaking("", good, half), status(206, "Content-Range", fmt.Sprintf("bytes %d-9999998/9999999", half))), want: fetch.ErrTooLarge, requests: 2},
		{name: "no range any more", archive: turns(breaking("", good, half), status(416, "Content-Range", "bytes */7"), content("", good)), requests: 3},
		{name: "redirects in a circle", archive: status(302, "Location", archiveURL), want: fetch.ErrRedirect, says: "more than 5", requests: 6},
		{name: "a redirect to another scheme", archive: status(302, "Location", "ftp://mirror.test/x"), want: fetch.ErrRedirect, requests: 1},
		{name: "a redirect to a file", archive: status(302, "Location", "file:///etc/passwd"), want: fetch.ErrRedirect, requests: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				mux := http.NewServeMux()
				mux.HandleFunc(archiveURL, func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					tt.archive(w, r)
				})
				mux.HandleFunc(sumsURL, text(sumsOf(good)))
				if tt.sums != nil {
					mux = http.NewServeMux()
					mux.HandleFunc(archiveURL, tt.archive)
					mux.HandleFunc(sumsURL, tt.sums)
				}
				start := time.Now()
				f, left, err := get(t, mux, asset(), fetch.Options{MaxBytes: limit})
				if took := time.Since(start); took < tt.least || took > 5*time.Minute {
					t.Errorf("took %s", took)
				}
				if tt.sums == nil && int(requests.Load()) != tt.requests {
					t.Errorf("%d requests", requests.Load())
				}
				judge(t, good, tt.want, tt.says, f, left, err)
			})
		})
	}
}

// judge fails unless the whole file is there and nothing else, or an error of the
// kind and nothing at all.
func judge(t *testing.T, good []byte, want error, says string, f fetch.File, left map[string]string, err error) {
	t.Helper()
	if want == nil {
		if err != nil || f.SHA256 != sumOf(good) || f.Bytes != int64(len(good)) || f.Origin != "http://mirror.test"+archiveURL {
			t.Errorf("got %+v, %v", f, err)
		}
		if names := slices.Collect(maps.Keys(left)); !slices.Equal(names, []string{asset().File}) || !strings.Contains(left[asset().File], "-rw------- "+sumOf(good)) {
			t.Errorf("holds %v", left)
		}
		return
	}
	if !of(err, want) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "http://mirror.test"+folderURL) {
		t.Errorf("got error %v", err)
	}
	if len(left) != 0 || f != (fetch.File{}) {
		t.Errorf("left %v, %+v", left, f)
	}
}

// tooMuch answers a range with more than remains.
func tooMuch(from int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+9, from+10))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(make([]byte, 1000))
	}
}

func TestAPinnedSumNeedsNoSumsFile(t *testing.T) {
	good := noise(1, 1000)
	synctest.Test(t, func(t *testing.T) {
		a := asset()
		a.SHA256 = strings.ToUpper(sumOf(good))
		mux := http.NewServeMux()
		mux.HandleFunc(archiveURL, content("", good))
		mux.HandleFunc(sumsURL, func(http.ResponseWriter, *http.Request) { t.Error("the sums were asked for") })
		f, left, err := get(t, mux, a, fetch.Options{})
		judge(t, good, nil, "", f, left, err)
		a.SHA256 = sumOf(nil)
		f, left, err = get(t, mux, a, fetch.Options{})
		judge(t, good, fetch.ErrSum, a.SHA256, f, left, err)
	})
}

func TestOtherNamesOfTagAndSums(t *testing.T) {
	good := noise(1, 1000)
	synctest.Test(t, func(t *testing.T) {
		a := asset()
		a.Tag, a.Sums = "release-1", "checksums.txt"
		mux := http.NewServeMux()
		mux.HandleFunc("/base/prometheus/node_exporter/releases/download/release-1/"+a.File, content("", good))
		mux.HandleFunc("/base/prometheus/node_exporter/releases/download/release-1/checksums.txt", text(sumsOf(good)))
		dir := t.TempDir()
		m := mirror(t, "http://mirror.test/base/", fetch.Options{Transport: serve(t, mux)})
		if f, err := m.Get(t.Context(), a, dir); err != nil || f.Path != filepath.Join(dir, a.File) {
			t.Errorf("got %+v, %v", f, err)
		}
	})
}

func TestAssetsThatCouldLeadElsewhere(t *testing.T) {
	m := mirror(t, "http://127.0.0.1:1", fetch.Options{})
	for what, change := range map[string]func(*fetch.Asset){
		"owner":            func(a *fetch.Asset) { a.Owner = ".." },
		"repository":       func(a *fetch.Asset) { a.Repo = "a/b" },
		"an empty file":    func(a *fetch.Asset) { a.File = "" },
		"a hidden file":    func(a *fetch.Asset) { a.File = ".bashrc" },
		"a file elsewhere": func(a *fetch.Asset) { a.File = "../x" },
		"version":          func(a *fetch.Asset) { a.Version = "1?x=" },
		"tag":              func(a *fetch.Asset) { a.Tag = "v1%2e" },
		"sums":             func(a *fetch.Asset) { a.Sums = "x#y" },
		"an option":        func(a *fetch.Asset) { a.File = "-rf" },
		"sum":              func(a *fetch.Asset) { a.SHA256 = "abc" },
	} {
		a := asset()
		change(&a)
		dir := t.TempDir()
		if _, err := m.Get(t.Context(), a, dir); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", what, err)
		}
		if len(tree(t, dir)) != 0 {
			t.Errorf("%s left %v", what, tree(t, dir))
		}
	}
}

func TestAMissingFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mirror(t, "http://mirror.test", fetch.Options{Transport: serve(t, text(sumsOf(nil)))})
		dir := filepath.Join(t.TempDir(), "no")
		if _, err := m.Get(t.Context(), asset(), dir); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v", err)
		}
	})
}

// What the installer takes.
var _ = []fetch.Source{(*fetch.Mirror)(nil), (*fetch.Archive)(nil), (*fetch.Bundle)(nil)}
