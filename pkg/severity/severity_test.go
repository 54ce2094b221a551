package severity_test

import (
	"testing"

	"github.com/opsctl/opsctl/pkg/severity"
)

func TestScale(t *testing.T) {
	all := severity.All()
	for i, s := range all {
		if got, err := severity.Parse(string(s)); got != s || err != nil {
			t.Errorf("%s: %q, %v", s, got, err)
		}
		for k, other := range all {
			if s.AtLeast(other) != (i >= k) {
				t.Errorf("%s, %s", s, other)
			}
		}
	}
	if s, err := severity.Parse("HIGH"); s != severity.High || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	if _, err := severity.Parse("urgent"); err == nil {
		t.Error("urgent is one")
	}
}
