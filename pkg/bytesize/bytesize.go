// Package bytesize prints and reads amounts of bytes in IEC units, the only
// units opsctl shows: 1 KiB is 1024 bytes.
package bytesize

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrSyntax is wrapped by every error of Parse.
var ErrSyntax = errors.New("not a size such as 512, 64KiB or 1.5GiB")

// units holds the IEC prefixes in rising order; index 0 is the plain byte.
const units = "BKMGTPE"

// Format prints n with three significant digits or so: "0 B", "1023 B",
// "1.5 KiB", "20 GiB". Below ten units there is one decimal, above it none.
// A negative n keeps its sign.
func Format(n int64) string {
	value, sign := float64(n), ""
	if n < 0 {
		value, sign = -value, "-"
	}
	unit := 0
	// 1023.95 and up would print as "1024.0": the next unit says it better.
	for value >= 1023.5 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	switch {
	case unit == 0:
		return fmt.Sprintf("%s%.0f B", sign, value)
	case value < 9.95:
		return fmt.Sprintf("%s%.1f %ciB", sign, value, units[unit])
	default:
		return fmt.Sprintf("%s%.0f %ciB", sign, value, units[unit])
	}
}

// Parse reads what Format prints and what people type: "512", "64K", "64KiB",
// "1.5 GiB". K, M, G and so on are binary with or without "iB"; "KB" and its
// kin are refused because people disagree about what they mean. The error
// wraps ErrSyntax.
func Parse(s string) (int64, error) {
	text := strings.TrimSpace(s)
	cut := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if cut < 0 {
		cut = len(text)
	}
	value, err := strconv.ParseFloat(text[:cut], 64)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", s, ErrSyntax)
	}
	scale, err := multiplier(strings.TrimSpace(text[cut:]))
	if err != nil {
		return 0, fmt.Errorf("%q: %w", s, err)
	}
	if value*scale >= math.MaxInt64 {
		return 0, fmt.Errorf("%q: %w: more than 8 EiB", s, ErrSyntax)
	}
	return int64(math.Round(value * scale)), nil
}

func multiplier(unit string) (float64, error) {
	prefix := strings.TrimSuffix(strings.ToUpper(unit), "IB")
	if prefix == "" && unit == "" || prefix == "B" {
		return 1, nil
	}
	power := strings.Index(units, prefix)
	if len(prefix) != 1 || power < 1 {
		return 0, ErrSyntax
	}
	return math.Pow(1024, float64(power)), nil
}
