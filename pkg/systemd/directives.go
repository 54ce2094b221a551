package systemd

import (
	_ "embed"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// MinVersion is the oldest systemd that units are written for: that of CentOS 7.
const MinVersion = 219

// MaxVersion is the newest systemd whose directives this package knows.
const MaxVersion = 257

//go:embed directives.tsv
var directiveTable string

// Directive is what systemd knows about a name in a unit.
type Directive struct {
	Name string
	// Kind is the kind of value in the words of systemd --dump-configuration-items: BOOLEAN, COMMAND, STRING ...
	Kind string
	// Since is the first version that knows it, 0 for MinVersion or older.
	Since int
	// Until is the last version that knows it, 0 for MaxVersion or newer.
	Until int
	// Sections are those in which it may stand, such as Service and Socket.
	Sections []string
}

// Directives are all directives of the versions that this package knows. A name stands there more than once where
// sections differ in kind or age.
type Directives struct {
	byName   map[string][]Directive
	sections []string
}

// NewDirectives reads the built-in table.
func NewDirectives() *Directives {
	d := &Directives{byName: map[string][]Directive{}}
	for line := range strings.Lines(directiveTable) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 5 {
			continue // a comment
		}
		entry := Directive{Name: fields[0], Kind: fields[1], Since: tableVersion(fields[2]), Until: tableVersion(fields[3]), Sections: strings.Split(fields[4], ",")}
		d.byName[entry.Name] = append(d.byName[entry.Name], entry)
		for _, section := range entry.Sections {
			if !slices.Contains(d.sections, section) {
				d.sections = append(d.sections, section)
			}
		}
	}
	slices.Sort(d.sections)
	return d
}

// tableVersion is a version of the table; "-" gives 0.
func tableVersion(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// Lookup finds a directive by section and name. Names are case sensitive, as systemd's are.
func (d *Directives) Lookup(section, name string) (Directive, bool) {
	for _, entry := range d.byName[name] {
		if slices.Contains(entry.Sections, section) {
			return entry, true
		}
	}
	return Directive{}, false
}

// Names are all names of directives, sorted.
func (d *Directives) Names() []string { return slices.Sorted(maps.Keys(d.byName)) }

// Sections are all sections that hold the directive, sorted; nil when there is no such directive.
func (d *Directives) Sections(name string) []string {
	var all []string
	for _, entry := range d.byName[name] {
		all = append(all, entry.Sections...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Known says whether systemd of that version knows the directive in that section.
func (d *Directives) Known(section, name string, version int) bool {
	entry, ok := d.Lookup(section, name)
	return ok && entry.Since <= version && (entry.Until == 0 || version <= entry.Until)
}

// Nearest is the directive of the section whose spelling is closest to name, "" when none is near. Case counts less than
// letters: execstart is near ExecStart.
func (d *Directives) Nearest(section, name string) string {
	best, bestDistance := "", 1+len(name)/3
	for known, entries := range d.byName {
		if !slices.ContainsFunc(entries, func(e Directive) bool { return slices.Contains(e.Sections, section) }) {
			continue
		}
		distance := editDistance(strings.ToLower(known), strings.ToLower(name), bestDistance+1)
		if distance < bestDistance || distance == bestDistance && best != "" && known < best {
			best, bestDistance = known, distance
		}
	}
	return best
}

// nearestSection is the section whose name is closest, "" when none is near.
func (d *Directives) nearestSection(name string) string {
	for _, section := range d.sections {
		if editDistance(strings.ToLower(section), strings.ToLower(name), 3) < 3 {
			return section
		}
	}
	return ""
}

// editDistance is the number of letters to insert, delete, replace or swap with their neighbour (optimal string
// alignment), or limit when it is more.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 || len(b) > 64 {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}
