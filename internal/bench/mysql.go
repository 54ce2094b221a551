package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// classic is the query that is found everywhere.
const classic = `select table_schema, table_name, engine, round(data_length/1024/1024, 2), round(index_length/1024/1024, 2), round(data_free/1024/1024, 2)
	from information_schema.tables order by data_length + index_length desc`

// withExpiry asks MySQL for statistics that are not older than n seconds; 0 goes past its cache, and 1 finds the cache expired, as
// the first query of a day does.
func withExpiry(n int) string {
	return fmt.Sprintf("set session information_schema_stats_expiry = %d; %s", n, classic)
}

// measureMySQL asks opsctl, the classic query and find(1) about 10,000 tables of each server.
func measureMySQL(ctx context.Context, bin string, rounds int) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	for _, s := range tableServers() {
		tree, err := s.recipe.Get(ctx)
		if errors.Is(err, testpeers.ErrMissing) {
			fmt.Printf("\n%s: skipped: %v\n", s.name, err)
			continue
		}
		if err != nil {
			return err
		}
		data, err := s.folder(ctx, tree)
		if err != nil {
			return err
		}
		m := &tableMeter{tableServer: s, bin: bin, tree: tree, data: data, rounds: rounds}
		if err := m.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// tableMeter measures one server, which runs with its own defaults but for this: it does not load what its buffer pool held when it
// last ended. Cold is a server that has just started, with the kernel's caches dropped.
type tableMeter struct {
	*tableServer
	bin, data string
	tree      *testpeers.Tree
	rounds    int
}

func (m *tableMeter) measure(ctx context.Context) error {
	if !forget() {
		fmt.Printf("\n%s: skipped: the kernel's caches cannot be dropped here\n", m.name)
		return nil
	}
	cold, warm, err := m.online(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s, %d tables; medians of %d rounds in turns, CPU and memory of the client, a cold server once\n", m.name, mysqlTables, m.rounds)
	fmt.Printf("%-36s %8s %8s %9s %16s\n", "TOOL", "WALL s", "CPU s", "PEAK MiB", "WALL / OPSCTL'S")
	compare("server, warm", warm)
	compare("server, cold", cold)
	for _, forgotten := range []bool{true, false} {
		files, err := m.offline(ctx, forgotten)
		if err != nil {
			return err
		}
		if forgotten {
			compare("files, cold; the classic query too", append(files, cold[1:]...))
		} else {
			compare("files, warm", files)
		}
	}
	return nil
}

// offline reads the files, in turns.
func (m *tableMeter) offline(ctx context.Context, cold bool) ([]*contender, error) {
	space := []string{m.bin, "mysql", "space", "--datadir", m.data, "-q", "-o", "json"}
	all := []*contender{
		{name: "opsctl, structure", argv: append(slices.Clone(space), "--sample", "-1"), keep: true},
		{name: "opsctl, with fill", argv: space},
		{name: "find -printf (stat)", argv: []string{"find", m.data, "-printf", "%s %b\n"}},
	}
	before := func() {}
	if cold {
		before = func() { forget() }
	}
	return all, errors.Join(turns(ctx, all, m.rounds, before), counted(all[0].said))
}

// turns runs each once, and then each so often that it counts.
func turns(ctx context.Context, all []*contender, rounds int, before func()) error {
	for round := range rounds + 1 {
		for _, c := range all {
			before()
			if err := c.run(ctx, round > 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget drops the kernel's clean pages, names and inodes: proc(5), /proc/sys/vm/drop_caches.
func forget() bool { return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0) == nil }

func (c *contender) wall() float64 {
	return middle(c.runs, func(m measured) float64 { return m.wall.Seconds() })
}

// compare prints medians, and each one's wall time as a multiple of the first's, which is opsctl.
func compare(title string, all []*contender) {
	fmt.Println(title)
	for _, c := range all {
		cpu := middle(c.runs, func(m measured) float64 { return m.cpu.Seconds() })
		peak := middle(c.runs, func(m measured) float64 { return float64(m.rss) / (1 << 20) })
		fmt.Printf("  %-34s %8.3f %8.3f %9.1f %16.2f\n", c.name, c.wall(), cpu, peak, c.wall()/all[0].wall())
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
	if made != mysqlTables {
		return fmt.Errorf("opsctl names %d of the %d tables", made, mysqlTables)
	}
	return nil
}
