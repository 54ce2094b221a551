// Command capturemysql makes the packed samples of MySQL's and MariaDB's files anew, from real servers: those of testdata/mysql, and the
// tablespaces of pkg/innodb's fuzz targets:
//
//	go run ./internal/testpeers/cmd/capturemysql [-out testdata/mysql] [-tablespaces pkg/innodb/testdata/tablespaces]
//
// It needs root and what package testpeers needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/samples"
)

func main() {
	out := flag.String("out", "testdata/mysql", "write the demonstration's data into this `folder`")
	spaces := flag.String("tablespaces", "pkg/innodb/testdata/tablespaces", "write the tablespaces into this `folder`")
	os.Exit(samples.Main(func(ctx context.Context) error {
		return errors.Join(captureDemo(ctx, *out), captureTablespaces(ctx, *spaces))
	}))
}

// source is a server that samples are taken from.
type source struct {
	recipe  testpeers.Recipe
	start   func(context.Context, *testpeers.Tree, ...string) (*testpeers.Database, error)
	options []string
	script  string
}

// capture has the server run the script, stop with nothing left to purge or to merge, and keep some of its data folder.
func (s *source) capture(ctx context.Context, keep func(data string) error) (err error) {
	tree, err := s.recipe.Get(ctx)
	if err != nil {
		return err
	}
	d, err := s.start(ctx, tree, append(s.options, "--innodb-fast-shutdown=0")...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if _, err := d.SQL(ctx, s.script); err != nil {
		return err
	}
	if err := d.Stop(); err != nil {
		return err
	}
	return keep(d.Data)
}

// captureDemo packs some of the data folders of both servers, by patterns of [filepath.Glob].
func captureDemo(ctx context.Context, out string) error {
	for _, s := range []struct {
		source

		name string
		keep []string
	}{
		{
			source{testpeers.MariaDBPackages(), testpeers.StartMariaDB, []string{"--log-bin=binlog", "--innodb-doublewrite=0", "--innodb-undo-tablespaces=2"}, statements()},
			"demo-mariadb.tar.gz",
			[]string{"shop", "ibdata1", "binlog.*"},
		},
		{source{testpeers.MySQLPackages(), testpeers.StartMySQL, nil, statements()}, "demo-mysql.tar.gz", []string{"shop", "binlog.*"}},
	} {
		if err := s.capture(ctx, func(data string) error { return pack(data, s.keep, filepath.Join(out, s.name)) }); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
