package optionfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sampleLogin was written by mysql_config_editor of MySQL 9.7: set --login-path=x --host='h#1' --user='u "q\n' --port=3307 --socket=/s
// --password, which was a#b "c\d. Its key is of four zero bytes and twenty that chance gave.
var sampleLogin = []byte("\x00\x00\x00\x00\x12\x03\x0a\x0c\x16\x00\x00\x13\x1d\x01\x18\x08\x19\x00\x10\x1b\x12\x0b\x0e\x00" +
	"\x10\x00\x00\x00\x7b\xe9\xe1\xef\x69\x15\x7c\x0a\x62\x97\xc8\xab\xd3\x41\x98\x73\x20\x00\x00\x00" +
	"\x19\xe5\xb1\x94\xc8\x74\x4d\x3b\x59\x33\x0a\x26\x0b\x01\x2e\xa4\x82\xd6\x18\xee\x53\xfb\x3f\xff" +
	"\x23\x75\xf3\x0f\x89\xe5\x4f\xae\x20\x00\x00\x00\x23\xb3\x61\xa6\xd3\x5c\x7d\xce\x72\x82\x07\xb9" +
	"\xaf\x3e\x38\xd6\x9d\x74\xbb\x2c\x72\x88\x4b\xae\x9d\x18\xc0\xd9\x91\x4f\x92\x0d\x10\x00\x00\x00" +
	"\xd0\xe7\x08\xaa\x7a\xf1\x45\x0c\xb5\x84\xb7\x34\x6f\x5b\xd8\xdb\x10\x00\x00\x00\xc1\xb3\x67\x4f" +
	"\xbc\x29\x82\xa7\xf8\x89\xa9\x47\x2f\x00\x3e\x3a\x10\x00\x00\x00\x24\x9c\x8d\x35\x1a\x2b\x7c\x04" +
	"\x60\x1c\x97\xe1\x2f\x04\xe8\xdf")

func TestLoginFileOfTheEditor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "login")
	write := func(data []byte, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, data, mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	var warnings []string
	r := &Reader{Warn: func(text string) { warnings = append(warnings, text) }}
	write(sampleLogin, 0o600)
	if err := r.LoginFile(path); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, o := range r.Options() {
		got += o.Group + "." + o.Name + "=" + o.Value + "|"
	}
	// What my_print_defaults --login-path=x --show of the same MySQL prints.
	if want := "x.user=u \"q\n|x.password=a#b \"c\\d|x.host=h#1|x.socket=/s|x.port=3307|"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	write(sampleLogin, 0o640)
	if err := r.LoginFile(path); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], path) || len(r.Options()) != 5 {
		t.Errorf("%v, %q, %d options", err, warnings, len(r.Options()))
	}
	for _, n := range []int{0, 23, 25, len(sampleLogin) - 1} {
		write(sampleLogin[:n], 0o600)
		if err := r.LoginFile(path); !errors.Is(err, ErrLoginFile) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}
