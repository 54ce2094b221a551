package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/mod/semver"
	"golang.org/x/sys/unix"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// ErrRemembers is wrapped where a registry keeps a cache that cannot be cleared through its API.
var ErrRemembers = errors.New("keeps what it has seen in memory")

// Client speaks to one registry.
type Client struct {
	base string // http://host:port/prefix, without a slash at the end
	http *http.Client
}

// NewClient is for a registry at a base such as "http://127.0.0.1:5000". The transport brings what is needed to log in.
func NewClient(base string, transport http.RoundTripper) *Client {
	return &Client{strings.TrimSuffix(base, "/"), &http.Client{Transport: transport, Timeout: time.Minute}}
}

// Client speaks to the process, in its own network namespace: its address needs not be published. The certificate is not looked at,
// for it is known who listens, and nothing secret is sent.
func (p *Process) Client() *Client {
	scheme := "http"
	if p.Config.TLS {
		scheme = "https"
	}
	dial := (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	transport := &http.Transport{
		MaxIdleConnsPerHost: 16,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // G402: see above
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if p.net == "" {
				return dial(ctx, network, addr)
			}
			return within(p.net, func() (net.Conn, error) { return dial(ctx, network, addr) })
		},
	}
	return NewClient(scheme+"://"+reachable(p.Config.Addr)+strings.TrimSuffix(p.Config.Prefix, "/"), transport)
}

// reachable is the address at which one that listens is asked.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// within runs f on a thread in another network namespace. The thread ends with it: the runtime takes back none that is locked.
func within(file string, f func() (net.Conn, error)) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		ns, err := os.Open(file)
		if err == nil {
			err = errors.Join(unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET), ns.Close())
		}
		if err != nil {
			done <- result{nil, fmt.Errorf("entering %s: %w", file, err)}
			return
		}
		conn, err := f()
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

// forgets is how often a blob is deleted that a read at the same moment has brought back into the cache.
const forgets = 5

// Forget has the registry drop a layer of a repository from its cache: it deletes it, and asks whether it is there. The link has
// to be away already, so that nothing but the cache knows of it.
func (c *Client) Forget(ctx context.Context, repository string, d digest.Digest) error {
	url := c.base + "/v2/" + repository + "/blobs/" + d.String()
	status := 0
	for range forgets {
		var err error
		status, err = c.do(ctx, http.MethodDelete, url)
		if err != nil {
			return err
		}
		// Distribution 3 clears its cache, and then stumbles over the link that is away: 500. What counts is what it says next.
		if status != http.StatusAccepted && status != http.StatusNotFound && status != http.StatusInternalServerError {
			return fmt.Errorf("the registry answers %d to its deletion: %w", status, ErrRemembers)
		}
		has, err := c.do(ctx, http.MethodHead, url)
		if err != nil {
			return err
		}
		if has == http.StatusNotFound {
			return nil
		}
	}
	return fmt.Errorf("the registry still has it after %d deletions, the last answered with %d: %w", forgets, status, ErrRemembers)
}

func (c *Client) do(ctx context.Context, method, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	const answer = 1 << 16
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, answer))
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// Ping reports an error unless the registry answers without a login.
func (c *Client) Ping(ctx context.Context) error {
	status, err := c.do(ctx, http.MethodGet, c.base+"/v2/")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("GET %s/v2/ answers %d", c.base, status)
	}
	return err
}

// Remembers reports whether the process has a cache that can lead a push astray. One that takes no pushes has not.
func (p *Process) Remembers() bool { return p.Config.Cache != "" && !p.Config.ReadOnly }

// RemembersManifests reports whether it takes a manifest for stored because it has seen it. Distribution 3.1 looks again.
func (p *Process) RemembersManifests() bool { return semver.Compare(p.Version, "v3.1.0") < 0 }
