package gunzip_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/opsctl/opsctl/pkg/gunzip"
)

// packed packs data, with the given level, by the standard library.
func packed(tb testing.TB, level int, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func unpack(r io.Reader) ([]byte, error) {
	z, err := gunzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// texts are data of all the kinds that make different blocks.
func texts() map[string][]byte {
	rng := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 130<<10)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	var words bytes.Buffer
	for words.Len() < 200<<10 {
		words.WriteString([]string{"Failed ", "password ", "for ", "root", " from 10.0.0.", "\n", string(noise[:rng.IntN(9)])}[rng.IntN(7)])
	}
	return map[string][]byte{
		"nothing": nil, "a byte": {'a'}, "noise": noise, "one byte": make([]byte, 200<<10), "words": words.Bytes(),
		"short distances": bytes.Repeat([]byte("abc"), 50<<10), "far back": append(append(noise[:32<<10:32<<10], words.Bytes()[:200]...), noise[:33<<10]...),
	}
}

func TestWhatOthersPacked(t *testing.T) {
	for name, data := range texts() {
		for _, level := range []int{gzip.HuffmanOnly, gzip.NoCompression, gzip.BestSpeed, gzip.DefaultCompression, gzip.BestCompression} {
			zipped := packed(t, level, data)
			members := slices.Concat(zipped, zipped)
			for how, r := range map[string]io.Reader{
				"whole": bytes.NewReader(members), "in bytes": iotest.OneByteReader(bytes.NewReader(members)), "in halves": iotest.HalfReader(bytes.NewReader(members)),
			} {
				if got, err := unpack(r); err != nil || !bytes.Equal(got, slices.Concat(data, data)) {
					t.Errorf("%s, level %d, read %s: %d bytes, %v; want %d", name, level, how, len(got), err, 2*len(data))
				}
			}
		}
	}
}

// A match reaches back to the beginning of its member, and no further: not into the one
// before. It is found out near the end of the input and elsewhere.
func TestMatchesThatReachTooFar(t *testing.T) {
	const head = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
	// A last block of fixed codes: "a", a match of length 3 at distance 1 or 2, the end.
	for bits, want := range map[string]error{
		"110" + "10010001" + "0000001" + "00000" + "0000000": gunzip.ErrChecksum,
		"110" + "10010001" + "0000001" + "00001" + "0000000": gunzip.ErrCorrupt,
	} {
		var member [4]byte
		for i := range bits {
			member[i/8] |= (bits[i] - '0') << (i % 8)
		}
		for _, before := range [][]byte{nil, packed(t, gzip.BestSpeed, []byte("before"))} {
			for _, behind := range []int{8, 50} {
				zipped := slices.Concat(before, []byte(head), member[:], make([]byte, behind))
				if _, err := unpack(bytes.NewReader(zipped)); !errors.Is(err, want) {
					t.Errorf("%s, %d bytes before, %d behind: %v, want %v", bits, len(before), behind, err, want)
				}
			}
		}
	}
}

// A header's fields are passed, and its checksum is compared.
func TestHeaders(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = "auth.log", "a comment", []byte("extra")
	if _, err := w.Write([]byte("text")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := unpack(&b); err != nil || string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
	for _, header := range []string{"\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x03", "\x1f\x8b\x08\x20\x00\x00\x00\x00\x00\x03", "\x1f\x8b\x08\x02\x00\x00\x00\x00\x00\x03\x00\x00"} {
		if _, err := unpack(bytes.NewReader([]byte(header))); !errors.Is(err, gunzip.ErrHeader) {
			t.Errorf("%q: %v", header, err)
		}
	}
}

// What was cut gives all that the standard library unpacks of it, and the same kind of error.
func TestCut(t *testing.T) {
	for name, data := range texts() {
		zipped := packed(t, gzip.DefaultCompression, data[:min(len(data), 2000)])
		for n := range zipped {
			same(t, name, zipped[:n])
			if got, err := unpack(bytes.NewReader(zipped[:n])); err == nil || !bytes.HasPrefix(data, got) || errors.Is(err, io.EOF) != (n == 0) {
				t.Errorf("%s, %d of %d bytes: %d bytes, %v", name, n, len(zipped), len(got), err)
			}
		}
	}
}

// same compares with the standard library, which looks at no code before there are as many bits as
// the end's code has, and at all of them: of what was cut it may give less, and of what
// is cut and corrupt it may name the other.
func same(tb testing.TB, name string, zipped []byte) {
	tb.Helper()
	got, gotErr := unpack(bytes.NewReader(zipped))
	var want []byte
	r, wantErr := gzip.NewReader(bytes.NewReader(zipped))
	if wantErr == nil {
		want, wantErr = io.ReadAll(r)
	}
	cut := errors.Is(gotErr, io.ErrUnexpectedEOF) || errors.Is(wantErr, io.ErrUnexpectedEOF)
	switch {
	case gotErr != nil && wantErr != nil && (cut && bytes.HasPrefix(got, want) || len(got)+len(want) == 0):
	case errors.Is(wantErr, gzip.ErrHeader) && len(zipped) > 512: // it takes no longer names
	case errors.Is(gotErr, gunzip.ErrHeader) && bytes.HasPrefix(want, got): // it takes unknown flags
	case !bytes.Equal(got, want) || !errors.Is(kind(gotErr), kind(wantErr)):
		tb.Errorf("%s: %d bytes packed: %d bytes, %v; want %d, %v", name, len(zipped), len(got), gotErr, len(want), wantErr)
	}
}

func kind(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &corrupt):
		return gunzip.ErrCorrupt
	case errors.Is(err, gzip.ErrHeader):
		return gunzip.ErrHeader
	case errors.Is(err, gzip.ErrChecksum):
		return gunzip.ErrChecksum
	}
	return err
}

func FuzzReader(f *testing.F) {
	for _, data := range texts() {
		for _, level := range []int{gzip.HuffmanOnly, gzip.NoCompression, gzip.BestSpeed, gzip.BestCompression} {
			f.Add(packed(f, level, data[:min(len(data), 3000)]))
		}
	}
	f.Fuzz(func(t *testing.T, zipped []byte) { same(t, "fuzzed", zipped) })
}
