package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/opsctl/opsctl/pkg/fetch"
)

// TestAnInterruptedDownloadGoesOn cancels in the middle; what came is not loaded a
// second time.
func TestAnInterruptedDownloadGoesOn(t *testing.T) {
	good := noise(1, 2<<20)
	half := len(good) / 2
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ranges := []string{}
		mux := http.NewServeMux()
		mux.HandleFunc(sumsURL, text(sumsOf(good)))
		stuck := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			_, _ = w.Write(good[:half])
			_ = http.NewResponseController(w).Flush()
			time.AfterFunc(time.Second, cancel)
			<-r.Context().Done()
		}
		answer := turns(stuck, content("", good))
		mux.HandleFunc(archiveURL, func(w http.ResponseWriter, r *http.Request) {
			ranges = append(ranges, r.Header.Get("Range"))
			answer(w, r)
		})
		dir := t.TempDir()
		rep := &recorder{}
		m := mirror(t, "http://mirror.test", fetch.Options{Transport: serve(t, mux), Progress: rep})
		if _, err := m.Get(ctx, asset(), dir); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		partial, err := os.Stat(filepath.Join(dir, asset().File+".partial"))
		if err != nil || len(tree(t, dir)) != 1 || partial.Size() != int64(half) {
			t.Fatalf("left %v, %v", tree(t, dir), err)
		}
		f, err := m.Get(t.Context(), asset(), dir)
		f.Origin = "http://mirror.test" + archiveURL
		judge(t, good, nil, "", f, tree(t, dir), err)
		if want := []string{"", fmt.Sprintf("bytes=%d-", half)}; !slices.Equal(ranges, want) {
			t.Errorf("asked for %q", ranges)
		}
		if want := (recorder{total: int64(len(good)), n: int64(half + len(good)), starts: 2, dones: 2}); *rep != want {
			t.Errorf("reported %+v, not %+v", *rep, want)
		}
	})
}

// recorder is a progress.Reporter.
type recorder struct {
	total, n      int64
	starts, dones int
}

func (r *recorder) Start(total int64) { r.total = total; r.starts++ }
func (r *recorder) Add(n int64)       { r.n += n }
func (r *recorder) Done()             { r.dones++ }

func TestWhatLiesInTheFolder(t *testing.T) {
	good := noise(1, 300<<10)
	name := asset().File
	tests := []struct {
		title   string
		prepare func(dir string) error
		// loaded says whether the archive is asked for.
		loaded bool
	}{
		{"the archive", func(dir string) error { return os.WriteFile(filepath.Join(dir, name), good, 0o600) }, false},
		{"a wrong archive", func(dir string) error { return os.WriteFile(filepath.Join(dir, name), good[1:], 0o600) }, true},
		{"a folder in its place", func(dir string) error { return os.MkdirAll(filepath.Join(dir, name, "x"), 0o700) }, true},
		{"a link in its place", func(dir string) error { return os.Symlink("/etc/passwd", filepath.Join(dir, name)) }, true},
		{"a link in the place of what is partial", func(dir string) error {
			return os.Symlink("victim", filepath.Join(dir, name+".partial"))
		}, true},
		{"half of it", func(dir string) error { return os.WriteFile(filepath.Join(dir, name+".partial"), good[:1000], 0o600) }, true},
		{"half of something else", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, name+".partial"), noise(9, 5000), 0o600)
		}, true},
		{"all of it, without its name", func(dir string) error { return os.WriteFile(filepath.Join(dir, name+".partial"), good, 0o600) }, true},
		{"more than all of it", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, name+".partial"), noise(9, 400<<10), 0o600)
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				loaded := false
				mux := http.NewServeMux()
				mux.HandleFunc(sumsURL, text(sumsOf(good)))
				mux.HandleFunc(archiveURL, func(w http.ResponseWriter, r *http.Request) {
					loaded = true
					content(`"1"`, good)(w, r)
				})
				dir := t.TempDir()
				if err := tt.prepare(dir); err != nil {
					t.Fatal(err)
				}
				m := mirror(t, "http://mirror.test", fetch.Options{Transport: serve(t, mux)})
				f, err := m.Get(t.Context(), asset(), dir)
				if loaded != tt.loaded {
					t.Errorf("asked for the archive: %t", loaded)
				}
				f.Origin = "http://mirror.test" + archiveURL
				judge(t, good, nil, "", f, tree(t, dir), err)
			})
		})
	}
}

// TestConnectionsThatAreRefusedAndReset fails as TCP does: refused at first, then
// reset in the middle of the body.
func TestConnectionsThatAreRefusedAndReset(t *testing.T) {
	good := noise(1, 300<<10)
	synctest.Test(t, func(t *testing.T) {
		a := asset()
		a.SHA256 = sumOf(good)
		dir := t.TempDir()
		var ranges []string
		way := &badWay{RoundTripper: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ranges = append(ranges, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
			content(`"1"`, good)(w, r)
		}))}
		f, err := mirror(t, "http://mirror.test", fetch.Options{Transport: way}).Get(t.Context(), a, dir)
		judge(t, good, nil, "", f, tree(t, dir), err)
		if want := []string{" ", `bytes=100000- "1"`}; !slices.Equal(ranges, want) {
			t.Errorf("asked for %q", ranges)
		}
	})
}

// badWay refuses the first connection and resets the second one.
type badWay struct {
	http.RoundTripper
	n int
}

func (b *badWay) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.n++; b.n == 1 {
		return nil, syscall.ECONNREFUSED
	}
	resp, err := b.RoundTripper.RoundTrip(r)
	if b.n == 2 && err == nil {
		whole := resp.Body
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(whole, 100_000), iotest.ErrReader(syscall.ECONNRESET)), whole}
	}
	return resp, err
}
