package quantile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortedIsDefinitionSeven(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		p, v float64
	}{
		{[]float64{1, 2, 3, 4}, 0.5, 2.5}, // R: quantile(1:4, 0.5, type = 7)
		{[]float64{1, 2, 3, 4}, 0.95, 3.85},
		{[]float64{1, 2, 3, 4}, 0, 1},
		{[]float64{1, 2, 3, 4}, 1, 4},
		{[]float64{7}, 0.99, 7},
	} {
		if got := Sorted(c.of, c.p); math.Abs(got-c.v) > 1e-12 {
			t.Errorf("%v at %v is %v, not %v", c.of, c.p, got, c.v)
		}
	}
	if !math.IsNaN(Sorted(nil, 0.5)) {
		t.Error("no values have a median")
	}
}

// TestIntervalsHoldAsOftenAsTheySay draws samples whose quantiles are known, small ones among them.
func TestIntervalsHoldAsOftenAsTheySay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{5, 20, 60, 500} {
		for _, p := range []float64{0.5, 0.95, 0.99} {
			const rounds = 4000
			tooLow, tooHigh := 0, 0
			for range rounds {
				sample := make([]float64, n)
				for i := range sample {
					sample[i] = r.ExpFloat64()
				}
				slices.Sort(sample)
				truth := -math.Log(1 - p)
				switch low, high := Interval(sample, p, 0.95); {
				case high < truth:
					tooLow++
				case low > truth:
					tooHigh++
				}
			}
			// 2.5 % of 4000, and four standard deviations of that.
			if tooLow > 140 || tooHigh > 140 || n == 500 && tooLow+tooHigh < 40 {
				t.Errorf("%d values, of %v: %d of %d intervals are too low, %d too high", n, p, tooLow, rounds, tooHigh)
			}
		}
	}
}

// TestIntervalsAreThoseOfTables: the ranks of values from 1 on are those that the binomial distribution gives.
func TestIntervalsAreThoseOfTables(t *testing.T) {
	values := make([]float64, 1000)
	for i := range values {
		values[i] = float64(i + 1)
	}
	inf := math.Inf(1)
	for _, c := range []struct {
		n         int
		p         float64
		low, high float64
	}{
		{1, 0.5, -inf, inf},
		{5, 0.5, -inf, inf}, // 2 of 32 are more than 5 %
		{6, 0.5, 1, 6},
		{10, 0.5, 2, 9}, // 97.9 %
		{20, 0.5, 6, 15},
		{71, 0.95, 63, inf}, // all 71 are below with 2.6 %
		{72, 0.95, 64, 72},  // and all 72 with 2.5
		{73, 0.95, 65, 73},
		{100, 0.5, 40, 61},
		{1000, 0.5, 469, 532},
	} {
		low, high := Interval(values[:c.n], c.p, 0.95)
		if low != c.low || high != c.high {
			t.Errorf("%d values, of %v: %v to %v, not %v to %v", c.n, c.p, low, high, c.low, c.high)
		}
	}
}

// TestWhatNobodyWaitedFor is infinite.
func TestWhatNobodyWaitedFor(t *testing.T) {
	inf := math.Inf(1)
	some := []float64{1, 2, 3, inf, inf}
	for p, want := range map[float64]float64{0.25: 2, 0.5: 3, 0.6: inf, 0.95: inf} {
		if got := Sorted(some, p); got != want {
			t.Errorf("%v: %v, not %v", p, got, want)
		}
	}
}
