package usage

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// sample is a store that docker-registry 2.8.2 wrote.
func sample(t *testing.T) *layout.Store {
	t.Helper()
	store, err := layout.Open("../../../testdata/registry/store")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// TestUsageDoesNotDependOnTheWorkers: the sums of bytes are those of a count made apart from this package, over the files'
// sizes and the manifests' references.
func TestUsageDoesNotDependOnTheWorkers(t *testing.T) {
	store := sample(t)
	want := []Row{
		{"prod/app", 8, 3256, 1377, 1879, 1377},
		{"team/app", 14, 6757, 4878, 1879, 4878},
		{"team/app/multi", 7, 2898, 2898, 0, 2898},
	}
	for _, workers := range []int{0, 1, 8} {
		u, err := Of(t.Context(), store, "", workers)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, u.Rows); diff != "" || u.Bytes != 3256+6757+2898-1879 || u.Problems != nil {
			t.Errorf("%d workers: %d bytes\n%s", workers, u.Bytes, diff)
		}
	}
}

func TestExplainFindsEveryReason(t *testing.T) {
	store := sample(t)
	shared, err := digest.Parse("sha256:19532a732f824e937613f407407f90850d9f72c7b511fc7a966ca13677330288")
	if err != nil {
		t.Fatal(err)
	}
	e, err := Explain(t.Context(), store, shared, 4)
	if err != nil || len(e.Reasons) != 2 || e.Reasons[0].Repository != "prod/app" || e.Reasons[1].Repository != "team/app" {
		t.Error(e, err)
	}
	if _, err := Explain(t.Context(), store, digest.Of([]byte("none")), 4); !errors.Is(err, ErrNoBlob) {
		t.Error(err)
	}
	if _, err := Of(t.Context(), store, "team", 4); !errors.Is(err, ErrNoRepository) {
		t.Error(err)
	}
}
