// Package keyline reads one line of an authorized_keys file as sshd reads it: options, key type, key
// and comment, with the same lines accepted and the same ones refused. It follows
// sshauthopt_parse() in auth-options.c, sshkey_read() in sshkey.c and parse_absolute_time() in
// misc.c of OpenSSH 9.2 to 10.0.
package keyline

import "time"

// Options are what stands before the key in a line, or before the principal in an authorized
// principals file. A nil pointer means that the option is absent, which sshd tells apart from an
// empty value.
type Options struct {
	Raw               string     `json:"raw,omitempty"` // as written
	CertAuthority     bool       `json:"certAuthority,omitempty"`
	Restrict          bool       `json:"restrict,omitempty"`
	Command           *string    `json:"command,omitempty"`
	From              *string    `json:"from,omitempty"`       // patterns as match_host_and_ip() takes them
	Principals        *string    `json:"principals,omitempty"` // comma separated
	Expiry            *time.Time `json:"expiry,omitempty"`     // the earliest expiry-time; the second itself is still valid
	Environment       []string   `json:"environment,omitempty"`
	PermitOpen        []string   `json:"permitOpen,omitempty"`
	PermitListen      []string   `json:"permitListen,omitempty"`
	Tunnel            *string    `json:"tunnel,omitempty"`
	NoPortForwarding  bool       `json:"noPortForwarding,omitempty"`
	NoAgentForwarding bool       `json:"noAgentForwarding,omitempty"`
	NoX11Forwarding   bool       `json:"noX11Forwarding,omitempty"`
	NoPTY             bool       `json:"noPty,omitempty"`
	NoUserRC          bool       `json:"noUserRc,omitempty"`
	NoTouchRequired   bool       `json:"noTouchRequired,omitempty"`
	VerifyRequired    bool       `json:"verifyRequired,omitempty"`
}
