package mysqltest

// Tables makes, on MariaDB, a schema "shop" with a table of every engine and of every kind that has files of its own; the schema is in
// use at its end. Of half every second row is deleted, of isam every third.
const Tables = `
create database shop;
use shop;
create table plain (id int primary key, v varchar(200), key (v)) engine=innodb comment='two words';
insert into plain select seq, repeat('x', 100) from seq_1_to_40000;
create table half (id int primary key, v varchar(200)) engine=innodb;
insert into half select seq, repeat('x', 180) from seq_1_to_60000;
delete from half where id % 2 = 0;
create table parts (id int primary key, v varchar(200)) engine=innodb partition by range (id) subpartition by hash (id) subpartitions 2
  (partition p0 values less than (100), partition p1 values less than maxvalue);
insert into parts select seq, repeat('y', 100) from seq_1_to_5000;
create table words (id int primary key, body text, fulltext (body)) engine=innodb;
insert into words values (1, 'some words to find');
create table packed (id int primary key, v text) engine=innodb page_compressed=1;
insert into packed select seq, repeat('z', 500) from seq_1_to_20000;
create table zipped (id int primary key, v text) engine=innodb row_format=compressed key_block_size=4;
insert into zipped select seq, repeat('z', 500) from seq_1_to_20000;
create table isam (id int primary key, v varchar(200)) engine=myisam comment='old';
insert into isam select seq, repeat('m', 50) from seq_1_to_1000;
delete from isam where id % 3 = 0;
create table aria (id int primary key, v varchar(200)) engine=aria;
insert into aria select seq, repeat('m', 50) from seq_1_to_1000;
create table csv (id int not null, v varchar(20) not null) engine=csv;
insert into csv values (1, 'a');
create table dyn (id int primary key, v varchar(200), key (v)) engine=myisam row_format=dynamic;
insert into dyn select seq, repeat('d', seq % 200) from seq_1_to_3000;
delete from dyn where id % 5 = 0;
create table row_aria (id int primary key, v varchar(200), key (v)) engine=aria row_format=dynamic transactional=0;
insert into row_aria select seq, repeat('d', seq % 200) from seq_1_to_3000;
delete from row_aria where id % 5 = 0;
create table isam_parts (id int primary key, v varchar(200)) engine=myisam partition by hash (id) partitions 3;
insert into isam_parts select seq, 'x' from seq_1_to_300;
create table mem (id int) engine=memory comment='gone at the end';
create view seen as select * from plain;
`
