package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// Tables of the measured server: many small ones, and some that have to be sampled.
const (
	mysqlSchemas, mysqlPerSchema = 50, 200
	mysqlLarge, mysqlLargeRows   = 4, 400_000
	mysqlVersion                 = 1
)

// classic is the query that is found everywhere.
const classic = `select table_schema, table_name, engine, round(data_length/1024/1024, 2), round(index_length/1024/1024, 2), round(data_free/1024/1024, 2)
	from information_schema.tables order by data_length + index_length desc`

// measureMySQL asks opsctl, the classic query and find(1) about 10,000 tables, in turns.
func measureMySQL(ctx context.Context, bin string, rounds int) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	tree, err := testpeers.MariaDBPackages().Get(ctx)
	if errors.Is(err, testpeers.ErrMissing) {
		fmt.Printf("\nmysql: skipped: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	data, err := tenThousandTables(ctx, tree)
	if err != nil {
		return err
	}
	coldest, err := measureOnline(ctx, bin, tree, data, rounds)
	return errors.Join(err, measureOffline(ctx, bin, data, rounds, coldest))
}

// tenThousandTables finds a data folder in the cache, or has a server make it.
func tenThousandTables(ctx context.Context, tree *testpeers.Tree) (string, error) {
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
	d, err := testpeers.StartMariaDBOn(ctx, tree, dir+".tmp", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=512M")
	if err != nil {
		return "", err
	}
	_, err = d.SQL(ctx, mysqlStatements())
	return dir, errors.Join(err, d.Close(), os.Rename(dir+".tmp", dir))
}

func mysqlStatements() string {
	var b strings.Builder
	for s := range mysqlSchemas {
		fmt.Fprintf(&b, "create database s%02d; use s%02d;\n", s, s)
		for t := range mysqlPerSchema {
			fmt.Fprintf(&b, "create table t%03d (id int auto_increment primary key, a int, b varchar(100), key (a)) engine=innodb;\n", t)
			fmt.Fprintf(&b, "insert into t%03d (a, b) select seq, md5(seq) from seq_1_to_%d;\n", t, 10+(s*mysqlPerSchema+t)%40)
		}
	}
	b.WriteString("create database large; use large;\n")
	for t := range mysqlLarge {
		fmt.Fprintf(&b, "create table t%d (id int primary key, a int, b varchar(200), key (a)) engine=innodb;\n", t)
		fmt.Fprintf(&b, "insert into t%d select seq, rand(%d) * 1e9, repeat(md5(seq), 4) from seq_1_to_%d; delete from t%d where rand(1) < 0.5;\n", t, t, mysqlLargeRows, t)
	}
	return b.String()
}

// measureOffline reads the files: cold means that the kernel had to forget them, which only root may ask for. query is what the classic
// one took of a cold server.
func measureOffline(ctx context.Context, bin, data string, rounds int, query measured) error {
	space := []string{bin, "mysql", "space", "--datadir", data, "-q", "-o", "json"}
	all := []*contender{
		{name: "opsctl, structure", argv: append(slices.Clone(space), "--sample", "-1"), keep: true},
		{name: "opsctl, with fill", argv: space},
		{name: "find -printf (stat)", argv: []string{"find", data, "-printf", "%s %b\n"}},
	}
	fmt.Printf("\nfiles of %d tables; %d rounds in turns\n", mysqlSchemas*mysqlPerSchema+mysqlLarge, rounds)
	for _, cold := range []bool{true, false} {
		for _, c := range all {
			c.runs = nil
		}
		for round := range rounds + 1 {
			for _, c := range all {
				if cold && !forget() {
					fmt.Println("cold: skipped: the kernel's caches cannot be dropped here")
					break
				}
				if err := c.run(ctx, round > 0); err != nil {
					return err
				}
			}
		}
		if len(all[0].runs) > 0 {
			fmt.Println(map[bool]string{true: "cold", false: "warm"}[cold])
			compare(all)
			took := middle(all[0].runs, func(m measured) float64 { return m.wall.Seconds() })
			fmt.Printf("the classic query, cold, took %.2f s: %.1f times as long\n", query.wall.Seconds(), query.wall.Seconds()/took)
		}
	}
	return counted(all[0].said)
}

// forget drops the kernel's clean pages, names and inodes: proc(5), /proc/sys/vm/drop_caches.
func forget() bool { return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0) == nil }

// measureOnline asks a server: cold is a new one, with the kernel's caches dropped where that can be.
func measureOnline(ctx context.Context, bin string, tree *testpeers.Tree, data string, rounds int) (cold measured, err error) {
	d, err := testpeers.StartMariaDBOn(ctx, tree, data)
	if err != nil {
		return measured{}, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	client := d.Tree().Command(ctx, "usr/bin/mariadb", "--no-defaults", "--socket="+d.Socket, "--user=root", "--batch", "-e", classic)
	all := []*contender{
		{name: "opsctl, online", argv: []string{bin, "mysql", "space", "--no-defaults", "-S", d.Socket, "-u", "root", "-q", "-o", "json", "--no-files"}, keep: true},
		{name: "classic query", argv: client.Args},
	}
	forget()
	if err := all[1].run(ctx, true); err != nil {
		return measured{}, err
	}
	cold = all[1].runs[0]
	fmt.Printf("\nserver with %d tables: the classic query cold: %.2f s\nwarm; %d rounds in turns\n", mysqlSchemas*mysqlPerSchema+mysqlLarge, cold.wall.Seconds(), rounds)
	all[1].runs = nil
	for round := range rounds + 1 {
		for _, c := range all {
			if err := c.run(ctx, round > 0); err != nil {
				return measured{}, err
			}
		}
	}
	compare(all)
	return cold, counted(all[0].said)
}

// compare prints medians, and each one's as a multiple of the first's.
func compare(all []*contender) {
	wall := func(c *contender) float64 {
		return middle(c.runs, func(m measured) float64 { return m.wall.Seconds() })
	}
	fmt.Printf("%-20s %8s %8s %9s %16s\n", "TOOL", "WALL s", "CPU s", "PEAK MiB", "WALL / OPSCTL'S")
	for _, c := range all {
		cpu := middle(c.runs, func(m measured) float64 { return m.cpu.Seconds() })
		peak := middle(c.runs, func(m measured) float64 { return float64(m.rss) / (1 << 20) })
		fmt.Printf("%-20s %8.3f %8.3f %9.1f %16.2f\n", c.name, wall(c), cpu, peak, wall(c)/wall(all[0]))
	}
}

// counted holds opsctl's answer to the number of tables that were made.
func counted(said []byte) error {
	var doc struct {
		Items []struct{ Schema, Table string }
	}
	if err := json.Unmarshal(said, &doc); err != nil {
		return fmt.Errorf("reading opsctl's output: %w", err)
	}
	made := 0
	for _, item := range doc.Items {
		if item.Schema == "large" || len(item.Schema) == 3 && item.Schema[0] == 's' && item.Schema != "sys" {
			made++
		}
	}
	if want := mysqlSchemas*mysqlPerSchema + mysqlLarge; made != want {
		return fmt.Errorf("opsctl names %d of the %d tables", made, want)
	}
	return nil
}
