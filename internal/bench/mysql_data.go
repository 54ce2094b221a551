package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// Tables of a measured server: many small ones, and some that have to be sampled.
const (
	mysqlSchemas, mysqlPerSchema = 50, 200
	mysqlLarge, mysqlLargeRows   = 4, 400_000
	mysqlTables                  = mysqlSchemas*mysqlPerSchema + mysqlLarge
	mysqlVersion                 = 1
)

// tableServer is a program whose 10,000 tables are measured.
type tableServer struct {
	name, program string // program: its client, below the tree's "/"
	recipe        testpeers.Recipe
	start         func(context.Context, *testpeers.Tree, testpeers.Folder, ...string) (*testpeers.Database, error)
	prepare       string             // statements
	series        func(n int) string // after FROM: rows of seq, 1 to n
	digest        string             // 32 characters of seq
	making        []string           // options while tables are made
}

func tableServers() []*tableServer {
	return []*tableServer{
		{
			name: "MariaDB 10.11", program: "usr/bin/mariadb", recipe: testpeers.MariaDBPackages(), start: testpeers.StartMariaDBOn,
			series: func(n int) string { return fmt.Sprintf("seq_1_to_%d", n) }, digest: "md5(seq)",
		},
		{
			name: "MySQL 9.7", program: "usr/bin/mysql", recipe: testpeers.MySQLPackages(), start: testpeers.StartMySQLOn,
			prepare: fmt.Sprintf(`set session cte_max_recursion_depth = %d; create database numbers; create table numbers.n (seq int primary key);
insert into numbers.n with recursive r (seq) as (select 1 union all select seq + 1 from r where seq < %[1]d) select seq from r;
`, mysqlLargeRows),
			series: func(n int) string { return fmt.Sprintf("numbers.n where seq <= %d", n) }, digest: "left(sha2(seq, 256), 32)",
			making: []string{"--disable-log-bin"},
		},
	}
}

// folder finds the data in the cache, or has the server make them.
func (s *tableServer) folder(ctx context.Context, tree *testpeers.Tree) (string, error) {
	cache, err := testpeers.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, fmt.Sprintf("bench-mysql-%s-v%d", tree.Recipe.Hash(), mysqlVersion))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fmt.Fprintf(os.Stderr, "generating %s\n", dir)
	if err := os.RemoveAll(dir + ".tmp"); err != nil {
		return "", err
	}
	options := append([]string{"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=512M"}, s.making...)
	d, err := s.start(ctx, tree, testpeers.Folder{Path: dir + ".tmp"}, options...)
	if err != nil {
		return "", err
	}
	_, err = d.SQL(ctx, s.statements())
	if err := errors.Join(err, d.Close()); err != nil {
		return "", err
	}
	return dir, os.Rename(dir+".tmp", dir)
}

func (s *tableServer) statements() string {
	var b strings.Builder
	b.WriteString(s.prepare)
	for n := range mysqlSchemas {
		fmt.Fprintf(&b, "create database s%02d; use s%02d;\n", n, n)
		for t := range mysqlPerSchema {
			fmt.Fprintf(&b, "create table t%03d (id int auto_increment primary key, a int, b varchar(100), key (a)) engine=innodb;\n", t)
			fmt.Fprintf(&b, "insert into t%03d (a, b) select seq, %s from %s;\n", t, s.digest, s.series(10+(n*mysqlPerSchema+t)%40))
		}
	}
	b.WriteString("create database large; use large;\n")
	for t := range mysqlLarge {
		fmt.Fprintf(&b, "create table t%d (id int primary key, a int, b varchar(200), key (a)) engine=innodb;\n", t)
		fmt.Fprintf(&b, "insert into t%d select seq, rand(%d) * 1e9, repeat(%s, 4) from %s; delete from t%d where rand(1) < 0.5;\n", t, t, s.digest, s.series(mysqlLargeRows), t)
	}
	return b.String()
}
