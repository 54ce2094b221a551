// Package mysqltest has what several packages' tests do with a server: tables to look at, and a session of the product's.
package mysqltest

import (
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
)

// Connect opens a session by the server's socket as root; it ends with the test.
func Connect(tb testing.TB, d *testpeers.Database, o mysqlconn.Options) *mysqlconn.Session {
	tb.Helper()
	o.NoDefaults, o.Socket, o.User = true, d.Socket, "root"
	return Open(tb, o, "")
}

// Open opens a session with in as standard input and an empty environment; it ends with the test.
func Open(tb testing.TB, o mysqlconn.Options, in string) *mysqlconn.Session {
	tb.Helper()
	c, err := mysqlconn.Resolve(tb.Context(), o, mysqlconn.Env{Getenv: func(string) string { return "" }, In: strings.NewReader(in)})
	if err != nil {
		tb.Fatal(err)
	}
	s, err := c.Open(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
