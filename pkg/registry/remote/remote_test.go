package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// serve opens a registry that answers as its handler says; /v2/ greets.
func serve(t *testing.T, answer http.HandlerFunc) *Registry {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	r, err := Open(t.Context(), server.Listener.Addr().String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func write(w http.ResponseWriter, text string) { _, _ = w.Write([]byte(text)) }

// names are what a list yields before it ends, and with which error.
func listed(r *Registry) (names []string, last error) {
	for name, err := range r.catalogue(context.Background()) {
		if err != nil {
			return names, err
		}
		names = append(names, name)
	}
	return names, nil
}

func TestPagesStayOnTheHostAndEnd(t *testing.T) {
	for name, link := range map[string]string{
		"another host":    `<http://registry.invalid/v2/_catalog?last=a>; rel="next"`,
		"another scheme":  `<ftp:///v2/_catalog?last=a>; rel="next"`,
		"the page itself": `</v2/_catalog?n=1000>; rel="next"`,
		"no address":      `<::>; rel="next"`,
		"no end":          `</v2/_catalog?last=a`,
	} {
		r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", link)
			write(w, `{"repositories":["a"]}`)
		})
		if names, err := listed(r); !errors.Is(err, ErrAnswer) || !slices.Equal(names, []string{"a"}) {
			t.Errorf("%s: %v, %v", name, names, err)
		}
	}
	r := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("last") == "" {
			w.Header().Set("Link", `</v2/_catalog?last=a&n=1>; rel="next"`)
			write(w, `{"repositories":["a"]}`)
			return
		}
		write(w, `{"repositories":["b"]}`)
	})
	if names, err := listed(r); err != nil || !slices.Equal(names, []string{"a", "b"}) {
		t.Error(names, err)
	}
}

func TestContentIsCheckedAgainstItsDigest(t *testing.T) {
	r := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/v1") {
			w.Header().Set("Docker-Content-Digest", digest.Of([]byte("promised")).String())
		}
		write(w, "another text")
	})
	for _, reference := range []string{"v1", digest.Of([]byte("promised")).String()} {
		if m, err := r.get(t.Context(), "a", reference, 100); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v, %v", reference, m, err)
		}
	}
	if _, err := r.blob(t.Context(), "a", digest.Of([]byte("promised")), 100); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
	if data, err := r.blob(t.Context(), "a", digest.Of([]byte("another text")), 100); err != nil || len(data) == 0 {
		t.Error(err)
	}
	if _, err := r.blob(t.Context(), "a", digest.Of([]byte("another text")), 5); !errors.Is(err, ErrAnswer) {
		t.Error("a blob above the limit:", err)
	}
}

func TestErrorsSayWhatTheyMean(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   error
	}{
		{401, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, ErrDenied},
		{403, "", ErrDenied},
		{404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`, fs.ErrNotExist},
		{405, `{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}`, ErrUnsupported},
		{400, "<html>" + strings.Repeat("x", 10000), ErrAnswer},
	} {
		r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			write(w, c.body)
		})
		if _, err := r.blob(t.Context(), "a", digest.Of(nil), 10); !errors.Is(err, c.want) || len(err.Error()) > 200 {
			t.Errorf("%d: %v", c.status, err)
		}
	}
}

func TestPlainHTTPIsForLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:5000": true, "127.8.8.8": true, "[::1]:5000": true, "[::1]": true,
		"reg.localhost:5000": true, "10.0.0.1:5000": false, "192.168.1.2": false, "localhost.example.org": false, "registry.local": false,
	} {
		if loopback(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
	transport, err := newTransport("")
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://192.0.2.1:5000/v2/", nil)
	if resp, err := transport.RoundTrip(req); !errors.Is(err, ErrPlainHTTP) {
		_ = resp.Body.Close()
		t.Error(err)
	}
	for _, host := range []string{"", "http://localhost:5000", "localhost:5000/app", "user@localhost"} {
		if _, err := Open(t.Context(), host, Options{}); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// TestAViewSeesNativeReferrers: a registry that lists them needs no fallback tag; a child that it lacks is left out.
func TestAViewSeesNativeReferrers(t *testing.T) {
	image := `{"schemaVersion":2,"config":{"digest":"` + digest.Of([]byte("config")).String() + `","size":6},"layers":[]}`
	signature := `{"schemaVersion":2,"config":{"digest":"` + digest.Of([]byte("{}")).String() + `","size":2},"layers":[],` +
		`"subject":{"digest":"` + digest.Of([]byte(image)).String() + `"}}`
	child := func(text string) string { return `{"digest":"` + digest.Of([]byte(text)).String() + `","size":1}` }
	index := `{"schemaVersion":2,"manifests":[` + child(image) + `,` + child("gone") + `]}`
	manifests := map[string]string{"v1": index}
	for _, text := range []string{image, signature, index} {
		manifests[digest.Of([]byte(text)).String()] = text
	}
	r := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, reference, _ := strings.Cut(r.URL.Path, "/manifests/")
		switch {
		case strings.HasSuffix(r.URL.Path, "/tags/list"):
			write(w, `{"tags":["v1"]}`)
		case strings.HasSuffix(r.URL.Path, "/referrers/"+digest.Of([]byte(image)).String()):
			write(w, `{"schemaVersion":2,"manifests":[`+child(signature)+`]}`)
		case strings.Contains(r.URL.Path, "/referrers/"):
			write(w, `{"schemaVersion":2,"manifests":[]}`)
		case manifests[reference] != "":
			write(w, manifests[reference])
		default:
			http.NotFound(w, r)
		}
	})
	view := r.View(t.Context(), false)
	g, err := mark.Load(t.Context(), view, "a")
	if err != nil || g.Problems != nil {
		t.Fatal(g, err)
	}
	chain := g.Live(mark.Roots{DeleteUntagged: true}).Chain(digest.Of([]byte("{}")))
	if got := fmt.Sprint(chain); strings.Count(got, "{") != 5 || !strings.Contains(got, "{referrer ") {
		t.Error(got)
	}
	if blob, trouble := view.Blob(digest.Of([]byte("config"))); trouble != nil || blob.Bytes != 6 {
		t.Error(blob, trouble)
	}
	if _, trouble := view.Blob(digest.Of([]byte("gone"))); !errors.Is(trouble, fs.ErrNotExist) {
		t.Error(trouble)
	}
}

// TestRequestsEndWithTheContext, those that wait for their turn as well.
func TestRequestsEndWithTheContext(t *testing.T) {
	busy := make(chan struct{})
	r := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case busy <- struct{}{}:
			<-r.Context().Done()
		case <-r.Context().Done(): // nobody counts any more
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	tags := make([]tag, 3*inflight)
	done := make(chan struct{})
	go func() {
		defer close(done)
		parallel(ctx, tags, func(*tag) { _, _ = r.head(ctx, "a", "v1", 10) })
	}()
	<-busy
	cancel()
	for {
		select {
		case <-busy:
		case <-done:
			return
		case <-time.After(20 * time.Second):
			t.Fatal("requests go on")
		}
	}
}
