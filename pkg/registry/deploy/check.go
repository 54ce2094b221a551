package deploy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// ErrNotUp says that a container was started and does not answer.
var ErrNotUp = errors.New("it does not come up")

const (
	// patience is how long a container may take to answer, and poll how often it is asked.
	patience = time.Minute
	poll     = 50 * time.Millisecond
	// steady is how long one that cannot be asked has to run.
	steady = 3 * time.Second
	// logLines are shown of one that does not come up.
	logLines = 5
)

// check gives what waits until a container answers.
func (d *Deployer) check(c container, f files) func(context.Context) error {
	on := c.Publish[0].On
	if on.Addr().IsUnspecified() {
		loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if on.Addr().Is6() {
			loopback = netip.IPv6Loopback()
		}
		on = netip.AddrPortFrom(loopback, on.Port())
	}
	if !d.Engine.Local() && on.Addr().IsLoopback() {
		return func(ctx context.Context) error { return d.await(ctx, c.Name, afterwards(time.Now().Add(steady))) }
	}
	url, good := "http://"+on.String()+"/", func(status int) bool { return status < http.StatusInternalServerError }
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if c.Labels[RoleLabel] == RoleRegistry {
		good = func(status int) bool {
			return status == http.StatusOK || f.htpasswd != nil && status == http.StatusUnauthorized
		}
		url += "v2/"
		if f.pair != nil {
			url = "https" + strings.TrimPrefix(url, "http")
			client.Transport = &http.Transport{DisableKeepAlives: true, TLSClientConfig: exactly(f.pair)}
		}
	}
	return func(ctx context.Context) error {
		return d.await(ctx, c.Name, func(ctx context.Context) (bool, error) { return asked(ctx, client, url, good) })
	}
}

// exactly takes the server with that certificate, whatever authority and names it has, and no other.
func exactly(pair *tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // verified below, byte by byte
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, pair.Certificate[0]) {
				return errors.New("it shows another certificate")
			}
			return nil
		},
	}
}

// asked says whether a server gives a good answer, and why not.
func asked(ctx context.Context, client *http.Client, url string, good func(status int) bool) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if !good(resp.StatusCode) {
		return false, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return true, nil
}

// afterwards is well from a time on.
func afterwards(at time.Time) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) { return time.Now().After(at), nil }
}

// await waits until a container is well. One that ends meanwhile is not waited for; its last words are in the error.
func (d *Deployer) await(ctx context.Context, name string, well func(context.Context) (bool, error)) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, why := well(limited)
		found, err := d.Engine.Inspect(ctx, name)
		switch {
		case err != nil:
			return err
		case !found.State.Running || found.State.Restarting || found.RestartCount > 0:
			return d.notUp(ctx, name, fmt.Errorf("it ended with exit code %d", found.State.ExitCode))
		case ok:
			return nil
		}
		select {
		case <-limited.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return d.notUp(ctx, name, why)
		case <-time.After(poll):
		}
	}
}

func (d *Deployer) notUp(ctx context.Context, name string, why error) error {
	log, err := d.Engine.Log(ctx, name, logLines)
	if err != nil || strings.TrimSpace(log) == "" {
		return errors.Join(fmt.Errorf("%w: %w", ErrNotUp, why), err)
	}
	return fmt.Errorf("%w: %w; its log ends: %s", ErrNotUp, why, strings.TrimSpace(log))
}
