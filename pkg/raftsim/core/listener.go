package core

import (
	"fmt"
	"strings"
)

// Role is what a node is.
type Role string

// Roles of Raft, and of etcd's PreVote.
const (
	Follower     Role = "follower"
	PreCandidate Role = "pre-candidate"
	Candidate    Role = "candidate"
	Leader       Role = "leader"
)

// Ballot is how a node took a request for its vote.
type Ballot struct {
	Candidate uint64
	Term      uint64 // of the node
	Pre       bool   // it was MsgPreVote
	Granted   bool
	Why       string // "" where granted
	// TicksLeft of the lease that the node gave to its leader, which is why it ignored the request.
	TicksLeft int
}

// Observer is told what the core says of itself, at the moment when it happens: between two Readies a node may have become leader
// and follower again.
type Observer interface {
	// Became says that the node is something else, or the same in another term.
	Became(role Role, term uint64)
	// Voted says how it took a request for its vote.
	Voted(b Ballot)
	// LostQuorum says that a leader steps down since it did not hear from a majority (CheckQuorum).
	LostQuorum()
}

// listener is the core's logger. The texts are formats of raft.go; a test has the core say each of them.
type listener struct{ observer Observer }

func (l *listener) Infof(format string, args ...any) {
	_, text, _ := strings.Cut(format, "%x ")
	switch {
	case strings.HasPrefix(text, "became "):
		name, _, _ := strings.Cut(text[len("became "):], " ")
		l.observer.Became(Role(name), number(args, 1))
	case strings.HasPrefix(text, "[logterm: "):
		l.ballot(text, args)
	}
}

func (l *listener) Warningf(format string, _ ...any) {
	if strings.HasSuffix(format, "stepped down to follower since quorum is not active") {
		l.observer.LostQuorum()
	}
}

// ballot takes "[logterm: %d, index: %d, vote: %x] VERB %s from %x [logterm: %d, index: %d] at term %d".
func (l *listener) ballot(text string, args []any) {
	_, verb, _ := strings.Cut(text, "] ")
	verb, _, _ = strings.Cut(verb, " ")
	if len(args) < 9 || verb == "sent" {
		return
	}
	b := Ballot{Candidate: number(args, 5), Term: number(args, 8), Granted: verb == "cast", Pre: fmt.Sprint(args[4]) == "MsgPreVote"}
	switch vote, lastTerm, theirTerm := number(args, 3), number(args, 1), number(args, 6); {
	case verb == "ignored":
		b.TicksLeft = int(number(args, 9))
		b.Why = "it has heard from its leader within the election timeout"
	case b.Granted:
	case theirTerm < lastTerm || theirTerm == lastTerm && number(args, 7) < number(args, 2):
		b.Why = "its log is longer"
	case vote != 0 && vote != b.Candidate:
		b.Why = fmt.Sprintf("it has voted for n%d", vote)
	default:
		b.Why = "it is in a later term, or has a leader"
	}
	l.observer.Voted(b)
}

func number(args []any, i int) uint64 {
	if i >= len(args) {
		return 0
	}
	switch n := args[i].(type) {
	case uint64:
		return n
	case int:
		return uint64(max(n, 0))
	}
	return 0
}

// A core that panics ends the simulated run, which reports it.
func (l *listener) Panic(v ...any)                 { panic(fmt.Sprint(v...)) }
func (l *listener) Panicf(format string, v ...any) { panic(fmt.Sprintf(format, v...)) }
func (l *listener) Fatal(v ...any)                 { panic(fmt.Sprint(v...)) }
func (l *listener) Fatalf(format string, v ...any) { panic(fmt.Sprintf(format, v...)) }

func (*listener) Debug(...any)          {}
func (*listener) Debugf(string, ...any) {}
func (*listener) Error(...any)          {}
func (*listener) Errorf(string, ...any) {}
func (*listener) Info(...any)           {}
func (*listener) Warning(...any)        {}
