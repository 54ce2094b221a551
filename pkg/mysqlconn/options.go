// Package mysqlconn connects to MySQL and MariaDB as their client does: from the same option files, login file, flags and rules
// about sockets. The session that it gives is harmless: it cannot write, every statement has a limit that the server
// keeps, and a statement is killed on the server when its context ends.
package mysqlconn

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Options are what a command line says; "" and 0 leave it to the environment, the option files and the client's defaults.
type Options struct {
	Host     string
	Port     int
	User     string
	Socket   string
	Protocol string // "tcp", "socket"

	DefaultsFile, DefaultsExtraFile, DefaultsGroupSuffix string
	NoDefaults                                           bool
	LoginPath                                            string

	SSLMode string // one of Modes
	SSLCA   string

	PasswordFile  string // its first line
	PasswordStdin bool
	AskPassword   bool

	// SSH is [user@]host[:port], through which the server is reached.
	SSH string
	// Limit is how long one statement may run on the server; 0 for a minute.
	Limit time.Duration
}

// Env is the outside world.
type Env struct {
	Getenv func(string) string
	Home   string // "" where there is none
	In     io.Reader
	// Ask reads a secret without echo.
	Ask func(ctx context.Context, prompt string) (string, error)
	// Warn is told of option files that are passed over; nil drops it.
	Warn func(text string)
}

// Password is a secret: it never prints itself.
type Password string

// String is "[redacted]".
func (Password) String() string { return "[redacted]" }

// Format writes "[redacted]" for every verb.
func (Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// LogValue is "[redacted]".
func (Password) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Config is where and as whom to connect.
type Config struct {
	Host     string
	Port     int
	Socket   string // "": by TCP
	User     string
	Password Password

	Mode          string // one of Modes
	CA, Cert, Key string
	SSH           string
	Limit         time.Duration

	// Origins say where each value is from, by its name as a flag.
	Origins map[string]string
}

// Address is what is connected to, as people write it.
func (c *Config) Address() string {
	address := c.Socket
	if address == "" {
		address = joinHostPort(c.Host, c.Port)
	}
	if c.SSH != "" {
		address += " through " + c.SSH
	}
	return address
}
