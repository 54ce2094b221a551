package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/samples"
)

// world is a server with tables of several formats, and which of its files are kept under which names.
type world struct {
	source

	files map[string]string
}

// plugins is MariaDB with those that encrypt and compress.
func plugins() testpeers.Recipe {
	r := testpeers.MariaDBPackages()
	r.Packages = append(r.Packages, "mariadb-server", "mariadb-plugin-provider-lz4")
	r.Omit = append(r.Omit, "galera", "rsync", "socat", "gawk", "psmisc", "adduser", "passwd", "lsof", "iproute2", "procps")
	return r
}

// rows makes a table "nums" of 400 numbers, as both servers can.
const rows = `create database s; use s; create table nums (n int primary key);
insert into nums with recursive r (n) as (select 1 union all select n + 1 from r where n < 400) select n from r;
`

func worlds(keys string) []world {
	return []world{
		{
			source: source{
				start: testpeers.StartMariaDB, recipe: testpeers.MariaDBPackages(), options: []string{"--innodb-page-size=4k", "--innodb-data-file-path=ibdata1:5M:autoextend"},
				script: rows + `create table plain (id int primary key, a varchar(40), key (a)); insert into plain select n, md5(n) from nums; delete from plain where id % 2;
create table old (id int primary key, a char(20)) row_format=redundant; insert into old select n, n from nums;
create table zip (id int primary key, a varchar(40), b text) row_format=compressed key_block_size=1; insert into zip select n, md5(n), if(n % 100, 'x', repeat(md5(n), 99)) from nums where n < 200;
create table lob (id int primary key, b longtext); insert into lob select n, repeat(md5(n), 300) from nums where n < 6;
create table packed (id int primary key, a char(200)) page_compressed=1; insert into packed select n, 'opsctl' from nums;
create table instant (id int primary key, a int); insert into instant select n, n from nums where n < 50; alter table instant add c int, drop a, algorithm=instant;
create table places (id int primary key, g point not null, spatial index (g)); insert into places select n, point(n, n) from nums where n < 150;`,
			},
			files: map[string]string{
				"s/plain.ibd": "mariadb-plain", "s/old.ibd": "mariadb-redundant", "s/zip.ibd": "mariadb-compressed", "s/lob.ibd": "mariadb-lob",
				"s/packed.ibd": "mariadb-packed", "s/instant.ibd": "mariadb-instant", "s/places.ibd": "mariadb-rtree", "ibdata1": "mariadb-system",
			},
		},
		{
			source: source{
				start: testpeers.StartMySQL, recipe: testpeers.MySQLPackages(), options: []string{"--innodb-page-size=4k"},
				script: rows + `create table plain (id int primary key, a varchar(40), key (a)); insert into plain select n, left(sha2(n, 256), 40) from nums; delete from plain where id % 2;
create table zip (id int primary key, a varchar(40)) row_format=compressed key_block_size=2; insert into zip select n, 'x' from nums; alter table zip comment 'z';
create table lob (id int primary key, b longtext); insert into lob select n, repeat(sha2(n, 256), 300) from nums where n < 6;
create table instant (id int primary key, a int); insert into instant select n, n from nums where n < 50; alter table instant add c int, drop a, algorithm=instant;`,
			},
			files: map[string]string{"s/plain.ibd": "mysql-plain", "s/zip.ibd": "mysql-compressed", "s/lob.ibd": "mysql-lob", "s/instant.ibd": "mysql-instant"},
		},
		{
			source: source{
				start: testpeers.StartMySQL, recipe: testpeers.MySQLPackages(),
				script: rows + `create table packed (id int primary key, a char(200)) compression='lz4'; insert into packed select n, 'opsctl' from nums where n < 50;`,
			},
			files: map[string]string{"s/packed.ibd": "mysql-packed", "undo_001": "mysql-undo"},
		},
		{
			source: source{
				start: testpeers.StartMariaDB, recipe: plugins(),
				options: []string{
					"--innodb-page-size=4k", "--plugin-load-add=file_key_management", "--file-key-management-filename=" + keys,
					"--plugin-load-add=provider_lz4", "--innodb-compression-algorithm=lz4",
				},
				script: rows + `create table secret (id int primary key, a varchar(40)) encrypted=yes; insert into secret select n, md5(n) from nums;
create table both_ (id int primary key, a char(200)) encrypted=yes page_compressed=1; insert into both_ select n, 'opsctl' from nums;
create table packed (id int primary key, a char(200)) page_compressed=1; insert into packed select n, 'opsctl' from nums;`,
			},
			files: map[string]string{"s/secret.ibd": "mariadb-encrypted", "s/both_.ibd": "mariadb-encrypted-packed", "s/packed.ibd": "mariadb-lz4"},
		},
	}
}

// captureTablespaces packs small files, each of another format.
func captureTablespaces(ctx context.Context, out string) (err error) {
	folder, err := os.MkdirTemp("", "tablespaces-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	keys := filepath.Join(folder, "keys") // of a key that protects nothing
	if err := os.WriteFile(keys, []byte("1;"+strings.Repeat("0123456789abcdef", 4)+"\n"), 0o600); err != nil {
		return err
	}
	for _, w := range worlds(keys) {
		if err := w.capture(ctx, func(data string) error { return w.keep(data, out) }); err != nil {
			return err
		}
	}
	return nil
}

// limit bounds a sample: a file that is longer is a truncated one.
const limit = 2 << 20

func (w *world) keep(data, out string) error {
	for from, name := range w.files {
		in, err := os.Open(filepath.Join(data, from))
		if err != nil {
			return err
		}
		err = samples.Gzip(filepath.Join(out, name+".gz"), func(to io.Writer) error {
			_, err := io.Copy(to, io.LimitReader(in, limit))
			return err
		})
		if err := errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return nil
}
