package main

import (
	"fmt"
	"strings"
)

// numbered is how many rows the largest tables get: a power of two.
const numbered = 1 << 12

// statements make a shop whose old rows went in different ways. Both servers take them. Texts repeat, so that the files pack
// well.
func statements() string {
	var b strings.Builder
	// Binary logs would otherwise hold every row.
	b.WriteString("set session sql_log_bin = 0; create database shop; use shop; create table n (n int primary key) engine=innodb; insert into n values (1);\n")
	for n := 1; n < numbered; n *= 2 {
		fmt.Fprintf(&b, "insert into n select n + %d from n;\n", n)
	}
	b.WriteString(tables)
	b.WriteString("drop table n; set session sql_log_bin = 1; flush binary logs; delete from sessions where id % 97 = 0;\n")
	return b.String()
}

// tables: of orders two rows in three went, from all over the table; of events the first five in six, in one piece; documents
// had large values; sessions has an index that another one makes useless.
const tables = `
create table orders (id int auto_increment primary key, customer int not null, state varchar(12) not null, note varchar(200) not null,
  key customer (customer)) engine=innodb comment='库.订单';
insert into orders (customer, state, note) select n % 499, elt(n % 3 + 1, 'new', 'paid', 'shipped'), repeat('gift wrap, please. ', 4 + n % 4) from n order by n;
delete from orders where id % 3 > 0;
create table events (id int primary key, at datetime not null, payload varchar(120) not null, key at (at)) engine=innodb;
insert into events select n, timestampadd(minute, n, '2026-01-01'), repeat('page view ', 8) from n order by n;
delete from events where id < 3400;
create table documents (id int primary key, body longtext not null) engine=innodb;
insert into documents select n, repeat('a contract, in a hundred thousand letters. ', 2300) from n where n <= 16 order by n;
delete from documents where id % 2 = 0;
create table sessions (id int primary key, user int not null, seen int not null, key user (user), key user_seen (user, seen)) engine=innodb;
insert into sessions select n, n % 97, n from n where n <= 1000 order by n;
create table days (day int not null, visits int not null, primary key (day)) engine=innodb partition by range (day)
  (partition p2025 values less than (1000), partition p2026 values less than maxvalue);
insert into days select n, n % 1009 from n where n <= 2000 order by n;
delete from days where day < 950;
create table articles (id int primary key, body text not null, fulltext key body (body)) engine=innodb;
insert into articles select n, concat('how to wrap a gift, part ', n) from n where n <= 300 order by n;
create table notes (id int primary key, body varchar(100)) engine=myisam;
insert into notes select n, 'call back' from n where n <= 2000;
delete from notes where id % 2 = 0;
`
