package test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// file is a file of the registry's own folder.
func (r *realRegistry) file(parts ...string) string {
	return filepath.Join(r.root, "docker/registry/v2", filepath.Join(parts...))
}

func (r *realRegistry) overwrite(text string, parts ...string) {
	r.t.Helper()
	name := r.file(parts...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// collects reports whether the registry's own collector reads the store without an error.
func (r *realRegistry) collects(args ...string) bool {
	r.t.Helper()
	args = append([]string{"garbage-collect", "--dry-run"}, append(args, r.conf)...)
	return exec.CommandContext(r.t.Context(), r.program, args...).Run() == nil
}

// pulls reports whether the client gets an image, every byte of it.
func (r *realRegistry) pulls(ref string) bool {
	r.t.Helper()
	img, err := remote.Image(r.ref(ref))
	return err == nil && validate.Image(img) == nil
}

// fsck runs opsctl's command, and gives the ids that it finds and its exit code.
func (r *realRegistry) fsck(args ...string) (ids []string, code int) {
	r.t.Helper()
	program := os.Getenv("OPSCTL_BIN")
	if program == "" {
		program = buildOpsctl(r.t, r.t.TempDir())
	}
	cmd := exec.CommandContext(r.t.Context(), program, append([]string{"registry", "fsck", "--root", r.root, "-q", "-o", "json"}, args...)...)
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	var doc struct {
		Items []struct{ ID string }
		Steps []struct{ Detail string }
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		r.t.Fatal(err, cmd.ProcessState)
	}
	for _, item := range doc.Items {
		ids = append(ids, item.ID)
	}
	for _, step := range doc.Steps {
		id, _, _ := strings.Cut(step.Detail, ":")
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids), cmd.ProcessState.ExitCode()
}

// TestFsckMendsWhatStopsTheRegistry: a store that docker-registry wrote is broken in each way. The registry's own collector stops
// at some of them; after a repair it reads the store, and what can be pulled without the broken part is pulled, by a
// client that checks each byte.
func TestFsckMendsWhatStopsTheRegistry(t *testing.T) {
	testpeers.RequireTree(t, testpeers.Registry())
	for name, c := range map[string]struct {
		damage func(r *realRegistry, manifest, layer v1.Hash)
		found  []string
		// stops: the official collector fails before. whole: the damaged image can be pulled after the repair.
		stops, whole bool
	}{
		"an empty revision link": {func(r *realRegistry, m, _ v1.Hash) {
			r.overwrite("", "repositories/a/app/_manifests/revisions/sha256", m.Hex, "link")
		}, []string{"link-empty"}, true, true},
		"an empty layer link": {func(r *realRegistry, _, l v1.Hash) {
			r.overwrite("", "repositories/a/app/_layers/sha256", l.Hex, "link")
		}, []string{"link-empty"}, false, true},
		"an empty tag": {func(r *realRegistry, _, _ v1.Hash) {
			r.overwrite("", "repositories/a/app/_manifests/tags/bad/current/link")
		}, []string{"link-empty"}, true, true},
		"no folder of tags": {func(r *realRegistry, _, _ v1.Hash) {
			if err := os.RemoveAll(r.file("repositories/b/other/_manifests/tags")); err != nil {
				r.t.Fatal(err)
			}
		}, []string{"tags-missing"}, true, true},
		"a stray folder": {func(r *realRegistry, _, _ v1.Hash) {
			r.overwrite("x", "blobs/sha256/ab/lost+found/data")
		}, []string{"blobs-stray"}, true, true},
		"a manifest that is gone": {func(r *realRegistry, m, _ v1.Hash) {
			if err := os.RemoveAll(r.file("blobs/sha256", m.Hex[:2], m.Hex)); err != nil {
				r.t.Fatal(err)
			}
		}, []string{"link-dangling", "tag-dangling"}, false, false},
		"a manifest with other bytes": {func(r *realRegistry, m, _ v1.Hash) {
			r.overwrite("{}", "blobs/sha256", m.Hex[:2], m.Hex, "data")
		}, []string{"blob-digest", "link-dangling", "tag-dangling"}, true, false},
		"a layer with other bytes": {func(r *realRegistry, _, l v1.Hash) {
			name := r.file("blobs/sha256", l.Hex[:2], l.Hex, "data")
			data := must[[]byte](r.t)(os.ReadFile(name))
			data[len(data)/2] ^= 1
			r.overwrite(string(data), "blobs/sha256", l.Hex[:2], l.Hex, "data")
		}, []string{"blob-digest", "layer-missing", "link-dangling"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRegistry(t)
			r.image("a/app:good", r.random())
			r.image("b/other:v1", r.random())
			bad := r.image("a/app:bad", r.random())
			layer := must[v1.Hash](t)(must[[]v1.Layer](t)(bad.Layers())[0].Digest())
			if ids, code := r.fsck(); ids != nil || code != 0 {
				t.Fatal(ids, code)
			}
			c.damage(r, r.digest(bad), layer)
			stops := !r.collects() || !r.collects("-m")
			if stops != c.stops {
				t.Errorf("the official collector stops: %v", stops)
			}
			wrong := r.sums()
			if ids, code := r.fsck(); !slices.Equal(ids, c.found) || code != 3 {
				t.Errorf("found %v, exit code %d", ids, code)
			}
			if ids, code := r.fsck("--repair", "--dry-run", "--exit-code"); len(ids) == 0 || code != 3 {
				t.Errorf("planned %v, exit code %d", ids, code)
			}
			if _, code := r.fsck("--repair", "--yes"); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if !r.collects() || !r.collects("-m") {
				t.Error("the official collector stops after the repair")
			}
			if (len(wrong) > 0) != slices.Contains(c.found, "blob-digest") || len(r.sums()) > 0 {
				t.Errorf("sha256sum finds %v, and %v after the repair", wrong, r.sums())
			}
			if !r.pulls("a/app:good") || c.whole && !strings.Contains(name, "tag") && !r.pulls("a/app:bad") {
				t.Error("images cannot be pulled after the repair")
			}
			// What was lost comes back with the next push. This client pushes no layer of a manifest that is there.
			if slices.Contains(c.found, "layer-missing") {
				r.remove("a/app", bad)
			}
			r.image("a/app:bad", bad)
			if !r.pulls("a/app:bad") {
				t.Error("the image cannot be pulled after it was pushed again")
			}
			if ids, code := r.fsck(); ids != nil || code != 0 {
				t.Errorf("after the push: %v, exit code %d", ids, code)
			}
		})
	}
}

// sums are the blobs whose content is not what sha256sum says of their name.
func (r *realRegistry) sums() (wrong []string) {
	r.t.Helper()
	blobs := must[[]string](r.t)(filepath.Glob(r.file("blobs/sha256/??/*/data")))
	out, err := exec.CommandContext(context.Background(), "sha256sum", blobs...).Output()
	if err != nil || len(blobs) == 0 {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if hex := filepath.Base(filepath.Dir(name)); len(hex) == 64 && hex != sum {
			wrong = append(wrong, name)
		}
	}
	return wrong
}
