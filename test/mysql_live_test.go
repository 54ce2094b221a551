package test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/mysqltest"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// shop makes tables of every kind that a snapshot tells apart.
const shop = `create database shop; use shop;
create table parent (id int primary key) engine=innodb;
create table child (id int primary key, p int, a varchar(300), b int, key p (p), key pb (p, b), key ap (a(10)), key a (a), foreign key (p) references parent (id)) engine=innodb;
create table dup (id int primary key, a varchar(300), b int, key a (a), key ab (a, b), key ap (a(10)), key b (b), unique key ub (b)) engine=innodb comment='库订单';
create table nokey (a int) engine=innodb;
create table small (id tinyint auto_increment primary key) engine=innodb;
insert into small values (120);
create table parts (id int primary key, v int) engine=innodb partition by range (id) (partition p0 values less than (10), partition p1 values less than maxvalue);
create table ft (id int primary key, t text, fulltext key t (t)) engine=innodb;
create table trig (id int primary key) engine=innodb;
create trigger tr before insert on trig for each row set @x = 1;
create table isam (id int primary key, v varchar(20)) engine=myisam;
insert into isam values (1, 'a'), (2, 'b'), (3, 'c');
analyze table parent, child, dup, nokey, small, parts, ft, trig;
`

func snapshot(t *testing.T, s *mysqlconn.Session) *live.Snapshot {
	t.Helper()
	snap, err := live.Collect(t.Context(), s, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// TestServerSaysWhatItHas compares a snapshot with what was made.
func TestServerSaysWhatItHas(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		sql(t, d, shop)
		snap := snapshot(t, mysqltest.Connect(t, d, mysqlconn.Options{}))
		got := map[string]string{}
		for _, x := range snap.Tables {
			if x.Schema != "shop" {
				continue
			}
			var marks []string
			for mark, on := range map[string]bool{"nokey": x.NoPrimaryKey, "unique": x.UniqueKey, "foreign": x.ForeignKeys, "triggers": x.Triggers, "fulltext": x.Fulltext} {
				if on {
					marks = append(marks, mark)
				}
			}
			slices.Sort(marks)
			name := strings.Trim(x.Name+"."+strings.ToLower(x.Partition), ".")
			got[name] = x.Engine + " " + strings.Join(marks, " ")
			if x.Engine == "InnoDB" && (x.Space == nil || x.Data == nil || x.Age.IsZero()) {
				t.Errorf("%s: %+v", name, x)
			}
		}
		want := map[string]string{
			"parent": "InnoDB foreign unique", "child": "InnoDB foreign unique", "dup": "InnoDB unique", "nokey": "InnoDB nokey", "small": "InnoDB unique",
			"parts.p0": "InnoDB unique", "parts.p1": "InnoDB unique", "ft": "InnoDB fulltext unique", "trig": "InnoDB triggers unique", "isam": "MyISAM ",
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if got[name] != want[name] {
				t.Errorf("%s: %q, not %q", name, got[name], want[name])
			}
		}
		checkDetails(t, snap)
	})
}

func checkDetails(t *testing.T, snap *live.Snapshot) {
	t.Helper()
	for _, x := range snap.Tables {
		switch x.Schema + "." + x.Name {
		case "shop.dup":
			if x.Comment != "库订单" {
				t.Errorf("the comment is %q", x.Comment)
			}
		case "shop.isam":
			if x.Rows == nil || *x.Rows != 3 {
				t.Errorf("%+v", x)
			}
		case "shop.small":
			if a := x.AutoIncrement; a == nil || a.Next != 121 || a.Max != 127 {
				t.Errorf("%+v", a)
			}
		}
	}
	var pairs []string
	for _, found := range snap.Duplicates {
		pairs = append(pairs, fmt.Sprintf("%s.%s by %s", found.Table, found.Index, found.By))
	}
	// Not child's, which a foreign key may need, nor the index of a prefix.
	if want := []string{"dup.a by ab", "dup.b by ub"}; !slices.Equal(slices.Sorted(slices.Values(pairs)), want) {
		t.Errorf("duplicates: %q", pairs)
	}
	if snap.Altering == nil || *snap.Altering != 0 || snap.History == nil {
		t.Errorf("altering %v, history %v", snap.Altering, snap.History)
	}
}

// TestFewPrivilegesGiveLessAndSayWhat asks as accounts that may see less and less.
func TestFewPrivilegesGiveLessAndSayWhat(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		sql(t, d, shop+`create database other; create table other.t (id int primary key) engine=innodb;
create user nobody@localhost identified by 'x'; create user one@localhost identified by 'x'; grant select on shop.* to one@localhost;
create user process@localhost identified by 'x'; grant process on *.* to process@localhost;`)
		for user, c := range map[string]struct {
			tables bool   // of shop are named
			help   string // that some limit gives
		}{
			"nobody": {false, "GRANT PROCESS"}, "one": {true, "GRANT PROCESS"}, "process": {true, "GRANT SELECT ON mysql.innodb_table_stats"},
		} {
			s := connectAs(t, d, user)
			snap := snapshot(t, s)
			named := slices.ContainsFunc(snap.Tables, func(x *live.Table) bool {
				return x.Schema == "shop" && x.Name == "dup" && (user != "one" || x.Data != nil)
			})
			helped := slices.ContainsFunc(snap.Limits, func(l space.Limit) bool { return strings.Contains(l.Help, c.help) })
			if named != c.tables || !helped {
				t.Errorf("%s: tables %v, limits %v", user, named, snap.Limits)
			}
			if known := snap.Altering != nil; known != (user == "process") {
				t.Errorf("%s: whether others alter tables is known: %v", user, known)
			}
			if user == "one" && slices.ContainsFunc(snap.Tables, func(x *live.Table) bool { return x.Schema == "other" }) {
				t.Error("one sees the tables of other")
			}
		}
	})
}

// TestFreePagesOfSharedTablespacesAreNobodysWithoutPROCESS asks as an account that InnoDB's dictionary is hidden from. The server says
// for each table what is free in its whole tablespace.
func TestFreePagesOfSharedTablespacesAreNobodysWithoutPROCESS(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		text := "set global innodb_file_per_table = off; create table `in` (id int primary key) engine=innodb; create table `in 2` (id int primary key) engine=innodb;"
		mysql := strings.HasPrefix(sql(t, d, "select @@version_comment"), "MySQL")
		if mysql {
			text = "create tablespace shared add datafile 'shared.ibd'; create table `in` (id int primary key) tablespace shared;" +
				"create table `in 2` (id int primary key) tablespace innodb_system; create table `o w-n` (id int primary key);" +
				"create table parts (id int primary key) partition by hash (id) partitions 2;"
		}
		sql(t, d, "create database one; use one;"+text+"create user one@localhost identified by 'x'; grant select on one.* to one@localhost;")
		snap := snapshot(t, connectAs(t, d, "one"))
		var got []string
		for _, x := range snap.Tables {
			got = append(got, fmt.Sprintf("%s %v", x.Name, x.Free != nil))
		}
		slices.Sort(got)
		want := []string{"in 2 false", "in false"}
		if mysql {
			want = append(want, "o w-n true", "parts true")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func connectAs(t *testing.T, d *testpeers.Database, user string) *mysqlconn.Session {
	t.Helper()
	return mysqltest.Open(t, mysqlconn.Options{NoDefaults: true, Socket: d.Socket, User: user, PasswordStdin: true}, "x")
}

// settled are counters once the server's own threads write no more of what was made.
func settled(t *testing.T, d *testpeers.Database) map[string]int64 {
	t.Helper()
	last := counters(t, d)
	poll(t, "the server rests", func() string {
		now := counters(t, d)
		defer func() { last = now }()
		if last["Innodb_os_log_written"] != now["Innodb_os_log_written"] || last["Uptime"] == now["Uptime"] {
			return "it writes"
		}
		return ""
	})
	return last
}

func counters(t *testing.T, d *testpeers.Database) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for line := range strings.Lines(sql(t, d, "show global status") + "\n") {
		var n int64
		name, value, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if _, err := fmt.Sscan(value, &n); err == nil {
			all[name] = n
		}
	}
	return all
}

// TestServerKnowsTablesAfterAStart asks a server that has opened none of its tables yet: MariaDB lists only those tablespaces that
// it has. What information_schema.TABLES says is the judge; it opens them, and is asked last.
func TestServerKnowsTablesAfterAStart(t *testing.T) {
	databases(t, func(t *testing.T, d *testpeers.Database) {
		t.Helper()
		sql(t, d, `create database cold; use cold;
create table counted (id tinyint unsigned auto_increment primary key, a int, key a (a)) engine=innodb; insert into counted (id) values (200); delete from counted;
create table negative (id bigint auto_increment primary key) engine=innodb; insert into negative values (-5);
create table squeezed (id int primary key, a varchar(200), key a (a)) engine=innodb row_format=compressed key_block_size=4;
insert into squeezed values (1, repeat('a', 200)), (2, repeat('b', 200)); analyze table counted, negative, squeezed;`)
		if err := d.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		snap := snapshot(t, mysqltest.Connect(t, d, mysqlconn.Options{}))
		var lines []string
		for _, x := range snap.Tables {
			if x.Schema != "cold" {
				continue
			}
			if x.File == nil || x.Data == nil || x.Index == nil {
				t.Errorf("%s: %+v", x.Name, x)
				continue
			}
			lines = append(lines, fmt.Sprintf("%s\t%d\t%d", x.Name, *x.Data, *x.Index))
			if x.Name == "counted" && snap.Flavour == "mysql" && x.AutoIncrement.Next != 200 { // the last value that was stored
				t.Errorf("%+v", x.AutoIncrement)
			}
		}
		slices.Sort(lines)
		if got, want := strings.Join(lines, "\n"), sql(t, d, "select table_name, data_length, index_length from information_schema.tables where table_schema = 'cold' order by 1"); got != want {
			t.Errorf("got\n%s\nthe server says\n%s", got, want)
		}
		sql(t, d, "select * from cold.counted")
		for _, x := range snapshot(t, mysqltest.Connect(t, d, mysqlconn.Options{})).Tables {
			if x.Schema+"."+x.Name == "cold.counted" && x.AutoIncrement.Next != 201 {
				t.Errorf("opened: %+v", x.AutoIncrement)
			}
		}
	})
}
