// Package sshdconfig reads sshd_config as sshd reads it, with Include and Match, and the output of
// sshd -T. It follows servconf.c of OpenSSH 9.2 to 10.0.
package sshdconfig

import "time"

// Config is the part of sshd's settings that decides about public keys and about what is logged, for
// one connection when Match blocks were applied, else for all.
type Config struct {
	PubkeyAuthentication      bool          `json:"pubkeyAuthentication"`
	PasswordAuthentication    bool          `json:"passwordAuthentication"`
	KbdInteractive            bool          `json:"kbdInteractiveAuthentication"`
	AuthorizedKeysFiles       []string      `json:"authorizedKeysFiles"` // with tokens, as configured
	AuthorizedKeysCommand     string        `json:"authorizedKeysCommand,omitempty"`
	AuthorizedKeysCommandUser string        `json:"authorizedKeysCommandUser,omitempty"`
	AuthorizedPrincipalsFile  string        `json:"authorizedPrincipalsFile,omitempty"`
	AuthorizedPrincipalsCmd   string        `json:"authorizedPrincipalsCommand,omitempty"`
	AuthorizedPrincipalsUser  string        `json:"authorizedPrincipalsCommandUser,omitempty"`
	TrustedUserCAKeys         string        `json:"trustedUserCAKeys,omitempty"`
	RevokedKeys               string        `json:"revokedKeys,omitempty"`
	AllowUsers                []string      `json:"allowUsers,omitempty"`
	DenyUsers                 []string      `json:"denyUsers,omitempty"`
	AllowGroups               []string      `json:"allowGroups,omitempty"`
	DenyGroups                []string      `json:"denyGroups,omitempty"`
	AuthenticationMethods     []string      `json:"authenticationMethods,omitempty"` // nil is any
	PermitRootLogin           string        `json:"permitRootLogin"`                 // yes, no, without-password, forced-commands-only
	StrictModes               bool          `json:"strictModes"`
	UsePAM                    bool          `json:"usePAM"`
	UseDNS                    bool          `json:"useDNS"`
	ExposeAuthInfo            bool          `json:"exposeAuthInfo"`
	TouchRequired             bool          `json:"touchRequired,omitempty"`  // PubkeyAuthOptions
	VerifyRequired            bool          `json:"verifyRequired,omitempty"` // PubkeyAuthOptions
	RequiredRSASize           int           `json:"requiredRSASize"`
	PubkeyAcceptedAlgorithms  []string      `json:"pubkeyAcceptedAlgorithms"` // expanded, no patterns left
	CASignatureAlgorithms     []string      `json:"caSignatureAlgorithms"`    // expanded, no patterns left
	ForceCommand              string        `json:"forceCommand,omitempty"`
	ChrootDirectory           string        `json:"chrootDirectory,omitempty"`
	LoginGraceTime            time.Duration `json:"loginGraceTimeNanoseconds"` // 0 is no limit
	LogLevel                  string        `json:"logLevel"`                  // upper case
	SyslogFacility            string        `json:"syslogFacility"`            // upper case
	FingerprintHash           string        `json:"fingerprintHash"`           // sha256 or md5
	MaxAuthTries              int           `json:"maxAuthTries"`
	RefuseConnection          bool          `json:"refuseConnection,omitempty"`
	Ports                     []int         `json:"ports"`
}
