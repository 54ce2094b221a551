package fsck

import "github.com/opsctl/opsctl/pkg/severity"

// Rule is one kind of finding. Its ID is stable.
type Rule struct {
	ID       string
	Severity severity.Severity
	What     string // what it is, and what a registry does with it
	Remedy   string // what to do; for those that Repair mends, what it does
	Repair   bool
}

// The ids of the findings.
const (
	blobDigest     = "blob-digest"
	blobNoData     = "blob-no-data"
	blobsStray     = "blobs-stray"
	linkEmpty      = "link-empty"
	linkMalformed  = "link-malformed"
	linkForeign    = "link-foreign"
	linkDangling   = "link-dangling"
	linkQuarantine = "link-quarantined"
	manifestBad    = "manifest-malformed"
	sizeMismatch   = "size-mismatch"
	layerMissing   = "layer-missing"
	layerUnlinked  = "layer-unlinked"
	childMissing   = "child-missing"
	tagDangling    = "tag-dangling"
	tagUnlinked    = "tag-unlinked"
	tagUnset       = "tag-unset"
	tagsMissing    = "tags-missing"
	fallbackOrphan = "fallback-orphan"
	uploadStale    = "upload-stale"
	uploadNoStart  = "upload-no-start"
	stray          = "stray-file"
)

// Rules are all rules, in the order of docs/registry.md.
func Rules() []Rule {
	const push = "push the image again"
	return []Rule{
		{blobDigest, severity.Critical, "a blob's content is not what its name says: clients refuse it, and where it is a manifest the official collector stops", "--repair puts it away; " + push, true},
		{blobNoData, severity.High, "a blob's folder holds no data", "--repair puts it away; " + push, true},
		{linkEmpty, severity.High, "a link is empty, and what it links cannot be pulled; at a manifest's or a tag's the official collector stops", "--repair writes what the folder's name says, where that blob is there and sound; else it puts the link away", true},
		{linkMalformed, severity.High, "a link holds no digest", "as for an empty one", true},
		{linkForeign, severity.High, "a link holds another digest than its folder's name", "--repair puts it away; " + push, true},
		{tagDangling, severity.High, "a tag names a manifest that the store does not have, or not undamaged", "--repair puts the tag away; " + push, true},
		{manifestBad, severity.High, "what a repository links as a manifest is none", push, false},
		{layerMissing, severity.High, "a manifest needs a layer or configuration that the store does not have, or not undamaged", push + "; clients that take it for there, since its manifest is, need it deleted first", false},
		{layerUnlinked, severity.Medium, "a manifest needs a layer or configuration that its repository does not link: it cannot be pulled there", push, false},
		{sizeMismatch, severity.High, "a manifest gives another size than the blob has: clients refuse it", push, false},
		{linkDangling, severity.Medium, "a repository links a blob that the store does not have, or not undamaged", "--repair puts the link away", true},
		{linkQuarantine, severity.Medium, "a link names a blob that lies in quarantine", "opsctl registry gc brings back what is referred to", false},
		{tagUnlinked, severity.Medium, "a tag names a manifest that its repository does not link: it cannot be pulled", "push the image again, or delete the tag", false},
		{tagUnset, severity.Medium, "a tag's folder names no manifest", "--repair puts it away", true},
		{tagsMissing, severity.Medium, "a repository with manifests has no folder of tags: the official collector stops at it", "--repair creates it", true},
		{blobsStray, severity.Medium, "something among the blobs is none: the official collector stops at it", "--repair puts it away", true},
		{uploadStale, severity.Low, "an upload was begun over a week ago, and nothing has come since", "--repair puts it away", true},
		{uploadNoStart, severity.Low, "when an upload was begun cannot be told", "look at it, and delete it when nobody pushes", false},
		{stray, severity.Low, "a file lies where a registry has folders only", "--repair puts it away", true},
		{childMissing, severity.Info, "an index lists a manifest that the store does not have, which it may", push + ", where the platform is wanted", false},
		{fallbackOrphan, severity.Info, "a fallback tag is about a manifest that is gone", "opsctl registry gc --delete-untagged collects it", false},
	}
}
