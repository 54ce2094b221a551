package prom

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// families are metrics in the order in which they are written.
type families []*family

// family is a gauge with its samples: samples of the same labels are summed.
type family struct {
	name, help string
	labels     []string // of each sample, as they are written
	values     []float64
	places     map[string]int
}

func (all *families) gauge(name, help string) *family {
	f := &family{name: name, help: help, places: map[string]int{}}
	*all = append(*all, f)
	return f
}

// add adds a sample; labels are names and values by turns. A nil value is not known, and adds nothing.
func (f *family) add(value *float64, labels ...string) {
	if value == nil {
		return
	}
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		pairs = append(pairs, pair[0]+`="`+escapeLabel(inert.String(pair[1]))+`"`)
	}
	text := strings.Join(pairs, ",")
	if text != "" {
		text = "{" + text + "}"
	}
	if at, known := f.places[text]; known {
		f.values[at] += *value
		return
	}
	f.places[text] = len(f.values)
	f.labels, f.values = append(f.labels, text), append(f.values, *value)
}

// escapeLabel escapes a label's value as the text format wants it (Prometheus, exposition formats, version 0.0.4). Line feeds
// are gone already.
func escapeLabel(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)
}

// write leaves out families without samples. The format is written here and not by prometheus/common, whose encoder brings
// protocol buffers along, a tenth of the binary; it judges in the tests. Help texts are ours, and need no escapes.
func (all *families) write(w io.Writer) error {
	slices.SortStableFunc(*all, func(a, b *family) int { return cmp.Compare(a.name, b.name) })
	var out strings.Builder
	for _, f := range *all {
		if len(f.values) == 0 {
			continue
		}
		out.WriteString("# HELP " + f.name + " " + f.help + "\n# TYPE " + f.name + " gauge\n")
		for i, value := range f.values {
			out.WriteString(f.name + f.labels[i] + " " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
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
