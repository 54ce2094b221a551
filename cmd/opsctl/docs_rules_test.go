package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/registry/fsck"
	"github.com/opsctl/opsctl/pkg/severity"
	"github.com/opsctl/opsctl/pkg/sshaudit"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// TestDocsListRules holds the tables of findings in docs/ to the rules that find them; -update writes them.
func TestDocsListRules(t *testing.T) {
	for _, table := range []struct {
		doc, marker string
		heads       []string
		rows        [][]string
	}{
		{"ssh-audit.md", "findings", []string{"id", "severity", "means"}, rowsOf(sshaudit.Rules(), func(r sshaudit.Rule) []string {
			return []string{r.ID, string(r.Severity), r.Means}
		})},
		{"unit-lint.md", "rules", []string{"id", "severity", "what", "source"}, rowsOf(systemd.Rules(), func(r systemd.Rule) []string {
			return []string{r.ID, string(r.Severity), r.What, r.Source}
		})},
		{"registry.md", "fsck", []string{"id", "severity", "what", "what to do"}, rowsOf(fsck.Rules(), func(r fsck.Rule) []string {
			return []string{r.ID, string(r.Severity), r.What, r.Remedy}
		})},
	} {
		t.Run(table.doc, func(t *testing.T) {
			checkRules(t, table.rows)
			holdTable(t, table.doc, table.marker, table.heads, table.rows)
		})
	}
}

func rowsOf[R any](rules []R, cells func(R) []string) [][]string {
	rows := make([][]string, 0, len(rules))
	for _, r := range rules {
		rows = append(rows, cells(r))
	}
	return rows
}

// checkRules fails for ids that stand twice, unknown severities and rules that say nothing.
func checkRules(t *testing.T, rows [][]string) {
	t.Helper()
	ids := map[string]bool{}
	for _, row := range rows {
		if ids[row[0]] || severity.Severity(row[1]).Rank() < 0 || row[2] == "" {
			t.Errorf("%q", row)
		}
		ids[row[0]] = true
	}
}

// holdTable compares the part of a document between two markers with a table, the first column of which is code.
func holdTable(t *testing.T, doc, marker string, heads []string, rows [][]string) {
	t.Helper()
	begin, end := "<!-- "+marker+":begin -->\n", "<!-- "+marker+":end -->"
	path := filepath.Join(repository(t), "docs", doc)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(data), begin)
	_, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("docs/%s has no part %s", doc, marker)
	}
	lines := []string{"| " + strings.Join(heads, " | ") + " |", strings.Repeat("|---", len(heads)) + "|"}
	for _, row := range rows {
		lines = append(lines, "| `"+row[0]+"` | "+strings.Join(row[1:], " | ")+" |")
	}
	want := head + begin + strings.Join(lines, "\n") + "\n" + end + tail
	if *update {
		writeFile(t, path, want)
		return
	}
	if string(data) != want {
		t.Errorf("the table of docs/%s is stale: run make gen", doc)
	}
}
