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

// TestIntervalsHoldAsOftenAsTheySay draws samples whose quantiles are known.
func TestIntervalsHoldAsOftenAsTheySay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range []float64{0.5, 0.95, 0.99} {
		const rounds = 2000
		held := 0
		for range rounds {
			sample := make([]float64, 500)
			for i := range sample {
				sample[i] = r.ExpFloat64()
			}
			slices.Sort(sample)
			low, high := Interval(sample, p, 1.96)
			if truth := -math.Log(1 - p); low <= truth && truth <= high {
				held++
			}
		}
		if share := float64(held) / rounds; share < 0.93 || share > 0.99 {
			t.Errorf("of %v the interval of 95 %% holds in %.1f %%", p, 100*share)
		}
	}
	few := []float64{1, 2, 3, 4, 5}
	if low, high := Interval(few, 0.99, 1.96); low > Sorted(few, 0.99) || high < Sorted(few, 0.99) {
		t.Errorf("the 99th percentile of five, %v, is not from %v to %v", Sorted(few, 0.99), low, high)
	}
	if low, high := Interval([]float64{1, 2}, 0.99, 1.96); low < 1 || low > Sorted([]float64{1, 2}, 0.99) || high != 2 {
		t.Errorf("two values: %v to %v", low, high)
	}
}
