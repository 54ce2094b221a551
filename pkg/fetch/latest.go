package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"golang.org/x/mod/semver"
)

// Latest is the newest version of a project, without "v", that is no pre-release.
// It asks as a browser would: GitHub answers releases/latest with a redirect to
// releases/tag/TAG. A web server that has no such page is asked for the listing of
// releases/download/, as nginx and Apache write it, and the highest version there
// is taken. ErrNotFound when neither tells.
func (m *Mirror) Latest(ctx context.Context, owner, repo string) (string, error) {
	if !element(owner) || !element(repo) {
		return "", fmt.Errorf("%q cannot be a project's name", owner+"/"+repo)
	}
	version, err := m.latestTag(ctx, owner, repo)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return version, err
	}
	// The slash at the end: without it most servers redirect.
	u := m.base.JoinPath(owner, repo, "releases", "download/")
	data, err := m.small(ctx, u)
	if err != nil {
		return "", fmt.Errorf("looking for the latest version: %w", err)
	}
	if version = highest(data); version == "" {
		return "", fmt.Errorf("looking for the latest version: %s: %w: it lists no release", shown(u), ErrNotFound)
	}
	return version, nil
}

// latestTag follows releases/latest up to the redirect to the tag's page, which
// need not be there.
func (m *Mirror) latestTag(ctx context.Context, owner, repo string) (string, error) {
	u := m.base.JoinPath(owner, repo, "releases", "latest")
	client := *m.client
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if tagOf(req.URL) != "" {
			return http.ErrUseLastResponse
		}
		return checkRedirect(req, via)
	}
	asking := &Mirror{base: m.base, client: &client, opts: m.opts}
	tag := ""
	err := m.retry(ctx, func(ctx context.Context) (bool, error) {
		ctx, watch := watchStall(ctx, m.opts.Stall)
		defer watch.stop()
		resp, err := asking.do(ctx, u, nil)
		if err != nil {
			return false, err
		}
		defer drop(resp)
		if to, err := resp.Location(); err == nil {
			tag = tagOf(to)
		}
		if tag != "" {
			return true, nil
		}
		_, _ = io.CopyN(io.Discard, resp.Body, maxSums) // only to use the connection again
		return false, statusError(resp, u)
	})
	switch version := strings.TrimPrefix(tag, "v"); {
	case err != nil:
		return "", fmt.Errorf("looking for the latest version: %w", err)
	case !release(version):
		return "", fmt.Errorf("looking for the latest version: %s: %w: it leads to no release, but to %q", shown(u), ErrNotFound, tag)
	default:
		return version, nil
	}
}

// tagOf is TAG of a URL that ends in /releases/tag/TAG, else "".
func tagOf(u *url.URL) string {
	folder, tag := path.Split(u.Path)
	if !strings.HasSuffix(folder, "/releases/tag/") || !element(tag) {
		return ""
	}
	return tag
}

// release says whether a version is one of three numbers, with no suffix.
func release(version string) bool {
	v := "v" + version
	return semver.Canonical(v) == v && semver.Prerelease(v) == ""
}

// highest is the highest version that a listing links to, "" when there is none.
func highest(listing []byte) string {
	links := regexp.MustCompile(`(?i)href\s*=\s*["']?(?:[^"'\s>]*/)?v([0-9][^"'/\s>]*)/?["'\s>]`)
	best := ""
	for _, match := range links.FindAllSubmatch(listing, -1) {
		if v := string(match[1]); release(v) && (best == "" || semver.Compare("v"+v, "v"+best) > 0) {
			best = v
		}
	}
	return best
}
