package remote

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"
)

// inflight is how many requests are under way at a time, whoever makes them.
const inflight = 16

// silence is how long a registry may take to begin an answer. Listing the tags of a large repository takes it long.
const silence = 2 * time.Minute

// newTransport trusts the authorities of caFile as well, keeps to the number of requests, and speaks plain http to loopback
// only, also where a registry redirects.
func newTransport(caFile string) (http.RoundTripper, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the authorities: %s holds no certificate in PEM form", caFile)
		}
	}
	inner := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSClientConfig:       &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   inflight,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   30 * time.Second,
		ResponseHeaderTimeout: silence,
	}
	return &guarded{inner: inner, slots: make(chan struct{}, inflight)}, nil
}

// guarded is a transport that keeps to the rules of this package.
type guarded struct {
	inner http.RoundTripper
	slots chan struct{}
}

// RoundTrip implements [http.RoundTripper].
func (g *guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
		return nil, ErrPlainHTTP
	}
	select {
	case g.slots <- struct{}{}:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	defer func() { <-g.slots }()
	return g.inner.RoundTrip(req)
}
