package datadir

import (
	"path"
	"strings"

	"github.com/opsctl/opsctl/pkg/innodb"
)

// TableName is whose data a file holds, in the characters that people typed.
type TableName struct {
	Schema, Table string
	Partition     string // "p0", or "p0/sp1"
	// Index is of a file that holds one index: MariaDB's vector indexes have files of their own, "#i#00".
	Index string
}

// parseName reads the path of a table's file: SCHEMA/TABLE, with #P#PARTITION and #SP#SUBPARTITION behind it, in lower case
// since MySQL 8 (sql/sql_partition.h; dict0dd.h), and an extension. Each part is encoded by itself.
func parseName(file string) TableName {
	dir, base := path.Split(file)
	base = strings.TrimSuffix(base, path.Ext(base))
	n := TableName{Schema: innodb.DecodeName(path.Base(dir))}
	base, n.Index, _ = strings.Cut(base, "#i#")
	base, partition, found := cutFold(base, "#p#")
	n.Table = innodb.DecodeName(base)
	if found {
		partition, sub, _ := cutFold(partition, "#sp#")
		n.Partition = innodb.DecodeName(partition)
		if sub != "" {
			n.Partition += "/" + innodb.DecodeName(sub)
		}
	}
	if n.Index != "" {
		n.Index = "vector " + n.Index
	}
	return n
}

// partitionName writes a subpartition, which MySQL's document puts behind "#SP#", as "p0/sp1".
func partitionName(name string) string {
	partition, sub, found := cutFold(name, "#sp#")
	if !found {
		return partition
	}
	return partition + "/" + sub
}

// cutFold is strings.Cut for a separator in lower case that may be in upper case as well. A table's own # is encoded.
func cutFold(s, sep string) (before, after string, found bool) {
	if before, after, found = strings.Cut(s, sep); found {
		return before, after, true
	}
	return strings.Cut(s, strings.ToUpper(sep))
}

// DictionaryName reads the name of a table as InnoDB's dictionary has it: the path of its file without the extension.
func DictionaryName(name string) TableName { return parseName(name + ".ibd") }
