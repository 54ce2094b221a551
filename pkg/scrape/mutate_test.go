package scrape_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/opsctl/opsctl/pkg/scrape"
)

// TestEditsOfShuffledLines holds the promises over files made of the corpus's lines, taken out, doubled, indented, ended
// and commented at random: far more of them are YAML than a fuzzer's.
func TestEditsOfShuffledLines(t *testing.T) {
	files := corpus(t)
	names := slices.Sorted(maps.Keys(files))
	r := rand.New(rand.NewPCG(1, 2))
	edited := 0
	for range 1200 {
		data := files[names[r.IntN(len(names))]]
		if len(data) > 2000 {
			continue
		}
		data = mutate(r, data, files[names[r.IntN(len(names))]])
		jobs, err := scrape.Jobs("f", data)
		if err != nil {
			continue
		}
		edited++
		job := scrape.Job{Name: "new", Targets: []string{"web01:9100"}}
		if len(jobs) > 0 && r.IntN(2) == 0 {
			j := jobs[r.IntN(len(jobs))]
			job.Name = j.Name
			if len(j.Groups) > 0 {
				job.Labels = j.Groups[r.IntN(len(j.Groups))].Labels
			}
		}
		fuzzAdd(t, data, job)
		fuzzRemove(t, data, job.Name)
		if _, err := scrape.AddAlertmanager("f", data, "am:9093"); err != nil {
			wantError(t, err)
		}
		if t.Failed() {
			t.Fatalf("job %+v in\n%q", job, data)
		}
	}
	if edited < 400 {
		t.Errorf("%d files were YAML", edited)
	}
}

// mutate changes up to four lines of a file.
func mutate(r *rand.Rand, data, other []byte) []byte {
	lines, others := bytes.SplitAfter(data, []byte("\n")), bytes.SplitAfter(other, []byte("\n"))
	for range 1 + r.IntN(4) {
		i := r.IntN(len(lines))
		switch r.IntN(8) {
		case 0:
			lines = slices.Delete(lines, i, i+1)
		case 1:
			lines = slices.Insert(lines, i, []byte("\n"))
		case 2:
			lines = slices.Insert(lines, i, []byte("          # deep\n")[r.IntN(11):])
		case 3:
			lines = slices.Insert(lines, i, others[r.IntN(len(others))])
		case 4:
			lines[i] = append([]byte("  "), lines[i]...)
		case 5:
			lines[i] = bytes.TrimRight(lines[i], "\r\n")
			lines[i] = append(slices.Clone(lines[i]), "\r\n"...)
		case 6:
			lines[i] = append(slices.Clone(bytes.TrimRight(lines[i], "\n")), "  # x\n"...)
		case 7:
			lines = lines[:i+1]
		}
		if len(lines) == 0 {
			return nil
		}
	}
	return bytes.Join(lines, nil)
}
