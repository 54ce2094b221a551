// Package innodb reads the files of InnoDB, those of MySQL 5.7 to 9.x and of MariaDB 10.x to 11.x: tablespaces and their
// pages, extents, segments, indexes, records, large values, dictionaries. It only reads, a bounded amount of memory at a time,
// and takes every number in a file for hostile: damage is an error that names the page, what is not damaged is still read.
// A file of a running server may be torn or stale; a page that contradicts its checksum is read again before it counts as
// damaged.
//
// The formats are those of storage/innobase/include: fil0fil.h or fil0types.h (pages), fsp0fsp.h and fsp0types.h (tablespaces),
// page0page.h or page0types.h (index pages), rem0rec.h (records), page0zip.h (compressed tables).
package innodb
