package testpeers

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// slowLink is a TCP proxy on loopback that hands bytes on a while after they came, in their order and without limiting how many are
// under way but by its memory for a connection.
type slowLink struct {
	listener net.Listener
	to       string
	delay    time.Duration
	ctx      context.Context
	cancel   context.CancelFunc
	group    sync.WaitGroup
}

// underWay bounds the pieces of a connection that wait; a piece has at most 64 KiB.
const underWay = 256

func newSlowLink(ctx context.Context, to string, delay time.Duration) (*slowLink, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &slowLink{listener: l, to: to, delay: delay}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.group.Go(s.accept)
	return s, nil
}

func (s *slowLink) address() string { return s.listener.Addr().String() }

func (s *slowLink) close() error {
	s.cancel()
	err := s.listener.Close()
	s.group.Wait()
	return err
}

func (s *slowLink) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.group.Go(func() { s.serve(conn) })
	}
}

// serve joins two connections until one of them ends.
func (s *slowLink) serve(a net.Conn) {
	var d net.Dialer
	b, err := d.DialContext(s.ctx, "tcp", s.to)
	if err != nil {
		_ = a.Close() // nobody is there: who asked sees that
		return
	}
	end := context.AfterFunc(s.ctx, func() { _ = errors.Join(a.Close(), b.Close()) })
	defer end()
	var both sync.WaitGroup
	both.Go(func() { s.copy(a, b) })
	both.Go(func() { s.copy(b, a) })
	both.Wait()
}

type piece struct {
	due   time.Time
	bytes []byte
}

// copy hands on what comes, late.
func (s *slowLink) copy(to, from net.Conn) {
	pieces := make(chan piece, underWay)
	var writer sync.WaitGroup
	writer.Go(func() {
		for p := range pieces {
			wait := time.NewTimer(time.Until(p.due))
			select {
			case <-wait.C:
			case <-s.ctx.Done():
				wait.Stop()
			}
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close()
			}
		}
		_ = to.Close()
	})
	for {
		b := make([]byte, 64<<10)
		n, err := from.Read(b)
		if n > 0 {
			pieces <- piece{time.Now().Add(s.delay), b[:n]}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				_ = to.Close()
			}
			break
		}
	}
	close(pieces)
	writer.Wait()
}
