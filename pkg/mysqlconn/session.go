package mysqlconn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	dialTimeout = 10 * time.Second
	// killTimeout bounds the killing of a statement, and the wait until the server has ended it.
	killTimeout = 5 * time.Second
)

// Session is one connection that cannot write. It is used by one goroutine at a time.
type Session struct {
	config *Config
	db     *sql.DB
	conn   *sql.Conn
	tunnel *tunnel
	id     uint64 // CONNECTION_ID()
	// Flavour is "mariadb" or "mysql", Version what the server calls its version.
	Flavour, Version string
}

// Open connects. The caller closes the session, after which the server has no thread of it left.
//
// Errors: [ErrDenied], [ErrUnreachable], [ErrNoTLS] among others.
func (c *Config) Open(ctx context.Context) (_ *Session, err error) {
	s := &Session{config: c}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("connecting to %s: %w", c.Address(), classify(err)), s.Close())
		}
	}()
	if c.SSH != "" {
		if s.tunnel, err = openTunnel(ctx, c.SSH); err != nil {
			return nil, err
		}
	}
	if s.db, err = s.pool(); err != nil {
		return nil, err
	}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, err
	}
	if err := s.harmless(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// pool makes connections: one for the session, and one more while a statement is killed.
func (s *Session) pool() (*sql.DB, error) {
	c := s.config
	settings := mysql.NewConfig()
	settings.User, settings.Passwd = c.User, string(c.Password)
	settings.Net, settings.Addr = "tcp", joinHostPort(c.Host, c.Port)
	if c.Socket != "" {
		settings.Net, settings.Addr = "unix", c.Socket
	}
	config, fallback, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	settings.TLS, settings.AllowFallbackToPlaintext = config, fallback
	settings.Logger = &mysql.NopLogger{}
	settings.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if s.tunnel != nil {
			return s.tunnel.DialContext(ctx, network, address)
		}
		return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	}
	connector, err := mysql.NewConnector(settings)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(1)
	return db, nil
}

// harmless makes the session one that changes nothing and waits for nothing: transactions read only, one a statement, so that no
// metadata lock outlives its statement; figures of the dictionary not cached, which MySQL would write; a limit for each
// statement; no long wait for locks. A server that lacks one of the variables has no need of it.
func (s *Session) harmless(ctx context.Context) error {
	row := s.conn.QueryRowContext(ctx, "SELECT CONNECTION_ID(), VERSION(), @@version_comment")
	var comment string
	if err := row.Scan(&s.id, &s.Version, &comment); err != nil {
		return err
	}
	s.Flavour = "mysql"
	if strings.Contains(strings.ToLower(s.Version+comment), "mariadb") {
		s.Flavour = "mariadb"
	}
	limit := s.config.Limit
	for _, statement := range []string{
		"SET SESSION TRANSACTION READ ONLY",
		"SET SESSION autocommit = 1",
		"SET SESSION information_schema_stats_expiry = 0",
		fmt.Sprintf("SET SESSION max_execution_time = %d", max(1, limit.Milliseconds())),
		fmt.Sprintf("SET SESSION max_statement_time = %.3f", limit.Seconds()),
		"SET SESSION lock_wait_timeout = 5",
		"SET SESSION innodb_lock_wait_timeout = 5",
	} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil && !unknownVariable(err) {
			return fmt.Errorf("%s: %w", strings.ToLower(statement), err)
		}
	}
	return nil
}

// Each runs a query and gives each row to scan, which calls its argument with pointers as [sql.Rows.Scan] takes them. When ctx
// ends the statement is killed on the server: ending a context alone would leave it running there.
func (s *Session) Each(ctx context.Context, query string, scan func(row func(...any) error) error, args ...any) error {
	return s.rows(ctx, query, func(rows *sql.Rows) error {
		for rows.Next() {
			if err := scan(rows.Scan); err != nil {
				return err
			}
		}
		return nil
	}, args)
}

// Named runs a query and gives each row as texts by the name of the column in lower case, NULL as "".
func (s *Session) Named(ctx context.Context, query string, row func(map[string]string)) error {
	return s.rows(ctx, query, func(rows *sql.Rows) error {
		names, err := rows.Columns()
		if err != nil {
			return err
		}
		values := make([]sql.NullString, len(names))
		places := make([]any, len(names))
		for i := range values {
			places[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(places...); err != nil {
				return err
			}
			texts := make(map[string]string, len(names))
			for i, name := range names {
				texts[strings.ToLower(name)] = values[i].String
			}
			row(texts)
		}
		return nil
	}, nil)
}

// Columns are the names of a table's columns, in lower case: what a server has is asked, not derived from its version.
func (s *Session) Columns(ctx context.Context, table string) (map[string]bool, error) {
	all := map[string]bool{}
	err := s.rows(ctx, "SELECT * FROM "+table+" LIMIT 0", func(rows *sql.Rows) error {
		names, err := rows.Columns()
		for _, name := range names {
			all[strings.ToLower(name)] = true
		}
		return err
	}, nil)
	return all, err
}

// rows runs a query whose answer read takes, and sees that it ends when ctx does.
func (s *Session) rows(ctx context.Context, query string, read func(*sql.Rows) error, args []any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	running, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	done, killed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(killed)
		select {
		case <-ctx.Done():
			s.kill()
		case <-done:
			return
		}
		// The statement ends now, unless the connection is stalled: then nothing more comes of it.
		select {
		case <-done:
		case <-time.After(killTimeout):
			abandon()
		}
	}()
	err := s.query(running, query, read, args)
	close(done)
	<-killed
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return classify(err)
}

func (s *Session) query(ctx context.Context, query string, read func(*sql.Rows) error, args []any) (err error) {
	rows, err := s.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Err(), rows.Close()) }()
	return read(rows)
}

// kill ends the statement that runs, over a second connection.
func (s *Session) kill() {
	ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	if _, err := s.db.ExecContext(ctx, fmt.Sprintf("KILL QUERY %d", s.id)); err != nil {
		// Nothing else stops it but its limit; without its connection it at least has nobody to answer.
		_ = s.conn.Raw(func(any) error { return errors.New("abandoned") })
	}
}

// Close ends the connection and the tunnel; a second call does nothing.
func (s *Session) Close() error {
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.tunnel != nil {
		errs = append(errs, s.tunnel.Close())
	}
	s.conn, s.db, s.tunnel = nil, nil, nil
	return errors.Join(errs...)
}
