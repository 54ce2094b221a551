package mysqlspace

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/bytesize"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
	"github.com/opsctl/opsctl/pkg/severity"
)

// Thresholds are the limits of --fail-on as shares, 0 to 1, by what they are of.
type Thresholds map[string]float64

// The names of thresholds.
const (
	Reclaimable   = "reclaimable"   // what rebuilds would give back, of all selected tables' bytes
	MountUsed     = "mount"         // what is used of a mount, as df(1) counts it
	AutoIncrement = "autoincrement" // what is used up of a column's range
)

var errThreshold = errors.New("write reclaimable=20%, mount=90% or autoincrement=80%, with commas between")

// ParseThresholds reads "reclaimable=20%,mount=90%,autoincrement=80%", or some of it; "" is none.
func ParseThresholds(text string) (Thresholds, error) {
	limits := Thresholds{}
	if text == "" {
		return limits, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		number, percent := strings.CutSuffix(value, "%")
		share, err := strconv.ParseFloat(number, 64)
		switch {
		case name != Reclaimable && name != MountUsed && name != AutoIncrement:
			return nil, fmt.Errorf("%q: no threshold has this name: %w", part, errThreshold)
		case !percent || err != nil || !(share > 0 && share <= 100):
			return nil, fmt.Errorf("%q: not a share from above 0%% to 100%%: %w", part, errThreshold)
		}
		if _, twice := limits[name]; twice {
			return nil, fmt.Errorf("%q: %s is given twice", part, name)
		}
		limits[name] = share / 100
	}
	return limits, nil
}

// UnjudgedError says that a limit was given, and nothing that it could be compared with is known.
type UnjudgedError struct{ Limit, Needs string }

func (e *UnjudgedError) Error() string {
	return fmt.Sprintf("the limit of %s was not judged: it needs %s", e.Limit, e.Needs)
}

// unjudged are the limits of which nothing is known.
func (t Thresholds) unjudged(r *space.Report) (all []error) {
	for _, limit := range []struct {
		name, needs string
		known       bool
	}{
		{Reclaimable, "readable files of the tables, sampled", r.Total.ReclaimableBytes != nil},
		{MountUsed, "a data folder on this host", len(r.Mounts) > 0},
		{AutoIncrement, "a server to ask", r.Server != nil},
	} {
		if _, set := t[limit.name]; set && !limit.known {
			all = append(all, &UnjudgedError{limit.name, limit.needs})
		}
	}
	return all
}

// Check adds findings about limits that the report's Total and Mounts cross, and marks those of columns that do. Total must
// have been computed. A limit that cannot be judged is a problem: the check would pass for ever.
func (t Thresholds) Check(r *space.Report) {
	r.Problems = append(r.Problems, t.unjudged(r)...)
	if limit, set := t[Reclaimable]; set {
		t.reclaimable(r, limit)
	}
	if limit, set := t[MountUsed]; set {
		for i := range r.Mounts {
			checkMount(r, &r.Mounts[i], limit)
		}
	}
	if limit, set := t[AutoIncrement]; set {
		for i := range r.Findings {
			f := &r.Findings[i]
			f.Failed = f.Failed || f.ID == AutoIncrement && f.Share != nil && *f.Share >= limit
		}
	}
}

func (t Thresholds) reclaimable(r *space.Report, limit float64) {
	all, back := Size(&r.Total), r.Total.ReclaimableBytes
	if all <= 0 || back == nil {
		return
	}
	share := float64(*back) / float64(all)
	if share < limit {
		return
	}
	r.Findings = append(r.Findings, space.Finding{
		ID: Reclaimable, Severity: severity.High, Failed: true, Bytes: back, Share: &share,
		Message: fmt.Sprintf("rebuilds would give back %s, %.1f %% of %s; the limit is %g %%", bytesize.Format(*back), 100*share, bytesize.Format(all), 100*limit),
	})
}

// checkMount counts as df(1) does: what root alone may use is neither free nor used.
func checkMount(r *space.Report, m *space.Mount, limit float64) {
	share, known := UsedShare(m)
	if !known || share < limit {
		return
	}
	r.Findings = append(r.Findings, space.Finding{
		ID: MountUsed, Severity: severity.High, Failed: true, Bytes: &m.Free, Share: &share,
		Message: fmt.Sprintf("%s is used to %.1f %%, %s are free; the limit is %g %%", m.Path, 100*share, bytesize.Format(m.Free), 100*limit),
	})
}

// UsedShare is the share of a mount that is used, 0 to 1: df(1)'s Use%.
func UsedShare(m *space.Mount) (share float64, known bool) {
	if m.Used+m.Free <= 0 {
		return 0, false
	}
	return float64(m.Used) / float64(m.Used+m.Free), true
}

// Failed tells that a limit was crossed.
func Failed(r *space.Report) bool {
	for i := range r.Findings {
		if r.Findings[i].Failed {
			return true
		}
	}
	return false
}
