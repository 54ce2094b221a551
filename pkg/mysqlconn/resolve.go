package mysqlconn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/mysqlconn/optionfile"
)

// Modes are the values of --ssl-mode.
func Modes() []string {
	return []string{"DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"}
}

// groups are those that the clients of both servers read, and one of opsctl's own.
func groups() []string {
	return []string{"client", "client-server", "client-mariadb", "mysql", "mariadb-client", "opsctl"}
}

// UsageError is a value that cannot be meant.
type UsageError struct{ Reason string }

func (e *UsageError) Error() string { return e.Reason }

// source is a value and where it is from.
type source struct {
	value, origin string
	bare          bool // an option without a value
}

// Resolve finds out where to connect: flags, then OPSCTL_MYSQL_*, the login file and the option files, and last MYSQL_HOST,
// MYSQL_TCP_PORT, MYSQL_UNIX_PORT and MYSQL_PWD, as the client knows them. Where a password is wanted it asks for it.
//
// Errors: [UsageError]; an [optionfile.SyntaxError]; what reading files gave.
func Resolve(ctx context.Context, o Options, env Env) (*Config, error) {
	search := optionfile.Search{
		NoDefaults: o.NoDefaults, File: o.DefaultsFile, ExtraFile: o.DefaultsExtraFile, GroupSuffix: o.DefaultsGroupSuffix,
		LoginPath: o.LoginPath, Getenv: env.Getenv, Home: env.Home, Warn: env.Warn,
	}
	options, err := search.Load(groups())
	if err != nil {
		return nil, err
	}
	values := merge(o, env, options)
	c := &Config{Limit: o.Limit, SSH: o.SSH, Origins: map[string]string{}}
	if c.Limit == 0 {
		c.Limit = time.Minute
	}
	if err := c.fill(values); err != nil {
		return nil, err
	}
	if err := c.password(ctx, o, env, values); err != nil {
		return nil, err
	}
	return c, nil
}

// merge lays the sources over each other, the weakest first.
func merge(o Options, env Env, options []optionfile.Option) map[string]source {
	values := map[string]source{}
	set := func(name, value, origin string) {
		if value != "" {
			values[name] = source{value: value, origin: origin}
		}
	}
	for _, v := range [][2]string{{"host", "MYSQL_HOST"}, {"port", "MYSQL_TCP_PORT"}, {"socket", "MYSQL_UNIX_PORT"}, {"password", "MYSQL_PWD"}} {
		set(v[0], env.Getenv(v[1]), v[1])
	}
	for _, option := range options {
		name := option.Canonical()
		for _, prefix := range []string{"skip-", "disable-"} {
			if off, is := strings.CutPrefix(name, prefix); is && strings.HasPrefix(off, "ssl") {
				name, option.Value, option.HasValue = off, "0", true
			}
		}
		values[name] = source{option.Value, fmt.Sprintf("%s:%d", option.File, option.Line), !option.HasValue}
	}
	for _, name := range []string{"host", "port", "socket", "user", "password", "protocol", "ssl-mode", "ssl-ca"} {
		variable := "OPSCTL_MYSQL_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		set(name, env.Getenv(variable), variable)
	}
	port := ""
	if o.Port != 0 {
		port = strconv.Itoa(o.Port)
	}
	for name, value := range map[string]string{
		"host": o.Host, "port": port, "socket": o.Socket, "user": o.User, "protocol": o.Protocol, "ssl-mode": o.SSLMode, "ssl-ca": o.SSLCA,
	} {
		set(name, value, "--"+name)
	}
	return values
}

func (c *Config) fill(values map[string]source) error {
	take := func(name string) string {
		if v, there := values[name]; there && !v.bare {
			c.Origins[name] = v.origin
			return v.value
		}
		return ""
	}
	c.Host, c.User, c.Socket = take("host"), take("user"), take("socket")
	c.CA, c.Cert, c.Key = take("ssl-ca"), take("ssl-cert"), take("ssl-key")
	c.Port = 3306
	if text := take("port"); text != "" && text != "0" {
		port, err := strconv.Atoi(text)
		if err != nil || port < 1 || port > 65535 {
			return &UsageError{fmt.Sprintf("the port %q (%s) is no number from 1 to 65535", text, c.Origins["port"])}
		}
		c.Port = port
	}
	if c.User == "" {
		c.User = login()
	}
	if err := c.way(values, take("protocol")); err != nil {
		return err
	}
	return c.mode(values, take("ssl-mode"))
}

// login is the name of who runs this, as the client takes it.
func login() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}

// way chooses between socket and TCP as the clients do: no host, or localhost, means the socket; --port or --socket on the
// command line mean what they say (MariaDB 10.6 and later; MySQL's client takes the socket for localhost whatever the port).
func (c *Config) way(values map[string]source, protocol string) error {
	local := c.Host == "" || c.Host == "localhost"
	socket := local
	switch strings.ToLower(protocol) {
	case "tcp":
		socket = false
	case "socket":
		socket = true
	case "", "default":
		named := func(name string) bool { return values[name].origin == "--"+name }
		switch {
		case named("socket") && !named("host"):
			socket = true
		case local && named("port") && !named("socket"):
			socket = false
		}
	default:
		return &UsageError{fmt.Sprintf("the protocol %q (%s) is none of tcp, socket", protocol, c.Origins["protocol"])}
	}
	switch {
	case !socket:
		c.Socket = ""
		if c.Host == "" {
			c.Host = "127.0.0.1"
		}
	case c.Socket == "":
		c.Socket = defaultSocket(c.SSH != "")
	}
	return nil
}

// defaultSocket is the first that is there of those that distributions use.
func defaultSocket(far bool) string {
	places := []string{"/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"}
	for _, place := range places {
		if _, err := os.Stat(place); err == nil && !far {
			return place
		}
	}
	return places[0]
}

// mode is --ssl-mode, or what MariaDB's options say: ssl, ssl-verify-server-cert, skip-ssl.
func (c *Config) mode(values map[string]source, text string) error {
	on := func(name string) bool {
		v, there := values[name]
		return there && (v.bare || slices.Contains([]string{"1", "on", "true", "yes"}, strings.ToLower(v.value)))
	}
	c.Mode = "PREFERRED"
	switch v, there := values["ssl"]; {
	case text != "":
		c.Mode = strings.ToUpper(text)
	case on("ssl-verify-server-cert"):
		c.Mode = "VERIFY_IDENTITY"
	case on("ssl"):
		c.Mode = "REQUIRED"
	case there && !v.bare:
		c.Mode = "DISABLED"
	case c.CA != "":
		c.Mode = "VERIFY_CA"
	}
	if !slices.Contains(Modes(), c.Mode) {
		return &UsageError{fmt.Sprintf("the ssl mode %q (%s) is none of %s", text, c.Origins["ssl-mode"], strings.Join(Modes(), ", "))}
	}
	return nil
}

// password finds it, or asks for it.
func (c *Config) password(ctx context.Context, o Options, env Env, values map[string]source) error {
	v, there := values["password"]
	switch {
	case o.PasswordStdin:
		return c.readPassword(env.In, "standard input", "--password-stdin")
	case o.PasswordFile != "":
		f, err := os.Open(o.PasswordFile)
		if err != nil {
			return fmt.Errorf("reading the password: %w", err)
		}
		defer f.Close() //nolint:errcheck // read only
		return c.readPassword(f, o.PasswordFile, "--password-file")
	case o.AskPassword, there && v.bare:
		text, err := env.Ask(ctx, fmt.Sprintf("Password of %s at %s: ", c.User, c.Address()))
		c.Password, c.Origins["password"] = Password(text), "prompt"
		return err
	case there:
		c.Password, c.Origins["password"] = Password(v.value), v.origin
	}
	return nil
}

func (c *Config) readPassword(in io.Reader, name, origin string) error {
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return fmt.Errorf("reading the password from %s: %w", name, err)
	}
	c.Password, c.Origins["password"] = Password(strings.TrimRight(line, "\r\n")), origin
	return nil
}

func joinHostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
