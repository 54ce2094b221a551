// Package quantile says how samples are distributed: quantiles, intervals for them, and how far two samples are apart.
package quantile

import "math"

// Sorted is the p-quantile of a sorted sample, p from 0 to 1: between the two values around p(n-1), in proportion (definition 7 of
// Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996). It is NaN of no values.
func Sorted(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	low := min(max(int(at), 0), len(sorted)-1)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// Interval is a confidence interval of the p-quantile of what a sorted sample was drawn from, whatever its distribution: the values
// between which the quantile lies unless more or fewer of the sample than chance allows are below it. z is the normal distribution's,
// 1.96 for 95 %. With few values it is as wide as the sample.
func Interval(sorted []float64, p, z float64) (low, high float64) {
	n := float64(len(sorted))
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	spread := z * math.Sqrt(n*p*(1-p))
	at := func(rank float64) float64 { return sorted[min(max(int(rank), 0), len(sorted)-1)] }
	// Between two values of the sample the estimate lies below the higher, which is the lower bound where there are few values.
	return min(at(math.Floor(n*p-spread)), Sorted(sorted, p)), at(math.Ceil(n*p + spread))
}
