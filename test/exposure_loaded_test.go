package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// TestExposureOfLoadedUnitsMatchesSystemd asks booted systemds about units that they have loaded.
func TestExposureOfLoadedUnitsMatchesSystemd(t *testing.T) {
	seed := seed(t)
	for version, recipe := range testpeers.Machines() {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			m, random, units := testpeers.RequireMachine(t, recipe), randomFrom(seed), renderedUnits(t, version)
			for n := range numberOfCases(500, 500, 2000) {
				units[fmt.Sprintf("r%d.service", n)] = randomConfinement(random)
			}
			judge := exposureJudge{
				systemd.ExposureOptions{Version: version},
				func(t *testing.T, units map[string]exposed) map[string]string {
					t.Helper()
					return saysLoaded(t, m, units)
				},
			}
			judge.compare(t, units)
		})
	}
}

// saysLoaded has units loaded, and gives what systemd-analyze says of them.
func saysLoaded(t *testing.T, m *testpeers.Machine, units map[string]exposed) map[string]string {
	t.Helper()
	dir := m.Path("/etc/systemd/system")
	args := []string{"security", "--no-pager"}
	for name, texts := range units {
		for n, text := range texts {
			file := filepath.Join(dir, name)
			if n > 0 {
				file = filepath.Join(dir, name+".d", fmt.Sprintf("%02d.conf", n))
			}
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		args = append(args, name)
	}
	if _, err := m.Run(t.Context(), "systemctl", "daemon-reload"); err != nil {
		t.Fatal(err)
	}
	out, _ := m.Run(t.Context(), "systemd-analyze", args...) // it fails for units that it refuses
	for name := range units {
		if err := errors.Join(os.RemoveAll(filepath.Join(dir, name)), os.RemoveAll(filepath.Join(dir, name+".d"))); err != nil {
			t.Fatal(err)
		}
	}
	said := map[string]string{}
	for _, f := range regexp.MustCompile(`(\S+\.service):? +(\d+\.\d) +([A-Z]+)`).FindAllStringSubmatch(string(out), -1) {
		said[f[1]] = f[2] + " " + f[3]
	}
	return said
}
