package sshaudit

import (
	"strings"

	"github.com/opsctl/opsctl/pkg/authlog"
)

// Reason says why an attempt was refused.
type Reason uint8

// The reasons: a refused method, a name that is no account (or one that may not
// log in: sshd words both alike), or a user who left before getting in.
const (
	ReasonNone Reason = iota
	ReasonInvalidUser
	ReasonPassword
	ReasonPublickey
	ReasonKeyboardInteractive
	ReasonHostbased
	ReasonGSSAPI
	ReasonOther
	ReasonGaveUp
	reasons // their number
)

// String gives the reason's name in documents.
func (r Reason) String() string {
	return [...]string{
		"", "invalid-user", "password", "publickey", "keyboard-interactive", "hostbased", "gssapi", "other", "gave-up",
	}[r]
}

// reasonOf classifies a Failed line. The method "none" only asks which methods there
// are (RFC 4252, section 5.2) and is no attempt.
func reasonOf(e *authlog.Event) (Reason, bool) {
	switch {
	case string(e.Method) == "none":
		return ReasonNone, false
	case e.Invalid:
		return ReasonInvalidUser, true
	case string(e.Method) == "password":
		return ReasonPassword, true
	}
	base, _, _ := strings.Cut(string(e.Method), "/")
	switch base {
	case "publickey":
		return ReasonPublickey, true
	case "keyboard-interactive":
		return ReasonKeyboardInteractive, true
	case "hostbased":
		return ReasonHostbased, true
	case "gssapi-with-mic", "gssapi-keyex":
		return ReasonGSSAPI, true
	}
	return ReasonOther, true
}

func endReason(e *authlog.Event) Reason {
	if e.Invalid {
		return ReasonInvalidUser
	}
	return ReasonGaveUp
}
