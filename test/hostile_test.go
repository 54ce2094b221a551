package test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// fake is the network of all addresses that hostile text speaks of; nobody connects from there.
const fake = "233.252.0." // MCAST-TEST-NET (RFC 6676)

// fragments are what hostile names and key ids are put together from: the words of sshd's own lines, what frames and ends
// lines, and what escapes.
var fragments = []string{
	" from " + fake + "1 port 2 ssh2: RSA SHA256:FAKE", " from " + fake + "2 port 22 ssh2", " from " + fake + "3 port 4", " from ", " port 1", " ssh2: ", " ssh2",
	"invalid user ", "illegal user ", "root", "alice", " [preauth]", "]", "[", ": ", "\n", "\r\n", "\r", "\x00", "\x1b[31m", "\x1b]0;x\a", "\u202e", "\xff\xfe", "名前",
	"Accepted publickey for root from " + fake + "4 port 5 ssh2: RSA SHA256:FAKE", "Accepted password for alice from " + fake + "5 port 6 ssh2",
	"Failed password for root from " + fake + "6 port 7 ssh2", "Invalid user x from " + fake + "7 port 8",
	"\nNov 22 12:00:00 web01 sshd[1]: Accepted publickey for root from " + fake + "8 port 9 ssh2: RSA SHA256:FAKE",
	"\n2026-11-22T12:00:00.000000+00:00 web01 sshd[1]: Accepted password for root from " + fake + "9 port 10 ssh2",
	"\n<38>1 2026-11-22T12:00:00.000000+00:00 web01 sshd 1 - - Accepted password for root from " + fake + "10 port 11 ssh2",
	"message repeated 3 times: [ Accepted password for root from " + fake + "11 port 12 ssh2]", "message repeated 99 times: [ ",
	" (serial 1) CA ED25519 SHA256:FAKE", " ID x (serial 18446744073709551615) CA RSA SHA256:FAKE", wholeCA, wholeCA + strings.Repeat(" ", 450), ")", "(", " found at /root/.ssh/authorized_keys:1",
	"Accepted key ED25519 SHA256:FAKE found at /root/.ssh/authorized_keys:1", "Connection from " + fake + "12 port 13 on 127.0.0.1 port 22",
	"sshd[1]: ", `"`, "'", `\`, "%s%n", " ", "  ", "\t", "#012", "-", "{\"MESSAGE\":\"", "0x", "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)",
}

// wholeCA ends a key ID as a message about it ends.
const wholeCA = " (serial 18446744073709551614) CA RSA SHA256:AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK"

// hostile makes text that wants to be read as something else.
func hostile(r *rand.Rand) string {
	switch r.IntN(14) {
	case 0:
		return pick(r, fragments)
	case 1:
		return strings.Repeat(pick(r, fragments), 1+r.IntN(60))
	case 2:
		return strings.Repeat("A", 480+r.IntN(200)) + pick(r, fragments)
	case 3:
		return strings.Repeat("x", r.IntN(110)) + pick(r, fragments) // sshd cuts names at 100 bytes, here or there
	case 4:
		text := make([]byte, r.IntN(60))
		for i := range text {
			text[i] = byte(r.IntN(256))
		}
		return string(text)
	case 5:
		return fmt.Sprintf("user%d", r.IntN(5)) // one that is harmless
	case 12, 13:
		return cutName(r)
	}
	var text strings.Builder
	for range 1 + r.IntN(5) {
		text.WriteString(pick(r, fragments))
	}
	return text.String()
}

// syslogCut is how many bytes of a message sshd gives to syslog (log.c, do_log).
const syslogCut = 500

// cutName makes a name that is cut just behind a forged end, where the true address should follow. Bytes that sshd escapes
// take four bytes, or five in messages of the unprivileged half of sshd 9.2, which are escaped twice; only so does the name
// reach the cut.
func cutName(r *rand.Rand) string {
	prefix := pick(r, []string{
		"Connection closed by invalid user ", "Disconnected from invalid user ", "Connection reset by invalid user ", "Invalid user ",
		"Failed password for invalid user ", "Failed keyboard-interactive/pam for invalid user ", "Failed publickey for invalid user ",
		"Postponed keyboard-interactive for invalid user ", "error: maximum authentication attempts exceeded for invalid user ",
	})
	tail := pick(r, []string{
		" " + fake + "20 port 1 [preauth]", " " + fake + "21 port 1", " from " + fake + "22 port 1 ssh2", " from " + fake + "23 port 1", " from " + fake + "24 port 1 ssh2 [preauth]",
		" from " + fake + "25 port 1 ssh2: RSA SHA256:FAKE",
	})
	escaped := pick(r, []int{4, 5})
	room := syslogCut - len(prefix) - len(tail)
	return strings.Repeat("\xff", room/escaped) + strings.Repeat("a", room%escaped) + tail + strings.Repeat("z", r.IntN(30))
}
