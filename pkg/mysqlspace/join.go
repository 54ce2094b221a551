package mysqlspace

import (
	"fmt"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// nameOf identifies an item within a report.
type nameOf struct{ schema, table, partition, index string }

func named(i *space.Item) nameOf { return nameOf{i.Schema, i.Table, i.Partition, i.Index} }

// join adds what the server says to what its files say. Items belong together when they are of one tablespace, or, where several
// tables share it, of one name. The files' figures win: they are of now, and exact; what they lack comes from the server with
// its own source and age. Tables that only one side knows stay as they are.
func join(files, server []space.Item) ([]space.Item, error) {
	bySpace, byName := index(server)
	taken := make(map[*space.Item]bool, len(server))
	if same, others := compareSpaces(files, byName); others > same {
		return nil, fmt.Errorf("%d of %d tables have other tablespaces: %w", others, same+others, ErrOtherServer)
	}
	for i := range files {
		f := &files[i]
		s := byName[named(f)]
		if s == nil && f.Space != nil && f.Index == "" && f.Schema != "" { // without a schema it is the file that tables share
			s = bySpace[*f.Space]
		}
		if s == nil || taken[s] || f.Space != nil && s.Space != nil && *f.Space != *s.Space {
			continue
		}
		taken[s] = true
		complete(f, s)
	}
	for i := range server {
		if s := &server[i]; !taken[s] {
			files = append(files, *s)
		}
	}
	return files, nil
}

// compareSpaces counts tables that both sides know, by whether their tablespace has the same id in both. Those of the system's
// schemas count for nothing: they are alike on all servers.
func compareSpaces(files []space.Item, server map[nameOf]*space.Item) (same, others int) {
	for i := range files {
		f := &files[i]
		s := server[named(f)]
		switch {
		case f.Schema == "mysql" || f.Schema == "sys" || f.Index != "":
		case s == nil || f.Space == nil || s.Space == nil:
		case *f.Space == *s.Space:
			same++
		default:
			others++
		}
	}
	return same, others
}

// index finds the server's items by tablespace, where it is of one item alone, and by name.
func index(items []space.Item) (bySpace map[uint32]*space.Item, byName map[nameOf]*space.Item) {
	bySpace, byName = map[uint32]*space.Item{}, map[nameOf]*space.Item{}
	shared := map[uint32]bool{}
	for i := range items {
		item := &items[i]
		byName[named(item)] = item
		if item.Space == nil || shared[*item.Space] {
			continue
		}
		if bySpace[*item.Space] != nil {
			delete(bySpace, *item.Space)
			shared[*item.Space] = true
			continue
		}
		bySpace[*item.Space] = item
	}
	return bySpace, byName
}

// complete gives f what it lacks of s. Names are the server's: a file's may be encoded in a way that only the server knows.
func complete(f, s *space.Item) {
	f.Schema, f.Table, f.Partition = s.Schema, s.Table, s.Partition
	if f.Engine == "" {
		f.Engine = s.Engine
	}
	if f.Comment == "" {
		f.Comment = s.Comment
	}
	if f.RowFormat == "" {
		f.RowFormat = s.RowFormat
	}
	for _, figure := range []struct {
		name     string
		to, from **int64
	}{
		{"rows", &f.Rows, &s.Rows},
		{"dataBytes", &f.DataBytes, &s.DataBytes},
		{"indexBytes", &f.IndexBytes, &s.IndexBytes},
		{"freeBytes", &f.FreeBytes, &s.FreeBytes},
		{"totalBytes", &f.TotalBytes, &s.TotalBytes},
	} {
		if *figure.to != nil || *figure.from == nil {
			continue
		}
		*figure.to = *figure.from
		if f.Figures == nil {
			f.Figures = map[string]space.Provenance{}
		}
		f.Figures[figure.name] = space.Provenance{Source: s.Source, AsOf: s.AsOf}
	}
}
