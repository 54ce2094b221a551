package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	oci "github.com/opencontainers/go-digest"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// The media types that are asked for by name.
const (
	typeOCIIndex = "application/vnd.oci.image.index.v1+json"
	typeSigned1  = "application/vnd.docker.distribution.manifest.v1+prettyjws"
)

// manifestTypes are all that a registry may hold: one that is not asked for is converted, or hidden.
func manifestTypes() []string {
	return []string{strings.Join([]string{
		typeOCIIndex, "application/vnd.docker.distribution.manifest.list.v2+json",
		"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
		"application/vnd.oci.artifact.manifest.v1+json", typeSigned1, "application/vnd.docker.distribution.manifest.v1+json",
	}, ", ")}
}

// manifest is a manifest as the registry gave it.
type manifest struct {
	digest    digest.Digest
	mediaType string
	data      []byte
}

func manifestPath(repository, reference string) string {
	return "/v2/" + repository + "/manifests/" + reference
}

func blobPath(repository string, d digest.Digest) string {
	return "/v2/" + repository + "/blobs/" + d.String()
}

// head asks what a tag or digest names. The error wraps [fs.ErrNotExist] where it names nothing.
func (r *Registry) head(ctx context.Context, repository, reference string, limit int64) (digest.Digest, error) {
	q := request{
		session: session{repository: repository}, method: http.MethodHead,
		target: manifestPath(repository, reference), accept: manifestTypes(),
	}
	a, err := r.do(ctx, q, 0)
	if err != nil {
		return digest.Digest{}, err
	}
	if said := a.header.Get("Docker-Content-Digest"); said != "" {
		return parseDigest(said)
	}
	m, err := r.get(ctx, repository, reference, limit)
	return m.digest, err
}

// get reads a manifest of at most limit bytes, and checks it against its digest.
func (r *Registry) get(ctx context.Context, repository, reference string, limit int64) (manifest, error) {
	q := request{
		session: session{repository: repository}, method: http.MethodGet,
		target: manifestPath(repository, reference), accept: manifestTypes(),
	}
	a, err := r.do(ctx, q, limit)
	if err != nil {
		return manifest{}, err
	}
	m := manifest{digest: digest.Of(a.body), mediaType: a.header.Get("Content-Type"), data: a.body}
	want := reference
	if !strings.Contains(reference, ":") {
		want = a.header.Get("Docker-Content-Digest")
	}
	if want == "" || want == m.digest.String() {
		return m, nil
	}
	if m.digest, err = parseDigest(want); err != nil {
		return manifest{}, err
	}
	// A schema 1 manifest's digest is that of what its signatures are about, which they are mixed with.
	if m.mediaType != typeSigned1 && !matches(m.digest, a.body) {
		return manifest{}, fmt.Errorf("%w: the content is not that of %s", ErrAnswer, want)
	}
	return m, nil
}

func parseDigest(s string) (digest.Digest, error) {
	d, err := digest.Parse(s)
	if err != nil {
		return d, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return d, nil
}

func matches(d digest.Digest, data []byte) bool {
	v := oci.Digest(d.String()).Verifier()
	_, err := v.Write(data)
	return err == nil && v.Verified()
}

// blob reads a blob of at most limit bytes.
func (r *Registry) blob(ctx context.Context, repository string, d digest.Digest, limit int64) ([]byte, error) {
	a, err := r.do(ctx, request{session: session{repository: repository}, method: http.MethodGet, target: blobPath(repository, d)}, limit)
	if err != nil {
		return nil, err
	}
	if !matches(d, a.body) {
		return nil, fmt.Errorf("%w: the content is not that of %s", ErrAnswer, d)
	}
	return a.body, nil
}

// blobSize asks how large a blob is; false where the repository lacks it.
func (r *Registry) blobSize(ctx context.Context, repository string, d digest.Digest) (int64, bool, error) {
	a, err := r.do(ctx, request{session: session{repository: repository}, method: http.MethodHead, target: blobPath(repository, d)}, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	}
	return max(a.length, 0), true, nil
}

// referrersOf asks for the index of the manifests that are about d (distribution-spec, "Listing Referrers"); nil where the registry
// has no such list, which is remembered.
func (r *Registry) referrersOf(ctx context.Context, repository string, d digest.Digest, limit int64) ([]byte, error) {
	if r.noReferrers.Load() {
		return nil, nil
	}
	a, err := r.do(ctx, request{
		session: session{repository: repository}, method: http.MethodGet,
		target: "/v2/" + repository + "/referrers/" + d.String(), accept: []string{typeOCIIndex},
	}, limit)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrUnsupported), errors.Is(err, ErrAnswer):
		r.noReferrers.Store(true)
		return nil, nil
	case err != nil:
		return nil, err
	}
	return a.body, nil
}
