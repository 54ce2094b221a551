package scrape_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/opsctl/opsctl/pkg/scrape"
)

// FuzzEdit wants of any file: an error and nothing else, or an edit that keeps every byte, changes one job alone, is
// nothing to do the second time, and is undone to the byte.
func FuzzEdit(f *testing.F) {
	for _, data := range corpus(f) {
		if len(data) < 2000 {
			f.Add(data, "new", "web01:9100", "prod")
			f.Add(data, "a", "web01:9100", "")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, name, target, label string) {
		job := scrape.Job{Name: name, Targets: []string{target}}
		if label != "" {
			job.Labels = map[string]string{"env": label}
		}
		fuzzAdd(t, data, job)
		fuzzRemove(t, data, name)
		after, err := scrape.AddAlertmanager("f", data, "am:9093")
		if err != nil {
			wantError(t, err)
		} else if !isSubsequence(data, after) {
			t.Errorf("bytes are gone:\n%s", after)
		}
	})
}

// wantError wants an error that says where.
func wantError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*scrape.Error](err); !ok && !errors.Is(err, scrape.ErrInvalid) {
		t.Errorf("%T: %v", err, err)
	}
}

func fuzzAdd(t *testing.T, data []byte, job scrape.Job) {
	t.Helper()
	before, jobsErr := scrape.Jobs("f", data)
	after, err := scrape.Add("f", data, job)
	if err != nil {
		wantError(t, err)
		return
	}
	if jobsErr != nil {
		return // an item that is no job; Prometheus refuses it
	}
	if !isSubsequence(data, after) {
		t.Errorf("bytes are gone:\n%s", after)
	}
	jobs := mustJobs(t, after)
	if diff := sameBut(before, jobs, job.Name); diff != "" {
		t.Errorf("other jobs changed: %s\n%s", diff, after)
	}
	again, err := scrape.Add("f", after, job)
	if err != nil || !bytes.Equal(again, after) {
		t.Errorf("again: %v\n%s\nafter\n%s", err, again, after)
	}
	if bytes.Equal(after, data) {
		return
	}
	back, err := scrape.Remove("f", after, job.Name, job.Targets...)
	if (err != nil || !bytes.Equal(back, data)) && hadTargets(before, job) {
		t.Errorf("removing: %v\n%q\nafter\n%q", err, back, after)
	}
}

// hadTargets says whether the addition is one that Remove takes back: of a new job, or to a job that had targets and not
// this one.
func hadTargets(jobs []scrape.Listed, job scrape.Job) bool {
	for _, j := range jobs {
		if j.Name != job.Name {
			continue
		}
		n := 0
		for _, g := range j.Groups {
			for _, target := range g.Targets {
				if target == job.Targets[0] {
					return false
				}
				n++
			}
			if len(g.Targets) == 0 {
				return false
			}
		}
		return n > 0
	}
	return true
}

// sameBut compares jobs but for the one of a name, wherever they stand.
func sameBut(before, after []scrape.Listed, name string) string {
	drop := func(jobs []scrape.Listed) []scrape.Listed {
		kept := []scrape.Listed{}
		for _, j := range jobs {
			if j.Name != name {
				kept = append(kept, j)
			}
		}
		return kept
	}
	return cmp.Diff(drop(before), drop(after), cmpopts.IgnoreFields(scrape.Listed{}, "Line"), cmpopts.IgnoreFields(scrape.Group{}, "Line"))
}

func fuzzRemove(t *testing.T, data []byte, name string) {
	t.Helper()
	before, jobsErr := scrape.Jobs("f", data)
	after, err := scrape.Remove("f", data, name)
	if err != nil {
		wantError(t, err)
		return
	}
	if jobsErr != nil {
		return
	}
	if !isSubsequence(after, data) {
		t.Errorf("bytes came in:\n%s", after)
	}
	if diff := sameBut(before, mustJobs(t, after), name); diff != "" {
		t.Errorf("other jobs changed: %s", diff)
	}
}
