package fsck

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/registry.md instead of comparing it")

// TestDocsListRules holds the table of docs/registry.md to the rules; go test ./pkg/registry/fsck -run TestDocs -update writes
// it.
func TestDocsListRules(t *testing.T) {
	const path, begin, end = "../../../docs/registry.md", "<!-- fsck:begin -->\n", "<!-- fsck:end -->"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(data), begin)
	_, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("docs/registry.md has no table of findings")
	}
	var table strings.Builder
	table.WriteString("| id | severity | what | what to do |\n|---|---|---|---|\n")
	ids := map[string]bool{}
	for _, r := range Rules() {
		if ids[r.ID] || r.Severity.Rank() < 0 || r.What == "" || r.Remedy == "" {
			t.Errorf("%+v", r)
		}
		ids[r.ID] = true
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", r.ID, r.Severity, r.What, r.Remedy)
	}
	want := head + begin + table.String() + end + tail
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(data) != want {
		t.Error("docs/registry.md is stale: run go test ./pkg/registry/fsck -run TestDocs -update")
	}
}
