package authlog_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// open gives the text of a captured sample.
func open(tb testing.TB, name string) io.Reader {
	tb.Helper()
	f, err := os.Open(filepath.Join("../../testdata/ssh", name))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	r, _, err := authlog.Decompress(f)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.Close() })
	return r
}

func captured(tb testing.TB) []string {
	tb.Helper()
	var names []string
	for _, pattern := range []string{"openssh-*/auth-*", "openssh-*/journal*", "demo/var/log/*"} {
		found, err := filepath.Glob(filepath.Join("../../testdata/ssh", pattern))
		if err != nil {
			tb.Fatal(err)
		}
		for _, f := range found {
			names = append(names, strings.TrimPrefix(f, "../../testdata/ssh/"))
		}
	}
	if len(names) < 10 {
		tb.Fatalf("only %d captured logs", len(names))
	}
	return names
}

func TestEveryCapturedLineIsUnderstood(t *testing.T) {
	for _, name := range captured(t) {
		t.Run(name, func(t *testing.T) {
			clock := authlog.NewClock(time.UTC, 2026)
			lines := authlog.NewLines(open(t, name))
			var h authlog.Header
			var e authlog.Event
			sshd := 0
			for {
				line, ok := lines.Next()
				if !ok {
					break
				}
				status := clock.Parse(line, &h)
				if line[0] == '{' {
					status, _ = authlog.Journal(line, &h)
				}
				switch status {
				case authlog.Unframed:
					t.Errorf("no header: %q", line)
				case authlog.SSHD:
					sshd++
					if authlog.ParseMessage(h.Msg, &e); e.Kind == authlog.Unknown {
						t.Errorf("not understood: %q", h.Msg)
					}
					checkV4(t, &e)
				}
			}
			if lines.Err() != nil || sshd < 5 {
				t.Errorf("%d lines of sshd, error %v", sshd, lines.Err())
			}
		})
	}
}
