package inspect

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// descriptor is how manifests refer to content (image-spec, descriptor.md).
type descriptor struct {
	MediaType    string    `json:"mediaType"`
	Digest       string    `json:"digest"`
	Size         int64     `json:"size"`
	ArtifactType string    `json:"artifactType"`
	Platform     *platform `json:"platform"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (p *platform) String() string {
	if p == nil || p.OS == "" && p.Architecture == "" {
		return ""
	}
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// manifest is the fields of all kinds that are shown.
type manifest struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       *descriptor       `json:"config"`
	Layers       []descriptor      `json:"layers"`
	Blobs        []descriptor      `json:"blobs"`
	Manifests    []descriptor      `json:"manifests"`
	Annotations  map[string]string `json:"annotations"`
	History      []struct {
		V1 string `json:"v1Compatibility"`
	} `json:"history"`
	FSLayers []struct {
		BlobSum string `json:"blobSum"`
	} `json:"fsLayers"`

	parsed mark.Manifest
}

func parse(data []byte) (*manifest, error) {
	parsed, err := mark.Parse(data)
	if err != nil {
		return nil, err
	}
	m := &manifest{parsed: parsed}
	// What could be read above can be read; a field of another type is left empty.
	_ = json.Unmarshal(data, m)
	if m.MediaType == "" {
		m.MediaType = defaultType(parsed.Kind)
	}
	return m, nil
}

// defaultType is the media type of a manifest that says none, which only OCI's and schema 1 may.
func defaultType(kind mark.Kind) string {
	switch kind {
	case mark.KindIndex:
		return "application/vnd.oci.image.index.v1+json"
	case mark.KindSchema1:
		return "application/vnd.docker.distribution.manifest.v1+json"
	case mark.KindImage, mark.KindArtifact:
	}
	return "application/vnd.oci.image.manifest.v1+json"
}

// kindOfArtifact is what the manifest's content is, where it is no container image.
func (m *manifest) kindOfArtifact() string {
	if m.ArtifactType != "" || m.Config == nil {
		return m.ArtifactType
	}
	switch m.Config.MediaType {
	case "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json":
		return ""
	}
	return m.Config.MediaType
}

// layers are the content in the manifest's order; schema 1 has the topmost first.
func (m *manifest) layers() []Layer {
	layers := []Layer{}
	for _, all := range [][]descriptor{m.Layers, m.Blobs} {
		for _, l := range all {
			if d, err := digest.Parse(l.Digest); err == nil {
				layers = append(layers, Layer{d, l.Size, l.MediaType})
			}
		}
	}
	for i := range m.FSLayers {
		if d, err := digest.Parse(m.FSLayers[len(m.FSLayers)-1-i].BlobSum); err == nil {
			layers = append(layers, Layer{Digest: d})
		}
	}
	return layers
}

// configuration is the JSON of an image's configuration.
type configuration struct {
	platform

	Created *time.Time `json:"created"`
	Config  struct {
		User       string            `json:"User"`
		Entrypoint []string          `json:"Entrypoint"`
		Cmd        []string          `json:"Cmd"`
		WorkingDir string            `json:"WorkingDir"`
		Labels     map[string]string `json:"Labels"`
	} `json:"config"`
}

// read fills a Config.
func (c *configuration) read(to *Config) {
	to.Created = c.created()
	to.User, to.WorkingDir = c.Config.User, c.Config.WorkingDir
	to.Entrypoint, to.Cmd = append([]string{}, c.Config.Entrypoint...), append([]string{}, c.Config.Cmd...)
	to.Labels = c.Config.Labels
	if to.Labels == nil {
		to.Labels = map[string]string{}
	}
}

// created is zero when it is not known: reproducible builds say 1970, which is no time of theirs.
func (c *configuration) created() time.Time {
	if c.Created == nil || !c.Created.After(time.Unix(0, 0)) {
		return time.Time{}
	}
	return c.Created.UTC()
}
