package history

import (
	"math"
	"slices"
	"time"
)

// point is a size at a time.
type point struct {
	at    time.Time
	bytes int64
}

// Slope is a growth in bytes a day with the bounds between which it lies in 95 of 100 cases.
type Slope struct {
	BytesPerDay int64 `json:"bytesPerDay"`
	Low         int64 `json:"bytesPerDayLow"`
	High        int64 `json:"bytesPerDayHigh"`
}

// maxPoints bounds a slope's work, which grows with the square of the points.
const maxPoints = 128

// theilSen is the median of the slopes of all pairs of points (Theil 1950, Sen 1968). Unlike least squares it does not follow
// single jumps, such as a purge of logs, unless they are more than 29 % of the points. The bounds are Sen's, from the variance of
// Kendall's S; they take the records for independent. Points come by time, at least two, at times that differ.
func theilSen(points []point) Slope {
	points = thin(points, maxPoints)
	var slopes []float64
	for i, a := range points {
		for _, b := range points[i+1:] {
			if days := b.at.Sub(a.at).Hours() / 24; days > 0 {
				slopes = append(slopes, float64(b.bytes-a.bytes)/days)
			}
		}
	}
	slices.Sort(slopes)
	n, pairs := float64(len(points)), float64(len(slopes))
	const z95 = 1.959964
	reach := z95 * math.Sqrt(n*(n-1)*(2*n+5)/18)
	low := int(math.Round((pairs-reach)/2)) - 1
	high := int(math.Round((pairs + reach) / 2))
	return Slope{
		BytesPerDay: whole(math.Round(median(slopes))),
		Low:         whole(math.Floor(slopes[min(max(low, 0), len(slopes)-1)])),
		High:        whole(math.Ceil(slopes[max(min(high, len(slopes)-1), 0)])),
	}
}

func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// thin keeps the last point of each of most equal spans of time, and the first of all.
func thin(points []point, most int) []point {
	if len(points) <= most {
		return points
	}
	first := points[0].at
	span := points[len(points)-1].at.Sub(first) / time.Duration(most-1)
	kept := []point{points[0]}
	for i, p := range points[1:] {
		next := i + 2 // of points
		if next == len(points) || points[next].at.Sub(first)/span != p.at.Sub(first)/span {
			kept = append(kept, p)
		}
	}
	return kept
}

// whole is an integer that a foreign file's sizes and times cannot make wrap around.
func whole(f float64) int64 {
	const most = 1 << 62
	return int64(min(max(f, -most), most))
}
