package authlog_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// said is an Event in text, for tables.
type said struct {
	Kind                      authlog.Kind
	Count                     uint32
	User, Addr                string
	Port                      uint16
	Method                    string
	Invalid                   bool
	Type, Fingerprint, CertID string
	Serial                    uint64
	IsCert                    bool
	CAType, CA, File          string
	Line                      uint32
}

func parse(msg string) said {
	var e authlog.Event
	authlog.ParseMessage([]byte(msg), &e)
	return said{
		e.Kind, e.Count, string(e.User), string(e.Addr), e.Port, string(e.Method), e.Invalid, string(e.Type), string(e.Fingerprint),
		string(e.CertID), e.Serial, e.IsCert, string(e.CAType), string(e.CA), string(e.File), e.Line,
	}
}

// pad fills a message to the 500 bytes at which sshd cuts it.
func pad(front, back string) string {
	return front + strings.Repeat("x", 500-len(front)-len(back)) + back
}

const fp43 = "PVl2wDpi3WsdeJWH1Sk5LPKbwPqoP7bUo2eXLoW/OKo"

// A message that syslog cut in the spaces after a forged end looks whole when journald has taken the spaces off.
func TestJournalTrimsACutMessage(t *testing.T) {
	msg := "Accepted publickey for a from 192.0.2.7 port 1 ssh2: RSA-CERT SHA256:key ID x (serial 7) CA RSA SHA256:" + fp43
	for raw, serial := range map[string]uint64{
		"<38>Nov 22 15:36:45 sshd[7]: " + msg + strings.Repeat(" ", 500-len(msg)): 0,
		"<38>Nov 22 15:36:45 sshd[7]: " + msg + "\n":                              7,
	} {
		line, err := json.Marshal(map[string]string{
			"__REALTIME_TIMESTAMP": "1795361783471022", "_COMM": "sshd", "_PID": "7", "_UID": "0", "MESSAGE": msg, "SYSLOG_RAW": raw,
		})
		if err != nil {
			t.Fatal(err)
		}
		var h authlog.Header
		if status, _ := authlog.Journal(line, &h); status != authlog.SSHD {
			t.Fatalf("status %v", status)
		}
		var e authlog.Event
		authlog.ParseMessage(h.Msg, &e)
		if e.Serial != serial || e.Kind != authlog.Accepted || string(e.Addr) != "192.0.2.7" {
			t.Errorf("%q: kind %v, serial %d from %s, want Accepted, %d", raw, e.Kind, e.Serial, e.Addr, serial)
		}
	}
}

func TestMessages(t *testing.T) {
	const certFront = "Accepted publickey for a from 192.0.2.7 port 1 ssh2: RSA-CERT SHA256:key ID "
	const certBack = " (serial 7) CA RSA SHA256:" + fp43
	cert := pad(certFront, certBack)
	certID := cert[len(certFront) : len(cert)-len(certBack)]
	for msg, want := range map[string]said{
		"Accepted publickey for alice from 192.0.2.7 port 50000 ssh2: ED25519 SHA256:abc": {
			Kind: authlog.Accepted, User: "alice", Addr: "192.0.2.7", Port: 50000, Method: "publickey", Type: "ED25519", Fingerprint: "SHA256:abc",
		},
		"Accepted publickey for a from 2001:db8::7 port 1 ssh2: ED25519-SK SHA256:abc, signature count = 7": {
			Kind: authlog.Accepted, User: "a", Addr: "2001:db8::7", Port: 1, Method: "publickey", Type: "ED25519-SK", Fingerprint: "SHA256:abc",
		},
		"Accepted publickey for a from 192.0.2.7 port 1 ssh2: RSA 39:33:99": {
			Kind: authlog.Accepted, User: "a", Addr: "192.0.2.7", Port: 1, Method: "publickey", Type: "RSA", Fingerprint: "39:33:99",
		},
		"Accepted publickey for a from 192.0.2.7 port 1 ssh2": {
			Kind: authlog.Accepted, User: "a", Addr: "192.0.2.7", Port: 1, Method: "publickey",
		},
		"Accepted publickey for a from 192.0.2.7 port 1 ssh2: ED25519-CERT SHA256:key ID x (y) from 9.9.9.9 port 1 ssh2: RSA SHA256:FAKE (serial 1) CA z (serial 18446744073709551615) CA RSA SHA256:" + fp43: {
			Kind: authlog.Accepted, User: "a", Addr: "192.0.2.7", Port: 1, Method: "publickey", Type: "ED25519-CERT", Fingerprint: "SHA256:key",
			CertID: "x (y) from 9.9.9.9 port 1 ssh2: RSA SHA256:FAKE (serial 1) CA z", Serial: 1<<64 - 1, IsCert: true, CAType: "RSA", CA: "SHA256:" + fp43,
		},
		"Accepted publickey for a from 192.0.2.7 port 1 ssh2: RSA-CERT ID old (serial 3) CA DSA SHA256:" + fp43: { // before 8.0
			Kind: authlog.Accepted, User: "a", Addr: "192.0.2.7", Port: 1, Method: "publickey", Type: "RSA-CERT", CertID: "old", Serial: 3, IsCert: true,
			CAType: "DSA", CA: "SHA256:" + fp43,
		},
		"Accepted publickey for a from 192.0.2.7 port 1 ssh2: ED25519-CERT SHA256:key ID long (serial 5) CA RSA SHA256:cut": { // the serial may be the ID's
			Kind: authlog.Accepted, User: "a", Addr: "192.0.2.7", Port: 1, Method: "publickey", Type: "ED25519-CERT", Fingerprint: "SHA256:key",
			CertID: "long (serial 5) CA RSA SHA256:cut", IsCert: true,
		},
		`Accepted publickey for a from 192.0.2.7 port 1 ssh2: RSA SHA256:abc, client user "u", client host "h"`: {
			Kind: authlog.Accepted, User: "a", Addr: "192.0.2.7", Port: 1, Method: "publickey", Type: "RSA", Fingerprint: "SHA256:abc",
		},
		"Failed keyboard-interactive/pam for invalid user  from 192.0.2.7 port 9 ssh2": {
			Kind: authlog.Failed, Invalid: true, Addr: "192.0.2.7", Port: 9, Method: "keyboard-interactive/pam",
		},
		"Failed password for illegal user x from 192.0.2.7 port 9 ssh2": {
			Kind: authlog.Failed, Invalid: true, User: "x", Addr: "192.0.2.7", Port: 9, Method: "password",
		},
		"Failed password for invalid user u from 5.5.5.5 port 2 ssh2 from 192.0.2.7 port 9 ssh2": {
			Kind: authlog.Failed, Invalid: true, User: "u from 5.5.5.5 port 2 ssh2", Addr: "192.0.2.7", Port: 9, Method: "password",
		},
		"Invalid user  from 192.0.2.7 port 9":                                         {Kind: authlog.InvalidUser, Invalid: true, Addr: "192.0.2.7", Port: 9},
		"Invalid user  root from 192.0.2.7 port 9":                                    {Kind: authlog.InvalidUser, Invalid: true, User: " root", Addr: "192.0.2.7", Port: 9},
		"Invalid user u from 5.5.5.5 port 2 ssh2 from 192.0.2.7 port 9":               {Kind: authlog.InvalidUser, Invalid: true, User: "u from 5.5.5.5 port 2 ssh2", Addr: "192.0.2.7", Port: 9},
		"Invalid user old from 192.0.2.7":                                             {Kind: authlog.Noise}, // before 7.5: "Failed none" follows
		"message repeated 5 times: [ Failed password for r from 1.2.3.4 port 9 ssh2]": {Kind: authlog.Failed, Count: 5, User: "r", Addr: "1.2.3.4", Port: 9, Method: "password"},
		"Invalid user message repeated 3 times: [ Accepted from 192.0.2.7 port 9":     {Kind: authlog.InvalidUser, Invalid: true, User: "message repeated 3 times: [ Accepted", Addr: "192.0.2.7", Port: 9},
		"[ID 800047 auth.info] Accepted password for a from 192.0.2.7 port 9 ssh2":    {Kind: authlog.Accepted, User: "a", Addr: "192.0.2.7", Port: 9, Method: "password"},
		"Accepted key ED25519 SHA256:abc found at /home/a b/.ssh/authorized_keys:12": {
			Kind: authlog.Found, Type: "ED25519", Fingerprint: "SHA256:abc", File: "/home/a b/.ssh/authorized_keys", Line: 12,
		},
		`Accepted certificate ID "a" (serial 1) signed by x" (serial 7) signed by ED25519 CA SHA256:ca via /etc/ssh/ca.pub`: {
			Kind: authlog.Found, IsCert: true, Fingerprint: "SHA256:ca", CAType: "ED25519", CA: "SHA256:ca", File: "/etc/ssh/ca.pub",
		},
		`Accepted certificate ID "a" (serial 1) signed by CA RSA SHA256:ca found at /h/.ssh/authorized_keys:3`: {
			Kind: authlog.Found, IsCert: true, Fingerprint: "SHA256:ca", CAType: "RSA", CA: "SHA256:ca", File: "/h/.ssh/authorized_keys", Line: 3,
		},
		"Connection closed by authenticating user root 192.0.2.7 port 9 [preauth]":                                {Kind: authlog.Closed, User: "root", Addr: "192.0.2.7", Port: 9},
		`Connection closed by invalid user a\\nb 192.0.2.7 port 9 [preauth]`:                                      {Kind: authlog.Closed, Invalid: true, User: `a\nb`, Addr: "192.0.2.7", Port: 9},
		"Connection closed by invalid user  192.0.2.7 port 9 [preauth]":                                           {Kind: authlog.Closed, Invalid: true, Addr: "192.0.2.7", Port: 9},
		"Connection reset by 192.0.2.7 port 9 [preauth]":                                                          {Kind: authlog.Closed, Addr: "192.0.2.7", Port: 9},
		"Disconnected from user alice 192.0.2.7 port 9":                                                           {Kind: authlog.Noise, Addr: "192.0.2.7", Port: 9},
		"Disconnecting authenticating user root 192.0.2.7 port 9: Too many authentication failures [preauth]":     {Kind: authlog.Closed, User: "root", Addr: "192.0.2.7", Port: 9},
		"error: maximum authentication attempts exceeded for invalid user x from 192.0.2.7 port 9 ssh2 [preauth]": {Kind: authlog.Closed, Invalid: true, User: "x", Addr: "192.0.2.7", Port: 9},
		`Connection from 192.0.2.7 port 9 on 192.0.2.1 port 22 rdomain ""`:                                        {Kind: authlog.Opened, Addr: "192.0.2.7", Port: 9},
		"/home/b/.ssh/authorized_keys:1: Authentication tried for b with correct key but not from a permitted host (host=h, ip=192.0.2.7, required=198.51.100.0/24).": {
			Kind: authlog.WrongAddr, User: "b", Addr: "192.0.2.7", File: "/home/b/.ssh/authorized_keys", Line: 1,
		},
		"Authentication tried for b with correct key but not from a permitted host (host=h, ip=192.0.2.7).": {Kind: authlog.WrongAddr, User: "b", Addr: "192.0.2.7"},
		"Authentication refused: bad ownership or modes for directory /home/b":                              {Kind: authlog.BadModes, File: "/home/b"},
		"error: Authentication key ED25519 SHA256:abc revoked by file /etc/ssh/revoked":                     {Kind: authlog.Revoked, Type: "ED25519", Fingerprint: "SHA256:abc", File: "/etc/ssh/revoked"},
		"User dave from 192.0.2.7 not allowed because listed in DenyUsers":                                  {Kind: authlog.NotAllowed, User: "dave"},
		"Accepted publickey for root from 7.7.7.7":                                                          {},
		// Cut at 500 bytes: what stands at the end may be the client's.
		pad("Connection closed by invalid user ", " 6.6.6.6 port 6 [preauth]"):                                          {},
		pad("Connection closed by invalid user ", " 6.6.6.6 port 6 [preauth]"+strings.Repeat(" ", 90))[:410]:            {},
		pad("Failed password for invalid user ", " from 6.6.6.6 port 6 ssh2"):                                           {},
		pad("error: maximum authentication attempts exceeded for invalid user ", " from 6.6.6.6 port 6 ssh2 [preauth]"): {},
		cert: {
			Kind: authlog.Accepted, User: "a", Addr: "192.0.2.7", Port: 1, Method: "publickey", Type: "RSA-CERT", Fingerprint: "SHA256:key", IsCert: true,
			CertID: certID,
		},
		"Failed": {}, "": {}, " Accepted password for a from 192.0.2.7 port 9 ssh2": {}, "something new": {},
	} {
		t.Run(msg, func(t *testing.T) {
			if want.Count == 0 {
				want.Count = 1
			}
			if diff := cmp.Diff(want, parse(msg)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 25, 1, 0, time.UTC).Unix()
	for line, want := range map[string]string{
		"Nov 22 12:25:01 web01 sshd[7]: m":                                   "web01 7 m",
		"Nov 22 12:25:01 web01 sshd-session[7]: m":                           "web01 7 m",
		"Nov 22 12:25:01 web01 sshd-auth[7]: m":                              "web01 7 m",
		"2026-11-22T12:25:01.123456+00:00 web01 sshd[7]: m":                  "web01 7 m",
		"2026-11-22T13:25:01+01:00 web01 sshd[7]: m":                         "web01 7 m",
		"2026-11-22T12:25:01Z web01 sshd[7]: m":                              "web01 7 m",
		"2026-11-22 04:25:01.5-0800 web01 sshd[7]: m":                        "web01 7 m",
		"<38>Nov 22 12:25:01 web01 sshd[7]: m":                               "web01 7 m",
		"<38>1 2026-11-22T12:25:01Z web01 sshd 7 - - m":                      "web01 7 m",
		`<38>1 2026-11-22T12:25:01Z web01 sshd 7 ID [a b="]\" "][c d="e"] m`: "web01 7 m",
		"<38>1 2026-11-22T12:25:01Z - sshd 7 - -  m":                         " 7 m",
		"Nov 22 12:25:01 sshd[7]: m":                                         " 7 m",
		"Nov 22 12:25:01 web01 auth.info sshd[7]: m":                         "web01 7 m",
		"2026-11-22 13:25:01.123456+0100  web01 sshd[7]: m":                  "web01 7 m",
		"2026-11-22 13:25:01.123456+0100 web01  sshd[7]: m":                  "other",
		"Nov 31 12:25:01 web01 sshd[7]: m":                                   "unframed",
		"Nov 22 12:25:01 web01 su.x[7]: sshd[8]: m":                          "other",
		"Nov 22 12:25:01 web01 sshd[7]: m\r":                                 "web01 7 m",
		"Nov 22 12:25:01 web01 CRON[7]: sshd[8]: m":                          "other",
		"Nov 22 12:25:01 web01 sshd-keygen[7]: m":                            "other",
		"Nov 22 12:25:01 web01 sshdx[7]: m":                                  "other",
		"Nov 22 12:25:01 web01 sshd[]: mm":                                   "other",
		"Nov 22 12:25:01 web01 kernel: x":                                    "other",
		"Nov 32 12:25:01 web01 sshd[7]: m":                                   "unframed",
		"Nov 22 25:25:01 web01 sshd[7]: m":                                   "unframed",
		"Accepted password for root from 7.7.7.7 port 1 ssh2":                "unframed",
		"2026-02-30T12:25:01Z web01 sshd[7]: m":                              "unframed",
		"":                                                                   "unframed", "Nov": "unframed", "<38>": "unframed", "<<<<<<<<<<<<<<<<<<<<<<<<": "unframed",
	} {
		t.Run(line, func(t *testing.T) {
			var h authlog.Header
			got := ""
			switch authlog.NewClock(time.UTC, 2026).Parse([]byte(line), &h) {
			case authlog.SSHD:
				got = fmt.Sprintf("%s %d %s", h.Host, h.PID, h.Msg)
				if h.Time != at {
					t.Errorf("time %s", time.Unix(h.Time, 0).UTC())
				}
			case authlog.Other:
				got = "other"
			case authlog.Unframed:
				got = "unframed"
			}
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// FuzzLine feeds lines to header and message parser: nothing may panic, and what
// a line's header hides may not decide what it is.
func FuzzLine(f *testing.F) {
	for _, name := range captured(f) {
		lines := authlog.NewLines(open(f, name))
		for n := 0; ; n++ {
			line, ok := lines.Next()
			if !ok || n > 200 {
				break
			}
			f.Add(string(line))
		}
	}
	f.Fuzz(func(t *testing.T, line string) {
		var h authlog.Header
		var e authlog.Event
		clock := authlog.NewClock(time.UTC, 2026)
		if clock.Parse([]byte(line), &h) == authlog.SSHD {
			authlog.ParseMessage(h.Msg, &e)
			checkV4(t, &e)
		}
		checkAgain(t, line)
		if line != "" && line[0] == '{' {
			authlog.Journal([]byte(line), &h)
		}
		authlog.ParseMessage([]byte(line), &e)
		checkV4(t, &e)
		authlog.Bare([]byte(line))
		if e.Count == 0 {
			t.Error("an event that never happened")
		}
	})
}

// FuzzForgery puts a name that a client chose where sshd writes it. Whatever it
// holds, the message stays a failure of that name from the true address. sshd cuts
// names at a colon (auth2.c) and encodes control characters.
func FuzzForgery(f *testing.F) {
	for _, name := range []string{
		"", " ", "root", "u from 5.5.5.5 port 2 ssh2", "invalid user root", " from ", " [preauth]", "x from 1.2.3.4 port 5", "for", "port 7 ssh2",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		name, _, _ = strings.Cut(name, ":")
		name = name[:min(len(name), 187)] // see cutAt
		name = strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' || r == '\\' {
				return '.'
			}
			return r
		}, name)
		const from = "192.0.2.7 port 40000"
		for format, want := range map[string]said{
			"Failed password for invalid user %s from " + from + " ssh2": {Kind: authlog.Failed, Method: "password"},
			"Failed publickey for invalid user %s from " + from + " ssh2: RSA SHA256:x": {
				Kind: authlog.Failed, Method: "publickey", Type: "RSA", Fingerprint: "SHA256:x",
			},
			"Invalid user %s from " + from:                                {Kind: authlog.InvalidUser},
			"Connection closed by invalid user %s " + from + " [preauth]": {Kind: authlog.Closed},
		} {
			want.Count, want.Invalid, want.User, want.Addr, want.Port = 1, true, name, "192.0.2.7", 40000
			if diff := cmp.Diff(want, parse(fmt.Sprintf(format, name))); diff != "" {
				t.Errorf("%s\n%s", fmt.Sprintf(format, name), diff)
			}
		}
	})
}
