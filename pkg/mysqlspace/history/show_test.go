package history_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlspace/history"
)

func days(n int, bytes func(day int) int64) []history.Record {
	var all []history.Record
	for day := range n {
		all = append(all, *record(day, bytes(day)))
	}
	return all
}

func show(t *testing.T, records []history.Record, o history.Options) *history.Report {
	t.Helper()
	report, err := history.Show(records, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestALineIsForecastExactly(t *testing.T) {
	m := show(t, days(11, func(day int) int64 { return 500 + 10*int64(day) }), history.Options{}).Mounts[0]
	if m.Outlook != history.Growing || m.BytesPerDay != 10 || m.Low != 10 || m.High != 10 {
		t.Fatalf("%+v", m)
	}
	if *m.DaysUntilFull != 40 || *m.DaysUntilFullLow != 40 || *m.DaysUntilFullHigh != 40 || m.Evidence != "11 records over 10 days" {
		t.Errorf("%v, %s", *m.DaysUntilFull, m.Evidence)
	}
}

func TestSingleJumpsDoNotMatter(t *testing.T) {
	m := show(t, days(20, func(day int) int64 {
		if day%6 == 3 {
			return 100 // logs were purged, and came back
		}
		return 500 + 10*int64(day)
	}), history.Options{}).Mounts[0]
	if m.BytesPerDay != 10 || m.Outlook != history.Growing {
		t.Errorf("%+v", *m.Slope)
	}
}

func TestWithoutEvidenceNothingIsSaid(t *testing.T) {
	for what, c := range map[string]struct {
		records  []history.Record
		o        history.Options
		outlook  history.Outlook
		evidence string
	}{
		"few records":   {days(6, func(day int) int64 { return int64(day) }), history.Options{}, history.Unknown, "6 records over 5 days: at least 7 over 3 days are needed"},
		"one record":    {days(1, func(int) int64 { return 5 }), history.Options{MinRecords: 1, MinSpan: 1}, history.Unknown, "1 record: at least 2 over 0 minutes are needed"},
		"a short time":  {days(8, func(day int) int64 { return int64(day) }), history.Options{MinSpan: 8 * 24 * time.Hour}, history.Unknown, "8 records over 7 days: at least 7 over 8 days are needed"},
		"nothing grows": {days(9, func(int) int64 { return 5 }), history.Options{}, history.Steady, "9 records over 8 days: whether it grows or shrinks cannot be told"},
		"up and down":   {days(9, func(day int) int64 { return int64(day * 7 % 5) }), history.Options{}, history.Steady, "9 records over 8 days: whether it grows or shrinks cannot be told"},
		"it shrinks":    {days(9, func(day int) int64 { return 900 - int64(day) }), history.Options{}, history.Shrinking, "9 records over 8 days: it is getting emptier"},
		"far away":      {days(9, func(day int) int64 { return 100 + int64(day) }), history.Options{}, history.Growing, "9 records over 8 days: full in more than 80 days, which is as far as they carry"},
	} {
		t.Run(what, func(t *testing.T) {
			m := show(t, c.records, c.o).Mounts[0]
			if m.Outlook != c.outlook || m.Evidence != c.evidence || m.DaysUntilFull != nil || m.DaysUntilFullLow != nil || m.DaysUntilFullHigh != nil {
				t.Errorf("%s, %q, %v", m.Outlook, m.Evidence, m.DaysUntilFull)
			}
		})
	}
}

// TestTheBoundsHold draws noisy lines: the true growth lies between the bounds in about 95 of 100.
func TestTheBoundsHold(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const rounds, truth = 1000, 1000.0
	inside := 0
	for range rounds {
		n := 7 + random.IntN(300)
		slope := show(t, days(n, func(day int) int64 { return int64(1e6 + truth*float64(day) + 5000*random.NormFloat64()) }), history.Options{}).Items[0].Slope
		if float64(slope.Low) <= truth && truth <= float64(slope.High) {
			inside++
		}
		if slope.Low > slope.BytesPerDay || slope.BytesPerDay > slope.High {
			t.Fatalf("%+v", slope)
		}
	}
	if inside < rounds*93/100 {
		t.Errorf("the bounds hold in %d of %d", inside, rounds)
	}
	t.Logf("the bounds hold in %d of %d", inside, rounds)
}

func TestItemsAreTheFastestGrowingFirst(t *testing.T) {
	var records []history.Record
	for day := range 10 {
		r := record(day, 500)
		r.Tables = []history.Size{
			{Schema: "a", Table: "slow", Bytes: int64(1000 + day)},
			{Schema: "a", Table: "fast", Bytes: int64(10 * day)},
			{Schema: "b", Table: "shrinks", Bytes: int64(5000 - 100*day)},
		}
		r.Schemas = []history.Size{{Schema: "a", Bytes: int64(1000 + 11*day)}, {Schema: "b", Bytes: int64(5000 - 100*day)}}
		if day < 5 {
			r.Tables = append(r.Tables, history.Size{Schema: "a", Table: "dropped", Bytes: 5})
		} else {
			r.Tables = append(r.Tables, history.Size{Schema: "a", Table: "new", Bytes: 5})
		}
		records = append(records, *r)
	}
	names := func(o history.Options) (all []string) {
		for _, g := range show(t, records, o).Items {
			all = append(all, g.Schema+"."+g.Table+" "+string(g.Outlook))
		}
		return all
	}
	check := func(got []string, want ...string) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
	check(names(history.Options{}), "a.fast growing", "a.slow growing", "b.shrinks shrinking", "a.new unknown")
	check(names(history.Options{Top: 1}), "a.fast growing")
	check(names(history.Options{By: "schema"}), "a. growing", "b. shrinking")
	check(names(history.Options{By: "server"}), ". shrinking")
	check(names(history.Options{Schema: "b"}), "b.shrinks shrinking")
	check(names(history.Options{Table: "slow"}), "a.slow growing")
}

func TestServersAreToldApart(t *testing.T) {
	records := days(9, func(day int) int64 { return int64(day) })
	records[4].Server = "db02"
	_, err := history.Show(records, history.Options{})
	var several *history.ServersError
	if !errors.As(err, &several) || len(several.Servers) != 2 {
		t.Fatal(err)
	}
	if report := show(t, records, history.Options{Server: "db01"}); report.Records != 8 || report.Server != "db01" {
		t.Errorf("%+v", report)
	}
	if _, err := history.Show(records, history.Options{Server: "db03"}); !errors.Is(err, history.ErrNoRecords) {
		t.Error(err)
	}
	if report := show(t, days(9, func(int) int64 { return 1 }), history.Options{Since: start.AddDate(0, 0, 5)}); report.Records != 4 {
		t.Errorf("%d records", report.Records)
	}
}

func TestAHistoryOfTooManyRecordsIsThinned(t *testing.T) {
	var records []history.Record
	for hour := range 24 * 365 {
		r := record(0, int64(1000+hour))
		r.At = start.Add(time.Duration(hour) * time.Hour)
		records = append(records, *r)
	}
	g := show(t, records, history.Options{}).Items[0]
	if g.BytesPerDay != 24 || g.Records != len(records) {
		t.Errorf("%+v", g)
	}
	// What a file can claim must not wrap around.
	records = days(9, func(day int) int64 { return int64(day%2) * math.MaxInt64 })
	if g := show(t, records, history.Options{}).Items[0]; g.Low > g.High {
		t.Errorf("%+v", g)
	}
}

// TestSlopesAreThoseOfSciPy compares with what scipy.stats.theilslopes of SciPy 1.10.1 says of the same points, at 0.95.
func TestSlopesAreThoseOfSciPy(t *testing.T) {
	sizes := []int64{100000, 112000, 119000, 133000, 140000, 20000, 162000, 168000, 181000, 30000, 199000, 212000}
	got := show(t, days(len(sizes), func(day int) int64 { return sizes[day] }), history.Options{}).Items[0].Slope
	want := history.Slope{BytesPerDay: 9866, Low: 9000, High: 10334} // 9866.07, 9000, 10333.33
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}
