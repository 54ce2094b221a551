package digest

import (
	"slices"
	"strings"
	"testing"

	oci "github.com/opencontainers/go-digest"
)

func TestParseTakesWhatTheSpecificationWrites(t *testing.T) {
	hex64 := strings.Repeat("a0", 32)
	for _, text := range []string{"sha256:" + hex64, "sha512:" + hex64 + hex64} {
		d, err := Parse(text)
		if err != nil || d.String() != text || d.IsZero() {
			t.Errorf("%s: %v, %v", text, d, err)
		}
	}
	for name, text := range map[string]string{
		"nothing":             "",
		"a newline behind":    "sha256:" + hex64 + "\n",
		"upper case":          "sha256:" + strings.ToUpper(hex64),
		"too short":           "sha256:" + hex64[2:],
		"too long":            "sha256:" + hex64 + "00",
		"sha512's own length": "sha512:" + hex64,
		"another algorithm":   "sha384:" + strings.Repeat("a0", 48),
		"no algorithm":        hex64,
		"a path":              "sha256:../" + hex64[3:],
	} {
		if d, err := Parse(text); err == nil || !d.IsZero() {
			t.Errorf("%s: %v is a digest", name, d)
		}
	}
}

func TestSetKeepsBothLengthsInOrder(t *testing.T) {
	var s, more Set
	want := make([]Digest, 0, 40)
	for i := range 20 {
		short, long := Of([]byte{byte(i)}), Digest{Of([]byte{byte(i)}).sum + Of(nil).sum}
		s.Add(short)
		more.Add(long)
		want = append(want, short, long)
	}
	s.Add(Digest{})
	s.AddAll(&more)
	s.AddAll(&more)
	slices.SortFunc(want, Compare)
	if got := slices.Collect(s.Sorted()); !slices.Equal(got, want) || s.Len() != 40 {
		t.Errorf("%d of %d digests, or another order", len(got), len(want))
	}
	if !slices.IsSortedFunc(want, func(a, b Digest) int { return strings.Compare(a.String(), b.String()) }) {
		t.Error("the order is not that of the texts")
	}
	for _, d := range want {
		if !s.Contains(d) {
			t.Errorf("%v is lost", d)
		}
	}
	if s.Contains(Of([]byte("other"))) || s.Contains(Digest{}) || more.Contains(Of([]byte{1})) {
		t.Error("contains what was never added")
	}
}

// FuzzParse: what is well formed is what go-digest says it is.
func FuzzParse(f *testing.F) {
	d := Of(nil).String()
	for _, seed := range []string{d, "sha512:" + d[7:] + d[7:], d + "0", d[1:], strings.ToUpper(d), "sha256::" + d[8:], "sha384:" + d[7:] + d[39:], d[:70] + "\n", d[:70] + "g", d[:70] + "F", d[:70] + "A", d[:70] + "`", d[:70] + "/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := oci.Parse(text)
		known := err == nil && (want.Algorithm() == oci.SHA256 || want.Algorithm() == oci.SHA512)
		got, err := Parse(text)
		if (err == nil) != known || known && got.String() != text {
			t.Errorf("%q: %v, %v; go-digest: %v", text, got, err, known)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := Of(nil).String()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
