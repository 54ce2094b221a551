package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// disk is a store that a test lays down by hand.
type disk struct {
	t    *testing.T
	root string
	now  time.Time
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{t, t.TempDir(), time.Now()}
	d.folder("repositories")
	d.folder("blobs")
	return d
}

func (d *disk) at(name string) string { return filepath.Join(layout.Dir(d.root), name) }

func (d *disk) folder(name string) {
	d.t.Helper()
	if err := os.MkdirAll(d.at(name), 0o755); err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) file(name, text string) {
	d.t.Helper()
	d.folder(path.Dir(name))
	if err := os.WriteFile(d.at(name), []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) remove(name string) {
	d.t.Helper()
	if err := os.RemoveAll(d.at(name)); err != nil {
		d.t.Fatal(err)
	}
}

// age makes a file or folder older.
func (d *disk) age(name string, by time.Duration) {
	d.t.Helper()
	if err := os.Chtimes(d.at(name), d.now.Add(-by), d.now.Add(-by)); err != nil {
		d.t.Fatal(err)
	}
}

// ageAll makes everything older.
func (d *disk) ageAll(by time.Duration) {
	d.t.Helper()
	err := filepath.WalkDir(layout.Dir(d.root), func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(name, d.now.Add(-by), d.now.Add(-by))
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) has(name string) bool {
	_, err := os.Lstat(d.at(name))
	return err == nil
}

func data(b digest.Digest) string {
	shard, name := layout.BlobDir(b)
	return path.Join(shard, name, "data")
}

func link(dir string, b digest.Digest) string {
	return path.Join(dir, b.Algorithm(), b.Hex(), "link")
}

func (d *disk) blob(text string) digest.Digest {
	b := digest.Of([]byte(text))
	d.file(data(b), text)
	return b
}

// layer is a blob that a repository links.
func (d *disk) layer(repository, text string) digest.Digest {
	b := d.blob(text)
	d.file(link(layout.LayersDir(repository), b), b.String())
	return b
}

// manifest stores and links one.
func (d *disk) manifest(repository string, fields map[string]any) digest.Digest {
	d.t.Helper()
	fields["schemaVersion"] = 2
	text, err := json.Marshal(fields)
	if err != nil {
		d.t.Fatal(err)
	}
	b := d.blob(string(text))
	d.file(link(layout.RevisionsDir(repository), b), b.String())
	return b
}

type entry map[string]any

func descriptor(b digest.Digest, mediaType string) entry {
	return entry{"mediaType": mediaType, "digest": b.String(), "size": 1}
}

const (
	imageType = "application/vnd.oci.image.manifest.v1+json"
	indexType = "application/vnd.oci.image.index.v1+json"
	layerType = "application/vnd.oci.image.layer.v1.tar"
)

// image is a manifest with a configuration and a layer of its own, and what else it has.
func (d *disk) image(repository, name string, more ...entry) (manifest, config, layer digest.Digest) {
	d.t.Helper()
	config, layer = d.layer(repository, name+" config"), d.layer(repository, name+" layer")
	fields := map[string]any{
		"mediaType": imageType, "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
		"layers": []entry{descriptor(layer, layerType)},
	}
	for _, m := range more {
		maps.Copy(fields, m)
	}
	return d.manifest(repository, fields), config, layer
}

//nolint:unparam // as its like for images
func (d *disk) index(repository string, children ...digest.Digest) digest.Digest {
	d.t.Helper()
	list := []entry{}
	for _, child := range children {
		list = append(list, descriptor(child, imageType))
	}
	return d.manifest(repository, map[string]any{"mediaType": indexType, "manifests": list})
}

func (d *disk) tag(repository, name string, b digest.Digest) {
	dir := path.Join(layout.TagsDir(repository), name)
	d.file(path.Join(dir, "current/link"), b.String())
	d.file(link(path.Join(dir, "index"), b), b.String())
}

// upload is one that began and last got something so long ago.
func (d *disk) upload(repository, id string, ago time.Duration) {
	dir := path.Join(layout.UploadsDir(repository), id)
	d.file(path.Join(dir, "startedat"), d.now.Add(-ago).UTC().Format(time.RFC3339))
	d.file(path.Join(dir, "data"), "half")
	d.age(path.Join(dir, "data"), ago)
	d.age(dir, ago)
}

// fallback is the tag that clients write for what is about b.
func fallback(b digest.Digest) string { return "sha256-" + b.Hex() }

// about says what a manifest is about.
func about(b digest.Digest) entry { return entry{"subject": descriptor(b, imageType)} }

// at0 does all in one run, and watches for no time.
func (d *disk) at0() Options {
	return Options{DeleteUntagged: true, PurgeOlderThan: -1, Workers: 2, Now: func() time.Time { return d.now }}
}

func (d *disk) open(o Options) *Collector {
	d.t.Helper()
	c, err := Open(d.root, o)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (d *disk) collect(o Options) *Report {
	d.t.Helper()
	r, err := d.open(o).Collect(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// files are all of the store but the quarantine, with their content.
func (d *disk) files() map[string]string {
	d.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(layout.Dir(d.root), func(name string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "opsctl-quarantine":
			return filepath.SkipDir
		}
		text := "folder"
		if !entry.IsDir() {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text = string(content)
		}
		all[strings.TrimPrefix(name, layout.Dir(d.root))] = text
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// undo takes all back, which must give the files that were there.
func (d *disk) undo(want map[string]string) {
	d.t.Helper()
	c := d.open(d.at0())
	for {
		sets, err := c.yard.Sets()
		if err != nil {
			d.t.Fatal(err)
		}
		if len(sets) == 0 {
			break
		}
		if undone, err := c.Undo(d.t.Context(), sets[0].ID); err != nil || undone.Runs[0].Kept > 0 {
			d.t.Fatalf("%+v, %v", undone, err)
		}
	}
	if diff := cmp.Diff(want, d.files()); diff != "" {
		d.t.Errorf("undone: %s", diff)
	}
}

// here fails unless all that is named is in the store.
func (d *disk) here(what string, names ...string) {
	d.t.Helper()
	for _, name := range names {
		if !d.has(name) {
			d.t.Errorf("%s: %s has gone", what, name)
		}
	}
}

func (d *disk) gone(what string, names ...string) {
	d.t.Helper()
	for _, name := range names {
		if d.has(name) {
			d.t.Errorf("%s: %s is still there", what, name)
		}
	}
}

// problems are the paths of a report's.
func problems(r *Report) string {
	var names []string
	for _, p := range r.Problems {
		names = append(names, p.Path)
	}
	slices.Sort(names)
	return fmt.Sprint(names)
}

// during has do happen once, where a run is held.
func during(o Options, at Step, do func()) Options {
	done := false
	o.Step = func(step Step) {
		if step == at && !done {
			done = true
			do()
		}
	}
	return o
}

// stoppable is a context and what ends it.
func stoppable(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}
