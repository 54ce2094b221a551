package sshaudit

import (
	"fmt"
	"slices"
	"strings"
)

// Severity ranks findings.
type Severity string

// The severities, in rising order.
const (
	Info     Severity = "info"
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Severities lists them in rising order.
func Severities() []Severity { return []Severity{Info, Low, Medium, High, Critical} }

func (s Severity) rank() int { return slices.Index(Severities(), s) }

// ParseSeverity reads a severity's name.
func ParseSeverity(name string) (Severity, error) {
	if s := Severity(strings.ToLower(name)); s.rank() >= 0 {
		return s, nil
	}
	return "", fmt.Errorf("severity %q is none of info, low, medium, high, critical", name)
}

// Rule is a kind of finding.
type Rule struct {
	ID       string
	Severity Severity
	Means    string // with its threshold
}

// Rules lists the kinds of findings; the documentation's table is made of it.
func Rules() []Rule {
	return []Rule{
		{"brute-force-then-success", Critical, "a login from an address after a brute-force burst of it on that host"},
		{"unknown-key", High, "a login with a key that no key file of the host holds"},
		{"outside-from", High, "a login from an address that the key's from= does not permit; medium when sshd refused it"},
		{"unverifiable-log", High, "a log in which a client can forge whole lines (sshd -E, -e), or journal entries that only claim to be sshd's"},
		{"brute-force", Medium, "20 failures of one address on one host within 10 minutes"},
		{"password-login", Medium, "a login without a key: password or keyboard-interactive"},
		{"root-login", Medium, "a login as root"},
		{"new-ip", Medium, "a login from an address that the user does not have in --baseline"},
		{"weak-key", Medium, "an RSA key below --min-rsa bits (3072) that can log in"},
		{"dsa-key", Medium, "a DSA key (ssh-dss)"},
		{"bad-permissions", Medium, "a key file or a folder above it that others may write: StrictModes refuses it"},
		{"shared-key", Low, "one key that opens several accounts of a host"},
		{"unused-key", Low, "no login with the key for --unused-after (90 days), where the logs reach back that far"},
		{"dead-key", Low, "a line that sshd refuses whoever holds the key"},
		{"expired-key", Low, "a line past its expiry-time"},
	}
}

func severityOf(id string) Severity {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	return rules[i].Severity
}

// Exceeds tells whether a finding is at or above a severity; never for "".
func (d *Document) Exceeds(limit Severity) bool {
	return limit != "" && slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Severity.rank() >= limit.rank() })
}
