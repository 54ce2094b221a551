package testpeers

import (
	"context"
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
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, err
	}
	defer func() { _ = ns.Close() }()
	t := &netThread{calls: make(chan func())}
	joined := make(chan error)
	go func() {
		// Never unlocked: the thread must not serve other goroutines and dies with this one.
		runtime.LockOSThread()
		err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		joined <- err
		if err != nil {
			return
		}
		for call := range t.calls {
			call()
		}
	}()
	return t, <-joined
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
