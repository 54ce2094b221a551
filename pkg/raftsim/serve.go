package raftsim

import (
	"encoding/binary"
	"time"

	"github.com/opsctl/opsctl/pkg/raftsim/core"
)

// readRetry is how long a server waits for the index of a read before it asks again, with the same context
// (server/etcdserver/v3_server.go, readIndexRetryTime).
const readRetry = 500 * time.Millisecond

// serve takes a client's request. It waits here until there is a leader, as a proposal does in etcd.
func (n *node) serve(q request) {
	if q.read {
		n.reads++
		q.context = n.id<<48 | uint64(n.life)<<32 | n.reads // nobody else has it (etcd's idutil)
	}
	n.requests = append(n.requests, q)
	n.ask(&n.requests[len(n.requests)-1])
	n.drain()
}

// ask hands a request to the core.
func (n *node) ask(q *request) {
	if n.leader == 0 {
		q.waits = true
		return
	}
	if q.read {
		q.waits = false
		n.core.ReadIndex(binary.LittleEndian.AppendUint64(nil, q.context))
		n.c.queue.After(readRetry, event{kind: evReread, node: n.id, life: n.life, a: q.context})
		return
	}
	q.waits = !n.core.Propose(q.write.encode())
}

// again asks for what waited for a leader.
func (n *node) again() {
	for i := range n.requests {
		if n.requests[i].waits {
			n.ask(&n.requests[i])
		}
	}
}

// reread repeats a question whose answer did not come.
func (n *node) reread(context uint64) {
	for i := range n.requests {
		if q := &n.requests[i]; q.read && q.context == context && q.index == 0 && !q.waits {
			n.ask(q)
			n.drain()
			return
		}
	}
}

// readable is the core's answer to a question.
func (n *node) readable(r *core.Read) {
	if len(r.Context) != 8 {
		return
	}
	context := binary.LittleEndian.Uint64(r.Context)
	for i := range n.requests {
		if q := &n.requests[i]; q.read && q.context == context {
			q.index = max(r.Index, 1)
			break
		}
	}
	n.answerReads()
}

// answerReads answers those that the machine is far enough for.
func (n *node) answerReads() {
	for i := 0; i < len(n.requests); {
		q := &n.requests[i]
		if !q.read || q.index == 0 || q.index > n.applied {
			i++
			continue
		}
		r := n.machine.keys[q.key]
		n.c.answer(n, q, r.value, r.index)
		n.forget(i)
	}
}

// cancel forgets a request whose client does not wait any more.
func (n *node) cancel(client int, try uint64) {
	for i := range n.requests {
		if n.requests[i].client == client && n.requests[i].try == try {
			n.forget(i)
			return
		}
	}
}
