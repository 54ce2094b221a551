package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// transfer is one download, over as many requests as it takes.
type transfer struct {
	mirror *Mirror
	url    *url.URL
	to     *landing
	// validator is the entity's strong ETag, else its Last-Modified, of the first
	// answer: the rest must be of the same entity (RFC 9110, section 13.1.5).
	validator string
	// total is the length of the whole, -1 while it is not known.
	total int64
	// resumed says that the content comes from more than one answer.
	resumed bool
	// started and shown are of the progress, which never goes back.
	started bool
	shown   int64
}

// goodProgress is how many bytes make a broken attempt one that got on.
const goodProgress = 64 << 10

// restart forgets what has come.
func (t *transfer) restart() error {
	t.validator, t.total, t.resumed = "", -1, false
	return t.to.reset()
}

// attempt sends one request for what is missing. It says whether that got on.
func (t *transfer) attempt(ctx context.Context) (bool, error) {
	ctx, watch := watchStall(ctx, t.mirror.opts.Stall)
	defer watch.stop()
	resp, err := t.mirror.do(ctx, t.url, t.header())
	if err != nil {
		return false, err
	}
	defer drop(resp)
	whole, err := t.accept(resp)
	if err != nil || whole {
		return whole, err
	}
	before := t.to.size
	err = t.copy(ctx, watch.reader(resp.Body))
	return t.to.size-before >= goodProgress, err
}

func (t *transfer) header() http.Header {
	h := http.Header{}
	if t.to.size > 0 {
		h.Set("Range", "bytes="+strconv.FormatInt(t.to.size, 10)+"-")
		if t.validator != "" {
			h.Set("If-Range", t.validator)
		}
	}
	return h
}

// accept judges an answer's head. whole says that nothing is missing.
func (t *transfer) accept(resp *http.Response) (whole bool, err error) {
	total := resp.ContentLength
	switch {
	case resp.StatusCode == http.StatusPartialContent && t.to.size > 0:
		from, length, ok := contentRange(resp.Header.Get("Content-Range"))
		if !ok || from != t.to.size || !t.same(resp.Header) {
			return false, t.again("the server answers with another range or entity than asked for")
		}
		t.resumed = true
		total = length
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && t.to.size > 0:
		_, length, ok := contentRange(resp.Header.Get("Content-Range"))
		if ok && length == t.to.size {
			t.resumed = true
			return true, nil
		}
		return false, t.again("the server has another entity than before")
	default:
		if err := statusError(resp, t.url); err != nil {
			return false, err
		}
		// The whole from its beginning, whether it was asked for or not.
		if err := t.restart(); err != nil {
			return false, err
		}
	}
	if total > t.mirror.opts.MaxBytes {
		return false, fmt.Errorf("getting %s: %w: %d bytes, more than %d", shown(t.url), ErrTooLarge, total, t.mirror.opts.MaxBytes)
	}
	t.total, t.validator = total, cmp.Or(validator(resp.Header), t.validator)
	t.show()
	return false, nil
}

// same says whether an answer is of the entity that the first one was of. Part of an
// entity need not come with its Last-Modified (RFC 9110, section 15.3.7).
func (t *transfer) same(h http.Header) bool {
	v := validator(h)
	return v == "" || t.validator == "" || v == t.validator
}

// again gives up what has come, and asks for another attempt.
func (t *transfer) again(why string) error {
	if err := t.restart(); err != nil {
		return err
	}
	return &transientError{err: fmt.Errorf("getting %s: %s", shown(t.url), why)}
}

func (t *transfer) copy(ctx context.Context, body io.Reader) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		if over := t.to.size + int64(n); over > t.limit() {
			return fmt.Errorf("getting %s: %w: more than the %d bytes that are due", shown(t.url), ErrTooLarge, t.limit())
		}
		if _, werr := t.to.Write(buf[:n]); werr != nil {
			return werr
		}
		t.show()
		switch {
		case errors.Is(err, io.EOF) && (t.total < 0 || t.to.size == t.total):
			return nil
		case err != nil:
			return broken(ctx, t.url, err)
		}
	}
}

// limit is how long the whole may get.
func (t *transfer) limit() int64 {
	if t.total >= 0 {
		return t.total
	}
	return t.mirror.opts.MaxBytes
}

// show reports what has come for the first time.
func (t *transfer) show() {
	rep := t.mirror.opts.Progress
	if !t.started {
		t.started = true
		rep.Start(t.total)
	}
	if t.to.size > t.shown {
		rep.Add(t.to.size - t.shown)
		t.shown = t.to.size
	}
}

// validator is what If-Range may hold: a strong ETag or a date.
func validator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// contentRange reads "bytes 5-9/10" and "bytes */10" (RFC 9110, section 14.4). from
// is -1 in the second form, total where the length is not known ("*").
func contentRange(s string) (from, total int64, ok bool) {
	s, isBytes := strings.CutPrefix(s, "bytes ")
	part, length, cut := strings.Cut(s, "/")
	if !isBytes || !cut {
		return 0, 0, false
	}
	from, total = -1, -1
	if part != "*" {
		first, last, _ := strings.Cut(part, "-")
		a, err := strconv.ParseInt(first, 10, 64)
		b, err2 := strconv.ParseInt(last, 10, 64)
		if err != nil || err2 != nil || a < 0 || b < a {
			return 0, 0, false
		}
		from = a
	}
	if length != "*" {
		n, err := strconv.ParseInt(length, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, false
		}
		total = n
	}
	return from, total, true
}
