package check

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// call is an operation of a history that a test makes.
type call struct {
	kind       OpKind
	value      uint64
	begin, end int64
	how        Outcome
	at         int64 // when it takes effect; 0 for never
}

// history makes calls of a register that several clients use: most of them one after the other, some at once, some without an answer.
// With wrong, one read gets a value that was overwritten long before.
func madeHistory(r *rand.Rand, n int, wrong bool) []call {
	calls := make([]call, n)
	now := int64(10)
	for i := range calls {
		now += r.Int64N(12)
		c := call{kind: Read, begin: now, end: now + 1 + r.Int64N(20), how: Done}
		c.at = c.begin + r.Int64N(c.end-c.begin+1)
		if r.IntN(3) == 0 {
			c.kind, c.value = Write, uint64(i)+1
		}
		switch r.IntN(60) {
		case 0:
			c.how = Unknown
			if r.IntN(2) == 0 {
				c.at = 0
			} else {
				c.at += r.Int64N(50)
			}
		case 1:
			c.how, c.at = Failed, 0
		}
		calls[i] = c
	}
	var order []int
	for i := range calls {
		if calls[i].at > 0 {
			order = append(order, i)
		}
	}
	// Insertion keeps the order of what happens at once.
	for i := range order {
		for k := i; k > 0 && calls[order[k]].at < calls[order[k-1]].at; k-- {
			order[k], order[k-1] = order[k-1], order[k]
		}
	}
	var value uint64
	var former []uint64
	spoil := len(order) / 2
	for place, i := range order {
		c := &calls[i]
		if c.kind == Write {
			former = append(former, value)
			value = c.value
			continue
		}
		c.value = value
		if wrong && place >= spoil && c.how == Done && len(former) > 5 {
			c.value, wrong = former[len(former)-4], false
		}
	}
	return calls
}

// TestPiecesJudgeAsTheWholeDoes asks Porcupine about whole histories, and the checker about the same in pieces.
func TestPiecesJudgeAsTheWholeDoes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	right, wrong, cuts := 0, 0, 0
	rounds := uint64(60)
	if testing.Short() { // as under the race detector
		rounds = 10
	}
	for round := range rounds {
		r := rand.New(rand.NewPCG(seed, round))
		calls := madeHistory(r, 900, round%2 == 1)
		var whole []porcupine.Operation
		for i, c := range calls {
			end := c.end
			if c.how == Failed || c.how == Unknown && c.kind == Read {
				continue
			}
			if c.how == Unknown {
				end = math.MaxInt64
			}
			whole = append(whole, porcupine.Operation{ClientId: i, Input: step{c.kind, c.value}, Output: c.value, Call: c.begin, Return: end})
		}
		want := Linearizable
		switch porcupine.CheckOperationsTimeout(register(0), whole, 20*time.Second) {
		case porcupine.Illegal:
			want = NotLinearizable
		case porcupine.Ok:
		default:
			continue
		}
		c, peak := told(calls)
		got := c.Linearizable(math.MaxInt32)
		if peak < len(calls)/2 {
			cuts++
		}
		if got == NotDecided {
			continue
		}
		if got != want {
			t.Fatalf("round %d: in pieces %q, as a whole %q", round, got, want)
		}
		if got == Linearizable {
			right++
		} else {
			wrong++
		}
	}
	if least := int(rounds) / 6; right < least || wrong < least || cuts < least {
		t.Errorf("only %d right histories, %d wrong ones, and %d that were judged in pieces", right, wrong, cuts)
	}
}

// told tells a checker of calls in the order of time; peak is the most operations that it held.
func told(calls []call) (c *Checker, peak int) {
	c = New()
	for now := int64(0); ; now++ {
		left := false
		for i := range calls {
			o := &calls[i]
			left = left || o.end >= now
			if o.end == now {
				c.Return(time.Duration(now), OpID(i), o.how, o.value, 0)
			}
		}
		for i := range calls {
			if o := &calls[i]; o.begin == now {
				c.Invoke(time.Duration(now), OpID(i), i, o.kind, 0, o.value)
				peak = max(peak, len(c.clients.windows[0].ops))
			}
		}
		if !left {
			return c, peak
		}
	}
}
