package fault

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the fault as [Parse] reads it.
func (f Fault) String() string {
	s, _ := shapeOf(f.Kind)
	text := string(f.Kind)
	switch s.targets {
	case targetTo:
		if len(f.To) > 0 {
			text += " to " + list(f.To)
		}
	case targetNone:
	default:
		text += " " + list(f.From)
		if len(f.To) > 0 {
			text += map[string]string{targetSides: " | ", targetLink: " -> "}[s.targets] + list(f.To)
		}
	}
	switch s.by {
	case byDuration:
		text += " by " + f.Amount.String()
	case byShare:
		text += " by " + shareText(f.Factor)
	case bySpeed:
		text += " by " + strconv.FormatFloat(f.Factor, 'g', -1, 64) + "x"
	}
	text += " @" + f.At.String()
	if f.Election > 0 {
		text += " " + electionWord(f.Election) + "+" + f.Behind.String()
	}
	if f.For > 0 {
		text += " for " + f.For.String()
	}
	if f.Until {
		text += " until election"
	}
	return text
}

// electionWord is the nth election.
func electionWord(n int) string {
	if n == 1 {
		return "election"
	}
	return "election" + strconv.Itoa(n)
}

// shareText is a share in per cent, or as it is where that would be read as another number.
func shareText(v float64) string {
	text := strconv.FormatFloat(v*100, 'g', 6, 64) + "%"
	if again, err := share(text); err == nil && again == v {
		return text
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func list(targets []Target) string {
	if len(targets) == 0 {
		return everybody
	}
	words := make([]string, len(targets))
	for i, t := range targets {
		words[i] = t.String()
	}
	return strings.Join(words, ",")
}

// String is the target as [Parse] reads it.
func (t Target) String() string {
	switch {
	case t.Node != 0:
		return fmt.Sprintf("n%d", t.Node)
	case t.Zone != "":
		return "zone:" + t.Zone
	}
	return string(t.Role)
}

// Help describes the faults and how they are written, in 80 columns: all kinds, each with an example.
func Help() string {
	var b strings.Builder
	b.WriteString(`A fault is what is done, to whom, how much of it, when, and for how long:

  KIND WHOM [by AMOUNT] @WHEN [for TIME] [until election]

WHOM     a node, or several with commas between them: n1,n2
           n1           the first node; those that join later go on counting
           zone:eu-1    all nodes of a zone of the topology
           zone:leader  all nodes of the zone that the leader is in
           leader       who leads when the fault begins
           follower     a member that does not lead, by chance
           random       any member, by chance
           majority     as few members as make one, by chance
           minority     the most members that make none, by chance
           all          all links, where messages are meant
AMOUNT   a time (50ms), a share (5%), or the speed of a clock (1.5x)
WHEN     since the start: @10s. With election behind it, a fault waits for
         somebody to win an election from then on, and begins with that, or
         some time later: @10s election+5ms; election2 is the second one
TIME     how long it lasts; without it, the fault stays until the run ends.
         Behind it, or in its place, "until election" ends the fault as soon as
         somebody wins an election: isolate leader @10s until election
`)
	group := ""
	for _, s := range shapes() {
		if s.group != group {
			group = s.group
			fmt.Fprintf(&b, "\n%s\n", group)
		}
		fmt.Fprintf(&b, "  %-13s  %s\n%17s%s\n", s.kind, strings.ReplaceAll(s.says, "\n", "\n"+strings.Repeat(" ", 17)), "", s.example)
	}
	b.WriteString(`
A file for --nemesis has one fault a line; what follows # is a remark:

  # The leader dies, and the next one as soon as it is elected.
  kill leader @5s for 4s
  kill leader @5s election+2ms for 4s
`)
	return b.String()
}
