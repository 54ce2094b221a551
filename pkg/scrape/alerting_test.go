package scrape_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/scrape"
)

func TestAlertmanagersOverTheCorpus(t *testing.T) {
	const target = "web01:9093"
	for file, data := range corpus(t) {
		t.Run(file, func(t *testing.T) {
			after, err := scrape.AddAlertmanager(file, data, target)
			if err != nil {
				t.Fatal(err)
			}
			if !isSubsequence(data, after) || bytes.Equal(after, data) {
				t.Errorf("%s", after)
			}
			old, cur := decode(t, data), decode(t, after)
			delete(old, "alerting")
			delete(cur, "alerting")
			if diff := cmp.Diff(old, cur); diff != "" {
				t.Error(diff)
			}
			if again, err := scrape.AddAlertmanager(file, after, target); err != nil || !bytes.Equal(again, after) {
				t.Errorf("again: %v\n%s", err, again)
			}
			if back, err := scrape.RemoveAlertmanager(file, after, target); err != nil || !bytes.Equal(back, data) {
				t.Errorf("%v\n%s\nafter adding:\n%s", err, cmp.Diff(string(data), string(back)), after)
			}
		})
	}
}

func TestAlertmanagersBesideOthers(t *testing.T) {
	const entry = "alerting:\n  alertmanagers:\n    - path_prefix: /am\n      static_configs:\n        - targets: [a:1, b:2]\n        - targets: [c:3]\n"
	for _, c := range []struct{ name, target, want string }{
		{"one of two targets", "a:1", "        - targets: [b:2]\n        - targets: [c:3]\n"},
		{"a whole group", "c:3", "        - targets: [a:1, b:2]\n"},
		{"none of them", "d:4", "        - targets: [a:1, b:2]\n        - targets: [c:3]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := scrape.RemoveAlertmanager("f", []byte(entry), c.target)
			if err != nil || !strings.HasSuffix(string(got), "static_configs:\n"+c.want) {
				t.Errorf("%v\n%s", err, got)
			}
		})
	}
	got, err := scrape.AddAlertmanager("f", []byte(entry), "c:3")
	if err != nil || string(got) != entry {
		t.Errorf("%v\n%s", err, got)
	}
}
