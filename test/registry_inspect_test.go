package test

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// configured is an image for a platform, as a build makes it.
func (r *realRegistry) configured(arch string, created time.Time) v1.Image {
	img := r.random()
	config := must[*v1.ConfigFile](r.t)(img.ConfigFile()).DeepCopy()
	config.OS, config.Architecture, config.Variant = "linux", arch, map[string]string{"arm64": "v8"}[arch]
	config.Created = v1.Time{Time: created}
	config.Config = v1.Config{Entrypoint: []string{"/bin/app", "-x"}, Cmd: []string{"run"}, User: "app", WorkingDir: "/srv", Labels: map[string]string{"team": "web"}}
	return must[v1.Image](r.t)(mutate.ConfigFile(img, config))
}

// TestInspectSaysWhatWasPushed, over the API and of the folders alike.
func TestInspectSaysWhatWasPushed(t *testing.T) {
	eachRegistry(t, func(c *cli, program string) {
		t := c.t
		r := startRegistryOf(t, program, "")
		noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		amd, arm := r.configured("amd64", noon), r.configured("arm64", noon.Add(time.Hour))
		index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: amd}, mutate.IndexAddendum{Add: arm})
		r.index("a/app:multi", index)
		r.image("a/app:v1", amd)
		r.image("a/app:latest", amd)
		signature := r.sign("a/app", amd)
		look := func(ref string) {
			t.Helper()
			over := document[*inspectJSON](t, c.want(0, "", "registry", "inspect", r.addr+"/"+ref, "-o", "json"))
			of := document[*inspectJSON](t, c.want(0, "", "registry", "inspect", ref, "--root", r.root, "-o", "json"))
			if of.Modified.IsZero() || !over.Modified.IsZero() {
				t.Error("the API tells when a tag was set, or the folder does not")
			}
			// Native referrers are found by the folders alone: both registries only know fallback tags.
			of.Modified, of.Referrers, over.Referrers = time.Time{}, via(of.Referrers), via(over.Referrers)
			if fmt.Sprint(of) != fmt.Sprint(over) {
				t.Errorf("of the folders\n%v over the API\n%v", of, over)
			}
		}
		look("a/app:v1")
		look("a/app:multi")
		got := document[*inspectJSON](t, c.want(0, "", "registry", "inspect", "a/app:v1", "--registry", r.addr, "-o", "json"))
		raw := must[[]byte](t)(amd.RawManifest())
		config := must[[]byte](t)(amd.RawConfigFile())
		bytes := int64(len(raw) + len(config))
		for _, layer := range must[[]v1.Layer](t)(amd.Layers()) {
			bytes += must[int64](t)(layer.Size())
		}
		want := &inspectJSON{
			Digest: r.digest(amd).String(), MediaType: "application/vnd.docker.distribution.manifest.v2+json", Type: "image", Bytes: bytes,
			Tags:      []string{"latest"},
			Platforms: []platformJSON{{"linux/amd64", r.digest(amd).String(), bytes, noon, true}},
			Referrers: []referrerJSON{{Digest: r.digest(signature).String(), Via: "fallback tag"}},
		}
		want.Config.Digest, want.Config.Bytes, want.Config.Created = must[v1.Hash](t)(amd.ConfigName()).String(), int64(len(config)), noon
		want.Config.Entrypoint, want.Config.Labels = []string{"/bin/app", "-x"}, map[string]string{"team": "web"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got\n%v\nwant\n%v", got, want)
		}
		multi := document[*inspectJSON](t, c.want(0, "", "registry", "inspect", "a/app:multi", "--registry", r.addr, "-o", "json"))
		if len(multi.Platforms) != 2 || multi.Platforms[1].Platform != "linux/arm64/v8" || multi.Platforms[1].Created != noon.Add(time.Hour) || multi.Type != "index" {
			t.Error(multi)
		}
	})
}

// inspectJSON is the document as a reader of its own sees it.
type inspectJSON struct {
	Digest, MediaType, Type string
	Bytes                   int64
	Modified                time.Time
	Tags                    []string
	Platforms               []platformJSON
	Config                  struct {
		Digest     string
		Bytes      int64
		Created    time.Time
		Entrypoint []string
		Labels     map[string]string
	}
	Referrers []referrerJSON
}

type platformJSON struct {
	Platform, Digest string
	Bytes            int64
	Created          time.Time
	Present          bool
}

type referrerJSON struct{ Digest, Via string }

func via(all []referrerJSON) []referrerJSON {
	for i := range all {
		all[i].Via = ""
	}
	return all
}
