package systemd

import (
	"errors"
	"fmt"
)

// MinExposureVersion is the oldest systemd whose assessment this package knows. The verb came with 240; versions before 247
// were not looked at.
const MinExposureVersion = 247

// ErrRefused says that systemd refuses a unit, so that it has no exposure.
var ErrRefused = errors.New("systemd refuses the unit")

// Level is how exposed a service is, in tenths from 0, the best, to 100: 12 is what systemd-analyze prints as 1.2.
type Level int

// String is the level as systemd-analyze prints it: 1.2.
func (l Level) String() string { return fmt.Sprintf("%d.%d", l/10, l%10) }

// Word is systemd-analyze's word for the level: PERFECT, SAFE, OK, MEDIUM, EXPOSED, UNSAFE or DANGEROUS.
func (l Level) Word() string {
	switch {
	case l >= 100:
		return "DANGEROUS"
	case l >= 90:
		return "UNSAFE"
	case l >= 75:
		return "EXPOSED"
	case l >= 50:
		return "MEDIUM"
	case l >= 10:
		return "OK"
	case l >= 1:
		return "SAFE"
	}
	return "PERFECT"
}

// ExposureOptions say which systemd-analyze is followed, and how it is asked.
type ExposureOptions struct {
	// Version is that of the host's systemd. Those between 247, 252, 254 and 257, which were looked at, count as the older.
	Version int
	// Offline asks as systemd-analyze security --offline=true FILE does. Without it the level is that of a unit which systemd
	// has loaded, systemd-analyze security NAME: there PrivateMounts= follows from other directives, and the figure can be
	// lower by 0.2.
	Offline bool
}

// offlineSince: systemd-analyze security --offline, NEWS of 250.
const offlineSince = 250

// Exposure is the overall exposure of a service: what systemd-analyze(1) security of that version says of u with its drop-ins,
// worked out from their text (src/analyze/analyze-security.c, load-fragment.c and unit.c of systemd).
//
// Files are told apart by the names that they were parsed under. Specifiers are not expanded; User=%i is an account that is
// not root. What systemd refuses because of a directive that counts here, or because it cannot read the first file, is
// [ErrRefused]; other reasons to refuse are not looked for. Filters of system calls are taken as on amd64; other machines lack
// some calls, which can only lower the level. Versions before MinExposureVersion, and Offline before 250, are [ErrVersion].
//
// Tests hold it against the programs of 252 and 257, and of 247 for loaded units: it has no --offline.
func (u *Unit) Exposure(opts ExposureOptions) (Level, error) {
	if opts.Version < MinExposureVersion || opts.Offline && opts.Version < offlineSince {
		return 0, fmt.Errorf("version %d has no exposure that is known: %w", opts.Version, ErrVersion)
	}
	c, err := confine(u, opts)
	if err != nil {
		return 0, err
	}
	bad, weights := 0, 0
	for _, a := range assessments(c) {
		if a.skip {
			continue
		}
		bad += divideUp(a.bad*a.weight, a.of)
		weights += a.weight
	}
	return Level(divideUp(bad*100, weights)), nil
}

func divideUp(n, by int) int { return (n + by - 1) / by }
