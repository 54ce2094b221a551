package scrape_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/scrape"
)

// judge asks the box's promtool about texts, all at once; one that it refuses is refused for all.
func judge(t *testing.T, box *testpeers.Box, texts ...[]byte) error {
	t.Helper()
	var names []string
	for i, text := range texts {
		name := fmt.Sprintf("/tmp/prometheus-%d.yml", i)
		if err := os.WriteFile(box.Path(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	out, err := box.Run(t.Context(), "/usr/bin/promtool", append([]string{"check", "config"}, names...)...)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// TestPromtoolSaysTheSameBeforeAndAfter adds and removes over the corpus: what promtool accepts stays acceptable, what it
// refuses stays refused.
func TestPromtoolSaysTheSameBeforeAndAfter(t *testing.T) {
	box := testpeers.Require(t, testpeers.Prometheus())
	accepted := 0
	for file, data := range corpus(t) {
		before := judge(t, box, data)
		var results [][]byte
		for _, e := range edits(t, data) {
			if after, err := scrape.Add(file, data, e.job); err == nil {
				results = append(results, after)
			}
		}
		for _, j := range mustJobs(t, data) {
			if after, err := scrape.Remove(file, data, j.Name); err == nil && before == nil {
				results = append(results, after)
			}
		}
		if before == nil {
			accepted += len(results)
			if err := judge(t, box, results...); err != nil {
				t.Errorf("%s is accepted, changed it is not: %v", file, err)
			}
			continue
		}
		t.Logf("%s is refused as it stands: %v", file, before)
		for _, text := range results {
			if judge(t, box, text) == nil {
				t.Errorf("%s is refused, and changed it is not:\n%s", file, text)
			}
		}
	}
	if accepted < 300 {
		t.Errorf("promtool accepts %d changed files: too few to judge by", accepted)
	}
}

func mustJobs(t *testing.T, data []byte) []scrape.Listed {
	t.Helper()
	jobs, err := scrape.Jobs("f", data)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// TestCheckWithPromtool runs the real one on a file and what stands beside it.
func TestCheckWithPromtool(t *testing.T) {
	box := testpeers.Require(t, testpeers.Prometheus())
	promtool := filepath.Join(t.TempDir(), "promtool")
	// The box has its own programs and libraries; this one runs them on a file of ours.
	script := "#!/bin/sh\nmkdir -p " + box.Path("/tmp/c") + " && cp \"$3\" " + box.Path("/tmp/c/f.yml") +
		" && exec chroot " + box.Root() + " /usr/bin/promtool check config /tmp/c/f.yml\n"
	if err := os.WriteFile(promtool, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	good, bad := []byte("global: {}\n"), []byte("global: {scrape_interval: soon}\n")
	for _, c := range []struct {
		name          string
		before, after []byte
		want          scrape.Verdict
		refused       bool
	}{
		{"good stays good", good, bytes.ToUpper([]byte("# x\n")), scrape.Accepted, false},
		{"bad stays bad", bad, bad, scrape.RefusedBefore, false},
		{"good turns bad", good, bad, scrape.Unchecked, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "prometheus.yml")
			if err := os.WriteFile(path, c.before, 0o600); err != nil {
				t.Fatal(err)
			}
			verdict, err := scrape.CheckWith(t.Context(), promtool, path, c.after)
			if verdict != c.want || (err != nil) != c.refused {
				t.Errorf("%s, %v", verdict, err)
			}
			if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}
