package component

import (
	"fmt"

	"github.com/opsctl/opsctl/pkg/systemd"
)

// exposureOf is how open a unit with its drop-ins is, as `systemd-analyze security NAME` has it; "" where that cannot be told.
func (in *Installer) exposureOf(file string, text []byte, dropIns []string) string {
	if text == nil {
		return ""
	}
	u := systemd.Parse(file, text)
	for _, name := range dropIns {
		more, err := in.Host.ReadFile(name, maxFile)
		if err != nil {
			return ""
		}
		u.Append(systemd.Parse(name, more))
	}
	level, err := u.Exposure(systemd.ExposureOptions{Version: in.Systemd})
	if err != nil {
		return "" // systemd is too old to judge, or refuses the unit
	}
	return fmt.Sprintf("%s (%s)", level, level.Word())
}

// exposureChange says how open the service is before and after its unit is written.
func (in *Installer) exposureChange(t *target, after []byte) string {
	var dropIns []string
	file, text := t.c.unitFile(), t.have.unit.text()
	if live := t.have.live; live != nil {
		dropIns = live.DropIns
		if live.Loaded {
			file = live.File
		}
	}
	if t.adopted != nil && t.adopted.live != nil {
		file = t.adopted.live.File
	}
	if file != t.c.unitFile() {
		text, _ = in.Host.ReadFile(file, maxFile)
	}
	now := in.exposureOf(t.c.unitFile(), after, dropIns)
	switch then := in.exposureOf(file, text, dropIns); {
	case now == "":
		return ""
	case then == "":
		return "exposure " + now
	default:
		return fmt.Sprintf("exposure %s, before %s", now, then)
	}
}
