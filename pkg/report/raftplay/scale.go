package raftplay

import "math"

// scale maps values to pixels, evenly or by their logarithms.
type scale struct {
	low, high float64
	log       bool
	pixels    [2]float64
}

// wide is how much larger the largest value is than the smallest where logarithms show more.
const wide = 60

// fit makes room for values from low to high.
func (s *scale) fit(low, high float64) {
	switch {
	case low > high: // no value at all
		s.low, s.high = 0, 1
	case low > 0 && high > wide*low:
		s.log = true
		s.low, s.high = math.Log10(low)-0.03, math.Log10(high)+0.05
	default:
		// Zero stays in sight where it is near: a curve that begins anywhere misleads.
		if low > 0 && low < 0.6*high {
			low = 0
		}
		room := (high - low) * 0.04
		if room == 0 {
			room = max(math.Abs(high)*0.1, 1e-9)
		}
		s.low, s.high = low-room, high+room
		if low == 0 {
			s.low = 0
		}
	}
}

func (s *scale) x(v float64) float64 {
	if s.log {
		v = math.Log10(max(v, 1e-300))
	}
	share := (v - s.low) / (s.high - s.low)
	return s.pixels[0] + min(max(share, 0), 1)*(s.pixels[1]-s.pixels[0])
}

// ticks are round values on the axis.
func (s *scale) ticks() []float64 {
	if s.log {
		return s.decades()
	}
	const wanted = 8
	rough := (s.high - s.low) / wanted
	step := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5, 10} {
		if step*m >= rough {
			step *= m
			break
		}
	}
	first := math.Ceil(s.low / step)
	var all []float64
	// Multiplied rather than added up, so that 0.3 is not 0.30000000000000004.
	for i := 0.0; (first+i)*step <= s.high && i < 2*wanted; i++ {
		all = append(all, (first+i)*step)
	}
	return all
}

// decades are powers of ten, with 2 and 5 times those where there are few.
func (s *scale) decades() (all []float64) {
	between := []float64{1}
	if s.high-s.low < 4 {
		between = []float64{1, 2, 5}
	}
	skip := math.Ceil((s.high - s.low) / 12)
	for e := math.Floor(s.low); e <= s.high; e += skip {
		for _, m := range between {
			if l := e + math.Log10(m); l >= s.low && l <= s.high {
				all = append(all, m*math.Pow(10, e))
			}
		}
	}
	return all
}
