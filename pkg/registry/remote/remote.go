// Package remote reads and changes a container registry through its HTTP API (OCI distribution-spec, Docker Registry HTTP
// API V2). It logs in with what docker's config.json and its credential helpers hold, and promises to send nothing in clear
// but to this machine, to have a bounded number of requests under way, and to invent nothing: what the API does
// not tell is left out.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// What may be wrong with a registry; errors wrap these. One about something that is not there wraps [io/fs.ErrNotExist].
var (
	ErrName        = errors.New("not a registry's host")
	ErrPlainHTTP   = errors.New("the registry speaks plain http, which is for loopback only")
	ErrCertificate = errors.New("the registry's certificate is not trusted")
	ErrDenied      = errors.New("the registry refuses access")
	ErrUnsupported = errors.New("the registry does not support this")
	ErrAnswer      = errors.New("not as a registry answers")
)

// Options are how to reach a registry. The zero value uses docker's credentials and the system's authorities.
type Options struct {
	// CAFile holds authorities in PEM form, trusted beside the system's.
	CAFile string
	// Page is how many names a list is asked for at a time; zero is 1000.
	Page int
	// UserAgent is the program as the registry's log shows it.
	UserAgent string
}

// Registry is a registry that answered. It is safe for concurrent use.
type Registry struct {
	host   name.Registry
	opts   Options
	reads  http.RoundTripper // repeats what failed for a moment
	writes http.RoundTripper

	mu       sync.Mutex
	sessions map[session]*login

	noTagDelete, noReferrers atomic.Bool
}

// Open greets the registry at HOST[:PORT] and logs in.
func Open(ctx context.Context, host string, opts Options) (*Registry, error) {
	if !isHost(host) {
		return nil, fmt.Errorf("%q: %w", host, ErrName)
	}
	var how []name.Option
	if loopback(host) {
		how = append(how, name.Insecure)
	}
	parsed, err := name.NewRegistry(host, how...)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", host, ErrName)
	}
	base, err := newTransport(opts.CAFile)
	if err != nil {
		return nil, err
	}
	if opts.Page == 0 {
		opts.Page = 1000
	}
	r := &Registry{host: parsed, opts: opts, sessions: map[session]*login{}}
	r.writes = transport.NewUserAgent(base, opts.UserAgent)
	r.reads = transport.NewUserAgent(transport.NewRetry(base, transport.WithRetryStatusCodes(
		http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)), opts.UserAgent)
	if _, err := r.do(ctx, request{session: session{greeting: true}, method: http.MethodGet, target: "/v2/"}, pageLimit); err != nil {
		return nil, fmt.Errorf("%s: %w", host, err)
	}
	return r, nil
}

// Host is the HOST[:PORT] that was opened.
func (r *Registry) Host() string { return r.host.RegistryStr() }

// isHost tells a host from a path or an URL.
func isHost(s string) bool { return s != "" && !strings.ContainsAny(s, "/@?# ") }

// loopback reports whether a host is this machine by its very name, which is where docker speaks plain http.
func loopback(host string) bool {
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// session is what a login is for: a repository, to read or to change; the zero value is the catalogue.
type session struct {
	repository string
	write      bool
	greeting   bool // nothing but the host itself
}

// login is made once for all who need it.
type login struct {
	once   sync.Once
	client *http.Client
	err    error
}

func (r *Registry) login(ctx context.Context, s session) (*http.Client, error) {
	r.mu.Lock()
	l := r.sessions[s]
	if l == nil {
		l = &login{}
		r.sessions[s] = l
	}
	r.mu.Unlock()
	l.once.Do(func() { l.client, l.err = r.greet(ctx, s) })
	if l.err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.sessions[s] == l { // a later call tries again
			delete(r.sessions, s)
		}
	}
	return l.client, l.err
}

// greet finds out what the registry speaks and asks for, and gets a token where it asks for one.
func (r *Registry) greet(ctx context.Context, s session) (*http.Client, error) {
	var resource authn.Resource = r.host
	scopes, inner := []string{r.host.Scope("")}, r.reads
	switch {
	case s.greeting:
		scopes = nil
	case s.repository != "":
		repository := r.host.Repo(s.repository)
		resource, scopes = repository, []string{repository.Scope(transport.PullScope)}
		if s.write {
			scopes, inner = []string{repository.Scope("pull,push,delete")}, r.writes
		}
	}
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, resource)
	if err != nil {
		return nil, fmt.Errorf("reading docker's credentials: %w", err)
	}
	authorized, err := transport.NewWithContext(ctx, r.host, auth, inner, scopes)
	if err != nil {
		return nil, classify(err)
	}
	return &http.Client{Transport: authorized}, nil
}
