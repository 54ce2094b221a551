package fault

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// someFault makes one by chance, of any kind.
func someFault(r *rand.Rand) Fault {
	all := shapes()
	s := all[r.IntN(len(all))]
	f := Fault{Kind: s.kind, At: time.Duration(r.Int64N(int64(time.Hour)))}
	targets := func() (list []Target) {
		for range 1 + r.IntN(3) {
			one := Target{Node: 1 + r.Uint64N(99)}
			switch r.IntN(3) {
			case 0:
				one = Target{Role: roles()[r.IntN(len(roles()))]}
			case 1:
				one = Target{Zone: []string{"eu-1", "a", "leader", "Z.9_x"}[r.IntN(4)]}
			}
			if !slices.Contains(list, one) { // naming one twice is naming it once
				list = append(list, one)
			}
		}
		return list
	}
	switch s.targets {
	case targetNodes:
		f.From = targets()
	case targetSides, targetLink:
		if f.From = targets(); r.IntN(2) == 0 || s.kind == OneWay {
			f.To = targets()
		}
	case targetTo:
		if r.IntN(2) == 0 {
			f.To = []Target{{Node: 1 + r.Uint64N(9)}}
		}
	}
	switch s.by {
	case byDuration:
		f.Amount = time.Duration(1 + r.Int64N(int64(time.Minute)))
	case byShare:
		f.Factor = 1 - r.Float64()
	case bySpeed:
		f.Factor = 0.01 + 99*r.Float64()
	}
	if r.IntN(3) == 0 {
		f.Election, f.Behind = 1+r.IntN(9), time.Duration(r.Int64N(int64(time.Second)))
	}
	if s.lasts && r.IntN(2) == 0 {
		f.For = time.Duration(1 + r.Int64N(int64(time.Hour)))
	}
	f.Until = s.lasts && r.IntN(4) == 0
	return f
}

// TestAFaultIsReadAsItIsWritten writes faults of all kinds and reads them again.
func TestAFaultIsReadAsItIsWritten(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		f := someFault(r)
		got, err := Parse(f.String())
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Fatalf("%q is read as %+v, %v, not %+v", f, got, err, f)
		}
	}
}

// TestSchedulesOfTheNemesisAreReadAsTheyAreWritten holds what it makes to what can be written.
func TestSchedulesOfTheNemesisAreReadAsTheyAreWritten(t *testing.T) {
	for seed := range uint64(200) {
		for _, f := range Default(rand.New(rand.NewPCG(seed, 0)), 5, 10*time.Second) {
			got, err := Parse(f.String())
			if err != nil || !reflect.DeepEqual(got, f) {
				t.Fatalf("seed %d: %q is read as %+v, %v", seed, f, got, err)
			}
		}
	}
}

// TestHelpHasAllKinds reads every example, and looks that it fits a terminal.
func TestHelpHasAllKinds(t *testing.T) {
	help := Help()
	for _, s := range shapes() {
		f, err := Parse(s.example)
		if err != nil || f.Kind != s.kind || f.String() != s.example || !strings.Contains(help, s.example) {
			t.Errorf("%s: %q is %q: %v", s.kind, s.example, f, err)
		}
	}
	for line := range strings.Lines(help) {
		if len(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

// TestMistakesAreAnsweredWithWhatWasMeant has the correction in each error.
func TestMistakesAreAnsweredWithWhatWasMeant(t *testing.T) {
	for text, says := range map[string]string{
		"":                               "it is empty; write it as 'kill leader @10s for 5s'",
		"kil leader @10s":                "did you mean kill, as in",
		"explode n1 @1s":                 "there are kill, restart, pause,",
		"kill laeder @10s":               "did you mean leader?",
		"kill 2 @10s":                    "did you mean n2?",
		"kill n0 @10s":                   `"n0" is no node`,
		"kill @10s":                      "a node is missing",
		"kill n1":                        "such as @10s",
		"kill n1 @10":                    "did you mean 10s?",
		"kill n1 @10s for":               "a time is missing",
		"kill n1 @10s for 5s twice":      "twice",
		"kill zone: @10s":                "names no zone",
		"kill n1 @-5s":                   "no time such as",
		"kill n1 @99999h":                "longer than",
		"loss all by 5 @10s":             "did you mean 5%?",
		"loss all by NaN @10s":           "no share",
		"clock-drift n1 by 0x @1s":       "no speed of a clock",
		"kill n1 @1s elektion":           "elektion",
		"kill n1 @1s election5ms":        "such as election+5ms",
		"kill n1 @1s election0":          "such as election+5ms",
		"kill n1 @1s until noon":         "until election",
		"restart n1 @1s until election":  "has no end",
		"restart n1 @1s for 3s":          "for",
		"slow-disk n1 @1s":               "by",
		strings.Repeat("x", 4000) + " @": "...",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), says) || len(err.Error()) > 400 {
			t.Errorf("%.60q: %v\nlacks %q", text, err, says)
		}
	}
}

// TestLongTextsAreRefused has one whose targets would be compared with each other, and files that are too long.
func TestLongTextsAreRefused(t *testing.T) {
	if _, err := Parse("kill n1" + strings.Repeat(",n1", maxLine/3) + " @1s"); err == nil || !strings.Contains(err.Error(), "longer than 4096 bytes") {
		t.Errorf("%v", err)
	}
	for text, says := range map[string]string{
		"kill n1 @1s\n\nkil n2 @1s":                    `line 3: "kil n2 @1s"`,
		"kill n1 @1s\n" + strings.Repeat("x", maxLine): "line 2: it is longer than 4096 bytes",
		strings.Repeat("kill n1 @1s\n", maxSchedule+1): "line 10001: more than 10000 faults",
	} {
		if _, err := ParseSchedule(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v\nlacks %q", text, err, says)
		}
	}
}

// FuzzParse reads anything: what it takes it writes so that it takes it again.
func FuzzParse(f *testing.F) {
	for _, s := range shapes() {
		f.Add(s.example)
	}
	f.Add("partition n1,zone:eu-1 | majority @1h2m3s election+5ms for 1ns")
	f.Fuzz(func(t *testing.T, text string) {
		one, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(one.String()); err != nil || !reflect.DeepEqual(again, one) {
			t.Errorf("%q is %+v, written as %q: %+v, %v", text, one, one, again, err)
		}
	})
}

// FuzzParseSchedule reads whole files.
func FuzzParseSchedule(f *testing.F) {
	f.Add("# a remark\nkill leader @5s for 4s\n\nrestart n1 @6s # another\n")
	f.Add("\ufeffkill n1 @1s\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseSchedule(strings.NewReader(text))
		if err == nil && len(all) > strings.Count(text, "\n")+1 {
			t.Errorf("%d faults in %q", len(all), text)
		}
	})
}
