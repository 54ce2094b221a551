package keyline

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/opsctl/opsctl/pkg/authkeys/pubkey"
)

const keyDir = "../testdata/keys"

func pub(tb testing.TB, name string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(keyDir, name+".pub"))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

func berlin(tb testing.TB) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		tb.Skip("no time zone data")
	}
	return loc
}

func TestLines(t *testing.T) {
	key := pub(t, "ed25519")
	blob := strings.Fields(key)[1]
	rsa := strings.Fields(pub(t, "rsa2048"))[1]
	p := &Parser{Port: func(name string) bool { return name == "http" }}
	for _, c := range []struct {
		line    string
		kind    Kind
		found   bool // a key, in use or not
		comment string
	}{
		{key, OK, true, "bob@test"},
		{" \t" + key + "\r\n", OK, true, "bob@test"},
		{"ssh-ed25519 " + blob, OK, true, ""},
		{"ssh-ed25519\t \t" + blob + "\t a  b ", OK, true, "a  b"},
		{"ssh-ed25519 " + blob + "\r\n", OK, true, ""},
		{"ssh-ed25519 " + blob + " x\x00junk", OK, true, "x"},
		{"ssh-ed25519 " + blob[:20] + "\x00" + blob[20:], Malformed, false, ""},
		{"\xef\xbb\xbf" + key, BOM, true, "bob@test"},
		{"\xef\xbb\xbfrestrict " + key, UnknownOption, true, "bob@test"},
		{"ssh-rsa " + blob, Malformed, false, ""},
		{"rsa-sha2-256 " + rsa, OK, true, ""},
		{"ssh-ed25519 " + blob + "=", Malformed, false, ""},
		{"ssh-ed25519 " + blob[:len(blob)-4], Malformed, false, ""},
		{"ssh-ed25519 " + blob + "AAAA", Malformed, false, ""},
		{"Ssh-Ed25519 " + blob, Malformed, false, ""},
		{"ssh-ed25519", Malformed, false, ""},
		{"junk", Malformed, false, ""},
		{"junk " + key, UnknownOption, true, "bob@test"},
		{"junk more " + key, Malformed, true, "bob@test"},
		{`command="a b ` + key, Malformed, true, "bob@test"},
		{`command="a",` + key, Malformed, true, "bob@test"},
		{pub(t, "ed25519-ca_rsa-cert"), Certificate, true, "bob@test"},
		{pub(t, "dsa"), OK, true, "dsa@test"},
		{"restrict " + key, OK, true, "bob@test"},
		{"RESTRICT,Pty " + key, OK, true, "bob@test"},
		{"restrict, " + key, OK, true, "bob@test"},
		{",restrict " + key, OK, true, "bob@test"},
		{"restrictx " + key, UnknownOption, true, "bob@test"},
		{"no-restrict " + key, UnknownOption, true, "bob@test"},
		{"no-pty,no-user-rc,no-touch-required,verify-required " + key, OK, true, "bob@test"},
		{`command="echo \"hi\" there",no-pty ` + key, OK, true, "bob@test"},
		{`command="a",command="b" ` + key, InvalidOption, true, "bob@test"},
		{`command=a ` + key, InvalidOption, true, "bob@test"},
		{`command ` + key, UnknownOption, true, "bob@test"},
		{`from="10.0.0.0/8,!10.1.1.1" ` + key, OK, true, "bob@test"},
		{`principals="a,b",cert-authority ` + key, OK, true, "bob@test"},
		{`expiry-time="20300101" ` + key, OK, true, "bob@test"},
		{`expiry-time="2030-01-01" ` + key, InvalidOption, true, "bob@test"},
		{`expiry-time="19700101Z" ` + key, InvalidOption, true, "bob@test"},
		{`environment="A=b" ` + key, OK, true, "bob@test"},
		{`environment="A-B=b" ` + key, InvalidOption, true, "bob@test"},
		{`environment="=b" ` + key, InvalidOption, true, "bob@test"},
		{`permitopen="h:22",permitopen="[::1]:*" ` + key, OK, true, "bob@test"},
		{`permitopen="h/22" ` + key, OK, true, "bob@test"},
		{`permitopen="h:http" ` + key, OK, true, "bob@test"},
		{`permitopen="h:gopher" ` + key, InvalidOption, true, "bob@test"},
		{`permitopen="h" ` + key, InvalidOption, true, "bob@test"},
		{`permitopen="h:0" ` + key, InvalidOption, true, "bob@test"},
		{`permitopen="h:65536" ` + key, InvalidOption, true, "bob@test"},
		{`permitopen="[::1:22" ` + key, InvalidOption, true, "bob@test"},
		{`permitopen="[::1]x:22" ` + key, InvalidOption, true, "bob@test"},
		{`permitopen=":22" ` + key, OK, true, "bob@test"},
		{`permitopen="h: +22" ` + key, OK, true, "bob@test"},
		{`permitlisten="8080" ` + key, OK, true, "bob@test"},
		{`permitlisten="h/8080" ` + key, InvalidOption, true, "bob@test"}, // read as *:h/8080
		{`tunnel="any" ` + key, OK, true, "bob@test"},
		{`tunnel="7" ` + key, OK, true, "bob@test"},
		{`tunnel="tun7" ` + key, InvalidOption, true, "bob@test"},
		{`unknown="a b" ` + key, UnknownOption, true, "bob@test"},
	} {
		got := p.Parse(c.line)
		if got.Kind != c.kind || (got.Key != nil) != c.found || got.Comment != c.comment || (got.Err == nil) != (c.kind == OK) {
			t.Errorf("%.60q: kind %q (%v), key %v, comment %q", c.line, got.Kind, got.Err, got.Key != nil, got.Comment)
		}
	}
}

func TestSmallRSAKeyIsNamed(t *testing.T) {
	// 1016 bits; ssh-keygen no longer makes such keys.
	const small = "AAAAB3NzaC1yc2EAAAADAQABAAAAgADf39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f39/f"
	line := (&Parser{}).Parse("no-pty ssh-rsa " + small + " old")
	if line.Kind != TooSmall || line.Key == nil || line.Key.Bits != 1016 || line.Comment != "old" {
		t.Errorf("got %+v", line)
	}
}

func TestOptionValues(t *testing.T) {
	o, err := (&Parser{}).Options(`restrict,pty,Command="say \"x\" \n",from="a,b",principals="p q",environment="A=1",environment="A=2",` +
		`environment="B=3",permitopen="h:1",permitlisten="2",tunnel="3",expiry-time="20300102Z",expiry-time="20300101Z",cert-authority ssh-rsa`)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Restrict || o.NoPTY || !o.NoUserRC || *o.Command != `say "x" \n` || *o.From != "a,b" || *o.Principals != "p q" ||
		strings.Join(o.Environment, " ") != "A=1 B=3" || o.PermitOpen[0] != "h:1" || o.PermitListen[0] != "*:2" || *o.Tunnel != "3" ||
		o.Expiry.Format(time.DateOnly) != "2030-01-01" || !o.CertAuthority {
		t.Errorf("got %+v", o)
	}
	if o, err := (&Parser{}).Options(`command=""`); err != nil || o.Command == nil || *o.Command != "" {
		t.Errorf("an empty command is a command: %+v, %v", o, err)
	}
}

func TestBlank(t *testing.T) {
	for line, want := range map[string]bool{
		"": true, "\n": true, " \t\n": true, "# x": true, "\t#x": true, "\r\n": true, "x": false, "\x00x": true, "\xef\xbb\xbf# x": false,
	} {
		if Blank(line) != want {
			t.Errorf("%q", line)
		}
	}
}

// The expected values are those of mktime(3) with tm_isdst 0 (glibc 2.36).
func TestParseTime(t *testing.T) {
	loc := berlin(t)
	for _, c := range []struct {
		text string
		loc  *time.Location
		want string // RFC 3339 in UTC, "" for an error
	}{
		{"20250101", nil, "2025-01-01T00:00:00Z"},
		{"20250101", loc, "2024-12-31T23:00:00Z"},
		{"20250701", loc, "2025-06-30T23:00:00Z"}, // standard time, also in summer
		{"202507011230", loc, "2025-07-01T11:30:00Z"},
		{"20250701123015", loc, "2025-07-01T11:30:15Z"},
		{"20250701123015Z", loc, "2025-07-01T12:30:15Z"},
		{"20250701z", loc, "2025-07-01T00:00:00Z"},
		{"20250701utc", loc, "2025-07-01T00:00:00Z"},
		{"20250330023000", loc, "2025-03-30T01:30:00Z"}, // does not exist on the clock
		{"20251026023000", loc, "2025-10-26T01:30:00Z"}, // exists twice
		{"20250231", nil, "2025-03-03T00:00:00Z"},
		{"20250101235961", nil, "2025-01-02T00:00:01Z"},
		{"2025 1 1", nil, "2025-01-01T00:00:00Z"},
		{"20251301", nil, ""},
		{"20250001", nil, ""},
		{"20250132", nil, ""},
		{"202501012400", nil, ""},
		{"2025010112", nil, ""},
		{"2025-1-1", nil, ""},
		{"20250101ZZ", nil, ""},
		{"19691231Z", nil, ""},
		{"19700101Z", nil, "1970-01-01T00:00:00Z"},
		{"99991231", nil, "9999-12-31T00:00:00Z"},
		{"", nil, ""},
		{"Z", nil, ""},
		{"+2025101", nil, ""},
		{"2025010 1", nil, ""},
	} {
		got, err := ParseTime(c.text, c.loc)
		text := ""
		if err == nil {
			text = got.UTC().Format(time.RFC3339)
		}
		if text != c.want {
			t.Errorf("%q: %q (%v), want %q", c.text, text, err, c.want)
		}
	}
}

func FuzzAuthorizedKeys(f *testing.F) {
	for _, name := range []string{"ed25519", "rsa2048", "ecdsa521", "dsa", "ed25519-ca_rsa-cert"} {
		f.Add(pub(f, name))
		f.Add(`from="10.0.0.0/8,!h*",command="a \"b\" c",no-pty,expiry-time="20300101Z" ` + pub(f, name) + "\r\n")
	}
	f.Add(`cert-authority,principals="a,b" ` + pub(f, "ca_rsa"))
	f.Add("\xef\xbb\xbf" + pub(f, "ed25519"))
	f.Add(`permitopen="[::1]:*",permitlisten="8080",environment="A=b",tunnel="any",restrict ` + pub(f, "ed25519"))
	p := &Parser{}
	f.Fuzz(func(t *testing.T, text string) {
		line := p.Parse(text)
		if (line.Kind == OK) != (line.Err == nil) || line.Kind == OK && line.Key == nil {
			t.Errorf("%q: %+v", text, line)
		}
		if line.Kind == OK && utf8.ValidString(line.Comment) {
			again := p.Parse(line.Options.Raw + " " + line.Name + " " + b64(line.Key) + " " + line.Comment)
			if again.Kind != OK || !again.Key.Equal(line.Key) {
				t.Errorf("%q: rewritten as %+v", text, again)
			}
		}
	})
}

func b64(k *pubkey.Key) string {
	return base64.StdEncoding.EncodeToString(k.Blob)
}
