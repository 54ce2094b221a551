package mark

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/registry/digest"
)

// manifests are the documents that FuzzQuick begins with: those of a real registry, and what the quick way must not take
// for something else.
func manifests(tb testing.TB) [][]byte {
	tb.Helper()
	d := digest.Of(nil).String()
	image := `{"schemaVersion":2,"mediaType":"m","config":{"digest":"` + d + `","size":3},"layers":[{"mediaType":"x","digest":"` + d + `","size":12,"annotations":{"a":"b\"\n"}}]}`
	var all [][]byte
	for _, text := range []string{
		image, " \n" + strings.ReplaceAll(image, ",", " ,\t") + "\r ", image + "x", image + image, image[:len(image)-1],
		strings.Replace(image, "layers", "Layers", 1), strings.Replace(image, "digest", "DIGEST", 1), strings.Replace(image, "digest", "\\u0064igest", 1),
		strings.Replace(image, "layers", "layer\u017f", 1), strings.Replace(image, "schemaVersion", "\u017fchemaVersion", 1),
		strings.Replace(image, `"config":`, `"config":null,"config":`, 1), strings.Replace(image, `"layers":`, `"layers":[{"digest":"other","size":1}],"layers":`, 1),
		strings.Replace(image, `"digest":`, `"digest":"x","digest":`, 1), strings.Replace(image, `"schemaVersion":2`, `"schemaVersion":22`, 1),
		strings.Replace(image, `"schemaVersion":2`, `"schemaVersion":2.0`, 1), strings.Replace(image, `"schemaVersion":2`, `"schemaVersion":02`, 1),
		strings.Replace(image, `"schemaVersion":2`, `"schemaVersion":-2`, 1), strings.Replace(image, `"schemaVersion":2`, `"schemaVersion":"2"`, 1),
		strings.Replace(image, `"size":12`, `"size":012`, 1), strings.Replace(image, `"size":12`, `"size":12e1`, 1), strings.Replace(image, `"size":12`, `"size":tru`, 1),
		strings.Replace(image, `"size":12`, `"size":[[{},[],{"a":[null,true,false,-0,-]}]]`, 1), strings.Replace(image, "\\n", "\\x", 1),
		strings.Replace(image, "\\n", "\n", 1), strings.Replace(image, "\\n", "\xff", 1), strings.Replace(image, `"x"`, "\"\xff\"", 1), strings.Replace(image, ",", ",,", 1),
		strings.Replace(image, `}]}`, `},]}`, 1), `{"manifests":[{"digest":"` + d + `"}],"subject":{"digest":"` + d + `"},"annotations":{}}`,
		`{"fsLayers":[{"blobSum":"` + d + `"}]}`, `{"FSLAYERS":[{"blobSum":"` + d + `"}]}`, `{"blobs":[],"layers":[]}`, `{"layers":null}`, `{"config":[]}`, `{}`, `[]`, `null`, ``, `{"a"}`, `{"a":1,}`,
		`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `,"layers":[]}`, "{\"layers\":[]}\x00", "{\"a\x00\":1}",
	} {
		all = append(all, []byte(text))
	}
	written, err := filepath.Glob("../../../testdata/registry/store/docker/registry/v2/blobs/sha256/*/*/data")
	if err != nil || len(written) == 0 {
		tb.Fatal("no blobs of a real registry", err)
	}
	for _, name := range written {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		if len(data) > 0 && data[0] == '{' {
			all = append(all, data)
		}
	}
	return all
}

// FuzzQuick: what the quick way reads encoding/json reads as well.
func FuzzQuick(f *testing.F) {
	for _, seed := range manifests(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := quick(data)
		if !ok {
			return
		}
		var want document
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", data, diff)
		}
	})
}

// TestQuickReadsWhatRegistriesHold: the quick way would be none if it left common manifests to encoding/json.
func TestQuickReadsWhatRegistriesHold(t *testing.T) {
	read := 0
	for _, data := range manifests(t) {
		if _, err := Parse(data); err != nil {
			continue
		}
		if _, ok := quick(data); ok {
			read++
		} else if strings.HasPrefix(string(data), "{\n") || strings.HasPrefix(string(data), `{"schemaVersion":2,"mediaType":"application`) {
			t.Errorf("left to encoding/json: %s", data)
		}
	}
	if read < 10 {
		t.Errorf("%d were read", read)
	}
}

func BenchmarkParse(b *testing.B) {
	all := manifests(b)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = Parse(all[0])
	}
}
