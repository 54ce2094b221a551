package main

import (
	"bufio"
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/opsctl/opsctl/"

// The layers of pkg/, lowest first: cmd -> cli, domains -> mechanism -> leaves.
// A package that stands in no list is a domain.
var (
	leaves    = []string{"atomicfile", "lockfile", "bytesize", "gunzip", "inert", "progress", "quantile", "secret", "severity", "span"}
	mechanism = []string{"host", "plan", "journal", "quarantine", "fetch", "health", "engine", "worker"}
	// Domains import only downwards within their own group.
	downwards = map[string][]string{
		"sshaudit":   {"authlog", "authkeys"},
		"mysqlspace": {"innodb", "mysqlconn"},
		"component":  {"systemd", "scrape"},
		"report":     {"raftsim"},
	}
)

// TestImportsPointOneWay keeps the layers apart; see ARCHITECTURE.md.
func TestImportsPointOneWay(t *testing.T) {
	for _, p := range listPackages(t, "./...") {
		for _, imported := range p.imports {
			if reason := forbidden(p.path, imported); reason != "" {
				t.Errorf("%s imports %s: %s", p.path, imported, reason)
			}
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	allowed := [][2]string{
		{"cmd/opsctl/sshcmd", "pkg/cli"},
		{"cmd/opsctl", "cmd/opsctl/sshcmd"},
		{"pkg/cli/render", "pkg/cli"},
		{"pkg/cli", "pkg/bytesize"},
		{"pkg/sshaudit", "pkg/authkeys/pattern"},
		{"pkg/authkeys", "pkg/authkeys/wire"},
		{"pkg/authkeys", "pkg/host"},
		{"pkg/host", "pkg/atomicfile"},
		{"internal/bench", "pkg/sshaudit"},
		{"pkg/component", "templates"},
	}
	refused := [][2]string{
		{"pkg/sshaudit", "pkg/cli"},
		{"pkg/authlog", "pkg/sshaudit"},
		{"pkg/authlog", "pkg/authkeys"},
		{"pkg/host", "pkg/authlog"},
		{"pkg/progress", "pkg/bytesize"},
		{"pkg/host", "pkg/engine"},
		{"pkg/cli", "pkg/authlog"},
		{"pkg/cli", "cmd/opsctl"},
		{"internal/bench", "pkg/cli"},
		{"cmd/opsctl", "internal/testpeers"},
		{"pkg/authlog", "internal/testpeers"},
		{"pkg/authlog", "templates"},
	}
	for _, pair := range allowed {
		if reason := forbidden(module+pair[0], module+pair[1]); reason != "" {
			t.Errorf("%v: %s", pair, reason)
		}
	}
	for _, pair := range refused {
		if forbidden(module+pair[0], module+pair[1]) == "" {
			t.Errorf("%v is allowed", pair)
		}
	}
	if forbidden(module+"pkg/cli/config", "github.com/spf13/viper") != "" || forbidden(module+"pkg/cli", "github.com/spf13/viper") == "" {
		t.Error("viper")
	}
}

// forbidden says why one package may not import another, "" when it may.
func forbidden(from, to string) string {
	from = strings.TrimPrefix(from, module)
	to, ours := strings.CutPrefix(to, module)
	if !ours {
		return forbiddenOutside(from, to)
	}
	fromTop, fromRoom := room(from)
	toTop, toRoom := room(to)
	switch {
	case toTop == "cmd" && fromTop != "cmd":
		return "nothing imports cmd"
	case toTop == "internal" && fromTop != "internal" && fromTop != "test":
		return "internal holds what tests and benchmarks use"
	case toTop == "pkg" && toRoom == "cli" && fromTop != "cmd" && fromRoom != "cli":
		return "only cmd imports pkg/cli"
	case toTop == "templates" && fromTop == "pkg" && fromRoom != "component" && fromRoom != "report":
		return "templates belong to component and the report code"
	case fromTop == "pkg" && toTop == "pkg" && fromRoom != toRoom:
		return forbiddenRoom(fromRoom, toRoom)
	}
	return ""
}

func forbiddenRoom(from, to string) string {
	switch {
	case slices.Contains(leaves, to) && slices.Contains(leaves, from):
		return "a leaf imports the standard library and one library"
	case slices.Contains(leaves, to):
		return ""
	case slices.Contains(leaves, from):
		return "a leaf imports nothing of opsctl's"
	case slices.Contains(mechanism, from):
		return "mechanism imports leaves only"
	case from == "cli":
		return "pkg/cli knows no domain"
	case slices.Contains(mechanism, to), slices.Contains(downwards[from], to):
		return ""
	}
	return "domains import each other only downwards within their group"
}

func forbiddenOutside(from, to string) string {
	top, roomName := room(from)
	switch {
	case to == "github.com/spf13/viper" && from != "pkg/cli/config":
		return "only pkg/cli/config reads settings"
	case strings.HasPrefix(to, "github.com/spf13/") && top == "pkg" && roomName != "cli":
		return "domains have no commands"
	case (to == "text/template" || to == "html/template") && top != "internal" && top != "test":
		return "it switches the linker's dead-code elimination off"
	}
	return ""
}

// room splits pkg/authkeys/wire into pkg and authkeys.
func room(path string) (top, name string) {
	parts := strings.SplitN(path, "/", 3)
	if len(parts) == 1 {
		return parts[0], ""
	}
	return parts[0], parts[1]
}

type goPackage struct {
	path    string
	imports []string
}

func listPackages(t *testing.T, pattern string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", pattern)
	cmd.Dir = repository(t)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaints.String())
	}
	var all []goPackage
	scanner := bufio.NewScanner(bytes.NewReader(out))
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		all = append(all, goPackage{fields[0], fields[1:]})
	}
	if len(all) < 5 {
		t.Fatalf("go list found %d packages", len(all))
	}
	return all
}
