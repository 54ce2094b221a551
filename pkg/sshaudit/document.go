package sshaudit

import (
	"time"

	"github.com/opsctl/opsctl/pkg/severity"
)

// Document is the result of an audit. Lists are never null, times are UTC.
type Document struct {
	Coverage Coverage  `json:"coverage"`
	Keys     []Key     `json:"keys"`
	Logins   []Login   `json:"logins"`
	Failures Failures  `json:"failures"`
	Findings []Finding `json:"findings"`
}

// Coverage says what the verdicts rest on.
type Coverage struct {
	From          *time.Time     `json:"from"` // of all lines read; null without stamps
	To            *time.Time     `json:"to"`
	Since         *time.Time     `json:"since"` // lines before it were passed over; null for none
	Until         *time.Time     `json:"until"` // lines from it on were passed over; null for none
	Files         []FileCoverage `json:"files"`
	Hosts         []HostCoverage `json:"hosts"`
	NotUnderstood int64          `json:"notUnderstood"` // lines of sshd in no known form
	// HostsWithoutKeys names the hosts in the logs whose key files were not read:
	// none of their keys is called unknown.
	HostsWithoutKeys []string `json:"hostsWithoutKeys"`
	KeySource        string   `json:"keySource"` // "sshd -T", "sshd_config", "defaults", "explicit"
	// Notes say, in words, what the logs and files cannot tell.
	Notes []string `json:"notes"`
}

// HostCoverage is what the logs hold of one host.
type HostCoverage struct {
	Host     string    `json:"host"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Lines    uint64    `json:"sshdLines"`
	Accepted uint64    `json:"accepted"` // logins
	KeysRead bool      `json:"keysRead"`
}

// KeyStatus says whether a key is in use.
type KeyStatus string

// The states of a key.
const (
	Used    KeyStatus = "used"
	Unused  KeyStatus = "unused"  // no login for --unused-after, and the logs reach back that far
	Unknown KeyStatus = "unknown" // in no file that was read, or the logs cannot tell whether it is used
	Dead    KeyStatus = "dead"    // sshd would refuse it everywhere it stands
)

// Key is a public key, or a certificate authority, with all its places and uses.
type Key struct {
	Host          string     `json:"host"`
	Fingerprint   string     `json:"fingerprint"` // SHA256:..., or as logged
	Type          string     `json:"type"`
	Bits          int        `json:"bits"` // 0: unknown, the key itself was not seen
	Comment       string     `json:"comment"`
	CertAuthority bool       `json:"certAuthority"`
	Status        KeyStatus  `json:"status"`
	Reason        string     `json:"reason"` // why unknown, unused or dead
	Locations     []Location `json:"locations"`
	Logins        uint64     `json:"logins"`
	Users         []string   `json:"users"` // who logged in with it
	IPs           []string   `json:"ips"`
	FirstSeen     *time.Time `json:"firstSeen"`
	LastSeen      *time.Time `json:"lastSeen"`
}

// Proof says how a login's line is known.
type Proof string

// The proofs.
const (
	// Logged: sshd wrote "found at FILE:LINE" (LogLevel VERBOSE).
	Logged Proof = "logged"
	// Inferred: the key that was logged stands there now.
	Inferred Proof = "inferred"
)

// Location is a line that holds a key.
type Location struct {
	Host    string `json:"host"`
	User    string `json:"user"` // whose file it is; "" for all, or unknown
	File    string `json:"file"`
	Line    int    `json:"line"`
	Comment string `json:"comment"`
	Options string `json:"options"` // as written before the key
	Proof   Proof  `json:"proof"`
	Dead    string `json:"dead,omitempty"` // why sshd refuses this line
}

// Certificate identifies the certificate of a login.
type Certificate struct {
	ID     string `json:"id"`
	Serial uint64 `json:"serial,string"` // up to 2^64-1: a string, for readers with 53-bit numbers
	CAType string `json:"caType"`
	CA     string `json:"ca"` // the signer's fingerprint; "" where syslog cut the line
}

// Login is all logins that differ in nothing but their time.
type Login struct {
	Host        string       `json:"host"`
	User        string       `json:"user"`
	IP          string       `json:"ip"`
	Method      string       `json:"method"`
	Fingerprint string       `json:"fingerprint"`
	KeyType     string       `json:"keyType"`
	Certificate *Certificate `json:"certificate"`
	Count       uint64       `json:"count"`
	First       time.Time    `json:"first"`
	Last        time.Time    `json:"last"`
	Location    *Location    `json:"location"` // null where no file that was read explains it
	Evidence    []Evidence   `json:"evidence"` // the first and the last line
}

// Evidence is a line that shows a thing, of a log or a key file.
type Evidence struct {
	Host string `json:"host"`
	File string `json:"file"`
	Line int64  `json:"line"` // 0: the file as a whole
}

// Failures are the refused attempts. Those of connections that became a login
// are not among them.
type Failures struct {
	Total    uint64            `json:"total"`
	ByReason map[string]uint64 `json:"byReason"`
	Rows     []Failure         `json:"rows"` // the largest first
	// Truncated tells that rows is not all: there are more than Options.Top, or
	// an attack brought so many names or addresses that rows were merged. The totals
	// are exact all the same.
	Truncated bool   `json:"truncated"`
	Distinct  int    `json:"distinctRows"`
	Detail    string `json:"detail"` // what rows tell apart: "user", "known-user", "address", "network", "wide-network", "host"
}

// Failure counts the refused attempts that differ in nothing but their time.
type Failure struct {
	Host   string `json:"host"`
	IP     string `json:"ip"`   // an address; a network in CIDR form where addresses were merged; "" for all
	User   string `json:"user"` // as sshd wrote it
	Merged bool   `json:"merged"`
	// Merged rows stand for several users (User is "") or addresses.
	Reason string    `json:"reason"`
	Count  uint64    `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// Finding is something to look at.
type Finding struct {
	ID       string            `json:"id"`
	Severity severity.Severity `json:"severity"`
	Subject  string            `json:"subject"`
	Message  string            `json:"message"`
	Evidence []Evidence        `json:"evidence"`
	Remedy   string            `json:"remedy"`

	scope scope
}

// scope is what the filters look at.
type scope struct {
	always bool // shown whatever is selected
	host   string
	users  []string
	ips    []string
	keys   []string
}
