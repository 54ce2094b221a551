package component

import (
	"github.com/opsctl/opsctl/pkg/systemd/manager"
)

// exposure says how open a unit is before and after.
func (in *Installer) exposure(before, after []byte) string { return "" }

// exposureOf is that of a unit with its drop-ins.
func (in *Installer) exposureOf(live *manager.Unit) string { return "" }
