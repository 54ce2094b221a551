package health

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Metrics is a check that a URL gives metrics in Prometheus' text format, and that the
// metric build among them, such as node_exporter_build_info, has version as its label
// version. An empty label, as of a program built without its version, passes; so does
// any metrics where build is "".
func Metrics(client *http.Client, url, build, version string) Check {
	return func(ctx context.Context) error {
		found, runs := 0, ""
		err := samples(ctx, client, url, func(line string) {
			found++
			if labels, ok := strings.CutPrefix(line, build+"{"); ok && build != "" {
				// What a distribution adds behind a plus is not the version (semver.org, 10).
				runs, _, _ = strings.Cut(label(labels, "version"), "+")
				runs = strings.TrimPrefix(runs, "v")
			}
		})
		switch {
		case err != nil:
			return err
		case found == 0:
			return fmt.Errorf("%s: no metrics: %w", url, ErrNotYet)
		case runs != "" && runs != version:
			return fmt.Errorf("%s: version %.40q answers, not %s", url, runs, version)
		}
		return nil
	}
}

// Value is that of a metric without labels, at a URL that gives metrics in Prometheus' text format; found tells whether it
// was there.
func Value(ctx context.Context, client *http.Client, url, name string) (value float64, found bool, err error) {
	text := ""
	err = samples(ctx, client, url, func(line string) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			text, _, _ = strings.Cut(rest, " ")
		}
	})
	if err != nil || text == "" {
		return 0, false, err
	}
	if value, err = strconv.ParseFloat(text, 64); err != nil {
		return 0, false, fmt.Errorf("%s: %s: %w", url, name, err)
	}
	return value, true, nil
}

// Label is a label's value of the metric name, the first that a URL gives with labels; "" for none.
func Label(ctx context.Context, client *http.Client, url, name, key string) (value string, err error) {
	err = samples(ctx, client, url, func(line string) {
		if labels, ok := strings.CutPrefix(line, name+"{"); ok && value == "" {
			value = label(labels, key)
		}
	})
	return value, err
}

// samples reads the metrics at a URL and calls use for each line that is one.
func samples(ctx context.Context, client *http.Client, url string, use func(line string)) error {
	return get(ctx, client, url, func(body io.Reader) error {
		lines := bufio.NewScanner(io.LimitReader(body, maxBody))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line := lines.Text()
			if line == "" || line[0] == '#' {
				continue
			}
			if !isSample(line) {
				return fmt.Errorf("%s: no metric: %.80q", url, line)
			}
			use(line)
		}
		if lines.Err() != nil {
			return fmt.Errorf("%s: %w", url, lines.Err())
		}
		return nil
	})
}

// label finds the value of a label in `a="b",c="d"} 1`; "" for none. Versions hold nothing that is escaped.
func label(labels, name string) string {
	_, rest, _ := strings.Cut(","+labels, ","+name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// isSample tells a line "name{labels} value [timestamp]" (exposition_formats.md) well enough to know
// that it is no HTML.
func isSample(line string) bool {
	first := line[0]
	letter := first >= 'a' && first <= 'z' || first >= 'A' && first <= 'Z' || first == '_' || first == ':' || first == '{'
	return letter && strings.Contains(line, " ")
}
