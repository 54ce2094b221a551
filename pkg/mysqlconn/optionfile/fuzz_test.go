package optionfile

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzOptions reads what it is given: no panic, and names and values that a line can hold.
func FuzzOptions(f *testing.F) {
	for _, seed := range []string{
		"[client]\nuser=a # b\npassword=\"c#d\\\"\\s\"\n", "[ ]\n=\n", "[a\n", "x\n", "[c]\n!include\n", "!include x", "!includedir \n",
		"[]\n\xa0=\xa0'\\", "[mysql]\nb='\\\\'#'\n\x00y\n", "[client] # ]\nloose_ssl-ca = '\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := &Reader{}
		// At the bound, so that no file of this machine is read.
		err := r.read(bytes.NewReader(text), "x", maxDepth, commentAt)
		lines := bytes.Count(text, []byte("\n")) + 1
		if len(r.Options()) > lines {
			t.Errorf("%d options in %d lines, %v", len(r.Options()), lines, err)
		}
		for _, o := range r.Options() {
			if o.Line < 1 || o.Line > lines || strings.ContainsAny(o.Name, "=\n") || !o.HasValue && o.Value != "" || len(o.Value) > len(text) {
				t.Errorf("%+v", o)
			}
		}
	})
}

// FuzzLoginFile decrypts what it is given: no panic, and no more text than bytes.
func FuzzLoginFile(f *testing.F) {
	f.Add(sampleLogin)
	f.Add(sampleLogin[:len(sampleLogin)-1])
	f.Add(sampleLogin[:loginUnused+loginKey])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := decrypt(data)
		if err == nil && len(text) > len(data) || err != nil && text != nil {
			t.Errorf("%q, %v", text, err)
		}
	})
}
