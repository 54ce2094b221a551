package authlog

// Kind says what an event reports.
type Kind uint8

// The kinds of events. Lines of sshd that say nothing about who may log in
// (session bookkeeping, PAM's own lines) are Noise; lines in no form that this
// package knows are Unknown.
const (
	Unknown     Kind = iota
	Noise            // understood, and of no interest to an audit
	Accepted         // a login: User, Addr, Port, Method, and the key where logged
	Failed           // a refused attempt: User, Invalid, Addr, Port, Method
	InvalidUser      // an attempt with a name that is no account: User, Addr, Port
	NotAllowed       // an account that may not log in: User
	Opened           // a connection began: Addr, Port
	Closed           // a connection ended before a login: Addr, Port, perhaps User
	Found            // a key was found in a file: Type, Fingerprint, File, Line
	WrongAddr        // a good key from an address outside its from=: User, Addr, File, Line
	BadModes         // StrictModes refused a file or folder: File
	Revoked          // a revoked key was tried: Type, Fingerprint, File
)

// Event is what one message says. The slices point into the parsed message.
// Text that a client chose (User, CertID) is as sshd wrote it: control
// characters in vis(3) form, names cut at 100 bytes.
type Event struct {
	Kind   Kind
	Count  uint32 // how often: above 1 for "message repeated N times"
	User   []byte
	Addr   []byte // IP address, or with UseDNS a host name
	V4     uint32 // Addr as a number where IsV4, else 0
	IsV4   bool   // Addr is a dotted quad of octets of one to three digits, 255 at most
	Port   uint16
	Method []byte // "publickey", "password", "keyboard-interactive/pam" ...
	// Invalid tells that User is no account of the host.
	Invalid bool

	Type        []byte // "ED25519", "RSA", "ECDSA-CERT" ...: sshkey_type's names
	Fingerprint []byte // "SHA256:...", "MD5:aa:bb", or bare hexadecimal pairs
	CertID      []byte // a certificate's key ID
	Serial      uint64 // a certificate's serial
	IsCert      bool
	CAType, CA  []byte // the certificate's signer: type and fingerprint

	File []byte
	Line uint32

	keyed bool // any of the fields from Type on may be set
}

// reset clears an event. Only few kinds fill the fields about keys and files.
func (e *Event) reset() {
	if e.keyed {
		*e = Event{}
	}
	e.Kind, e.Count, e.Invalid = Unknown, 1, false
	e.User, e.Addr, e.Method, e.Port = nil, nil, nil, 0
	e.V4, e.IsV4 = 0, false
}

// setAddr sets the address, as text and as a number.
func (e *Event) setAddr(text []byte) {
	e.Addr = text
	e.V4, e.IsV4 = parseV4(text)
}
