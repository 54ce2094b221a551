package testpeers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// flavour is what differs between the servers.
type flavour struct {
	name           string
	server, client string   // paths below the tree's "/"
	files          []string // options that say where its files are
	redo           string   // an option: a redo log that is small
	serving        []string // options of the server that the making of the data folder does not take
	initialise     func(ctx context.Context, d *Database) error
}

// mariadb knows the names of 10.11, and those of 11.8, which calls itself mariadb throughout.
func mariadb(tree *Tree) flavour {
	usr, name := filepath.Join(tree.Dir, "usr"), "mysql"
	if exists(filepath.Join(usr, "share/mariadb/mariadb_system_tables.sql")) {
		name = "mariadb"
	}
	share := filepath.Join(usr, "share", name)
	return flavour{
		name: "mariadbd", server: "usr/sbin/mariadbd", client: "usr/bin/mariadb",
		files: []string{
			"--basedir=" + usr, "--lc-messages-dir=" + share, "--character-sets-dir=" + share + "/charsets",
			"--plugin-dir=" + usr + "/lib/mysql/plugin",
		},
		redo:       "--innodb-log-file-size=16M",
		initialise: func(ctx context.Context, d *Database) error { return bootstrap(ctx, d, share, name) },
	}
}

// bootstrap makes the data folder as mariadb-install-db(1) does, which cannot be told to use a loader.
func bootstrap(ctx context.Context, d *Database, share, name string) error {
	text := []byte("create database mysql;\nuse mysql;\nset @auth_root_socket='root';\n")
	for _, script := range []string{"_system_tables.sql", "_performance_tables.sql", "_system_tables_data.sql", "_sys_schema.sql"} {
		lines, err := os.ReadFile(filepath.Join(share, name+script))
		if err != nil {
			return err
		}
		text = append(text, lines...)
	}
	cmd := d.command(ctx, d.flavour.server, append(append(d.arguments(), "--bootstrap"), d.options...)...)
	cmd.Stdin = bytes.NewReader(text)
	_, err := output(cmd, d.flavour.name, []string{"--bootstrap"})
	return err
}

func mysql(tree *Tree) flavour {
	usr := filepath.Join(tree.Dir, "usr")
	return flavour{
		name: "mysqld", server: "usr/sbin/mysqld", client: "usr/bin/mysql",
		files: []string{
			"--basedir=" + usr, "--lc-messages-dir=" + usr + "/share/mysql", "--character-sets-dir=" + usr + "/share/mysql/charsets",
			"--plugin-dir=" + usr + "/lib/mysql/plugin", "--secure-file-priv=",
		},
		redo:       "--innodb-redo-log-capacity=32M",
		serving:    []string{"--mysqlx=OFF"},
		initialise: initialiseMySQL,
	}
}

// initialiseMySQL copies a data folder from the cache: mysqld takes some seconds to make one. Tables that depend on an option
// have one of their own.
func initialiseMySQL(ctx context.Context, d *Database) error {
	sum := sha256.Sum256([]byte(d.tree.Dir + "\n" + strings.Join(d.options, "\n")))
	made, err := cached("mysql-data-"+hex.EncodeToString(sum[:8]), func(work string) error {
		fresh := *d
		fresh.Data, fresh.defaults = filepath.Join(work, "out"), false
		_, err := output(fresh.command(ctx, d.flavour.server, append(append(fresh.arguments(), "--initialize-insecure"), d.options...)...),
			d.flavour.name, []string{"--initialize-insecure"})
		return err
	})
	if err != nil {
		return err
	}
	_, err = output(exec.CommandContext(ctx, "cp", "-a", "--reflink=auto", made+"/.", d.Data), "cp", []string{"-a", made})
	return err
}
