package systemd

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/unit-lint.md instead of comparing it")

// TestDocsListRules holds the table of docs/unit-lint.md to the rules; go test ./pkg/systemd -run TestDocs -update writes it.
func TestDocsListRules(t *testing.T) {
	const path, begin, end = "../../docs/unit-lint.md", "<!-- rules:begin -->\n", "<!-- rules:end -->"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(data), begin)
	_, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("docs/unit-lint.md has no table of rules")
	}
	var table strings.Builder
	table.WriteString("| id | severity | what | source |\n|---|---|---|---|\n")
	ids := map[string]bool{}
	for _, r := range Rules() {
		if ids[r.ID] {
			t.Errorf("two rules have the id %s", r.ID)
		}
		ids[r.ID] = true
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", r.ID, r.Severity, r.What, r.Source)
	}
	want := head + begin + table.String() + end + tail
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(data) != want {
		t.Error("docs/unit-lint.md is stale: run go test ./pkg/systemd -run TestDocs -update")
	}
}
