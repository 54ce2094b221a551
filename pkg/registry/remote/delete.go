package remote

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// What keeps something from being deleted; errors wrap these.
var (
	ErrNoDelete = errors.New("the registry deletes nothing")
	ErrChanged  = errors.New("it was set to something else meanwhile")
)

// CanDelete finds out whether the registry deletes manifests of a repository, and whether this user may: it asks for one to be
// deleted that cannot be there. The error wraps [ErrNoDelete] or [ErrDenied].
func (r *Registry) CanDelete(ctx context.Context, repository string) error {
	err := r.remove(ctx, repository, digest.Of([]byte(rand.Text())).String())
	switch {
	case err == nil, notThere(err):
		return nil
	case errors.Is(err, ErrUnsupported):
		return fmt.Errorf("%s: %w", r.Host(), ErrNoDelete)
	}
	return fmt.Errorf("%s: %w", r.Host(), err)
}

// DeleteTag deletes a tag that names want, and nothing else: the tags that are named as staying name it afterwards as before.
// No such tag is no error. The error wraps [ErrChanged] when it names something else by now; then nothing was done.
//
// Distribution 3 deletes by tag. 2.8 refuses (DIGEST_INVALID), and deleting the digest would take every tag with it, so the tag
// is set to a manifest of no content that nobody else has, and that one's digest is deleted. Between looking and setting
// lies one request: who sets the same tag within it loses it, as with any two clients that set one tag.
func (r *Registry) DeleteTag(ctx context.Context, repository, tag string, want digest.Digest, staying []string) error {
	if there, err := r.still(ctx, repository, tag, want); !there || err != nil {
		return err
	}
	former, err := r.get(ctx, repository, want.String(), mark.ManifestLimit)
	if err != nil {
		return err
	}
	if r.noTagDelete.Load() {
		err = r.displace(ctx, repository, tag, former)
	} else if err = r.remove(ctx, repository, tag); refusesTags(err) {
		r.noTagDelete.Store(true)
		err = r.displace(ctx, repository, tag, former)
	}
	if err != nil && !notThere(err) {
		return err
	}
	return r.verify(context.WithoutCancel(ctx), repository, tag, former, staying)
}

// refusesTags reports whether a registry answers that it deletes by digest only: 2.8 DIGEST_INVALID, others 405.
func refusesTags(err error) bool {
	answered, ok := errors.AsType[*transport.Error](err)
	return ok && (answered.StatusCode == http.StatusBadRequest || answered.StatusCode == http.StatusMethodNotAllowed)
}

// still reports whether a tag is there; one that names something else than want is an error.
func (r *Registry) still(ctx context.Context, repository, tag string, want digest.Digest) (bool, error) {
	now, err := r.head(ctx, repository, tag, mark.ManifestLimit)
	switch {
	case notThere(err):
		return false, nil
	case err != nil:
		return false, err
	case now != want:
		return false, fmt.Errorf("%w: %s", ErrChanged, now)
	}
	return true, nil
}

// standIn is a manifest that nobody else has: an index of nothing. Who finds it under a tag, after this process was killed, can
// read what it is for.
func standIn(tag string, former digest.Digest) (manifest, error) {
	data, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": typeOCIIndex, "manifests": []string{},
		"annotations": map[string]string{"opsctl.removing": tag, "opsctl.former": former.String(), "opsctl.nonce": rand.Text()},
	})
	return manifest{digest.Of(data), typeOCIIndex, data}, err
}

// displace has a tag name a stand-in and deletes that. Where it fails the tag names the former manifest again, unless
// somebody else has set it.
func (r *Registry) displace(ctx context.Context, repository, tag string, former manifest) error {
	instead, err := standIn(tag, former.digest)
	if err != nil {
		return err
	}
	if there, err := r.still(ctx, repository, tag, former.digest); !there || err != nil {
		return err
	}
	if err = r.put(ctx, repository, tag, instead); err == nil {
		err = r.remove(ctx, repository, instead.digest.String())
	}
	if err == nil {
		return nil
	}
	// It may have been done all the same. The context may have ended; the tag must not stay as it is.
	ctx = context.WithoutCancel(ctx)
	now, lookErr := r.head(ctx, repository, tag, mark.ManifestLimit)
	switch {
	case notThere(lookErr):
		return nil
	case lookErr != nil:
		return fmt.Errorf("%w; the tag may name a stand-in for %s: %w", err, former.digest, lookErr)
	case now != instead.digest:
		return err
	}
	if putErr := r.put(ctx, repository, tag, former); putErr != nil {
		return fmt.Errorf("%w; the tag names a stand-in, for setting it to %s again failed: %w", err, former.digest, putErr)
	}
	return err
}

// verify looks whether a tag is gone and the others are not. One that went is set again: its manifest was read before.
func (r *Registry) verify(ctx context.Context, repository, tag string, former manifest, staying []string) error {
	if now, err := r.head(ctx, repository, tag, mark.ManifestLimit); err == nil && now == former.digest {
		return fmt.Errorf("%w: the registry said that the tag is deleted, and it is there", ErrAnswer)
	} else if err != nil && !notThere(err) {
		return err
	}
	lost := make([]error, len(staying))
	type check struct {
		tag string
		err *error
	}
	checks := make([]check, len(staying))
	for i, name := range staying {
		checks[i] = check{name, &lost[i]}
	}
	parallel(ctx, checks, func(c *check) {
		_, err := r.head(ctx, repository, c.tag, mark.ManifestLimit)
		if notThere(err) {
			err = r.put(ctx, repository, c.tag, former)
		}
		if err != nil {
			*c.err = fmt.Errorf("the tag %s, which was to stay: %w", c.tag, err)
		}
	})
	return errors.Join(lost...)
}

// DeleteManifest deletes a manifest with all tags that name it. No such manifest is no error.
func (r *Registry) DeleteManifest(ctx context.Context, repository string, d digest.Digest) error {
	if err := r.remove(ctx, repository, d.String()); err != nil && !notThere(err) {
		return err
	}
	return nil
}

// put stores a manifest under a tag.
func (r *Registry) put(ctx context.Context, repository, tag string, m manifest) error {
	_, err := r.do(ctx, request{
		session: session{repository: repository, write: true}, method: http.MethodPut,
		target: manifestPath(repository, tag), content: m.mediaType, body: m.data,
	}, pageLimit)
	return err
}

// remove deletes by tag or digest.
func (r *Registry) remove(ctx context.Context, repository, reference string) error {
	_, err := r.do(ctx, request{
		session: session{repository: repository, write: true}, method: http.MethodDelete, target: manifestPath(repository, reference),
	}, pageLimit)
	return err
}
