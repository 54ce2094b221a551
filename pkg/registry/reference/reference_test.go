package reference

import (
	"errors"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

func TestParse(t *testing.T) {
	d := digest.Of([]byte("x"))
	for text, want := range map[string]Reference{
		"app":                                    {Repository: "app"},
		"a":                                      {Repository: "a"},
		"team/app:v1":                            {Repository: "team/app", Tag: "v1"},
		"team/app@" + d.String():                 {Repository: "team/app", Digest: d},
		"team/app:v1@" + d.String():              {Repository: "team/app", Tag: "v1", Digest: d},
		"127.0.0.1:5000/team/app:v1":             {Host: "127.0.0.1:5000", Repository: "team/app", Tag: "v1"},
		"localhost/app":                          {Host: "localhost", Repository: "app"},
		"[::1]:5000/a/b/c":                       {Host: "[::1]:5000", Repository: "a/b/c"},
		"registry.example.org/app":               {Host: "registry.example.org", Repository: "app"},
		"app:V1.0_rc-2":                          {Repository: "app", Tag: "V1.0_rc-2"},
		"a__b/c---d:" + strings.Repeat("x", 128): {Repository: "a__b/c---d", Tag: strings.Repeat("x", 128)},
	} {
		got, err := Parse(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for name, text := range map[string]string{
		"nothing":            "",
		"upper case":         "App:v1",
		"out of the folder":  "../etc",
		"through the middle": "a/../b",
		"an empty part":      "a//b",
		"no tag":             "app:",
		"a tag with a slash": "app:v1/x",
		"a tag with a dash":  "app:-v1",
		"two tags":           "app:v1:v2",
		"a long tag":         "app:" + strings.Repeat("x", 129),
		"half a digest":      "app@sha256:abc",
		"no digest":          "app@",
		"a host alone":       "localhost:5000/",
		"an underscore":      "_manifests",
	} {
		if got, err := Parse(text); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestWithinTakesNoHost(t *testing.T) {
	for text, want := range map[string]string{"my.team/app:v1": "my.team/app", "localhost/app": "localhost/app"} {
		if got, err := Within(text); err != nil || got.Host != "" || got.Repository != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	if got, err := Within("127.0.0.1:5000/app"); !errors.Is(err, ErrSyntax) {
		t.Error(got, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"app", "127.0.0.1:5000/a/b:v1", "a@" + digest.Of(nil).String(), "..", "a:b@c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := Parse(text)
		if err != nil {
			return
		}
		if ref.String() != text {
			t.Errorf("%q is written %q", text, ref)
		}
		if again, err := Parse(ref.Object()); err == nil && again.Host == "" && again.Repository != ref.Repository {
			t.Errorf("%q: %+v", text, again)
		}
	})
}
