package rebuild

import "errors"

// ErrNoIndex says that an input has no index, so that there is nothing to predict from.
var ErrNoIndex = errors.New("no index to predict from")

// sigmas are the standard errors that bounds are apart from what is likely: 95 of 100 of a normal distribution lie within 1.96,
// and more for what a small sample says of its own spread.
const sigmas = 2.2

// slack is what packing may miss of the leaves of an index, as a share: lengths that were read are those between neighbours.
const slack = 0.003

// around widens the bounds by what the order of allocation makes of them where it is not known: that of values which are stored
// apart, and of rows that are inserted.
func (p *Prediction) around(in *Input, all []grown) {
	if all[0].lob.value < 1 && !in.inserts(p.Method) {
		return
	}
	if all[0].lob.value >= 1 {
		p.Why = append(p.Why, "values are stored apart, in an order that the file does not tell")
	}
	pages := all[0].lob.value
	for i := range all {
		pages += all[i].leaves.value
	}
	if pages > manyPages {
		p.step(in)
		return
	}
	for i := range uint64(orders) {
		v := variant{sigmas: sigmas * float64(int(i%3)-1), share: slack, chance: i + 1}
		size := in.size(all, v, p.Method)
		p.Low, p.High = min(p.Low, size), max(p.High, size)
	}
}

// Orders that are tried, in a tablespace of so many pages at most: beyond that a step counts for little.
const (
	orders    = 12
	manyPages = 20000
)

// step widens the bounds by what a file grows by at a time.
func (p *Prediction) step(in *Input) {
	step := int64(max(1<<20, 64*in.File.PageSize))
	if p.High < step {
		return
	}
	if p.Bytes >= 32*step {
		step *= freeAdd
	}
	p.Low = max(p.Low-step, 0)
	p.High += step
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
	if fill == 0 || in.inserts(p.Method) { // which is of sorted builds alone
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
		if in.File.Compressed {
			r.reserve = 0 // padding takes its place
		}
		all, rooms = append(all, grow(x, r, in.inserts(p.Method))), append(rooms, r)
	}
	pool(all)
	if in.inserts(p.Method) {
		scatter(all)
		p.Why = append(p.Why, "rows are inserted one by one: pages of secondary indexes get two thirds full to full, by the order of the keys")
	}
	if in.File.Compressed {
		for i := range all {
			all[i].compressed(rooms[i], &in.File)
		}
	}
	p.Bytes = in.size(all, variant{}, p.Method)
	p.Low = min(in.size(all, variant{sigmas: -sigmas, share: slack}, p.Method), p.Bytes)
	p.High = max(in.size(all, variant{sigmas: sigmas, share: slack, parallel: in.Server.threads()}, p.Method), p.Bytes)
	p.around(&in, all)
	if in.File.Shared {
		p.step(&in)
	}
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

// variant is one of what may come of a rebuild: so many standard errors away, and a share in addition; with as many indexes that
// are built side by side; and in an order that this chance makes, unless it is 0.
type variant struct {
	sigmas, share float64
	parallel      int
	chance        uint64
}

// size allocates what is expected.
func (in *Input) size(all []grown, v variant, method Method) int64 {
	a := Alloc{
		PageSize: in.File.PageSize, PhysicalSize: in.File.PhysicalSize, MariaDB: in.Server.MariaDB, Reserve: in.Server.Reserve,
		Autoextend: in.Table.Autoextend, Inserts: in.inserts(method),
		Parallel: v.parallel, Chance: v.chance,
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
		a.Trees = append(a.Trees, all[i].tree(v.sigmas, v.share))
	}
	return Simulate(a)
}
