// Package authkeys answers who can log in to a host with a public key: it reads every account's
// authorized_keys files, the trusted certificate authorities and the revocation lists with sshd's own
// rules, and says for each key by which line it opens which account, or why it opens none.
//
// Nothing is written and nothing is run, but for getent and sshd -T on the live host, and for
// AuthorizedKeysCommand when the caller asks for it.
package authkeys

import (
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/sshdconfig"
	"github.com/opsctl/opsctl/pkg/host"
)

// Options says what Read reads.
//
// Permissions (StrictModes) are judged as sshd would, but for Explicit files, and for a folder taken as a
// host that does not belong to root: owners in it are not the host's.
type Options struct {
	Host           *host.Host     // whose files; nil is the local machine
	Now            time.Time      // decides what is expired; zero is time.Now
	Location       *time.Location // sshd's time zone, for expiry-time without Z; nil is the host's own
	ConfigFile     string         // sshd's configuration; "" is /etc/ssh/sshd_config
	SSHDPath       string         // the program for sshd -T on the live host; "" is /usr/sbin/sshd
	RunKeysCommand bool           // run AuthorizedKeysCommand for every account, live host only
	Explicit       []string       // files and folders on the local file system to read instead of the accounts' files
}

// Config is sshd's configuration as far as it concerns keys.
type Config = sshdconfig.Config

// LineOptions are the options before a key.
type LineOptions = keyline.Options

// Set is everything that was read from one host.
type Set struct {
	Host           string    `json:"host"`
	Keys           []Key     `json:"keys"` // one per location: host, user, file, line
	CAs            []CA      `json:"cas"`
	Accounts       []Account `json:"accounts"`
	Problems       []Problem `json:"problems"`
	Config         *Config   `json:"config"` // of the main section, without Match blocks
	Source         string    `json:"source"` // sshd -T, sshd_config, defaults, explicit
	HasKeysCommand bool      `json:"hasKeysCommand"`
	Read           bool      `json:"read"` // whether any key file could be looked at: without it no key can be called unknown

	site *site // for WhoCan; nil in a Set that Read did not make
}

// Key is one line that holds a public key, in one account's file.
type Key struct {
	Host          string      `json:"host"`
	User          string      `json:"user"` // "" when a file was given that belongs to no account
	File          string      `json:"file"`
	Line          int         `json:"line"`
	Type          string      `json:"type"` // ssh-ed25519 ...
	Bits          int         `json:"bits"`
	Comment       string      `json:"comment"`
	SHA256        string      `json:"sha256"` // as logged: SHA256:..., without padding
	MD5           string      `json:"md5"`    // as logged: MD5:aa:bb...
	Blob          []byte      `json:"blob"`
	Options       LineOptions `json:"options"`
	CertAuthority bool        `json:"certAuthority"`
	Dead          string      `json:"dead,omitempty"` // why it can open nothing, whoever holds it and from wherever; "" is alive
	DeadKind      DeadKind    `json:"deadKind,omitempty"`
	Expiry        time.Time   `json:"expiry,omitzero"`
}

// DeadKind is the class of the reason why a key opens nothing.
type DeadKind string

// The classes of dead keys. The first that applies is given.
const (
	DeadMalformed       DeadKind = "malformed"        // the line holds no key that sshd can read
	DeadBOM             DeadKind = "bom"              // a byte order mark before the first line
	DeadUnknownOption   DeadKind = "unknown-option"   // an option that sshd does not know
	DeadInvalidOption   DeadKind = "invalid-option"   // an option whose value sshd refuses
	DeadTypeUnsupported DeadKind = "type-unsupported" // a key type this sshd does not know, or a certificate in a key's place
	DeadTooSmall        DeadKind = "too-small"        // below RequiredRSASize
	DeadTypeRefused     DeadKind = "type-refused"     // not in PubkeyAcceptedAlgorithms
	DeadRevoked         DeadKind = "revoked"
	DeadExpired         DeadKind = "expired"     // expiry-time
	DeadPermissions     DeadKind = "permissions" // StrictModes refuses the file
	DeadUserDenied      DeadKind = "user-denied" // the account cannot log in with any key
	DeadPubkeyOff       DeadKind = "pubkey-off"  // PubkeyAuthentication no
)

// CA is a certificate authority that can open accounts.
type CA struct {
	Host    string      `json:"host"`
	User    string      `json:"user,omitempty"` // "" for TrustedUserCAKeys, which holds for all accounts
	File    string      `json:"file"`
	Line    int         `json:"line"`
	Type    string      `json:"type"`
	Bits    int         `json:"bits"`
	Comment string      `json:"comment"`
	SHA256  string      `json:"sha256"`
	MD5     string      `json:"md5"`
	Blob    []byte      `json:"blob"`
	Options LineOptions `json:"options,omitzero"`
	Dead    string      `json:"dead,omitempty"`
}

// Account is a user of the host.
type Account struct {
	Name       string   `json:"name"`
	UID        uint32   `json:"uid"`
	GID        uint32   `json:"gid"`
	Home       string   `json:"home"`
	Shell      string   `json:"shell"`
	Groups     []string `json:"groups"`            // primary and supplementary, by name
	Refused    string   `json:"refused,omitempty"` // why sshd lets nobody in, from wherever; "" when it may
	Locked     bool     `json:"locked"`            // the password is locked; keys still work when UsePAM is on
	LoginShell bool     `json:"loginShell"`        // false for nologin and false: keys authenticate, forwarding may work
	Files      []string `json:"files"`             // the effective authorized_keys files, in sshd's order
}

// Problem is something about the files that the owner should know.
type Problem struct {
	Host    string      `json:"host"`
	Kind    ProblemKind `json:"kind"`
	File    string      `json:"file,omitempty"`
	Line    int         `json:"line,omitempty"`
	User    string      `json:"user,omitempty"`
	Message string      `json:"message"`
	Remedy  string      `json:"remedy,omitempty"` // a command, or a sentence
}

// ProblemKind is the class of a problem.
type ProblemKind string

// The classes of problems.
const (
	ProblemPermissions  ProblemKind = "bad-permissions"
	ProblemUnreadable   ProblemKind = "unreadable"
	ProblemDirective    ProblemKind = "unknown-directive"    // sshd does not start with it
	ProblemDeprecated   ProblemKind = "deprecated-directive" // sshd ignores it
	ProblemConfig       ProblemKind = "bad-config"           // sshd does not start with it
	ProblemKeysCommand  ProblemKind = "keys-command"         // keys come from a program that was not run
	ProblemRevoked      ProblemKind = "revoked-keys"         // the revocation list refuses every key
	ProblemTrustedCA    ProblemKind = "trusted-ca"           // a line that ends sshd's search for authorities
	ProblemAccounts     ProblemKind = "accounts"
	ProblemCommandError ProblemKind = "keys-command-failed"
	ProblemLine         ProblemKind = "malformed-line" // a line in which sshd finds no key
	ProblemCopy         ProblemKind = "not-judged"     // owners and modes are not the host's
)
