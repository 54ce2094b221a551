package main

import (
	"context"
	"errors"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// online asks the server; opsctl is the first of each. What is cold is asked of a new server each, and first without InnoDB's
// statistics, as after a restore: that query makes them anew.
func (m *tableMeter) online(ctx context.Context) (cold, warm []*contender, err error) {
	mysql, query := m.making != nil, classic
	if mysql {
		query = withExpiry(1)
	}
	missing := &contender{name: "classic query, statistics missing"}
	filled := &contender{name: "classic query"}
	first := &contender{name: "opsctl, online", keep: true}
	if err := m.withServer(ctx, func(d *testpeers.Database) error {
		_, err := d.SQL(ctx, "delete from mysql.innodb_table_stats; delete from mysql.innodb_index_stats")
		return err
	}); err != nil {
		return nil, nil, err
	}
	for _, c := range []*contender{missing, filled, first} {
		if err := m.withServer(ctx, func(d *testpeers.Database) error {
			c.argv = m.client(ctx, d, query)
			if c == first {
				c.argv = m.opsctl(d)
			}
			forget()
			return c.run(ctx, true)
		}); err != nil {
			return nil, nil, err
		}
	}
	opsctl := &contender{name: "opsctl, online", keep: true}
	warm = []*contender{opsctl, {name: "classic query"}}
	if mysql {
		warm = append(warm, &contender{name: "classic query, expiry 0"})
	}
	err = m.withServer(ctx, func(d *testpeers.Database) error {
		opsctl.argv, warm[1].argv = m.opsctl(d), m.client(ctx, d, classic)
		if mysql {
			warm[2].argv = m.client(ctx, d, withExpiry(0))
		}
		return errors.Join(turns(ctx, warm, m.rounds, func() {}), counted(opsctl.said))
	})
	return []*contender{first, filled, missing}, warm, err
}

func (m *tableMeter) withServer(ctx context.Context, ask func(*testpeers.Database) error) (err error) {
	d, err := m.start(ctx, m.tree, testpeers.Folder{Path: m.data, Defaults: true}, "--innodb-buffer-pool-load-at-startup=OFF")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return ask(d)
}

func (m *tableMeter) opsctl(d *testpeers.Database) []string {
	return []string{m.bin, "mysql", "space", "--no-defaults", "-S", d.Socket, "-u", "root", "-q", "-o", "json", "--no-files"}
}

func (m *tableMeter) client(ctx context.Context, d *testpeers.Database, query string) []string {
	return m.tree.Command(ctx, m.program, "--no-defaults", "--socket="+d.Socket, "--user=root", "--batch", "-e", query).Args
}
