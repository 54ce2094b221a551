package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// exposed is a unit with its drop-ins, in order.
type exposed []string

func (e exposed) unit() *systemd.Unit {
	u := &systemd.Unit{}
	for n, text := range e {
		u.Append(systemd.Parse(fmt.Sprintf("%d.conf", n), []byte(text)))
	}
	return u
}

// level is ours, in the words of systemd-analyze; "" for what it refuses.
func (e exposed) level(opts systemd.ExposureOptions) string {
	level, err := e.unit().Exposure(opts)
	if err != nil {
		return ""
	}
	return level.String() + " " + level.Word()
}

// exposureJudge is a real systemd-analyze.
type exposureJudge struct {
	opts systemd.ExposureOptions
	// says gives what it prints of units, such as "1.2 OK"; nothing for those that it refuses.
	says func(t *testing.T, units map[string]exposed) map[string]string
}

// compare compares levels, and shows up to three units that differ, without the lines that do not matter.
func (j exposureJudge) compare(t *testing.T, units map[string]exposed) {
	t.Helper()
	said := j.says(t, units)
	if len(said) < len(units)/2 {
		t.Fatalf("systemd-analyze judged %d of %d units", len(said), len(units))
	}
	wrong := 0
	for name, unit := range units {
		if unit.level(j.opts) == said[name] {
			continue
		}
		if wrong++; wrong > 3 {
			continue
		}
		unit, theirs := j.shrink(t, unit, said[name])
		t.Errorf("%s: %q, systemd-analyze says %q\n%s", name, unit.level(j.opts), theirs, strings.Join(unit, "\n--- drop-in\n"))
	}
	t.Logf("%d units, %d with a level, %d wrong", len(units), len(said), wrong)
}

// shrink leaves out lines, fewer and fewer at a time, while the unit still differs from what systemd-analyze says of it.
func (j exposureJudge) shrink(t *testing.T, unit exposed, theirs string) (exposed, string) {
	t.Helper()
	for size := 64; size > 0; {
		shorter := map[string]exposed{}
		for n, text := range unit {
			lines := strings.SplitAfter(text, "\n")
			for i := 0; i < len(lines); i += size {
				less := slices.Clone(unit)
				less[n] = strings.Join(slices.Delete(slices.Clone(lines), i, min(i+size, len(lines))), "")
				if less[n] != text && strings.Contains(less[0], "[Service]\nExecStart") {
					shorter[fmt.Sprintf("s%d-%d.service", n, i)] = less
				}
			}
		}
		found, said := false, j.says(t, shorter)
		for name, less := range shorter {
			if found = less.level(j.opts) != said[name]; found {
				unit, theirs = less, said[name]
				break
			}
		}
		if !found {
			size /= 2
		}
	}
	return unit, theirs
}

// eachOfflineJudge runs a test beside the systemd-analyze of 252 and 257, which judge files; 247 judges only what is loaded.
func eachOfflineJudge(t *testing.T, f func(*testing.T, exposureJudge)) {
	t.Helper()
	for version, recipe := range map[int]testpeers.Recipe{252: testpeers.Bookworm(), 257: testpeers.Trixie()} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			box := testpeers.Require(t, recipe)
			f(t, exposureJudge{
				systemd.ExposureOptions{Version: version, Offline: true},
				func(t *testing.T, units map[string]exposed) map[string]string {
					t.Helper()
					return saysOffline(t, box, units)
				},
			})
		})
	}
}

// saysOffline gives systemd-analyze all files at once: each start of it costs more than a hundred units.
func saysOffline(t *testing.T, box *testpeers.Box, units map[string]exposed) map[string]string {
	t.Helper()
	args := []string{"security", "--offline=true", "--no-pager"}
	for name, texts := range units {
		file := "/srv/exposure/" + name
		writeBox(t, box, file, texts[0])
		for n, text := range texts[1:] {
			writeBox(t, box, fmt.Sprintf("%s.d/%02d.conf", file, n), text)
		}
		args = append(args, file)
	}
	out, _ := box.Command(t.Context(), "systemd-analyze", args...).CombinedOutput() // it fails for units that it refuses
	if err := os.RemoveAll(box.Path("/srv/exposure")); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, m := range regexp.MustCompile(`Overall exposure level for (\S+): (\S+ \S+)`).FindAllStringSubmatch(string(out), -1) {
		instance := regexp.MustCompile(`@(i|test_instance)\.`) // which it judges of a template
		said[instance.ReplaceAllString(m[1], "@.")] = m[2]
	}
	return said
}

// renderedUnits are what is rendered for every component of the catalogue, and for the shapes that components may take, for
// every version from the oldest to newest.
func renderedUnits(t *testing.T, newest int) map[string]exposed {
	t.Helper()
	catalogue, err := component.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	units := map[string]exposed{}
	for _, name := range catalogue.Names() {
		for version := systemd.MinVersion; version <= newest; version++ {
			text, err := component.Unit(name, version)
			if err != nil {
				t.Fatal(err)
			}
			units[fmt.Sprintf("catalogue-%s-%d.service", name, version)] = exposed{text}
		}
	}
	for _, s := range slices.Concat(slices.Collect(maps.Values(shapes()))...) {
		for version := systemd.MinVersion; version <= newest; version++ {
			text, err := s.Render(version)
			if err != nil {
				t.Fatal(err)
			}
			units[fmt.Sprintf("%s-%d.service", s.Name, version)] = exposed{string(text)}
		}
	}
	return units
}

func TestExposureOfComponentsMatchesSystemd(t *testing.T) {
	units := renderedUnits(t, systemd.MaxVersion)
	eachOfflineJudge(t, func(t *testing.T, judge exposureJudge) { t.Helper(); judge.compare(t, units) })
}

func TestExposureOfDebianUnitsMatchesSystemd(t *testing.T) {
	eachOfflineJudge(t, func(t *testing.T, judge exposureJudge) {
		t.Helper()
		dir := testpeers.RequireUnits(t, map[int]string{252: "bookworm", 257: "trixie"}[judge.opts.Version])
		files, err := filepath.Glob(filepath.Join(dir, "usr/lib/systemd/system/*.service"))
		if err != nil {
			t.Fatal(err)
		}
		units := map[string]exposed{}
		for _, file := range files {
			if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
				continue // a link to another
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			units[filepath.Base(file)] = exposed{string(text)}
		}
		judge.compare(t, units)
	})
}

func TestExposureOfRandomUnitsMatchesSystemd(t *testing.T) {
	seed := seed(t)
	eachOfflineJudge(t, func(t *testing.T, judge exposureJudge) {
		t.Helper()
		random := randomFrom(seed)
		for range numberOfCases(5, 10, 100) {
			units := map[string]exposed{}
			for n := range 100 {
				units[fmt.Sprintf("r%d.service", n)] = randomConfinement(random)
			}
			judge.compare(t, units)
			if t.Failed() {
				return
			}
		}
	})
}
