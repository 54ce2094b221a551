package test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// TestExposureOfEachSystemCallMatchesSystemd allows and denies every group, and every call of the groups that are assessed, as
// systemd itself lists them: alone, and as the one exception of a filter that denies all.
func TestExposureOfEachSystemCallMatchesSystemd(t *testing.T) {
	// A group weighs as little as 0.04 of the scale's 0.1; of these three sums one is near enough to the next figure.
	bases := []string{
		"", "LockPersonality=yes\nMemoryDenyWriteExecute=yes\n",
		"LockPersonality=yes\nMemoryDenyWriteExecute=yes\nRestrictNamespaces=~uts\nUMask=0077\nProtectHostname=yes\n",
	}
	assessed := strings.Fields("@swap @obsolete @clock @cpu-emulation @debug @mount @module @raw-io @reboot @privileged @resources")
	eachOfflineJudge(t, func(t *testing.T, judge exposureJudge) {
		t.Helper()
		recipe := map[int]testpeers.Recipe{252: testpeers.Bookworm(), 257: testpeers.Trixie()}[judge.opts.Version]
		groups := callGroups(t, testpeers.Require(t, recipe))
		everything := "SystemCallFilter=~@known " + strings.Join(slices.Sorted(maps.Keys(groups)), " ") + "\n"
		names := map[string]bool{}
		for group, members := range groups {
			names[group] = true
			for _, member := range members {
				names[member] = names[member] || slices.Contains(assessed, group)
			}
		}
		units := map[string]exposed{}
		for name, counts := range names {
			for n, base := range bases {
				for form, lines := range []string{"SystemCallFilter=" + name + "\n", "SystemCallFilter=~" + name + "\n", everything + "SystemCallFilter=" + name + "\n"} {
					if counts {
						units[fmt.Sprintf("%s-%d-%d.service", strings.TrimPrefix(name, "@"), n, form)] = exposed{"[Service]\nExecStart=/bin/true\n" + base + lines}
					}
				}
			}
		}
		if len(units) < 1000 {
			t.Fatalf("%d units of %d groups", len(units), len(groups))
		}
		judge.compare(t, units)
	})
}

// callGroups are the groups as systemd-analyze lists them: the calls and groups that each names.
func callGroups(t *testing.T, box *testpeers.Box) map[string][]string {
	t.Helper()
	out, err := box.Run(t.Context(), "systemd-analyze", "--no-pager", "syscall-filter")
	if err != nil {
		t.Fatal(err)
	}
	groups, group := map[string][]string{}, ""
	for line := range strings.Lines(string(out)) {
		name := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "@"):
			group = name
			groups[group] = nil
		case strings.HasPrefix(line, "    ") && !strings.HasPrefix(name, "#") && name != "":
			groups[group] = append(groups[group], name)
		case !strings.HasPrefix(name, "#") && name != "":
			group = "" // calls without a group, of this kernel
		}
	}
	delete(groups, "")
	return groups
}
