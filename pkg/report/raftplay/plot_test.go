package raftplay_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/quantile"
	"github.com/opsctl/opsctl/pkg/report/raftplay"
)

const hostile = "</script></style><script>alert(1)</script><!--data-->]]> \u202eevil\x1b[2J ' \" & \u2028\x00"

func svg(t *testing.T, p *raftplay.Plot) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.WriteSVG(&out); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(out.Bytes()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("no XML: %v\n%s", err, out.String())
		}
	}
	return out.String()
}

func failovers(seed uint64, scale float64) raftplay.Series {
	r := rand.New(rand.NewPCG(seed, 1))
	s := raftplay.Series{Name: "without a leader"}
	for range 2000 {
		s.Values = append(s.Values, scale*(1+0.25*r.ExpFloat64()+0.1*r.NormFloat64()))
	}
	sorted := slices.Sorted(slices.Values(s.Values))
	for label, p := range map[string]float64{"p50": 0.5, "p95": 0.95, "p99": 0.99} {
		low, high := quantile.Interval(sorted, p, 0.95)
		s.Marks = append(s.Marks, raftplay.Mark{Label: label, Share: p, At: quantile.Sorted(sorted, p), Low: low, High: high})
	}
	slices.SortFunc(s.Marks, func(a, b raftplay.Mark) int { return strings.Compare(a.Label, b.Label) })
	return s
}

func TestPlotsShowSamplesAndMarks(t *testing.T) {
	outage := failovers(2, 1.2)
	outage.Name = "without service"
	p := &raftplay.Plot{Title: "After the leader dies", XLabel: "seconds", Series: []raftplay.Series{failovers(1, 1), outage}}
	page := svg(t, p)
	for _, want := range []string{"After the leader dies", "without a leader: 2000 values", "without service: 2000 values", "p95  ", ">seconds<", ">100 %<", ">1.5<"} {
		if !strings.Contains(page, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if n := strings.Count(page, "<circle"); n != 6 {
		t.Errorf("%d marks", n)
	}
	if dir := os.Getenv("OPSCTL_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "plot.svg"), []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPlotsOfOddSamples(t *testing.T) {
	for name, values := range map[string][]float64{
		"none": nil, "one": {3}, "all alike": {2, 2, 2}, "zero": {0, 0}, "negative": {-5, 1}, "wide": {1e-6, 1, 1e5}, "odd": {math.NaN(), math.Inf(1), 1},
		"huge": {-1e99, 1e99}, "tiny": {5e-324, 1},
	} {
		page := svg(t, &raftplay.Plot{Title: name, Series: []raftplay.Series{{Name: name, Values: values, Marks: []raftplay.Mark{{Label: "p50", Share: 0.5, At: math.NaN()}}}}})
		if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
			t.Errorf("%s: what is no number is drawn:\n%s", name, page)
		}
		if name == "odd" && !strings.Contains(page, "odd: 1 values, and 1 that had no end, and 1 that are no finite numbers") {
			t.Errorf("what is left out is not said:\n%s", page)
		}
	}
}

func TestTheCurveIsTheShareThatIsNoLarger(t *testing.T) {
	page := svg(t, &raftplay.Plot{Series: []raftplay.Series{{Name: "a", Values: []float64{4, 1, 2, 2}}}})
	path := regexp.MustCompile(`class="curve s0" d="([^"]*)"`).FindStringSubmatch(page)[1]
	// From 404 up to 64 pixels: a quarter of the values is no larger than 1, three quarters than 2.
	if got := regexp.MustCompile(`V[0-9.]+`).FindAllString(path, -1); strings.Join(got, " ") != "V319 V149 V64" {
		t.Errorf("%s: %v", path, got)
	}
}

// TestWhatHadNoEndCounts: half of the values are no larger than 2, and where the upper bound is nobody knows.
func TestWhatHadNoEndCounts(t *testing.T) {
	inf := math.Inf(1)
	page := svg(t, &raftplay.Plot{Series: []raftplay.Series{{
		Name: "a", Values: []float64{inf, 1, 2, inf}, Marks: []raftplay.Mark{{Label: "p50", Share: 0.5, At: 2, Low: 1, High: inf}, {Label: "p95", Share: 0.95, At: inf, Low: inf, High: inf}},
	}}})
	path := regexp.MustCompile(`class="curve s0" d="([^"]*)"`).FindStringSubmatch(page)[1]
	if got := regexp.MustCompile(`V[0-9.]+`).FindAllString(path, -1); strings.Join(got, " ") != "V319 V234" {
		t.Errorf("%s: %v", path, got)
	}
	for _, want := range []string{"a: 2 values, and 2 that had no end", "p50  2  (1 or more)", "p95  no end", `x2="832" y2="234" class="w0 whisker"`} {
		if !strings.Contains(page, want) {
			t.Errorf("lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "Inf") || strings.Count(page, "<circle") != 1 {
		t.Errorf("what has no place is drawn:\n%s", page)
	}
}

func TestHostileNamesStayTextInPlots(t *testing.T) {
	page := svg(t, &raftplay.Plot{Title: hostile, XLabel: hostile, Series: []raftplay.Series{{Name: hostile, Values: []float64{1}, Marks: []raftplay.Mark{{Label: hostile, Share: 1, At: 1}}}}})
	if strings.Contains(page, "<script") || strings.Contains(page, "<!--") || strings.ContainsAny(page, "\u202e\x1b\u2028\x00") {
		t.Error("a name became markup")
	}
	if n := strings.Count(page, "&lt;script&gt;alert"); n < 5 {
		t.Errorf("the name is seen %d times", n)
	}
}
