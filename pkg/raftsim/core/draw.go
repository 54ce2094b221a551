package core

import (
	crypto "crypto/rand"
	"io"
	"math/rand/v2"
)

// The core draws its election timeouts by crypto/rand.Int from crypto/rand.Reader, which nothing but replacing that variable
// controls. It is the process's: this belongs in a process that does nothing else.

// Draws answers the core's draws from a source of the run's. The zero value must be given a source.
type Draws struct {
	source *rand.Rand
	n      uint64
	last   uint64
}

// Own has the core of this process draw from d, until restore. It must not be called where anything else wants secrets.
func Own(d *Draws) (restore func()) {
	former := crypto.Reader
	crypto.Reader = d
	return func() { crypto.Reader = former }
}

// Begin starts a run: draws are uniform below n and follow from the seed alone.
func (d *Draws) Begin(seed uint64, n int) {
	d.source, d.n = rand.New(rand.NewPCG(seed, 0x7261667464726177)), uint64(n) //nolint:gosec // a simulation has to be repeatable
}

// Last is the last draw: what the core adds to the election timeout, in ticks.
func (d *Draws) Last() int { return int(d.last) }

// Read gives the bytes that make rand.Int return a number below n: it reads the big-endian bytes of one, and masks what is above the
// highest bit of n-1 (crypto/rand/util.go).
func (d *Draws) Read(b []byte) (int, error) {
	if d.source == nil {
		return 0, io.ErrNoProgress
	}
	d.last = d.source.Uint64N(d.n)
	v := d.last
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte(v)
		v >>= 8
	}
	return len(b), nil
}
