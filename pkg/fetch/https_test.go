package fetch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/fetch"
)

// TestRedirectsFromHTTPS starts real servers: one with TLS, one without.
func TestRedirectsFromHTTPS(t *testing.T) {
	good := noise(1, 1000)
	release := http.NewServeMux()
	release.HandleFunc(archiveURL, content("", good))
	release.HandleFunc(sumsURL, text(sumsOf(good)))
	weak := httptest.NewServer(release)
	defer weak.Close()
	strong := httptest.NewTLSServer(release)
	defer strong.Close()
	for name, tt := range map[string]struct {
		to   string
		want error
	}{
		"to https": {strong.URL, nil},
		"to http":  {weak.URL, fetch.ErrRedirect},
	} {
		first := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, tt.to+r.URL.Path+"?signature=hush", http.StatusFound)
		}))
		dir := t.TempDir()
		m := mirror(t, first.URL, fetch.Options{Transport: strong.Client().Transport})
		_, err := m.Get(t.Context(), asset(), dir)
		if !errors.Is(err, tt.want) || err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
		if held := tree(t, dir); (tt.want == nil) != (len(held) == 1) {
			t.Errorf("%s: holds %v", name, held)
		}
		first.Close()
	}
	// Where the mirror itself has no TLS, nothing becomes weaker.
	first := httptest.NewServer(http.RedirectHandler(weak.URL+sumsURL, http.StatusFound))
	defer first.Close()
	m := mirror(t, first.URL, fetch.Options{Transport: strong.Client().Transport})
	if _, err := m.Get(t.Context(), asset(), t.TempDir()); !errors.Is(err, fetch.ErrSum) {
		t.Errorf("got %v", err)
	}
}

func TestAnUnknownAuthorityIsNotRetried(t *testing.T) {
	server := httptest.NewUnstartedServer(text("x"))
	server.Config.ErrorLog = log.New(t.Output(), "", 0)
	server.StartTLS()
	defer server.Close()
	_, err := mirror(t, server.URL, fetch.Options{}).Get(t.Context(), asset(), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "gave up") {
		t.Errorf("got %v", err)
	}
}

func TestCredentialsAreSentAndNotShown(t *testing.T) {
	good := noise(1, 1000)
	var user, password, agent string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || strings.Contains(r.Referer(), "secret") {
			t.Error("the redirect's target got the credentials")
		}
		content("", good)(w, r)
	}))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		agent = r.UserAgent()
		switch {
		case r.URL.Path == sumsURL:
			text(sumsOf(good))(w, r)
		case strings.HasSuffix(r.URL.Path, "gone"):
			status(403)(w, r)
		default:
			// Another host, as far as the client can tell.
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
		}
	}))
	defer server.Close()
	base := strings.Replace(server.URL, "://", "://token:secret@", 1)
	m := mirror(t, base, fetch.Options{UserAgent: "opsctl/1.2.3"})
	f, err := m.Get(t.Context(), asset(), t.TempDir())
	if err != nil || f.Origin != server.URL+archiveURL {
		t.Errorf("got %+v, %v", f, err)
	}
	if user != "token" || password != "secret" || agent != "opsctl/1.2.3" {
		t.Errorf("sent %q, %q, %q", user, password, agent)
	}
	gone := asset()
	gone.Sums = "gone"
	if _, err := m.Get(t.Context(), gone, t.TempDir()); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "token") {
		t.Errorf("got %v", err)
	}
	server.Close()
	if _, err := fetch.NewMirror(base+"?x", fetch.Options{}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestURLsThatAreNoMirrors(t *testing.T) {
	for _, base := range []string{"", "mirror.test", "/srv/mirror", "file:///srv", "ftp://m/", "http://", "https://m/?q=1", "https://m/#f", "https://m/?", "http://token:secret@[", "\x00"} {
		if _, err := fetch.NewMirror(base, fetch.Options{}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", base, err)
		}
	}
}

// proxyEnv makes the test binary a process of its own, as net/http reads the
// environment's proxies once.
const proxyEnv = "FETCH_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(proxyEnv); dir != "" {
		os.Exit(getForParent(dir))
	}
	os.Exit(m.Run())
}

func getForParent(dir string) int {
	m, err := fetch.NewMirror("http://mirror.test", fetch.Options{Attempts: 1})
	if err == nil {
		_, err = m.Get(context.Background(), asset(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return 1
	}
	return 0
}

func TestTheEnvironmentsProxyIsUsed(t *testing.T) {
	good := noise(1, 1000)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "mirror.test" || r.Header.Get("Proxy-Authorization") == "" {
			t.Errorf("the proxy is asked for %s", r.URL)
		}
		switch r.URL.Path {
		case sumsURL:
			text(sumsOf(good))(w, r)
		case archiveURL:
			content("", good)(w, r)
		}
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	for env, works := range map[string]bool{
		"http://user:secret@" + u.Host:   true,
		"http://user:secret@[":           false,
		"http://user:secret@127.0.0.1:1": false,
	} {
		dir := t.TempDir()
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), proxyEnv+"="+dir, "HTTP_PROXY="+env, "http_proxy="+env, "NO_PROXY=", "no_proxy=")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		said, _ := bufio.NewReader(out).ReadString('\n')
		if err := cmd.Wait(); (err == nil) != works || strings.Contains(said, "secret") {
			t.Errorf("%s: %v, says %q", env, err, said)
		}
		if held := tree(t, dir); works != (len(held) == 1) {
			t.Errorf("%s: holds %v", env, held)
		}
	}
}
