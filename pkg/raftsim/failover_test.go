package raftsim

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// tally is of trials that recovered after so many milliseconds each, and of others that did not.
func tally(lost int, recovered ...int64) *FailoverReport {
	c := Default()
	t := Tally{Config: &c, Scenario: KillLeader}
	for _, ms := range recovered {
		after := time.Duration(ms) * time.Millisecond
		t.Add(&Answer{Leader: 1, Leaders: 2, Failover: after, Outage: 2 * after})
	}
	for range lost {
		t.Add(&Answer{Leaders: 1, Failover: -1, Outage: -1})
	}
	return t.Report()
}

// TestTrialsThatDoNotRecoverCount: of ten, four are back within 4 ms and nobody knows of the others.
func TestTrialsThatDoNotRecoverCount(t *testing.T) {
	r := tally(6, 4, 3, 2, 1)
	d := r.Leaderless
	if r.Trials != 10 || r.NotRecovered != 6 || d.P50.Seconds.Known() || d.P95.Seconds.Known() || d.Max.Known() || d.Mean.Known() {
		t.Errorf("%+v, %+v", r, d)
	}
	if d.P50.Low != 0.002 || d.P50.High.Known() { // the second of ten is below the median with 98.9 %
		t.Errorf("the median lies between %v and %v", d.P50.Low, d.P50.High)
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"p50":{"seconds":null,"lowSeconds":0.002,"highSeconds":null}`) {
		t.Errorf("%s, %v", text, err)
	}
	if most := tally(1, 5, 5, 5, 5, 5, 5, 5, 5, 5).Leaderless; most.P50.Seconds != 0.005 || most.P95.Seconds.Known() || most.P50.High != 0.005 {
		t.Errorf("%+v", most)
	}
	if none := tally(3); none.Leaderless != nil || none.Outage != nil {
		t.Errorf("%+v", none.Leaderless)
	}
}

// TestFewTrialsBoundNothing: one trial says nothing of a quantile's upper bound.
func TestFewTrialsBoundNothing(t *testing.T) {
	one := tally(0, 7).Outage
	if one.P50 != (Estimate{0.014, 0, Seconds(math.Inf(1))}) || one.Max != 0.014 {
		t.Errorf("%+v", one)
	}
}
