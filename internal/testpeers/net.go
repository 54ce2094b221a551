package testpeers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// netThread runs functions on an operating system thread that lives in a box's network namespace. A socket belongs to the
// namespace of the thread that made it and works from every other thread afterwards.
type netThread struct {
	calls chan func()
}

func newNetThread(pid int) (*netThread, error) {
	t := &netThread{calls: make(chan func())}
	joined := make(chan error)
	go func() {
		runtime.LockOSThread()
		home, err := t.enter(pid)
		joined <- err
		if err != nil {
			return // still locked: the thread, which may be anywhere, dies with this goroutine
		}
		for call := range t.calls {
			call()
		}
		// Home again, to serve other goroutines. Its death would be that of its children: Pdeathsig in [syscall.SysProcAttr] is about
		// the thread that started one, and this one may have started any.
		if err := errors.Join(unix.Setns(int(home.Fd()), unix.CLONE_NEWNET), home.Close()); err == nil {
			runtime.UnlockOSThread()
		}
	}()
	return t, <-joined
}

// enter moves the calling thread into the network namespace of a process, and returns the one that it comes from.
func (*netThread) enter(pid int) (home *os.File, err error) {
	if home, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return nil, err
	}
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, errors.Join(err, home.Close())
	}
	if err := errors.Join(unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET), ns.Close()); err != nil {
		return nil, errors.Join(err, home.Close())
	}
	return home, nil
}

func (t *netThread) close() { close(t.calls) }

func (t *netThread) do(f func()) {
	done := make(chan struct{})
	t.calls <- func() { defer close(done); f() }
	<-done
}

// Dial connects to an address inside the box from a source address of the caller's choice; port 0 lets the kernel choose.
func (b *Box) Dial(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(from)}
	var conn net.Conn
	var err error
	b.net.do(func() { conn, err = dialer.DialContext(ctx, "tcp", to.String()) })
	return conn, err
}

// pause is the step of a loop that waits for another process.
func pause() { time.Sleep(2 * time.Millisecond) }
