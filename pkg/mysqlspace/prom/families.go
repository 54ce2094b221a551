package prom

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// families are metrics in the order in which they are written.
type families []*family

// family is a metric with its samples: samples of the same labels are summed.
type family struct {
	dto.MetricFamily
	places map[string]int
}

func (all *families) gauge(name, help string) *family {
	f := &family{places: map[string]int{}}
	f.Name, f.Help, f.Type = &name, &help, dto.MetricType_GAUGE.Enum()
	*all = append(*all, f)
	return f
}

// add adds a sample; labels are names and values by turns. A nil value is not known, and adds nothing.
func (f *family) add(value *float64, labels ...string) {
	if value == nil {
		return
	}
	var pairs []*dto.LabelPair
	var key strings.Builder
	for pair := range slices.Chunk(labels, 2) {
		text := inert.String(pair[1])
		pairs = append(pairs, &dto.LabelPair{Name: &pair[0], Value: &text})
		key.WriteString(text + "\x00")
	}
	if at, known := f.places[key.String()]; known {
		*f.Metric[at].Gauge.Value += *value
		return
	}
	f.places[key.String()] = len(f.Metric)
	f.Metric = append(f.Metric, &dto.Metric{Label: pairs, Gauge: &dto.Gauge{Value: new(*value)}})
}

// write leaves out families without samples.
func (all *families) write(w io.Writer) error {
	slices.SortStableFunc(*all, func(a, b *family) int { return cmp.Compare(a.GetName(), b.GetName()) })
	for _, f := range *all {
		if len(f.Metric) == 0 {
			continue
		}
		if _, err := expfmt.MetricFamilyToText(w, &f.MetricFamily); err != nil {
			return fmt.Errorf("writing %s: %w", f.GetName(), err)
		}
	}
	return nil
}

// surroundings are files, mounts, findings and the run itself.
func (all *families) surroundings(r *space.Report, at time.Time) {
	bytes := all.gauge("opsctl_mysql_category_bytes", "Blocks on the disk of the data folder's files, by what they are.")
	files := all.gauge("opsctl_mysql_category_files", "Files of the data folder, by what they are.")
	for _, sum := range r.Accounting {
		bytes.add(new(float64(sum.Bytes)), "category", string(sum.Category))
		files.add(new(float64(sum.Files)), "category", string(sum.Category))
	}
	size := all.gauge("opsctl_mysql_mount_size_bytes", "Size of a file system that data lie on.")
	free := all.gauge("opsctl_mysql_mount_avail_bytes", "What an unprivileged process may still write to it.")
	for _, m := range r.Mounts {
		size.add(new(float64(m.Bytes)), "mountpoint", m.Path)
		free.add(new(float64(m.Free)), "mountpoint", m.Path)
	}
	findings := all.gauge("opsctl_mysql_findings", "Findings, by what was found.")
	for _, f := range r.Findings {
		findings.add(new(1.0), "id", f.ID, "severity", string(f.Severity))
	}
	all.gauge("opsctl_mysql_space_problems", "Files that could not be judged.").add(new(float64(len(r.Problems))))
	all.gauge("opsctl_mysql_space_collected_timestamp_seconds", "When the figures were collected.").add(new(float64(at.Unix())))
}
