package raftplay

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/opsctl/opsctl/pkg/inert"
	"github.com/opsctl/opsctl/pkg/raftsim/trace"
)

// document is what the page's script reads. Events are packed, see packer; what repeats in them stands in tables.
type document struct {
	Seed      string        `json:"seed"` // as text: it may have more digits than a number in a script
	Duration  time.Duration `json:"duration"`
	Heartbeat time.Duration `json:"heartbeat"`
	Election  time.Duration `json:"election"`
	Omitted   int           `json:"omitted"`
	Nodes     []docNode     `json:"nodes"`
	Kinds     []string      `json:"kinds"`
	Messages  []string      `json:"messages"`
	Texts     []string      `json:"texts"`
	Count     int           `json:"count"`
	Events    string        `json:"events"`
}

type docNode struct {
	ID   uint64 `json:"id"`
	Name string `json:"name"`
	Zone string `json:"zone,omitempty"`
	In   bool   `json:"in"` // a member from the beginning
}

// encode is the recording as JSON in which <, > and & are escapes, so that no name can end the element that holds it.
func encode(rec *trace.Recording) ([]byte, error) {
	d := document{
		Seed: digits(rec.Seed), Duration: end(rec), Heartbeat: rec.HeartbeatInterval, Election: rec.ElectionTimeout, Omitted: rec.Omitted,
		Nodes: []docNode{}, Count: len(rec.Events),
	}
	for _, m := range members(rec) {
		d.Nodes = append(d.Nodes, docNode{m.ID, m.Name, inert.String(m.Zone), m.in})
	}
	var p packer
	for _, e := range inOrder(rec.Events) {
		p.event(e)
	}
	d.Kinds, d.Messages, d.Texts = p.kinds.all(), p.messages.all(), p.texts.all()
	d.Events = base64.StdEncoding.EncodeToString(p.bytes)
	return json.Marshal(d)
}

// inOrder are the events by their time, which they have already unless somebody changed the recording.
func inOrder(events []trace.Event) []*trace.Event {
	all := make([]*trace.Event, len(events))
	for i := range events {
		all[i] = &events[i]
	}
	slices.SortStableFunc(all, func(a, b *trace.Event) int { return cmp.Compare(a.At, b.At) })
	return all
}

// packer writes each event as a byte that says which fields it has, its kind, the time since the event before it, and those
// fields, as variable-length integers (LEB128, as encoding/binary has them). Ids and indexes are differences to the last one, signed
// ones zigzag; a time to come counts from the event's own.
type packer struct {
	bytes                  []byte
	at                     time.Duration
	message, operation     uint64 // the last ids
	index                  uint64
	kinds, messages, texts table
}

// Bits of the byte that says which fields there are, in the order in which they follow.
const (
	hasNode = 1 << iota
	hasPeer
	hasID
	hasTerm
	hasIndex
	hasMessage
	hasUntil
	hasText
)

func (p *packer) event(e *trace.Event) {
	var has byte
	set := func(bit byte, there bool) {
		if there {
			has |= bit
		}
	}
	set(hasNode, e.Node != 0)
	set(hasPeer, e.Peer != 0)
	set(hasID, e.ID != 0)
	set(hasTerm, e.Term != 0)
	set(hasIndex, e.Index != 0)
	set(hasMessage, e.Message != "")
	set(hasUntil, e.Until != 0)
	set(hasText, e.Text != "")
	p.bytes = append(p.bytes, has)
	p.unsigned(p.kinds.place(string(e.Kind)))
	p.unsigned(uint64(e.At - p.at))
	p.at = e.At
	p.fields(has, e)
}

func (p *packer) fields(has byte, e *trace.Event) {
	if has&hasNode != 0 {
		p.unsigned(e.Node)
	}
	if has&hasPeer != 0 {
		p.unsigned(e.Peer)
	}
	if has&hasID != 0 {
		last := &p.message
		if e.Kind == trace.Invoke || e.Kind == trace.Return {
			last = &p.operation
		}
		p.signed(int64(e.ID - *last))
		*last = e.ID
	}
	if has&hasTerm != 0 {
		p.unsigned(e.Term)
	}
	if has&hasIndex != 0 {
		p.signed(int64(e.Index - p.index))
		p.index = e.Index
	}
	if has&hasMessage != 0 {
		p.unsigned(p.messages.place(e.Message))
	}
	if has&hasUntil != 0 {
		p.signed(int64(e.Until - e.At))
	}
	if has&hasText != 0 {
		p.unsigned(p.texts.place(e.Text))
	}
}

func (p *packer) unsigned(v uint64) { p.bytes = binary.AppendUvarint(p.bytes, v) }
func (p *packer) signed(v int64)    { p.bytes = binary.AppendVarint(p.bytes, v) }

// table gives each text a number, in the order in which they come.
type table struct {
	places map[string]uint64
	texts  []string
}

func (t *table) place(text string) uint64 {
	at, known := t.places[text]
	if !known {
		if t.places == nil {
			t.places = map[string]uint64{}
		}
		at = uint64(len(t.texts))
		t.places[text] = at
		t.texts = append(t.texts, inert.String(text))
	}
	return at
}

func (t *table) all() []string { return append([]string{}, t.texts...) }
