package space

import (
	"slices"
	"strings"
)

// Total adds items up to one of the given names. A figure is the sum of those that are known, nil where none is. Bounds are added
// as well, which makes them wider than they need be. Of several tables those count that a rebuild makes smaller: nobody rebuilds the
// others. The source is the least exact, the age the oldest; Fill is weighted by data.
func Total(items []Item, schema, table, partition string) Item {
	sum := Item{Schema: schema, Table: table, Partition: partition}
	var engines []string
	var filled, weight float64
	for i := range items {
		item := &items[i]
		sum.addFigures(item, table == "")
		if item.Engine != "" && !slices.Contains(engines, item.Engine) {
			engines = append(engines, item.Engine)
		}
		if item.Fill != nil && item.DataBytes != nil {
			filled += *item.Fill * float64(*item.DataBytes)
			weight += float64(*item.DataBytes)
		}
		if sum.AsOf.IsZero() || item.AsOf.Before(sum.AsOf) && !item.AsOf.IsZero() {
			sum.AsOf = item.AsOf
		}
		if sum.Source.rank() < item.Source.rank() {
			sum.Source = item.Source
		}
		sum.addProvenance(item)
	}
	slices.Sort(engines)
	sum.Engine = strings.Join(engines, ",")
	if weight > 0 {
		sum.Fill = new(filled / weight)
	}
	return sum
}

func (i *Item) addFigures(other *Item, gainsOnly bool) {
	to, from := i.figures(), other.figures()
	for n := range to {
		if *from[n] == nil {
			continue
		}
		if *to[n] == nil {
			*to[n] = new(int64)
		}
		value := **from[n]
		if gainsOnly { // only what a rebuild gives back can be negative
			value = max(0, value)
		}
		**to[n] += value
	}
}

// figures are what can be added.
func (i *Item) figures() []**int64 {
	return []**int64{
		&i.Rows, &i.DataBytes, &i.IndexBytes, &i.FreeBytes, &i.TotalBytes, &i.FileBytes, &i.AllocatedBytes,
		&i.ReclaimableBytes, &i.ReclaimableLowBytes, &i.ReclaimableHighBytes,
	}
}

// addProvenance keeps of each figure that has one of its own the least exact source and the oldest age.
func (i *Item) addProvenance(other *Item) {
	for name, from := range other.Figures {
		if i.Figures == nil {
			i.Figures = map[string]Provenance{}
		}
		kept, known := i.Figures[name]
		if !known {
			kept = from
		}
		if kept.Source.rank() < from.Source.rank() {
			kept.Source = from.Source
		}
		if from.AsOf.Before(kept.AsOf) {
			kept.AsOf = from.AsOf
		}
		i.Figures[name] = kept
	}
}

// rank is a source's place among the sources, the most exact first; -1 where there is none.
func (s Source) rank() int {
	return slices.Index([]Source{FromFile, FromEngine, FromSample, FromTablespace, FromServer, FromStatistics}, s)
}
