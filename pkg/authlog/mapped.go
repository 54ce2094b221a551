package authlog

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/unix"
)

// window is how much of a file is mapped at a time, in bytes: large beside the cost of
// mapping it, small beside the memory that an audit may take. Mapped pages count there.
const window = 4 << 20

// mapping is a window on a file: its own pages in memory, at the same address wherever
// the window stands, so that nothing else comes to lie there while slices may still
// point into it. Pages behind the end of a file that became shorter fault; see Guard.
type mapping struct {
	file *os.File
	at   int64 // place in the file of the memory's first byte, a multiple of the page size
	size int64 // of the file, as far as it is read
	mem  []byte
}

// NewFileRange is NewRange for a regular file, whose lines it gives from the file's pages
// where these can be mapped. All calls of Next, and all use of the lines, must be inside
// Guard. Close ends the use of f and of the lines.
func NewFileRange(f *os.File, from, to, size int64) *Lines {
	return newFileRange(f, from, to, size, window)
}

func newFileRange(f *os.File, from, to, size int64, window int) *Lines {
	start := max(from-1, 0)
	page := int64(os.Getpagesize())
	m := &mapping{file: f, at: start &^ (page - 1), size: size}
	if size-m.at < int64(window) {
		return NewRange(f, from, to, size) // it would not pay
	}
	var err error
	if m.mem, err = unix.Mmap(int(f.Fd()), m.at, window, unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return NewRange(f, from, to, size)
	}
	l := &Lines{mapped: m, buf: m.mem, pos: int(start - m.at), end: window, stop: to - m.at, eof: m.ends(window)}
	l.Guard(func() { l.first(from) })
	return l
}

// Close unmaps what is mapped. The lines given so far are gone, and there are no more.
func (l *Lines) Close() error {
	m := l.mapped
	if m == nil {
		return nil
	}
	l.mapped, l.buf, l.pos, l.end, l.eof = nil, nil, 0, 0, true
	return unix.Munmap(m.mem)
}

// Guard calls read, which reads lines and uses them. It calls read again when that met a
// page which the file does not have any more: something truncated the log, as logrotate's
// copytruncate does, or the disk failed. From that line on the rest, if there is one, is
// then read with read(2), which says which it was. Of the line that read was about to use
// it must bear to have seen a part.
func (l *Lines) Guard(read func()) {
	for l.faults(read) {
		l.unmap()
	}
}

// faults tells whether read met a page that is not there.
func (l *Lines) faults(read func()) (yes bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if !l.holds(r) {
				panic(r)
			}
			yes = true
		}
	}()
	read()
	return false
}

// holds tells whether a panic is a fault of the mapped memory.
func (l *Lines) holds(r any) bool {
	fault, ok := r.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok || l.mapped == nil {
		return false
	}
	first := uintptr(unsafe.Pointer(&l.mapped.mem[0])) //nolint:gosec // to be compared only
	return fault.Addr()-first < uintptr(len(l.mapped.mem))
}

// unmap goes on with read(2) where the next line begins. The memory stays reserved until
// Close, for those who hold slices of it.
func (l *Lines) unmap() {
	m := l.mapped
	at := m.at + int64(l.pos)
	l.r = io.NewSectionReader(m.file, at, max(m.size-at, 0))
	l.stop -= int64(l.pos)
	l.buf, l.pos, l.end, l.eof = make([]byte, bufSize), 0, 0, false
}

// slide moves the window to where the next line begins, or leaves it to read(2).
func (l *Lines) slide() {
	m := l.mapped
	by := l.pos &^ (os.Getpagesize() - 1)
	if by == 0 { // a line that exceeds the window
		l.unmap()
		return
	}
	m.at += int64(by)
	size := int(min(m.size-m.at, int64(len(m.mem))))
	place := unsafe.Pointer(&m.mem[0]) //nolint:gosec // the kernel's memory, and no longer than before
	_, err := unix.MmapPtr(int(m.file.Fd()), m.at, place, uintptr(size), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_FIXED|unix.MAP_POPULATE)
	l.stop -= int64(by)
	l.pos, l.end, l.eof = l.pos-by, size, m.ends(size)
	if err != nil {
		// The old window may be gone, and something else in its place: it is not ours to unmap.
		l.unmap()
		l.mapped = nil
	}
}

// ends tells whether the first n bytes of the window reach the end of the file.
func (m *mapping) ends(n int) bool { return m.at+int64(n) >= m.size }
