package rebuild

import "errors"

// ErrNoIndex says that an input has no index, so that there is nothing to predict from.
var ErrNoIndex = errors.New("no index to predict from")

// sigmas are the standard errors that bounds are apart from what is likely: 95 of 100 of a normal distribution lie within 1.96,
// and more for what a small sample says of its own spread.
const sigmas = 2.2

// slack is what packing may miss of the leaves of an index, as a share: lengths that were read are those between neighbours.
const slack = 0.003

// singlePages widens the bounds of a file that grows page by page, where one page more or less shows. MySQL builds secondary
// indexes side by side, each of which takes a page more while it is built than it keeps.
func (p *Prediction) singlePages(in *Input) {
	page := int64(in.File.PhysicalSize)
	if p.High > page*int64(max(1<<20/in.File.PageSize, 64)) {
		return
	}
	around := page * int64(1+len(in.Indexes)/3)
	p.Low = max(p.Low-around, page)
	p.High += around
	if !in.Server.MariaDB {
		p.High += page * int64(min(max(len(in.Indexes)-3, 0), 2))
	}
}

// steps widens the bounds by what a file grows by where the order of allocation is not known: that of values which are stored
// apart, of rows that are inserted, and of what is free in a tablespace that tables share.
func (p *Prediction) steps(in *Input, all []grown) {
	extent := int64(max(1<<20, 64*in.File.PageSize))
	if p.High < extent || all[0].lob.value < 1 && !in.inserts(p.Method) && !in.File.Shared {
		return
	}
	step := extent
	if p.Bytes >= 32*extent {
		step *= freeAdd
	}
	p.Low = max(p.Low-step, 0)
	p.High += step
	if all[0].lob.value >= 1 {
		p.Why = append(p.Why, "values are stored apart, in an order that the file does not tell")
	}
}

// share is for a tablespace with other tables in it: it never gets smaller, and grows by what a rebuild does not find free.
func (p *Prediction) share(in *Input) {
	if !in.File.Shared {
		return
	}
	p.Bytes, p.Low, p.High = max(p.Bytes, in.File.Bytes), in.File.Bytes, max(p.High, in.File.Bytes)
	p.Why = append(p.Why, "a tablespace that tables share never gets smaller; a rebuild needs room in it")
}

// inserts says that rows are inserted one by one.
func (in *Input) inserts(m Method) bool { return m == Copy && !in.Server.CopyBulk }

// Predict says what a rebuild leaves.
func Predict(in Input) (*Prediction, error) {
	if len(in.Indexes) == 0 || in.File.PageSize == 0 || in.File.PhysicalSize == 0 {
		return nil, ErrNoIndex
	}
	p := &Prediction{}
	p.choose(&in)
	fill := in.Server.FillFactor
	if fill == 0 {
		fill = 100
	}
	var all []grown
	var rooms []room
	for i := range in.Indexes {
		x := &in.Indexes[i]
		if x.SDI {
			continue
		}
		r := newRoom(in.File.PageSize, in.Table.Redundant, x.Clustered, fill)
		if in.File.PhysicalSize < in.File.PageSize {
			r.reserve = 0 // padding takes its place
		}
		all, rooms = append(all, grow(x, r)), append(rooms, r)
	}
	pool(all)
	if in.inserts(p.Method) {
		scatter(all)
		p.Why = append(p.Why, "rows are inserted one by one: pages of secondary indexes get two thirds full to full, by the order of the keys")
	}
	if in.File.PhysicalSize < in.File.PageSize {
		for i := range all {
			all[i].compressed(rooms[i], &in.File)
		}
	}
	p.Bytes = in.size(all, 0, 0, p.Method)
	p.Low = min(in.size(all, -sigmas, slack, p.Method), p.Bytes)
	p.High = max(in.size(all, sigmas, slack, p.Method), p.Bytes)
	p.singlePages(&in)
	p.steps(&in, all)
	p.share(&in)
	p.AllocatedBytes, p.AllocatedLow, p.AllocatedHigh = p.Bytes, p.Low, p.High
	if in.File.PageCompressed {
		p.AllocatedBytes = in.allocated(all, 0)
		p.AllocatedLow, p.AllocatedHigh = in.allocated(all, -sigmas), in.allocated(all, sigmas)
	}
	return p, nil
}

// choose names the method.
func (p *Prediction) choose(in *Input) {
	switch {
	case in.Method != "":
		p.Method = in.Method
	case in.Table.Fulltext:
		p.Method = Copy
		p.Why = append(p.Why, "a full-text index is rebuilt by a copy")
	default:
		p.Method = InPlace
	}
}

// size allocates what is expected, so many standard errors away.
func (in *Input) size(all []grown, sigmas, share float64, method Method) int64 {
	a := Alloc{
		PageSize: in.File.PageSize, PhysicalSize: in.File.PhysicalSize, MariaDB: in.Server.MariaDB, Reserve: in.Server.Reserve,
		Autoextend: in.Table.Autoextend, Inserts: in.inserts(method),
	}
	if in.File.Shared && in.File.Bytes > 0 {
		a.Pages, a.FreePages = uint32(in.File.Bytes/int64(in.File.PhysicalSize)), in.File.FreePages
	}
	for i := range in.Indexes {
		if x := &in.Indexes[i]; x.SDI && !in.File.Shared {
			a.SDI = &Tree{Levels: []uint32{1}, LOB: x.LeafUsed, Values: 1}
		}
	}
	for i := range all {
		a.Trees = append(a.Trees, all[i].tree(sigmas, share))
	}
	return Simulate(a)
}
