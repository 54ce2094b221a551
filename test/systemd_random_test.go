package test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

func randomFrom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func oneOf[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// randomArgument joins pieces in which systemd would see something, without what no unit can hold.
func randomArgument(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteString(oneOf(r, " ", `"`, "'", `\`, "%", "%i", "%%", "$", "$$", "$A", "${A}", ";", "#", "\t", "é", "\xff", "\x01", "\x7f", "a", "=", "-", `\n`, "{}", "*", "~", "`"))
	}
	return b.String()
}

// randomUnit is a service full of lines that systemd reads in ways of its own.
func randomUnit(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString(oneOf(r, "", "\uFEFF", "# x\n", "\n") + "[Service]\nExecStart=/bin/true\n")
	for n := range 4 + r.IntN(12) {
		line := fmt.Sprintf("Bogus%d=%d", n, n)
		b.WriteString(oneOf(r, line, line, line+` \`, line+` \\`, " "+line+"\t", "# "+line, "; "+line+` \`, "[Service]", "[X-A]", line+` \\\`, " "+line+" # c",
			"\uFEFF"+line, "[Unit]", fmt.Sprintf("Bogus%d = %d", n, n), "  b \\", "", "word"))
		b.WriteString(oneOf(r, "\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n\r", "\n\r\n"))
	}
	// Of a continuation that the file's end cuts off, systemd gives the line after the last.
	return b.String() + "\n\n"
}
