package datadir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlspace/datadir"
)

// definitions are tables whose comments, engines and row formats differ, named after the statement's number.
func definitions() string {
	var text strings.Builder
	text.WriteString("create database shop; use shop;\n")
	comments := []string{"", "two words", strings.Repeat("c", 59), strings.Repeat("é", 60), strings.Repeat("l", 254), strings.Repeat("l", 255), strings.Repeat("日", 700)}
	engines := []string{
		"innodb", "innodb row_format=compressed", "innodb row_format=redundant", "innodb row_format=compact", "myisam", "myisam row_format=fixed",
		"aria", "aria row_format=dynamic", "csv", "memory", "merge", "innodb partition by hash (id) partitions 3", "myisam partition by hash (id) partitions 2",
	}
	n := 0
	for _, comment := range comments {
		for _, engine := range engines {
			option, partition, _ := strings.Cut(engine, " partition")
			if partition != "" {
				partition = " partition" + partition
			}
			fmt.Fprintf(&text, "create table t%d (id int not null, v varchar(200) not null default 'x' comment 'a column') engine=%s comment='%s'%s;\n", n, option, comment, partition)
			n++
		}
	}
	fmt.Fprintf(&text, "create table t%d (id int primary key, v text, fulltext key (v), key (v(20))) engine=innodb comment='%s';", n, strings.Repeat("p", 300))
	return text.String()
}

func TestDefinitionsOfMariaDB(t *testing.T) {
	d := testpeers.RequireMariaDB(t, nil)
	if _, err := d.SQL(t.Context(), definitions()); err != nil {
		t.Fatal(err)
	}
	out, err := d.SQL(t.Context(), "select table_name, engine, ifnull(regexp_substr(create_options, '(?<=row_format=)[A-Z]+'), ''), table_comment from information_schema.tables where table_schema='shop'")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		text, err := os.ReadFile(filepath.Join(d.Data, "shop", fields[0]+".frm"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := datadir.ParseFRM(text)
		if err != nil || got.Engine != fields[1] || !strings.EqualFold(got.RowFormat, fields[2]) || got.Comment != fields[3] {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
		n++
	}
	if n < 90 {
		t.Errorf("%d tables", n)
	}
}

func FuzzFRM(f *testing.F) {
	f.Add([]byte("TYPE=VIEW\n"))
	f.Add(append([]byte("\xfe\x01\x0a\x0c"), make([]byte, 200)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := datadir.ParseFRM(b); err == nil && len(d.Comment) > 3*len(b) {
			t.Error(len(d.Comment))
		}
	})
}

func FuzzISAM(f *testing.F) {
	f.Add(append([]byte("\xfe\xfe\x07\x01"), make([]byte, 200)...), true)
	f.Fuzz(func(t *testing.T, b []byte, aria bool) {
		if rows, data, empty, ok := datadir.ParseISAM(b, aria); ok && (rows < 0 || data < empty) {
			t.Error(rows, data, empty)
		}
	})
}
