package mark

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// ErrManifest is wrapped by every error of [Parse].
var ErrManifest = errors.New("not a manifest")

// Kind is what a manifest is.
type Kind string

// The kinds, by the fields that a manifest has.
const (
	KindImage    Kind = "image"    // config and layers: OCI, Docker schema 2
	KindIndex    Kind = "index"    // manifests: OCI index, Docker list
	KindSchema1  Kind = "schema1"  // fsLayers: Docker schema 1, signed or not
	KindArtifact Kind = "artifact" // blobs: the artifact manifest of OCI 1.1's release candidates
)

// Child is an entry of an index: a manifest, or a blob where a build cache lists its layers.
type Child struct {
	Digest digest.Digest
	// Manifest reports whether the media type is that of a manifest, or absent.
	Manifest bool
}

// Manifest is what a manifest refers to.
type Manifest struct {
	Kind     Kind
	Blobs    []digest.Digest
	Children []Child
	// Subject is the manifest that this one is about; zero when there is none. It does not keep its subject.
	Subject digest.Digest
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
}

// document holds the fields of all kinds that refer to something: image-spec manifest.md and image-index.md,
// distribution's manifest-v2-2.md and manifest-v2-1.md.
type document struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *descriptor  `json:"config"`
	Layers        []descriptor `json:"layers"`
	Blobs         []descriptor `json:"blobs"`
	Manifests     []descriptor `json:"manifests"`
	Subject       *descriptor  `json:"subject"`
	FSLayers      []struct {
		BlobSum string `json:"blobSum"`
	} `json:"fsLayers"`
}

// Parse reads a manifest of any kind. It follows the fields that are there and not the media type, which OCI manifests may
// lack: a document with both layers and manifests refers to all of them. A reference that is no digest is an error,
// for what it meant cannot be kept.
func Parse(data []byte) (Manifest, error) {
	doc, ok := quick(data)
	if !ok {
		doc = document{}
		if err := json.Unmarshal(data, &doc); err != nil {
			return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
		}
	}
	m := Manifest{Kind: doc.kind()}
	if m.Kind == "" {
		return Manifest{}, fmt.Errorf("%w: it has neither layers, manifests, fsLayers nor blobs", ErrManifest)
	}
	if err := m.fill(&doc); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return m, nil
}

func (d *document) kind() Kind {
	switch {
	case d.Manifests != nil:
		return KindIndex
	case d.FSLayers != nil:
		return KindSchema1
	case d.Config != nil || d.Layers != nil:
		return KindImage
	case d.Blobs != nil || d.MediaType == artifactType:
		return KindArtifact
	}
	return ""
}

const artifactType = "application/vnd.oci.artifact.manifest.v1+json"

func (m *Manifest) fill(doc *document) error {
	blobs := make([]descriptor, 0, len(doc.Layers)+len(doc.Blobs)+len(doc.FSLayers)+1)
	blobs = append(append(blobs, doc.Layers...), doc.Blobs...)
	if doc.Config != nil {
		blobs = append(blobs, *doc.Config)
	}
	for _, layer := range doc.FSLayers {
		blobs = append(blobs, descriptor{Digest: layer.BlobSum})
	}
	m.Blobs = make([]digest.Digest, 0, len(blobs))
	for _, blob := range blobs {
		d, err := digest.Parse(blob.Digest)
		if err != nil {
			return err
		}
		m.Blobs = append(m.Blobs, d)
	}
	for _, child := range doc.Manifests {
		d, err := digest.Parse(child.Digest)
		if err != nil {
			return err
		}
		m.Children = append(m.Children, Child{d, ofManifest(child.MediaType)})
	}
	if doc.Subject != nil {
		var err error
		m.Subject, err = digest.Parse(doc.Subject.Digest)
		return err
	}
	return nil
}

func ofManifest(mediaType string) bool {
	switch mediaType {
	case "", artifactType,
		"application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
		"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
		"application/vnd.docker.distribution.manifest.v1+json", "application/vnd.docker.distribution.manifest.v1+prettyjws":
		return true
	}
	return false
}
