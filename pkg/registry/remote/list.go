package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// pageLimit is the size of a page of names above which something else is answering, in bytes.
const pageLimit = 64 << 20

// names is a page of either list.
type names struct {
	Repositories []string `json:"repositories"`
	Tags         []string `json:"tags"`
}

// badPage is the answer of distribution to more names than it is willing to give at a time.
const badPage = "PAGINATION_NUMBER_INVALID"

// catalogue yields the names of the repositories, a page at a time.
func (r *Registry) catalogue(ctx context.Context) iter.Seq2[string, error] {
	return r.pages(ctx, session{}, "/v2/_catalog", func(n names) []string { return n.Repositories })
}

// tagNames yields the names of a repository's tags. The error wraps [io/fs.ErrNotExist] where there is no such repository,
// and also for one that never had a tag.
func (r *Registry) tagNames(ctx context.Context, repository string) iter.Seq2[string, error] {
	return r.pages(ctx, session{repository: repository}, "/v2/"+repository+"/tags/list", func(n names) []string { return n.Tags })
}

// pages yields the names of all pages, and ends with the first error.
func (r *Registry) pages(ctx context.Context, s session, target string, of func(names) []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		q := request{session: s, method: http.MethodGet, target: target + "?n=" + strconv.Itoa(r.opts.Page)}
		for q.target != "" {
			a, err := r.do(ctx, q, pageLimit)
			if err != nil && saysOne(err, badPage) && q.target != target {
				q.target = target // and as many as it likes
				continue
			}
			var page names
			if err == nil {
				err = json.Unmarshal(a.body, &page)
			}
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range of(page) {
				if !yield(name, nil) {
					return
				}
			}
			if q.target, err = nextPage(a, q.target); err != nil {
				yield("", err)
				return
			}
		}
	}
}

// nextPage is the address of the page behind this one (RFC 8288, rel="next"), "" on the last. It must be the same host's, for the
// credentials go there.
func nextPage(a *answer, current string) (string, error) {
	link := a.header.Get("Link")
	if link == "" {
		return "", nil
	}
	target, _, ok := strings.Cut(strings.TrimPrefix(link, "<"), ">")
	next, err := a.url.Parse(target)
	if !ok || err != nil || next.Host != a.url.Host || next.Scheme != a.url.Scheme {
		return "", fmt.Errorf("%w: the next page is at %.200q", ErrAnswer, link)
	}
	if samePage(next, current) {
		return "", fmt.Errorf("%w: a page names itself as the next", ErrAnswer)
	}
	return next.String(), nil
}

func samePage(next *url.URL, current string) bool {
	return next.String() == current || next.RequestURI() == current
}
