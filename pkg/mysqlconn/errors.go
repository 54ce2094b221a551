package mysqlconn

import (
	"errors"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"
)

// Errors that callers tell apart.
var (
	ErrDenied      = errors.New("access denied")          // 1045, 1044, 1698: user, password, host or database
	ErrPrivilege   = errors.New("a privilege is missing") // 1142, 1143, 1227, 1370
	ErrUnreachable = errors.New("no connection")
	ErrNoTLS       = errors.New("the server has no TLS")
	ErrNoSuch      = errors.New("the server has no such thing")                  // 1049, 1054, 1109, 1146: database, column, table
	ErrLimit       = errors.New("the statement reached its limit on the server") // 3024; MariaDB 1969
)

// classify adds which of the errors above it is.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if said, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch said.Number {
		case 1045, 1044, 1698:
			return fmt.Errorf("%w: %w", ErrDenied, err)
		case 1142, 1143, 1227, 1370:
			return fmt.Errorf("%w: %w", ErrPrivilege, err)
		case 1049, 1054, 1109, 1146:
			return fmt.Errorf("%w: %w", ErrNoSuch, err)
		case 3024, 1969:
			return fmt.Errorf("%w: %w", ErrLimit, err)
		}
		return err
	}
	if errors.Is(err, mysql.ErrNoTLS) {
		return fmt.Errorf("%w: %w", ErrNoTLS, err)
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// IsSyntax says whether a server does not know a statement: 1064.
func IsSyntax(err error) bool {
	said, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && said.Number == 1064
}

// unknownVariable is what a server says of a variable that it does not have: 1193.
func unknownVariable(err error) bool {
	said, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && said.Number == 1193
}
