package history

import (
	"bytes"
	"testing"
	"time"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"v":1,"at":"2026-03-01T02:00:00Z","server":"a","tables":[{"s":"a","t":"b","b":5}],"mounts":[{"path":"/","size":9,"used":5,"free":4}]}` + "\n"))
	f.Add([]byte("{\n\n[1]\n" + `{"v":1,"at":"2026-03-01T02:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, problems, err := parse(bytes.NewReader(data), "h")
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(data, []byte("\n")) + 1; len(records) > lines || len(problems) > maxProblems+1 {
			t.Fatalf("%d records and %d problems of %d lines", len(records), len(problems), lines)
		}
		report, err := Show(records, Options{MinRecords: 1, MinSpan: time.Nanosecond})
		if err == nil && report.Records > len(records) {
			t.Fatal("more records than there are")
		}
	})
}
