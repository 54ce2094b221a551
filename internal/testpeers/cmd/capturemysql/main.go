// Command capturemysql makes the packed samples under testdata/mysql anew, from real servers:
//
//	go run ./internal/testpeers/cmd/capturemysql [-out testdata/mysql]
//
// It needs root and what package testpeers needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/opsctl/opsctl/internal/testpeers"
)

func main() { os.Exit(run()) }

func run() int {
	out := flag.String("out", "testdata/mysql", "write the samples into this `folder`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := capture(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "capturemysql:", err)
		return 1
	}
	return 0
}

// source is a server that a sample is taken from.
type source struct {
	name    string
	recipe  testpeers.Recipe
	start   func(context.Context, *testpeers.Tree, ...string) (*testpeers.Database, error)
	options []string
	keep    []string // of the data folder, as patterns of filepath.Glob
}

func capture(ctx context.Context, out string) error {
	for _, s := range []source{
		{
			"demo-mariadb.tar.gz", testpeers.MariaDBPackages(), testpeers.StartMariaDB,
			[]string{"--log-bin=binlog", "--innodb-doublewrite=0", "--innodb-undo-tablespaces=2"},
			[]string{"shop", "ibdata1", "binlog.*"},
		},
		{"demo-mysql.tar.gz", testpeers.MySQLPackages(), testpeers.StartMySQL, nil, []string{"shop", "binlog.*"}},
	} {
		if err := s.capture(ctx, filepath.Join(out, s.name)); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// capture has the server make the tables, and stop with nothing left to purge or to merge.
func (s *source) capture(ctx context.Context, file string) (err error) {
	tree, err := s.recipe.Get(ctx)
	if err != nil {
		return err
	}
	d, err := s.start(ctx, tree, s.options...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if _, err := d.SQL(ctx, statements()); err != nil {
		return err
	}
	if err := d.Stop(); err != nil {
		return err
	}
	return pack(d.Data, s.keep, file)
}
