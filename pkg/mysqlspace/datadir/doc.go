// Package datadir reads the data folder of a MySQL or MariaDB server, which may run, have crashed, or be a copy: what every
// file is, by name and content, and which tables use how much of it. It opens files for reading only, follows no symbolic
// link while it sums, and names what it cannot read or does not know instead of leaving it out: the sums are those of du(1).
package datadir
