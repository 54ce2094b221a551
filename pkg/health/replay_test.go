package health_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opsctl/opsctl/pkg/health"
)

// service answers without a network.
type service func(path string) (status int, body string)

func (s service) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := s(r.URL.Path)
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// gate waits like an installation: ten minutes at most, one of them without getting on.
func gate(client *http.Client) error {
	ready, replay := health.HTTP(client, "http://x/-/ready"), health.Replay(client, "http://x/replay")
	return health.Gate{Wait: 10 * time.Minute, Patience: time.Minute, Every: time.Second}.Pass(context.Background(), func(ctx context.Context) error {
		err := ready(ctx)
		if errors.Is(err, health.ErrNotYet) {
			return errors.Join(err, replay(ctx))
		}
		return err
	})
}

func TestAReplayIsWaitedForWhileItGetsOn(t *testing.T) {
	for name, c := range map[string]struct {
		segments time.Duration // how long a segment takes
		count    int
		took     time.Duration
		well     bool
	}{
		"eight minutes of it":          {40 * time.Second, 12, 8 * time.Minute, true},
		"a segment longer than waited": {2 * time.Minute, 3, time.Minute, false},
		"more than ten minutes":        {50 * time.Second, 20, 10 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				client := &http.Client{Transport: service(func(path string) (int, string) {
					at := int(time.Since(began) / c.segments)
					switch {
					case at >= c.count:
						return http.StatusOK, ""
					case path == "/replay":
						return http.StatusOK, fmt.Sprintf(`{"status":"success","data":{"min":0,"max":%d,"current":%d}}`, c.count, at)
					}
					return http.StatusServiceUnavailable, "Service Unavailable"
				})}
				err := gate(client)
				took := time.Since(began)
				if (err == nil) != c.well || took < c.took || took > c.took+3*time.Second {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}

func TestValues(t *testing.T) {
	client := &http.Client{Transport: service(func(string) (int, string) {
		return http.StatusOK, "# HELP a b\na 1.5 1600000000\nab 2\nbad x\nv_info{version=\"1.2.3\",x=\"\"} 1\n"
	})}
	for name, want := range map[string]float64{"a": 1.5, "ab": 2} {
		if got, found, err := health.Value(t.Context(), client, "http://x/", name); got != want || !found || err != nil {
			t.Errorf("%s: %v, %v, %v", name, got, found, err)
		}
	}
	if _, found, err := health.Value(t.Context(), client, "http://x/", "none"); found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	if _, _, err := health.Value(t.Context(), client, "http://x/", "bad"); err == nil {
		t.Error("no number, and no error")
	}
	if v, err := health.Label(t.Context(), client, "http://x/", "v_info", "version"); v != "1.2.3" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
}

func TestFlags(t *testing.T) {
	client := &http.Client{Transport: service(func(string) (int, string) {
		return http.StatusOK, `{"status":"success","data":{"storage.tsdb.path":"/srv/x"}}`
	})}
	if flags, err := health.Flags(t.Context(), client, "http://x/"); err != nil || flags["storage.tsdb.path"] != "/srv/x" {
		t.Errorf("%v, %v", flags, err)
	}
}
