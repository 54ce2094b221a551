package raftsim

import (
	"slices"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
)

// drainAsync does what the core wants done with AsyncStorageWrites: everything leaves at once, and what depends on the disk comes
// with the message to it. With [AsyncSafe] requests for votes wait for the disk as well, which the core does not ask for.
func (n *node) drainAsync() {
	for n.up() && n.core.Ready(&n.work) {
		n.learn(&n.work)
		messages := n.work.Messages
		out, votes := messages[:0:0], messages[:0:0]
		for _, m := range messages {
			switch {
			case core.To(m) == core.ToAppend:
				var w core.Ready
				core.AppendWork(m, &w)
				n.enqueue(w)
			case core.To(m) == core.ToApply:
				n.apply(core.Entries(m))
				n.respond(core.Responses(m))
			case n.c.cfg.Profile == AsyncSafe && core.AsksForVote(m):
				votes = append(votes, m)
			default:
				out = append(out, m)
			}
		}
		n.send(out)
		n.sendSynced(votes)
	}
}

// enqueue has a write wait for its turn on the disk.
func (n *node) enqueue(w core.Ready) {
	if n.writes = append(n.writes, w); len(n.writes) == 1 {
		n.begin()
	}
}

// sendSynced sends messages when all that was to be written before them is on the disk.
func (n *node) sendSynced(messages []*core.Message) {
	if len(messages) == 0 {
		return
	}
	if len(n.writes) == 0 {
		n.send(messages)
		return
	}
	last := &n.writes[len(n.writes)-1]
	last.Messages = append(slices.Clip(last.Messages), messages...)
}

// begin starts the first of the writes. One that has nothing to sync is done at once, in its turn.
func (n *node) begin() {
	w := &n.writes[0]
	if len(w.Entries) == 0 && w.Snapshot == nil && (!w.HardSet || w.Hard.Term == n.disk.Hard().Term && w.Hard.Vote == n.disk.Hard().Vote) {
		n.c.queue.After(0, event{kind: evSynced, node: n.id, life: n.life})
		return
	}
	n.sync()
}

// syncedAsync is the end of the first of the writes.
func (n *node) syncedAsync() {
	w := n.writes[0]
	n.writes = n.writes[1:]
	n.save(&w)
	if w.Snapshot != nil {
		n.install(w.Snapshot)
	}
	if len(n.writes) > 0 {
		n.begin()
	}
	n.respond(w.Messages)
	n.compact()
	n.drain()
}

// respond gives answers to whom they are for: the node itself, or others.
func (n *node) respond(messages []*core.Message) {
	out := messages[:0:0]
	for _, m := range messages {
		if core.To(m) == n.id {
			n.core.Step(m)
		} else {
			out = append(out, m)
		}
	}
	n.send(out)
}
