// Package quantile says how samples are distributed: quantiles, intervals for them, and how far two samples are apart.
package quantile

import "math"

// Sorted is the p-quantile of a sorted sample, p from 0 to 1: between the two values around p(n-1), in proportion (definition 7 of
// Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996). It is NaN of no values, and infinite where one of the two is.
func Sorted(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	low := min(max(int(at), 0), len(sorted)-1)
	high := min(low+1, len(sorted)-1)
	if part := at - float64(low); part > 0 && sorted[low] != sorted[high] {
		return sorted[low] + part*(sorted[high]-sorted[low])
	}
	return sorted[low]
}

// Interval is a confidence interval of the p-quantile of what a sorted sample was drawn from, whatever its distribution: two values
// of the sample, between which the quantile lies unless more or fewer values are below it than chance allows (the order
// statistics whose ranks the binomial distribution gives; Conover, Practical Nonparametric Statistics, 3.2). Each side is
// missed with a probability of (1-level)/2 at most. A side for which there are too few values is infinite; both are NaN of none.
func Interval(sorted []float64, p, level float64) (low, high float64) {
	n := len(sorted)
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	low, high = math.Inf(-1), math.Inf(1)
	miss := (1 - level) / 2
	below := 0.0 // the probability that at most k values are below the quantile
	for k := range n {
		below += binomial(n, k, p)
		if below <= miss {
			low = sorted[k]
		}
		if below >= 1-miss {
			return low, sorted[k]
		}
	}
	return low, high
}

// binomial is the probability of k among n.
func binomial(n, k int, p float64) float64 {
	ways := lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1)
	return math.Exp(ways + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

func lgamma(n int) float64 {
	v, _ := math.Lgamma(float64(n))
	return v
}
