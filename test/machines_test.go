package test

import (
	"strconv"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// eachMachine runs a test in a machine booted with systemd 252, and under OPSCTL_TORTURE with 247 and 257.
func eachMachine(t *testing.T, f func(*testing.T, *installRig)) {
	t.Helper()
	for version, recipe := range testpeers.Machines() {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			if version != 252 && numberOfCases(0, 1, 1) == 0 {
				t.Skip("booted under OPSCTL_TORTURE")
			}
			f(t, newInstallRigOf(t, recipe))
		})
	}
}
