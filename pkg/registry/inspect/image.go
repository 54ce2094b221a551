// Package inspect says what one image or index of a registry is. It reads that manifest, its children and configurations, and
// no layer; what cannot be read is a problem, and the rest is said.
package inspect

import (
	"errors"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// ErrNoImage is wrapped where a tag or digest was named that the repository does not have.
var ErrNoImage = errors.New("no such image")

// Image is a manifest of any kind with what it refers to.
type Image struct {
	Repository string        `json:"repository"`
	Tag        string        `json:"tag,omitempty"` // by which it was asked for
	Digest     digest.Digest `json:"digest"`
	MediaType  string        `json:"mediaType"`
	Kind       mark.Kind     `json:"type"`
	// ArtifactType is of what is no container image: a signature, a chart.
	ArtifactType string `json:"artifactType,omitempty"`
	// Bytes are those of all that it refers to, itself and children included, each blob once, as the manifests say.
	Bytes int64 `json:"bytes"`
	// Modified is when the tag was set; zero where that is not known.
	Modified time.Time `json:"modified,omitzero"`
	// Subject is what it is about; zero for nothing.
	Subject     digest.Digest     `json:"subject,omitzero"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Tags are the other tags of the repository with the same digest, by name.
	Tags []string `json:"tags"`
	// Platforms are the children of an index, and of an image itself alone.
	Platforms []Platform `json:"platforms"`
	// Config is an image's own; nil for an index and what has none that can be read.
	Config *Config `json:"config,omitempty"`
	// Layers are an image's, the lowest first.
	Layers    []Layer    `json:"layers"`
	Referrers []Referrer `json:"referrers"`

	Problems []*layout.Problem `json:"-"`
}

// Platform is an image for a platform.
type Platform struct {
	// Platform is such as linux/arm64/v8; "" when nothing says it.
	Platform string        `json:"platform"`
	Digest   digest.Digest `json:"digest"`
	// Bytes are those of the manifest, the configuration and the layers; 0 for one that is not there.
	Bytes   int64     `json:"bytes"`
	Created time.Time `json:"created,omitzero"`
	// Present: the repository has it. One that is deleted cannot be pulled.
	Present bool `json:"present"`
}

// Config is what an image's configuration says (image-spec, config.md).
type Config struct {
	Digest     digest.Digest     `json:"digest"`
	Bytes      int64             `json:"bytes"`
	MediaType  string            `json:"mediaType,omitempty"`
	Created    time.Time         `json:"created,omitzero"`
	Entrypoint []string          `json:"entrypoint"`
	Cmd        []string          `json:"cmd"`
	User       string            `json:"user,omitempty"`
	WorkingDir string            `json:"workingDir,omitempty"`
	Labels     map[string]string `json:"labels"`
}

// Layer is one layer or other blob of an image.
type Layer struct {
	Digest    digest.Digest `json:"digest"`
	Bytes     int64         `json:"bytes"` // 0 in schema 1, which does not say it
	MediaType string        `json:"mediaType,omitempty"`
}

// Referrer is a manifest about this one: a signature, an attestation.
type Referrer struct {
	Digest digest.Digest `json:"digest"`
	// Type is its artifact type, else the media type of its configuration.
	Type  string `json:"type,omitempty"`
	Bytes int64  `json:"bytes"` // of the manifest
	// Via is how it is found: "subject" or "fallback tag", or "tag" for the signature of a tag made of the digest, as
	// cosign writes it.
	Via string `json:"via"`
	Tag string `json:"tag,omitempty"`
}
