package sshaudit

import (
	"hash/maphash"
	"math/bits"
)

// maxRows bounds a failTable's rows, and with them its memory: 64 bytes each and
// the name.
const (
	maxRows = 1 << 20
	rowPage = 1 << 12
)

// The levels of detail of a failTable. Each maps a row to a coarser one by the row
// alone, so a table's level and rows depend on what was counted and not on its
// order: the level is the finest at which the rows fit.
const (
	levelFull    = iota // host, address, user, reason
	levelKnown          // names that are no account are dropped
	levelAddr           // all names are dropped
	levelNet            // addresses become /24 and /64 networks
	levelWide           // ... /16 and /32
	levelHost           // host and reason only
	coarsest     = levelHost
	collapseUser = 1
	collapseAddr = 2
)

// failID names a row but for its user.
type failID struct {
	addr      addr
	host      uint32
	reason    Reason
	collapsed uint8 // collapseUser, collapseAddr: what was dropped
	bits      uint8 // of the network, where the address was collapsed
}

// failKey names a row. user is not kept by the table's callers.
type failKey struct {
	failID
	user []byte
}

// failRow is a row of a table or a log: 64 bytes, a line of the core's cache. A user's
// name that does not fit stands beside the rows.
type failRow struct {
	hash  uint64 // of its key
	count uint64
	failID
	first, last uint32
	userOff     uint32 // in the names
	userLen     uint16
	short       [shortName]byte
}

const shortName = 10

// keep takes a user's name, and gives names with what it added.
func (r *failRow) keep(user, names []byte) []byte {
	r.userLen = uint16(len(user))
	if len(user) <= shortName {
		copy(r.short[:], user)
		return names
	}
	r.userOff = uint32(len(names))
	return append(names, user...)
}

func (r *failRow) user(names []byte) []byte {
	if r.userLen <= shortName {
		return r.short[:r.userLen]
	}
	return names[r.userOff : r.userOff+uint32(r.userLen)]
}

// set makes the row of a key; the user is left to where the row goes.
func (r *failRow) set(seed maphash.Seed, k *failKey, n uint64, first, last uint32) {
	r.hash, r.count, r.first, r.last = k.hash(seed), n, first, last
	// One by one: what was just written by parts is slow to read as a whole.
	r.addr.hi, r.addr.lo, r.host = k.addr.hi, k.addr.lo, k.host
	r.reason, r.collapsed, r.bits = k.reason, k.collapsed, k.bits
}

// failTable counts failures by host, address, user and reason, exactly, in
// bounded memory: when an attack brings more distinct rows than maxRows, the
// rows merge to a coarser level of detail. Totals stay exact, and no count is
// ever estimated.
type failTable struct {
	seed   maphash.Seed
	limit  int
	level  int
	slots  []slot // open addressing
	pages  [][]failRow
	n      int    // rows
	names  []byte // the users' names
	totals [reasons]uint64
	warmed uint64 // see warm: keeps its reads from being optimised away
}

// slot is a row's number plus one, less than there are slots, in its lower bits, and
// the uppermost ones of the row's hash; 0 is none. mask is the number of slots less one.
type slot uint32

func newSlot(hash, mask uint64, row int) slot { return slot(hash>>32&^mask) | slot(row+1) }

func (s slot) row(mask uint64) int { return int(uint64(s)&mask) - 1 }

// may tells whether the slot can be of a row with that hash.
func (s slot) may(hash, mask uint64) bool { return (uint64(s)^hash>>32)&^mask == 0 }

func newFailTable(seed maphash.Seed) *failTable {
	return &failTable{seed: seed, limit: maxRows, slots: make([]slot, 1<<10)}
}

func (f *failTable) row(i int) *failRow { return &f.pages[i/rowPage][i%rowPage] }

// coarsen maps a key to a level of detail.
func (k failKey) coarsen(level int) failKey {
	if level >= levelAddr || level >= levelKnown && k.reason == ReasonInvalidUser {
		k.user, k.collapsed = nil, k.collapsed|collapseUser
	}
	switch {
	case level < levelNet:
		return k
	case level == levelNet:
		return k.widen(24, 64)
	case level == levelWide:
		return k.widen(16, 32)
	default:
		k.addr, k.bits, k.collapsed = addr{}, 0, k.collapsed|collapseAddr
		return k
	}
}

func (k failKey) widen(v4, v6 int) failKey {
	k.collapsed |= collapseAddr
	switch {
	case k.addr.hi == nameMark:
		k.bits = 0
	case k.addr.isV4():
		k.bits = uint8(v4)
	default:
		k.bits = uint8(v6)
	}
	k.addr = k.addr.prefix(v4, v6)
	return k
}

// add counts n failures that were seen between first and last.
func (f *failTable) add(k failKey, n uint64, first, last uint32) {
	f.totals[k.reason] += n
	if f.level > levelFull {
		k = k.coarsen(f.level)
	}
	f.insert(&k, n, first, last)
	for f.n > f.limit && f.level < coarsest {
		f.rebuild(f.level + 1)
	}
}

func (k *failKey) hash(seed maphash.Seed) uint64 {
	h := maphash.Bytes(seed, k.user)
	h ^= k.addr.hi*0x9e3779b97f4a7c15 + bits.RotateLeft64(k.addr.lo*0xbf58476d1ce4e5b9, 31)
	h ^= (uint64(k.host)<<24 | uint64(k.reason)<<16 | uint64(k.collapsed)<<8 | uint64(k.bits)) * 0x94d049bb133111eb
	hi, lo := bits.Mul64(h, 0x9e3779b97f4a7c15)
	return hi ^ lo
}

func (f *failTable) insert(k *failKey, n uint64, first, last uint32) {
	var r failRow
	r.set(f.seed, k, n, first, last)
	f.put(&r, k.user)
}

// put adds a row of the table's level.
func (f *failTable) put(r *failRow, user []byte) {
	mask := uint64(len(f.slots) - 1)
	i := r.hash & mask
	for ; f.slots[i] != 0; i = (i + 1) & mask {
		if !f.slots[i].may(r.hash, mask) {
			continue
		}
		if old := f.row(f.slots[i].row(mask)); old.hash == r.hash && old.failID == r.failID && string(f.user(old)) == string(user) {
			old.count += r.count
			old.first, old.last = min(old.first, r.first), max(old.last, r.last)
			return
		}
	}
	if f.n == len(f.pages)*rowPage {
		f.pages = append(f.pages, make([]failRow, rowPage))
	}
	own := f.row(f.n)
	*own = *r
	f.names = own.keep(user, f.names)
	f.slots[i] = newSlot(r.hash, mask, f.n)
	f.n++
	if f.n*4 > len(f.slots)*3 {
		f.grow()
	}
}

func (f *failTable) user(r *failRow) []byte { return r.user(f.names) }

func (r *failRow) key(names []byte) failKey {
	return failKey{r.failID, r.user(names)}
}

func (f *failTable) grow() {
	f.slots = make([]slot, 4*len(f.slots))
	mask := uint64(len(f.slots) - 1)
	for n := range f.n {
		h := f.row(n).hash
		i := h & mask
		for f.slots[i] != 0 {
			i = (i + 1) & mask
		}
		f.slots[i] = newSlot(h, mask, n)
	}
}

// rebuild maps all rows to a coarser level.
func (f *failTable) rebuild(level int) {
	old := *f
	f.level, f.pages, f.n, f.names, f.slots = level, nil, 0, nil, make([]slot, 1<<10)
	for i := range old.n {
		r := old.row(i)
		k := r.key(old.names).coarsen(level)
		f.insert(&k, r.count, r.first, r.last)
		if i%rowPage == rowPage-1 {
			old.pages[i/rowPage] = nil // for the collector: both tables together may be large
		}
	}
}

// merge adds the rows of g; hosts gives f's number of each of g's hosts. An empty
// table takes g's memory over where the numbers are the same.
func (f *failTable) merge(g *failTable, hosts []int) {
	if f.n == 0 && identity(hosts) && f.seed == g.seed {
		limit, totals := f.limit, f.totals
		*f = *g
		f.limit = limit
		for i, n := range totals {
			f.totals[i] += n
		}
		return
	}
	f.absorb(g, hosts)
}

// absorb is merge for a table that goes on to be used.
func (f *failTable) absorb(g *failTable, hosts []int) {
	if g.level > f.level {
		f.rebuild(g.level)
	}
	for i := 0; i < g.n; i += rowPage {
		f.take(g.pages[i/rowPage][:min(rowPage, g.n-i)], g.names, hosts, g.seed)
	}
	f.addTotals(&g.totals)
}

func (f *failTable) addTotals(totals *[reasons]uint64) {
	for i, n := range totals {
		f.totals[i] += n
	}
}

// take adds rows whose hosts are numbered, and whose keys are hashed, as elsewhere.
// It leaves the totals.
func (f *failTable) take(rows []failRow, names []byte, hosts []int, seed maphash.Seed) {
	same := f.seed == seed && identity(hosts)
	for len(rows) > 0 {
		batch := rows[:min(ahead, len(rows))]
		rows = rows[len(batch):]
		f.warm(batch)
		for i := range batch {
			r := &batch[i]
			if same && f.level == levelFull {
				f.put(r, r.user(names))
			} else {
				k := r.key(names)
				k.host = uint32(hosts[r.host])
				k = k.coarsen(f.level)
				f.insert(&k, r.count, r.first, r.last)
			}
			for f.n > f.limit && f.level < coarsest {
				f.rebuild(f.level + 1)
			}
		}
	}
}

// ahead is how many slots warm reads at a time.
const ahead = 16

// warm reads the slots, and then the rows, that an insert of each of the rows will look
// at. The reads do not wait for each other, as those of one insert after the other do:
// a large table lies outside the core's cache.
func (f *failTable) warm(rows []failRow) {
	mask := uint64(len(f.slots) - 1)
	var found [ahead]slot
	for i := range rows {
		found[i] = f.slots[rows[i].hash&mask]
	}
	sum := uint64(0)
	for i := range rows {
		if s := found[i]; s != 0 && s.may(rows[i].hash, mask) {
			sum += f.row(s.row(mask)).hash
		}
	}
	f.warmed = sum
}

func identity(hosts []int) bool {
	for i, h := range hosts {
		if i != h {
			return false
		}
	}
	return true
}
