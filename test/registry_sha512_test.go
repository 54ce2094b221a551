package test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/fsck"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// request does one request of a client that go-containerregistry is not: it knows sha256 alone.
func (r *realRegistry) request(method, url, mediaType string, body []byte) (status int, location string, got []byte) {
	r.t.Helper()
	if strings.HasPrefix(url, "/") {
		url = "http://" + r.addr + url
	}
	req := must[*http.Request](r.t)(http.NewRequestWithContext(r.t.Context(), method, url, bytes.NewReader(body)))
	req.Header.Set("Content-Type", mediaType)
	resp := must[*http.Response](r.t)(http.DefaultClient.Do(req)) //nolint:bodyclose // it is, below
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, resp.Header.Get("Location"), must[[]byte](r.t)(io.ReadAll(resp.Body))
}

// upload pushes a blob by a digest.
func (r *realRegistry) upload(repository, digest string, content []byte) {
	r.t.Helper()
	_, location, _ := r.request(http.MethodPost, "/v2/"+repository+"/blobs/uploads/", "", nil)
	separator := "?"
	if strings.Contains(location, "?") {
		separator = "&"
	}
	if status, _, said := r.request(http.MethodPut, location+separator+"digest="+digest, "application/octet-stream", content); status != http.StatusCreated {
		r.t.Fatalf("%d %s", status, said)
	}
}

// TestALayerBySHA512Stays: a registry keeps it by sha256 and links it by both, and the manifest names the one under which it is not kept.
func TestALayerBySHA512Stays(t *testing.T) { eachProgram(t, aLayerBySHA512Stays) }

func aLayerBySHA512Stays(t *testing.T, program string) {
	t.Helper()
	const repository = "team/app"
	r := startRegistryOf(t, program, "")
	config, layer := []byte("{}"), []byte("a layer")
	configDigest, layerDigest := fmt.Sprintf("sha256:%x", sha256.Sum256(config)), fmt.Sprintf("sha512:%x", sha512.Sum512(layer))
	r.upload(repository, configDigest, config)
	r.upload(repository, layerDigest, layer)
	const ociManifest = "application/vnd.oci.image.manifest.v1+json"
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":%d,"digest":%q},`+
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":%d,"digest":%q}]}`, ociManifest, len(config), configDigest, len(layer), layerDigest)
	if status, _, said := r.request(http.MethodPut, "/v2/"+repository+"/manifests/v1", ociManifest, manifest); status != http.StatusCreated {
		t.Fatalf("%d %s", status, said)
	}
	pulls := func(when string) {
		t.Helper()
		status, _, got := r.request(http.MethodGet, "/v2/"+repository+"/blobs/"+layerDigest, "", nil)
		if status != http.StatusOK || !bytes.Equal(got, layer) {
			t.Errorf("%s: %d %s", when, status, got)
		}
	}
	pulls("before")
	report := r.collect(atOnce(true))
	pulls("after")
	if report.Quarantined != (sweep.Amount{}) {
		t.Errorf("%+v", report.Quarantined)
	}
	checker := must[*fsck.Checker](t)(fsck.Open(r.root, fsck.Options{Workers: 2, Now: time.Now}))
	defer func() { _ = checker.Close() }()
	for _, finding := range must[*fsck.Report](t)(checker.Check(t.Context())).Items {
		t.Errorf("%+v", finding)
	}
	// Without the tag all of it is garbage, and comes back.
	if status, _, said := r.request(http.MethodDelete, fmt.Sprintf("/v2/%s/manifests/sha256:%x", repository, sha256.Sum256(manifest)), "", nil); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, said)
	}
	if report = r.collect(atOnce(true)); report.Quarantined.Blobs != 3 {
		t.Errorf("%+v", report.Quarantined)
	}
	must[*sweep.Undone](t)(r.collector(atOnce(true)).Undo(t.Context(), ""))
	pulls("undone")
}
