package authlog_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// quad reads a dotted quad in the plainest way, for comparison.
func quad(text string) (ip uint32, ok bool) {
	m := regexp.MustCompile(`^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$`).FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	for _, digits := range m[1:] {
		octet, err := strconv.Atoi(digits)
		if err != nil || octet > 255 {
			return 0, false
		}
		ip = ip<<8 | uint32(octet)
	}
	return ip, true
}

// checkV4 compares an event's number with its address.
func checkV4(tb testing.TB, e *authlog.Event) {
	tb.Helper()
	if ip, ok := quad(string(e.Addr)); ip != e.V4 || ok != e.IsV4 {
		tb.Errorf("%q as a number: %#x %v, want %#x %v", e.Addr, e.V4, e.IsV4, ip, ok)
	}
}

// addressForms are the messages that carry an address.
var addressForms = []string{
	"Failed password for root from %s port 40000 ssh2",
	"Failed password for invalid user x from %s port 40000 ssh2",
	"Failed publickey for u from %s port 40000 ssh2: RSA SHA256:x",
	"Accepted publickey for u from %s port 40000 ssh2: RSA SHA256:x",
	"Invalid user x from %s port 1",
	"Connection closed by %s port 65535",
	"Connection closed by %s port 65535 [preauth]",
	"Connection closed by invalid user x %s port 65535 [preauth]",
	"Connection closed by authenticating user root %s port 65535 [preauth]",
	"Connection reset by %s port 9 [preauth]",
	"Connection from %s port 9 on 192.0.2.1 port 22",
	"Disconnected from %s port 123",
	"Disconnected from user u %s port 123",
	"Disconnected from authenticating user root %s port 123 [preauth]",
	"Disconnecting authenticating user root %s port 9: Too many authentication failures [preauth]",
	"Timeout before authentication for %s port 9",
	"error: maximum authentication attempts exceeded for invalid user x from %s port 9 ssh2 [preauth]",
	"message repeated 5 times: [ Failed password for r from %s port 9 ssh2]",
	"Authentication tried for b with correct key but not from a permitted host (host=h, ip=%s).",
	"Received disconnect from %s port 9:11: Bye Bye [preauth]",
	"Postponed publickey for u from %s port 9 ssh2",
}

// An event's number follows its text, whatever the event before held.
func TestAddressAsNumber(t *testing.T) {
	var e authlog.Event
	for _, addr := range []string{
		"192.0.2.7", "0.0.0.0", "255.255.255.255", "1.2.3.4", "10.20.30.40", "001.002.003.004", "1.22.133.9",
		"256.1.1.1", "1.1.1.256", "1.999.1.1", "0001.1.1.1", "1.1.1", "1.1.1.1.1", "1..1.1", ".1.1.1", "1.1.1.", "....", "1", "",
		"1.1.1.1a", "a1.1.1.1", "1.1.1./", "1.1.1.:", "1.1.-1.1", "2001:db8::7", "::ffff:192.0.2.7", "::1", "fe80::1%eth0", "host.example.com",
		"1.2.3.4.example.com", "UNKNOWN", "123456789", "255.255.255.2551", "192.000.2.0007", "\xb1.1.1.1", "1\xae1.1.1",
	} {
		for _, form := range addressForms {
			msg := fmt.Sprintf(form, addr)
			authlog.ParseMessage([]byte(msg), &e)
			checkV4(t, &e)
			if e.Addr != nil && addr != "" && string(e.Addr) != addr {
				t.Errorf("%q: address %q", msg, e.Addr)
			}
			if t.Failed() {
				t.Fatal(msg)
			}
		}
	}
}
