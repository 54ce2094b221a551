// Package rebuild predicts what a rebuild (ALTER TABLE ... FORCE, OPTIMIZE TABLE) leaves of a table's file. It first estimates
// the pages that each index will have, from a sample of its leaf pages, and then allocates them as the server does. It reads
// no file, asks no server, and promises that a prediction comes with bounds and with what makes it uncertain.
//
// Sources are those of MySQL 8.0 to 9.7 and MariaDB 10.11 and 11.8, storage/innobase: fsp0fsp.cc for tablespaces and
// segments, btr0load.cc and btr0bulk.cc for sorted loads, btr0btr.cc for inserts.
package rebuild
