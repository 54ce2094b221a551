package remove

import (
	"context"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/remote"
)

// OverAPI deletes through a registry's API.
type OverAPI struct{ Registry *remote.Registry }

// Ready implements [Remover].
func (o OverAPI) Ready(ctx context.Context, repository string) error {
	return o.Registry.CanDelete(ctx, repository)
}

// Tag implements [Remover].
func (o OverAPI) Tag(ctx context.Context, repository, tag string, d digest.Digest, staying []string) error {
	return o.Registry.DeleteTag(ctx, repository, tag, d, staying)
}

// Manifest implements [Remover].
func (o OverAPI) Manifest(ctx context.Context, repository string, d digest.Digest, _ []string) error {
	return o.Registry.DeleteManifest(ctx, repository, d)
}
