package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/opsctl/opsctl/pkg/progress"
)

// Options are how a Mirror behaves. Zero values stand for what is said of each.
type Options struct {
	// UserAgent is sent with every request: "opsctl/1.2.3".
	UserAgent string
	// Transport carries the requests; nil is one with the environment's proxies
	// (http.ProxyFromEnvironment) and time limits for connecting.
	Transport http.RoundTripper
	// Progress may be nil. It counts bytes of archives.
	Progress progress.Reporter
	// MaxBytes bounds an archive, 1 GiB.
	MaxBytes int64
	// Stall is how long a server may send next to nothing, 30 s.
	Stall time.Duration
	// Attempts is how often in a row a request may get nowhere, 5.
	Attempts int
}

func (o Options) withDefaults() Options {
	if o.UserAgent == "" {
		o.UserAgent = "opsctl"
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Stall <= 0 {
		o.Stall = 30 * time.Second
	}
	if o.Attempts <= 0 {
		o.Attempts = 5
	}
	o.Progress = progress.OrNop(o.Progress)
	return o
}

// Mirror is a Source that is laid out as GitHub's releases are, GitHub itself or
// any web server:
//
//	BASE/OWNER/REPO/releases/download/TAG/FILE
//	BASE/OWNER/REPO/releases/download/TAG/sha256sums.txt
type Mirror struct {
	base   *url.URL
	client *http.Client
	opts   Options
}

// NewMirror takes the mirror at an http or https URL. A user name and password in
// it are sent to that server, and appear in no error.
func NewMirror(base string, opts Options) (*Mirror, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		// url.Error would repeat the text, password included.
		return nil, errors.New("the mirror's URL cannot be parsed")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("mirror %s: the scheme must be http or https, not %q", shown(u), u.Scheme)
	case u.Host == "":
		return nil, fmt.Errorf("mirror %s: the URL names no host", shown(u))
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, fmt.Errorf("mirror %s: the URL must not have a query or a fragment", shown(u))
	}
	opts = opts.withDefaults()
	return &Mirror{
		base:   u,
		opts:   opts,
		client: &http.Client{Transport: opts.Transport, CheckRedirect: checkRedirect},
	}, nil
}

// Get implements Source. It retries what can be retried, going on where the
// connection broke. When the content is wrong in a download that was put together
// from several answers, it is loaded once more as a whole.
func (m *Mirror) Get(ctx context.Context, a Asset, dir string) (f File, err error) {
	if err := a.check(); err != nil {
		return File{}, err
	}
	sum, err := m.sumOf(ctx, a)
	if err != nil {
		return File{}, err
	}
	l, err := land(dir, a.File)
	if err != nil {
		return File{}, err
	}
	keep := false
	defer func() {
		if err = l.finish(err, keep); err != nil {
			f = File{}
		}
	}()
	if f, ok, err := l.take(sum); ok || err != nil {
		return f, err
	}
	if err := l.begin(true); err != nil {
		return File{}, err
	}
	u := m.release(a, a.File)
	if err := m.download(ctx, u, l, sum); err != nil {
		keep = ctx.Err() != nil
		return File{}, err
	}
	return l.commit(sum, shown(u))
}

func (m *Mirror) download(ctx context.Context, u *url.URL, l *landing, sum string) error {
	defer m.opts.Progress.Done()
	t := &transfer{mirror: m, url: u, to: l, total: -1, resumed: l.size > 0}
	if err := m.retry(ctx, t.attempt); err != nil {
		return err
	}
	err := l.verify(sum, shown(u))
	if err == nil || !t.resumed {
		return err
	}
	if err := t.restart(); err != nil {
		return err
	}
	if err := m.retry(ctx, t.attempt); err != nil {
		return err
	}
	return l.verify(sum, shown(u))
}

// sumOf is the sum that an asset must have: the pinned one, else the release's.
func (m *Mirror) sumOf(ctx context.Context, a Asset) (string, error) {
	u := m.release(a, a.sums())
	if a.SHA256 != "" {
		return wanted(shown(u), a.SHA256)
	}
	data, err := m.small(ctx, u)
	if errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("%w: %w", ErrNoSum, err)
	}
	if err != nil {
		return "", err
	}
	sum, err := parseSums(data, a.File)
	if err != nil {
		return "", fmt.Errorf("%s: %w", shown(u), err)
	}
	return sum, nil
}

// small gets a short text whole.
func (m *Mirror) small(ctx context.Context, u *url.URL) ([]byte, error) {
	var data []byte
	err := m.retry(ctx, func(ctx context.Context) (bool, error) {
		ctx, watch := watchStall(ctx, m.opts.Stall)
		defer watch.stop()
		resp, err := m.do(ctx, u, nil)
		if err != nil {
			return false, err
		}
		defer drop(resp)
		if err := statusError(resp, u); err != nil {
			return false, err
		}
		data, err = io.ReadAll(io.LimitReader(watch.reader(resp.Body), maxSums+1))
		switch {
		case err != nil:
			return false, broken(ctx, u, err)
		case len(data) > maxSums:
			return false, fmt.Errorf("%s: %w: more than %d bytes", shown(u), ErrTooLarge, maxSums)
		}
		return true, nil
	})
	return data, err
}

func (m *Mirror) release(a Asset, file string) *url.URL {
	return m.base.JoinPath(a.Owner, a.Repo, "releases", "download", a.tag(), file)
}
