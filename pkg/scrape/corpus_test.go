package scrape_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/opsctl/opsctl/pkg/scrape"
)

// corpus are the files of testdata/scrape by name.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("../../testdata/scrape/*.yml")
	if err != nil || len(names) < 40 {
		tb.Fatalf("%d files: %v", len(names), err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		files[filepath.Base(name)] = data
	}
	return files
}

// edit is one addition: what Add is asked for, and what Remove takes to undo it.
type edit struct {
	job  scrape.Job
	back []string
}

// edits are additions of all kinds: jobs, and targets to each job that is there.
func edits(tb testing.TB, data []byte) map[string]edit {
	tb.Helper()
	all := map[string]edit{
		"new job": {job: scrape.Job{Name: "new", Targets: []string{"web01:9100"}}},
		"new job with all": {job: scrape.Job{
			Name: "yes: #1", Targets: []string{"[::1]:9100", "10.0.0.1:9100", "库.example:1"}, HonorLabels: true, MetricsPath: "/x", Scheme: "https",
			Labels: map[string]string{"env": "no", "rack": "'\"\n\u202e \\", "b": "1.0"}, FileSD: []string{"/etc/prometheus/t/*.yml"},
		}},
	}
	jobs, err := scrape.Jobs("f", data)
	if err != nil {
		tb.Fatal(err)
	}
	for _, j := range jobs {
		one, two := []string{"web01:9100"}, []string{"web01:9100", "[fe80::1]:2"}
		all["target to "+j.Name] = edit{scrape.Job{Name: j.Name, Targets: one}, one}
		all["targets to "+j.Name] = edit{scrape.Job{Name: j.Name, Targets: two}, two}
		all["labelled targets to "+j.Name] = edit{scrape.Job{Name: j.Name, Targets: two, Labels: map[string]string{"x": "y"}}, two}
		for _, g := range j.Groups {
			all["targets like those of "+j.Name] = edit{scrape.Job{Name: j.Name, Targets: two, Labels: g.Labels}, two}
		}
	}
	return all
}

// refused says which edits are refused: those of lists that an alias or a merge key shares.
func refused(file, name string) bool {
	if file != "anchors.yml" || strings.HasPrefix(name, "new job") {
		return false
	}
	return name != "labelled targets to d" && name != "labelled targets to e"
}

// inexact are the additions that Remove cannot take back to the byte: jobs in brackets that had no targets.
var inexact = map[string][]string{
	"static-empty.yml": {"target to a", "targets to a", "labelled targets to a", "target to c", "targets to c", "targets like those of c"},
}

func TestAddAndRemoveOverTheCorpus(t *testing.T) {
	for file, data := range corpus(t) {
		for name, e := range edits(t, data) {
			t.Run(file+"/"+name, func(t *testing.T) {
				after, err := scrape.Add(file, data, e.job)
				if refused(file, name) != (err != nil) {
					t.Fatal(err)
				}
				if err != nil {
					fault, ok := errors.AsType[*scrape.Error](err)
					if !ok || fault.Line == 0 {
						t.Errorf("refused without a line: %v", err)
					}
					return
				}
				checkEdit(t, data, after, e.job)
				again, err := scrape.Add(file, after, e.job)
				if err != nil || !bytes.Equal(again, after) {
					t.Errorf("adding it again: %v\n%s", err, again)
				}
				back, err := scrape.Remove(file, after, e.job.Name, e.back...)
				if err != nil {
					t.Fatalf("%v\n%s", err, after)
				}
				if !bytes.Equal(back, data) != slices.Contains(inexact[file], name) {
					t.Errorf("removing gives another file:\n%s\nafter adding:\n%s", cmp.Diff(string(data), string(back)), after)
				}
			})
		}
	}
}

// checkEdit holds an edit against its promises by other means than the package's own: the bytes of the old text are all
// there in their order, and what both decode to differs in this one job.
func checkEdit(t *testing.T, before, after []byte, job scrape.Job) {
	t.Helper()
	if !isSubsequence(before, after) {
		t.Errorf("bytes of the file are gone:\n%s", cmp.Diff(string(before), string(after)))
	}
	old, cur := decode(t, before), decode(t, after)
	jobs, ok := cur["scrape_configs"].([]any)
	if !ok {
		t.Fatalf("no jobs in\n%s", after)
	}
	found := false
	var others []any
	for _, j := range jobs {
		if j.(map[string]any)["job_name"] == job.Name {
			found = true
			checkJob(t, j.(map[string]any), job)
			continue
		}
		others = append(others, j)
	}
	if !found {
		t.Errorf("no job %q in\n%s", job.Name, after)
	}
	var before2 []any
	if jobs, ok := old["scrape_configs"].([]any); ok {
		for _, j := range jobs {
			if j.(map[string]any)["job_name"] != job.Name {
				before2 = append(before2, j)
			}
		}
	}
	delete(old, "scrape_configs")
	delete(cur, "scrape_configs")
	if diff := cmp.Diff(old, cur); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before2, others); diff != "" {
		t.Error(diff)
	}
}

func checkJob(t *testing.T, got map[string]any, want scrape.Job) {
	t.Helper()
	targets := map[string]bool{}
	groups, _ := got["static_configs"].([]any)
	for _, g := range groups {
		group := g.(map[string]any)
		labels := map[string]string{}
		if m, ok := group["labels"].(map[string]any); ok {
			for k, v := range m {
				labels[k], _ = v.(string)
			}
		}
		if len(labels) != len(want.Labels) {
			continue
		}
		if diff := cmp.Diff(want.Labels, labels); diff != "" && len(labels) > 0 {
			continue
		}
		hosts, _ := group["targets"].([]any)
		for _, h := range hosts {
			targets[h.(string)] = true
		}
	}
	for _, target := range want.Targets {
		if !targets[target] {
			t.Errorf("target %q is not in %v", target, got)
		}
	}
}

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	v := map[string]any{}
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if v == nil {
		return map[string]any{}
	}
	return v
}

func isSubsequence(short, long []byte) bool {
	for _, b := range long {
		if len(short) > 0 && short[0] == b {
			short = short[1:]
		}
	}
	return len(short) == 0
}
