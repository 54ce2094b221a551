// Package severity ranks what a check finds: the one scale of all commands.
package severity

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is one of the ranks, by its name.
type Severity string

// The severities, lowest first. Info tells what could be better; from low on something does not work, or is not safe, as it
// stands.
const (
	Info     Severity = "info"
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// All are the severities, lowest first.
func All() []Severity { return []Severity{Info, Low, Medium, High, Critical} }

// Rank is a severity's place in All, -1 for what is none.
func (s Severity) Rank() int { return slices.Index(All(), s) }

// AtLeast says whether s is as severe as limit or more.
func (s Severity) AtLeast(limit Severity) bool { return s.Rank() >= limit.Rank() }

// Parse reads a severity's name, in any case.
func Parse(name string) (Severity, error) {
	if s := Severity(strings.ToLower(name)); s.Rank() >= 0 {
		return s, nil
	}
	return "", fmt.Errorf("severity %q is none of info, low, medium, high, critical", name)
}
