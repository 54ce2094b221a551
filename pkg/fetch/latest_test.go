package fetch_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/opsctl/opsctl/pkg/fetch"
)

const (
	latestURL  = "/prometheus/node_exporter/releases/latest"
	listingURL = "/prometheus/node_exporter/releases/download/"
	nginx      = `<html><head><title>Index of /</title></head><body><h1>Index of /</h1><hr><pre><a href="../">../</a>
<a href="v1.10.2/">v1.10.2/</a>  01-Jan-2026 00:00   -
<a href="v1.9.0/">v1.9.0/</a>    01-Jan-2025 00:00   -
<a href="v2.0.0-rc.1/">v2.0.0-rc.1/</a> 01-Jan-2026 00:00 -
<a href='/x/v1.10.1'>v1.10.1</a> <A HREF = v1.2.3/ >x</A> <a href="v99/">v99</a> <a href="v9.9.9.9/">x</a>
</pre></body></html>`
)

func TestLatest(t *testing.T) {
	tag := func(to string) http.HandlerFunc { return status(302, "Location", to) }
	for name, tt := range map[string]struct {
		latest, listing http.HandlerFunc
		version         string
		want            error
	}{
		"GitHub's redirect":                {tag("https://github.com/prometheus/node_exporter/releases/tag/v1.12.1"), status(500), "1.12.1", nil},
		"a path":                           {tag("/prometheus/node_exporter/releases/tag/v1.12.1"), status(500), "1.12.1", nil},
		"a project that has moved":         {turns(tag("/moved/node_exporter/releases/latest")), status(404), "3.2.1", nil},
		"overloaded, then well":            {turns(status(503), tag("../releases/tag/v1.2.3")), status(404), "1.2.3", nil},
		"a pre-release only":               {tag("../releases/tag/v1.2.3-rc.1"), status(404), "", fetch.ErrNotFound},
		"a tag that is no version":         {tag("../releases/tag/nightly"), status(404), "", fetch.ErrNotFound},
		"a listing":                        {status(404), text(nginx), "1.10.2", nil},
		"a listing of nothing":             {status(404), text("<html></html>"), "", fetch.ErrNotFound},
		"a page that is no redirect":       {text("hello"), text(nginx), "1.10.2", nil},
		"neither":                          {status(404), status(404), "", fetch.ErrNotFound},
		"a tag's page with an odd address": {tag("../releases/tag/v1.2.3%2f..%2fx"), status(404), "", fetch.ErrNotFound},
		"another scheme":                   {tag("ftp://x/y"), status(404), "", fetch.ErrRedirect},
		"forbidden":                        {status(403), text(nginx), "", errAny},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mux := http.NewServeMux()
				mux.HandleFunc(latestURL, tt.latest)
				mux.HandleFunc(listingURL, tt.listing)
				mux.HandleFunc("/moved/node_exporter/releases/latest", tag("/moved/node_exporter/releases/tag/v3.2.1"))
				m := mirror(t, "http://mirror.test", fetch.Options{Transport: serve(t, mux)})
				version, err := m.Latest(t.Context(), "prometheus", "node_exporter")
				if version != tt.version || !of(err, tt.want) {
					t.Errorf("got %q, %v", version, err)
				}
				if err != nil && !strings.Contains(err.Error(), "http://mirror.test/prometheus/") {
					t.Errorf("the error names no URL: %v", err)
				}
			})
		})
	}
}

func TestLatestOfOddNames(t *testing.T) {
	m := mirror(t, "http://127.0.0.1:1", fetch.Options{})
	if _, err := m.Latest(t.Context(), "..", "x"); err == nil {
		t.Error("an owner that leads elsewhere is asked for")
	}
}
