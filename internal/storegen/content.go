package storegen

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// The media types of OCI's image specification.
const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// layer is a packed tar with one file.
type layer struct {
	data   []byte
	diffID string
}

// layer makes one of about size bytes that do not compress.
func (g *generator) layer(size int) layer {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(g.rng.Uint32())
	}
	var packed bytes.Buffer
	sum := sha256.New()
	zw := gzip.NewWriter(&packed)
	unpacked := bytes.Buffer{}
	tw := tar.NewWriter(&unpacked)
	// Writing into memory does not fail.
	_ = tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprint("file", g.next()), Mode: 0o644, Size: int64(size)})
	_, _ = tw.Write(content)
	_ = tw.Close()
	sum.Write(unpacked.Bytes())
	_, _ = zw.Write(unpacked.Bytes())
	_ = zw.Close()
	return layer{packed.Bytes(), "sha256:" + hex.EncodeToString(sum.Sum(nil))}
}

type descriptor struct {
	MediaType string    `json:"mediaType"`
	Digest    string    `json:"digest"`
	Size      int       `json:"size"`
	Platform  *platform `json:"platform,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        *descriptor       `json:"config,omitempty"`
	Layers        []descriptor      `json:"layers,omitempty"`
	Manifests     []descriptor      `json:"manifests,omitempty"`
	Subject       *descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type config struct {
	platform
	Author string `json:"author"` // tells configurations apart
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// encode marshals what cannot fail to be.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// pushed is a manifest with all that came along.
type pushed struct {
	digest     digest.Digest
	descriptor descriptor
	blobs      []digest.Digest // the manifest's own, its configuration's, its layers'
}
