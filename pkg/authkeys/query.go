package authkeys

import (
	"net/netip"
	"time"
)

// Query is a login to be judged.
type Query struct {
	User     string
	From     netip.Addr // the client's address; the zero value asks for any address
	HostName string     // the client's name by reverse lookup, used only when UseDNS is on; "" is none
	Local    netip.Addr // the address logged in to, for Match LocalAddress; zero is unknown
	Port     int        // the port logged in to, for Match LocalPort; 0 is 22
	Key      string     // what FingerprintOf takes; a certificate by its file or text; "" asks for all keys
	Now      time.Time  // zero is the time of Read
}

// Verdict is what sshd would answer to a Query.
type Verdict struct {
	User    string `json:"user"`
	From    string `json:"from,omitempty"`
	Allowed bool   `json:"allowed"`
	File    string `json:"file,omitempty"` // of the first candidate that gets in
	Line    int    `json:"line,omitempty"`
	Reason  string `json:"reason"` // why nobody gets in, or how the first one does
	// NeedsVerification says that the login also takes a security key that verifies its user, by PIN or
	// finger (verify-required); whether it can is not known here.
	NeedsVerification bool        `json:"needsVerification,omitempty"`
	Candidates        []Candidate `json:"candidates"`
}

// Candidate is one line that was considered, in sshd's order.
type Candidate struct {
	File        string `json:"file"`
	Line        int    `json:"line"`
	Fingerprint string `json:"fingerprint"` // SHA256:..., of the key or of the authority
	Type        string `json:"type"`
	Bits        int    `json:"bits"`
	Comment     string `json:"comment"`
	CA          bool   `json:"ca"` // an authority, which stands for the certificates that it signed
	Allowed     bool   `json:"allowed"`
	Reason      string `json:"reason"` // how, or the first reason why not
	// NeedsVerification is as in Verdict.
	NeedsVerification bool `json:"needsVerification,omitempty"`
}
