package health_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opsctl/opsctl/pkg/health"
)

func TestAGateWaitsUntilItIsWellAndStaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, looks := time.Now(), 0
		gate := health.Gate{Wait: 10 * time.Second, Settle: 2 * time.Second, Every: time.Second}
		err := gate.Pass(t.Context(), func(context.Context) error {
			looks++
			// Well from the third look on, but for the fifth.
			if looks < 3 || looks == 5 {
				return fmt.Errorf("look %d: %w", looks, health.ErrNotYet)
			}
			return nil
		})
		if took := time.Since(began); err != nil || looks != 8 || took != 7*time.Second {
			t.Errorf("%v after %v and %d looks", err, took, looks)
		}
	})
}

func TestAGateGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := health.Gate{Wait: 5 * time.Second, Every: time.Second}
		began := time.Now()
		err := gate.Pass(t.Context(), func(context.Context) error { return fmt.Errorf("starting: %w", health.ErrNotYet) })
		if took := time.Since(began); !errors.Is(err, health.ErrNotYet) || took != 6*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		began = time.Now()
		dead := errors.New("it has ended")
		if err := gate.Pass(t.Context(), func(context.Context) error { return dead }); !errors.Is(err, dead) || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestMetrics(t *testing.T) {
	for body, want := range map[string]string{
		"x_build_info{branch=\"b\",version=\"1.2.3\"} 1\n":         "",
		"# HELP x y\nx_build_info{version=\"1.2.3+ds\"} 1\nup 1\n": "",
		"x_build_info{version=\"\"} 1\n":                           "",
		"other 1\n":                                                "",
		"x_build_info{version=\"1.2.4\"} 1\n":                      `version "1.2.4" answers, not 1.2.3`,
		"x_build_info{goversion=\"1.2.3\",version=\"9.9.9\"} 1\n":  `version "9.9.9"`,
		"<html><body>Welcome</body></html>\n":                      "no metric",
		"":                                                         "no metrics",
		"x_build_info{version=\"1.2.3\"} 1\n" + strings.Repeat("a", 2<<20) + " 1\n": "token too long",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		err := health.Metrics(server.Client(), server.URL, "x_build_info", "1.2.3")(t.Context())
		server.Close()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60q: %v, wanted %q", body, err, want)
		}
	}
}

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ok" {
			return
		}
		http.Error(w, "replaying the log", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	if err := health.HTTP(server.Client(), server.URL+"/ok")(t.Context()); err != nil {
		t.Error(err)
	}
	if err := health.HTTP(server.Client(), server.URL)(t.Context()); !errors.Is(err, health.ErrNotYet) || !strings.Contains(err.Error(), "replaying the log") {
		t.Error(err)
	}
	server.Close()
	if err := health.HTTP(server.Client(), server.URL+"/ok")(t.Context()); !errors.Is(err, health.ErrNotYet) {
		t.Error(err)
	}
}
