package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// request is one call of the API. Target is a path with perhaps a query.
type request struct {
	session
	method, target string
	accept         []string
	content        string // the body's media type
	body           []byte
}

// answer is a registry's response, its body read.
type answer struct {
	header http.Header
	length int64
	body   []byte
	url    *url.URL
}

// do makes a call and reads at most limit bytes of the answer; more is an error. Statuses other than 2xx are errors too.
func (r *Registry) do(ctx context.Context, q request, limit int64) (*answer, error) {
	client, err := r.login(ctx, q.session)
	if err != nil {
		return nil, err
	}
	target := q.target
	if target[0] == '/' {
		target = r.host.Scheme() + "://" + r.host.RegistryStr() + target
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	req.Header["Accept"] = q.accept
	if q.content != "" {
		req.Header.Set("Content-Type", q.content)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, classify(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, classify(transport.CheckError(resp))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, classify(err)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, limit)
	}
	return &answer{resp.Header, resp.ContentLength, body, resp.Request.URL}, nil
}

// failure is an error of the API with what it means to us.
type failure struct {
	kind  error // one of this package's, or [fs.ErrNotExist]
	cause error
	text  string
}

// Error implements error.
func (f *failure) Error() string { return f.text }

// Unwrap returns what it means and the cause.
func (f *failure) Unwrap() []error { return []error{f.kind, f.cause} }

// classify gives an error its meaning. The address is left out: it may be that of a store behind the registry, with a
// signature.
func classify(err error) error {
	// Of the loopback https is tried first and then http, and the error holds both.
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &failure{ErrCertificate, err, ErrCertificate.Error() + ": " + untrusted.Error()}
	}
	if answered, ok := errors.AsType[*transport.Error](err); ok {
		return ofStatus(answered)
	}
	if errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, ErrPlainHTTP) {
		return &failure{ErrPlainHTTP, err, ErrPlainHTTP.Error()}
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}
	return err
}

// ofStatus reads what a registry says in its answer.
func ofStatus(e *transport.Error) error {
	text := http.StatusText(e.StatusCode)
	if text == "" {
		text = fmt.Sprintf("status %d", e.StatusCode)
	}
	if len(e.Errors) > 0 {
		text = string(e.Errors[0].Code) + ": " + e.Errors[0].Message
	}
	says := func(codes ...transport.ErrorCode) bool {
		return slices.ContainsFunc(e.Errors, func(d transport.Diagnostic) bool { return slices.Contains(codes, d.Code) })
	}
	switch {
	case e.StatusCode == http.StatusUnauthorized, e.StatusCode == http.StatusForbidden,
		says(transport.UnauthorizedErrorCode, transport.DeniedErrorCode):
		return &failure{ErrDenied, e, ErrDenied.Error() + ": " + text}
	case e.StatusCode == http.StatusNotFound:
		return &failure{fs.ErrNotExist, e, text}
	case e.StatusCode == http.StatusMethodNotAllowed, says(transport.UnsupportedErrorCode):
		return &failure{ErrUnsupported, e, ErrUnsupported.Error() + ": " + text}
	}
	return &failure{ErrAnswer, e, text}
}

// saysOne reports whether an error is a registry's answer with one of these codes.
func saysOne(err error, codes ...transport.ErrorCode) bool {
	answered, ok := errors.AsType[*transport.Error](err)
	return ok && slices.ContainsFunc(answered.Errors, func(d transport.Diagnostic) bool { return slices.Contains(codes, d.Code) })
}
