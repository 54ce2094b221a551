package sshaudit

import (
	"slices"

	"github.com/opsctl/opsctl/pkg/severity"
)

// Rule is a kind of finding.
type Rule struct {
	ID       string
	Severity severity.Severity
	Means    string // with its threshold
}

// Rules lists the kinds of findings; the documentation's table is made of it.
func Rules() []Rule {
	return []Rule{
		{"brute-force-then-success", severity.Critical, "a login from an address after a brute-force burst of it on that host"},
		{"unknown-key", severity.High, "a login with a key that no key file of the host holds"},
		{"outside-from", severity.High, "a login from an address that the key's from= does not permit; medium when sshd refused it"},
		{"unverifiable-log", severity.High, "a log in which a client can forge whole lines (sshd -E, -e), or journal entries that only claim to be sshd's"},
		{"brute-force", severity.Medium, "20 failures of one address on one host within 10 minutes"},
		{"password-login", severity.Medium, "a login without a key: password or keyboard-interactive"},
		{"root-login", severity.Medium, "a login as root"},
		{"new-ip", severity.Medium, "a login from an address that the user does not have in --baseline"},
		{"weak-key", severity.Medium, "an RSA key below --min-rsa bits (3072) that can log in"},
		{"dsa-key", severity.Medium, "a DSA key (ssh-dss)"},
		{"bad-permissions", severity.Medium, "a key file or a folder above it that others may write: StrictModes refuses it"},
		{"shared-key", severity.Low, "one key that opens several accounts of a host"},
		{"unused-key", severity.Low, "no login with the key for --unused-after (90 days), where the logs reach back that far"},
		{"dead-key", severity.Low, "a line that sshd refuses whoever holds the key"},
		{"expired-key", severity.Low, "a line past its expiry-time"},
	}
}

func severityOf(id string) severity.Severity {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	return rules[i].Severity
}

// Exceeds tells whether a finding is at or above a severity; never for "".
func (d *Document) Exceeds(limit severity.Severity) bool {
	return limit != "" && slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Severity.AtLeast(limit) })
}
