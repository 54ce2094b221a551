package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// unseen runs the program where the engine's volumes are not to be seen, as on another machine.
func (r *dockerRig) unseen(args ...string) (exit int, stdout, stderr string) {
	r.t.Helper()
	volumes := filepath.Dir(filepath.Dir(r.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "registry")))
	script := "mount -t tmpfs none " + volumes + " && exec \"$0\" \"$@\""
	cmd := r.Within(r.t.Context(), "unshare", append([]string{"-m", "sh", "-c", script, r.program}, args...)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode(), out.String(), errOut.String()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return 0, out.String(), errOut.String()
}

// TestDockerGC: the registry that up made, collected through its volume's path and through a container beside it, with its cache
// made to forget; what is tagged can be pulled all the while, and undoing brings the rest.
func TestDockerGC(t *testing.T) {
	for name, more := range map[string]bool{"its volume's path": false, "a container beside it": true} {
		t.Run(name, func(t *testing.T) {
			r := newDockerRig(t)
			run := r.opsctl
			if more {
				run = r.unseen
			}
			r.good("registry", "up", "--yes")
			keep := must[v1.Image](t)(random.Image(2000, 2))
			gone := must[v1.Image](t)(random.Image(2000, 2))
			push := func(ref string, img v1.Image) {
				t.Helper()
				if err := remote.Write(r.ref(ref), img, r.remote()...); err != nil {
					t.Fatal(err)
				}
			}
			push("127.0.0.1:5000/team/app:v1", gone)
			push("127.0.0.1:5000/team/app:v1", keep)

			if exit, out, said := run("registry", "ls", "-o", "name"); exit != 0 || out != "team/app\n" {
				t.Fatalf("exit %d, %q\n%s", exit, out, said)
			}
			if exit, out, said := run("registry", "gc", "-m", "--grace", "0s"); exit != 6 || out != "" || !strings.Contains(said, "would go into quarantine: 1 manifest, 3 blobs") {
				t.Errorf("exit %d, %q\n%s", exit, out, said)
			}
			exit, out, said := run("registry", "gc", "-m", "--grace", "0s", "--settle", "100ms", "--yes", "-o", "json")
			var report sweep.Report
			if err := json.Unmarshal([]byte(out), &report); exit != 0 || err != nil {
				t.Fatalf("exit %d, %v, %q\n%s", exit, err, out, said)
			}
			// The registry has seen the manifest, and 2.8 would not store it again.
			if report.Quarantined.Blobs != 3 || report.Cached.Blobs != 1 || report.UndoID == "" || len(report.Problems) > 0 {
				t.Errorf("%+v", report)
			}
			r.pulls("127.0.0.1:5000/team/app:v1", keep)
			// It denies having the layers: they are pushed again.
			push("127.0.0.1:5000/team/app:v2", gone)
			r.pulls("127.0.0.1:5000/team/app:v2", gone)
			if exit, out, said := run("registry", "undo", "--yes"); exit != 0 || !strings.Contains(out, "taken back") {
				t.Errorf("exit %d, %q\n%s", exit, out, said)
			}
			r.pulls("127.0.0.1:5000/team/app:v1", keep)
			r.docker("restart", "registry")
			r.until("http://127.0.0.1:5000/v2/")
			if exit, _, said := run("registry", "gc", "-m", "--grace", "0s", "--settle", "100ms", "--yes"); exit != 0 {
				t.Errorf("exit %d\n%s", exit, said)
			}
			r.pulls("127.0.0.1:5000/team/app:v1", keep)
			r.pulls("127.0.0.1:5000/team/app:v2", gone)
			if left := r.docker("ps", "-aq"); len(strings.Fields(left)) != 1 {
				t.Errorf("containers are left: %s", left)
			}
			r.keepsWhatRuns(run)
			r.good("registry", "down", "--yes")
		})
	}
}

// keepsWhatRuns: an image that a container is made of, and to which no tag leads any more, stays with --keep-running.
func (r *dockerRig) keepsWhatRuns(run func(args ...string) (int, string, string)) {
	r.t.Helper()
	const ref = "127.0.0.1:5000/own/registry:1"
	r.docker("tag", "registry:2", ref)
	r.docker("push", "-q", ref)
	r.docker("create", "--name", "user", ref)
	if err := remote.Write(r.ref(ref), must[v1.Image](r.t)(random.Image(100, 1)), r.remote()...); err != nil {
		r.t.Fatal(err)
	}
	for flag, want := range map[string]int{"--keep-running": 0, "--no-purge": 1} {
		exit, out, said := run("registry", "gc", "-m", "--grace", "0s", "--dry-run", "-o", "json", flag)
		var report sweep.Report
		if err := json.Unmarshal([]byte(out), &report); exit != 0 || err != nil || report.Quarantined.Manifests != want {
			r.t.Errorf("%s: exit %d, %v, %q\n%s", flag, exit, err, out, said)
		}
	}
	r.docker("rm", "user")
}
