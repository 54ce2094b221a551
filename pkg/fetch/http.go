package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxRedirects is enough for GitHub's one, and a mirror's before it.
const maxRedirects = 5

// newTransport speaks HTTP/1.1, which is all that one download at a time needs.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy: func(req *http.Request) (*url.URL, error) {
			u, err := http.ProxyFromEnvironment(req)
			if err != nil {
				// The error would hold the proxy's URL, password included.
				return nil, errors.New("the proxy in the environment is no valid URL")
			}
			return u, nil
		},
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:    15 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		// An archive is verified as it is stored, not as it is sent.
		DisableCompression: true,
	}
}

// checkRedirect follows a few redirects, and never to a weaker or another scheme.
func checkRedirect(req *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("%w: more than %d in a row", ErrRedirect, maxRedirects)
	case req.URL.Scheme != "https" && req.URL.Scheme != from.Scheme:
		return fmt.Errorf("%w: from %s to scheme %q", ErrRedirect, from.Scheme, req.URL.Scheme)
	}
	return nil
}

// do sends a GET. The caller drops the answer. Its errors name the URL.
func (m *Mirror) do(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("getting %s: %w", shown(u), bare(err))
	}
	req.Header.Set("User-Agent", m.opts.UserAgent)
	req.Header.Set("Accept-Encoding", "identity")
	maps.Copy(req.Header, header)
	resp, err := m.client.Do(req)
	if err != nil {
		return nil, broken(ctx, u, err)
	}
	return resp, nil
}

// drop ends an answer. A body that was not read whole costs its connection.
func drop(resp *http.Response) {
	_ = resp.Body.Close() // nothing was written
}

// broken is the error of a request that got no answer, or not all of it: one to
// try again, unless the caller has had enough, or it can only fail again.
func broken(ctx context.Context, u *url.URL, err error) error {
	cause := context.Cause(ctx)
	if cause != nil {
		err = cause
	}
	err = fmt.Errorf("getting %s: %w", shown(u), bare(err))
	switch {
	case errors.Is(err, errStalled):
		return &transientError{err: err}
	case cause != nil, errors.Is(err, ErrRedirect), permanent(err):
		return err
	}
	return &transientError{err: err}
}

// permanent says whether a connection fails for a reason that stays.
func permanent(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

// statusError is the error of an answer that is not 200.
func statusError(resp *http.Response, u *url.URL) error {
	code := resp.StatusCode
	err := fmt.Errorf("getting %s: the server answers %d %s", shown(u), code, http.StatusText(code))
	switch {
	case code == http.StatusOK:
		return nil
	case code == http.StatusNotFound, code == http.StatusGone:
		return fmt.Errorf("getting %s: %w: the server answers %d", shown(u), ErrNotFound, code)
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout,
		code >= 500 && code != http.StatusNotImplemented && code != http.StatusHTTPVersionNotSupported:
		return &transientError{err: err, after: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	}
	return err
}

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		// No longer than a day: what overflows is refused as what is too long.
		return time.Duration(min(seconds, 86400)) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}

// shown is a URL for messages: no user name, which may be a token, no password, and
// no query, which is where redirects carry signatures.
func shown(u *url.URL) string {
	s := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return s.String()
}

// bare is an error of net/http without the URL that it names.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
