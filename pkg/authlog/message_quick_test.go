package authlog

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// checkQuick compares what the quick way says of a message with what parseMessage
// says. Both overwrite an event that was full; taken tells that the quick way knew it.
func checkQuick(tb testing.TB, msg string) (taken bool) {
	tb.Helper()
	const full = "Accepted publickey for a from 192.0.2.7 port 1 ssh2: RSA-CERT SHA256:key ID x (serial 7) CA RSA SHA256:"
	var quick, want Event
	for _, e := range []*Event{&quick, &want} {
		ParseMessage([]byte(full), e)
	}
	if !parseQuick([]byte(msg), &quick) {
		return false
	}
	want.reset()
	parseMessage([]byte(msg), &want, 2)
	quick.keyed, want.keyed = false, false
	if !reflect.DeepEqual(quick, want) {
		tb.Errorf("%q\nquick %+v\nwant  %+v", msg, quick, want)
	}
	return true
}

func TestQuickMessagesAreReadAsAllOthers(t *testing.T) {
	taken := 0
	for _, form := range []string{
		"Failed password for %s from %s port %s ssh2", "Failed password for invalid user %s from %s port %s ssh2",
		"Failed password for illegal user %s from %s port %s ssh2", "Failed password for %s from %s port %s ssh2 [preauth]",
		"Invalid user %s from %s port %s", "Invalid user %s  %s port %s", "Connection closed by %s%s port %s",
		"Connection closed by invalid user %s %s port %s [preauth]", "Connection reset by authenticating user %s %s port %s [preauth]",
		"Disconnected from invalid user %s %s port %s", "Disconnected from authenticating user %s %s port %s [preauth]",
		"Disconnected from user %s %s port %s", "Received disconnect from %s%s port %s:11: Bye Bye [preauth]", "pam_unix(sshd:%s %s %s",
	} {
		for _, user := range []string{
			"", " ", "root", "eight888", "nine99999", "a:b", "x ssh2:", "ninenine:", `a\\b`, `ninenine\\`, "from", " from", "invalid user", "invalid user ",
			"user u", "u from 5.5.5.5 port 2 ssh2", "\xff", "192.0.2.9", strings.Repeat("x", 340),
		} {
			for _, addr := range []string{
				"192.0.2.7", "1.2.3.4", "255.255.255.255", "001.002.003.004", "256.1.1.1", "1.1.256.1", "299.1.1.1", "1.1.1.300", "0001.1.1.1", "1.1.1.0001", "1..1.1", ".1.1.1",
				"1.1.1.", "11.1.1", "1.1.1.1.1", "1 1.1.1", "1.1.1.1a", "a1.1.1.1", "::1", "host.example.com", "",
			} {
				for _, port := range []string{"", "1", "0", "22", "40000", "65535", "65536", "99999", "00022", "000022", "123456", "4000a", "-1", "12345678"} {
					if checkQuick(t, fmt.Sprintf(form, user, addr, port)) {
						taken++
					}
				}
			}
		}
	}
	if taken < 1000 {
		t.Errorf("only %d messages were read the quick way", taken)
	}
}

func FuzzQuick(f *testing.F) {
	f.Add("Failed password for invalid user x from 192.0.2.7 port 40000 ssh2")
	f.Add("Connection closed by authenticating user root 192.0.2.7 port 40000 [preauth]")
	f.Add("Disconnected from 192.0.2.7 port 40000 [preauth]")
	f.Add("Invalid user x from 192.0.2.7 port 40000")
	f.Fuzz(func(t *testing.T, msg string) { checkQuick(t, msg) })
}
