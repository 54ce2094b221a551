package fetch

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// maxSums bounds a file of sums: Prometheus' own take 3 KiB.
const maxSums = 1 << 20

// isSum says whether a text is a SHA-256 in hexadecimal digits of either case.
func isSum(s string) bool {
	return len(s) == 64 && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// parseSums finds the sum of a file in what sha256sum(1) wrote: lines of 64
// hexadecimal digits, blanks, an asterisk for binary mode, the name. The name must
// be the very one. A file with any other line is no file of sums: a proxy's login
// page is served as a 200 too.
func parseSums(data []byte, name string) (string, error) {
	// Compiled here: a package-level pattern would cost every start.
	form := regexp.MustCompile(`^([0-9a-fA-F]{64})[ \t]+\*?([^ \t*].*)$`)
	found := ""
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimRight(string(line), "\r\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		match := form.FindStringSubmatch(text)
		if match == nil {
			return "", fmt.Errorf("%w: line %d is not a sum and a name: %.40q", ErrNoSum, number, text)
		}
		if match[2] != name {
			continue
		}
		sum := strings.ToLower(match[1])
		if found != "" && found != sum {
			return "", fmt.Errorf("%w: %s has two, %s and %s", ErrNoSum, name, found, sum)
		}
		found = sum
	}
	if found == "" {
		return "", fmt.Errorf("%w: none of %d lines names %s", ErrNoSum, number, name)
	}
	return found, nil
}
