package datadir

import (
	"context"
	"errors"
	"maps"
	"strconv"

	"github.com/opsctl/opsctl/pkg/innodb"
	"github.com/opsctl/opsctl/pkg/mysqlspace/rebuild"
	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// tablespace reads the tablespace of a table or partition. Data are the pages in use of its clustered index, large values
// among them, indexes those of the others; free are pages that no segment has and those that segments hold in reserve. What
// is left of the file are InnoDB's own pages: descriptors, INODE pages, MySQL's SDI.
func (r *reader) tablespace(ctx context.Context, s *innodb.Space, f *File) (items []space.Item, problems []error) {
	item := r.item(f, "InnoDB")
	file, err := open(r.tree.abs(f.Path))
	if vanished(err) {
		return nil, nil
	}
	if err != nil {
		return []space.Item{item}, []error{err}
	}
	defer func() {
		if err := file.Close(); err != nil {
			problems = append(problems, err)
		}
	}()
	if err := s.Reset(file, f.Apparent); err != nil {
		return r.unreadable(item, f, file, err)
	}
	item.Space = new(s.Header.SpaceID)
	if s.Header.Encrypted {
		item.Notes = append(item.Notes, innodb.ErrEncrypted.Error())
		return []space.Item{item}, []error{pathError(f, innodb.ErrEncrypted)}
	}
	if r.options.Sample > 0 && f.Apparent > readAtOnce {
		file.sparsely()
	}
	st, err := s.Structure(ctx)
	if err != nil {
		return nil, nil // ctx ended, which Tables returns
	}
	what, err := r.catalog.describe(ctx, s, st)
	damage := st.Damage
	if err != nil {
		damage = append(damage, unjoin(err)...)
	}
	problems = r.damaged(s, f, &item, damage)
	if f.Kind != Tablespace {
		return r.shared(ctx, s, st, what, item), problems
	}
	item.Comment, item.RowFormat = what.definition.Comment, what.definition.RowFormat
	return r.figures(ctx, s, st, what, item, r.options.ByIndex && f.Category != space.Fulltext), problems
}

// damaged notes what is wrong with a file, and returns what is a problem: not what a running server is about to write.
func (r *reader) damaged(s *innodb.Space, f *File, item *space.Item, damage []error) (problems []error) {
	for _, err := range damage {
		if !r.running || !errors.Is(err, innodb.ErrUnowned) && !unwritten(s, err) {
			problems = append(problems, pathError(f, err))
		}
	}
	switch {
	case len(problems) > 0:
		item.Notes = append(item.Notes, "damaged, or written while it was read: what contradicts itself is not counted")
	case len(damage) > 0:
		item.Notes = append(item.Notes, "some of its pages are not written yet: what the server has in memory alone is not counted")
	}
	return problems
}

// unjoin takes joined errors apart.
func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// unreadable is for a file whose page 0 says nothing: one that the server has not written yet is no problem.
func (r *reader) unreadable(item space.Item, f *File, file *input, err error) ([]space.Item, []error) {
	if head, readErr := file.head(headBytes); errors.Is(err, innodb.ErrNotTablespace) && readErr == nil && isUnwritten(head) {
		item.Notes = append(item.Notes, "its first page is not written yet: a new table of a running server, or one that crashed")
		return []space.Item{item}, nil
	}
	return []space.Item{item}, []error{pathError(f, err)}
}

// figures fills in a line, and adds those of indexes where they are wanted.
func (r *reader) figures(ctx context.Context, s *innodb.Space, st *innodb.Structure, what described, item space.Item, byIndex bool) []space.Item {
	size := int64(st.Flags.PhysicalSize)
	free := freePages(st)
	var data, index, pagesInUse int64
	clustered := true
	samples := r.sample(ctx, s, st, &item)
	var lines []space.Item
	for i := range st.Indexes {
		x := &st.Indexes[i]
		if x.Type == innodb.TypeSDI {
			continue
		}
		pages := int64(x.Leaf.Used) + int64(x.Internal.Used)
		pagesInUse += pages
		if clustered {
			data += pages
		} else {
			index += pages
		}
		if byIndex {
			lines = append(lines, r.indexLine(item, x, samples, i, clustered, size))
		}
		clustered = false
	}
	if len(lines) > 0 {
		data, index = 0, 0
	}
	free = max(0, min(free, int64(st.FilePages)-pagesInUse)) // descriptors may contradict the file
	item.DataBytes, item.IndexBytes, item.FreeBytes = new(data*size), new(index*size), new(free*size)
	item.TotalBytes = new((data + index + free) * size)
	r.fill(&item, st, samples, byIndex)
	r.predict(&item, st, what, samples)
	return append(lines, item)
}

func (r *reader) indexLine(of space.Item, x *innodb.Index, samples []*innodb.Sample, i int, clustered bool, size int64) space.Item {
	line := of
	line.Index, line.Notes, line.FileBytes, line.AllocatedBytes = nameOf(x, clustered), nil, nil, nil
	bytes := (int64(x.Leaf.Used) + int64(x.Internal.Used)) * size
	line.DataBytes, line.IndexBytes, line.TotalBytes, line.FreeBytes = new(int64(0)), new(bytes), new(bytes), new(int64(0))
	if clustered {
		line.DataBytes, line.IndexBytes = line.IndexBytes, line.DataBytes
	}
	if i < len(samples) && samples[i] != nil {
		line.Fill = fillOf(samples[i])
		r.rows(&line, samples[i])
	}
	return line
}

// rows estimates them from the leaves that were read.
func (r *reader) rows(item *space.Item, sample *innodb.Sample) {
	n, known := rowsOf(sample)
	if !known {
		return
	}
	item.Rows = new(n)
	r.sampled(item, "rows")
}

func (r *reader) sampled(item *space.Item, figures ...string) {
	item.Figures = maps.Clone(item.Figures)
	if item.Figures == nil {
		item.Figures = make(map[string]space.Provenance, len(figures))
	}
	for _, name := range figures {
		item.Figures[name] = space.Provenance{Source: space.FromSample, AsOf: r.options.Now}
	}
}

// sample reads leaves of all indexes; nil where none are wanted.
func (r *reader) sample(ctx context.Context, s *innodb.Space, st *innodb.Structure, item *space.Item) []*innodb.Sample {
	if r.options.Sample <= 0 {
		return nil
	}
	samples := make([]*innodb.Sample, len(st.Indexes))
	bad := 0
	for i := range st.Indexes {
		sample, err := s.Sample(ctx, &st.Indexes[i], innodb.SampleOptions{Pages: r.options.Sample, Seed: r.options.Seed})
		if err != nil {
			return nil // ctx ended
		}
		samples[i] = sample
		bad += sample.BadPages
	}
	if bad > 0 {
		item.Notes = append(item.Notes, "some pages of the sample could not be read")
	}
	return samples
}

// fill is that of all leaves: of each index by how many it has.
func (r *reader) fill(item *space.Item, st *innodb.Structure, samples []*innodb.Sample, byIndex bool) {
	var weight, sum float64
	first := true
	for i, sample := range samples {
		if st.Indexes[i].Type == innodb.TypeSDI {
			continue
		}
		if first && !byIndex {
			r.rows(item, sample)
		}
		first = false
		if fill := fillOf(sample); fill != nil {
			sum += *fill * float64(sample.InUse)
			weight += float64(sample.InUse)
		}
	}
	if weight > 0 {
		item.Fill = new(sum / weight)
		r.sampled(item, "fill")
	}
}

func (r *reader) predict(item *space.Item, st *innodb.Structure, what described, samples []*innodb.Sample) {
	if r.options.Predict == nil || len(samples) == 0 {
		return
	}
	p, err := r.options.Predict(&Sampled{
		Structure: st, Samples: samples, Bytes: *item.FileBytes, MariaDB: r.mariadb || st.Flags.FullCRC32,
		Table: rebuild.Table{Fulltext: what.fulltext, Autoextend: what.autoextend},
	})
	if err != nil {
		item.Notes = append(item.Notes, "no prediction: "+err.Error())
		return
	}
	now, then, low, high := *item.FileBytes, p.Bytes, p.Low, p.High
	if st.Flags.PageCompressed || *item.AllocatedBytes < now/2 {
		now, then, low, high = *item.AllocatedBytes, p.AllocatedBytes, p.AllocatedLow, p.AllocatedHigh
	}
	item.Method = string(p.Method)
	item.ReclaimableBytes, item.ReclaimableLowBytes, item.ReclaimableHighBytes = new(now-then), new(now-high), new(now-low)
	item.Notes = append(item.Notes, p.Why...)
	r.sampled(item, "reclaimableBytes")
}

// nameOf is an index's name; where no dictionary has it, the usual one of a clustered index, or its id.
func nameOf(x *innodb.Index, clustered bool) string {
	switch {
	case x.Name != "":
		return x.Name
	case clustered:
		return "PRIMARY"
	}
	return unnamedIndex + strconv.FormatUint(x.ID, 10)
}

// readAtOnce is up to what size a file is read without regard to what is needed.
const readAtOnce = 1 << 20
