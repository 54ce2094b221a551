package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// remembering answers HEAD with 200 until a blob was deleted so many times.
func remembering(t *testing.T, times, answer int) (*Client, *int) {
	t.Helper()
	deleted := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/prefix/v2/":
			w.WriteHeader(answer)
		case !strings.HasPrefix(r.URL.Path, "/prefix/v2/a/b/blobs/sha256:"):
			t.Errorf("%s %s", r.Method, r.URL.Path)
		case r.Method == http.MethodDelete:
			deleted++
			w.WriteHeader(answer)
		case deleted >= times:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return NewClient(s.URL+"/prefix/", nil), &deleted
}

func TestForget(t *testing.T) {
	for _, c := range []struct {
		name          string
		times, answer int
		deletions     int
		forgotten     bool
	}{
		{"at once", 1, http.StatusAccepted, 1, true},
		{"was not known", 0, http.StatusNotFound, 1, true},
		{"a read brought it back", 3, http.StatusAccepted, 3, true},
		{"with an error, and forgotten", 1, http.StatusInternalServerError, 1, true},
		{"with an error, and not", 99, http.StatusInternalServerError, forgets, false},
		{"never", 99, http.StatusAccepted, forgets, false},
		{"deletion is off", 1, http.StatusMethodNotAllowed, 1, false},
		{"a login is wanted", 1, http.StatusUnauthorized, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, deleted := remembering(t, c.times, c.answer)
			err := client.Forget(t.Context(), "a/b", digest.Of(nil))
			if (err == nil) != c.forgotten || !c.forgotten && !errors.Is(err, ErrRemembers) || *deleted != c.deletions {
				t.Errorf("%v after %d deletions", err, *deleted)
			}
		})
	}
	for _, answer := range []int{http.StatusOK, http.StatusUnauthorized} {
		client, _ := remembering(t, 1, answer)
		if err := client.Ping(t.Context()); (err == nil) != (answer == http.StatusOK) {
			t.Errorf("%d: %v", answer, err)
		}
	}
}

func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{
		":5000": "127.0.0.1:5000", "0.0.0.0:5000": "127.0.0.1:5000", "[::]:5000": "127.0.0.1:5000", "10.0.0.1:80": "10.0.0.1:80",
		"localhost:5000": "localhost:5000",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestRemembers(t *testing.T) {
	for _, c := range []struct {
		p                    Process
		remembers, manifests bool
	}{
		{Process{Config: &Config{Cache: "inmemory"}}, true, true},
		{Process{Config: &Config{Cache: "inmemory"}, Version: "v3.0.0"}, true, true},
		{Process{Config: &Config{Cache: "redis"}, Version: "v3.1.2"}, true, false},
		{Process{Config: &Config{Cache: "inmemory", ReadOnly: true}, Version: "(devel)"}, false, true},
		{Process{Config: &Config{}}, false, true},
	} {
		if c.p.Remembers() != c.remembers || c.p.RemembersManifests() != c.manifests {
			t.Errorf("%+v: %v, %v", c.p, c.p.Remembers(), c.p.RemembersManifests())
		}
	}
}
