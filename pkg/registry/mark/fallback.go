package mark

import "github.com/opsctl/opsctl/pkg/registry/digest"

// FallbackTag is the tag under which clients list what is about d where a registry has no referrers API (distribution-spec,
// "Referrers Tag Schema").
func FallbackTag(d digest.Digest) string { return fallbackName(d) }

// FallbackForm reports whether a tag has the form of [FallbackTag]. It is one when it names an index as well: [Graph.Weak].
func FallbackForm(tag string) bool { return fallbackForm(tag) }
