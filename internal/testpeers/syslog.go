package testpeers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Framing is the form in which a [Syslog] writes lines, each one of rsyslog's templates.
type Framing string

// The framings, by the name of rsyslog's template.
const (
	Traditional Framing = "RSYSLOG_TraditionalFileFormat" // Jan  2 15:04:05 host tag: message
	ISO8601     Framing = "RSYSLOG_FileFormat"            // 2006-01-02T15:04:05.000000+00:00 host tag: message
	Protocol23  Framing = "RSYSLOG_SyslogProtocol23Format"
)

// Syslog answers /dev/log of a box and frames what it receives as rsyslog would. It is quicker than rsyslogd, starts at
// once and loses nothing; the captured samples come from rsyslogd itself.
type Syslog struct {
	conn    *net.UnixConn
	framing Framing
	host    string

	mu    sync.Mutex
	lines []string
	grown chan struct{} // closed and replaced whenever lines grows
}

// ListenSyslog starts to receive. A box has one log socket, so one Syslog or one rsyslogd at a time.
func (b *Box) ListenSyslog(framing Framing, host string) (*Syslog, error) {
	path := b.Path(logSocket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	// sshd's last process of a session logs as the user who logged in.
	if err := errors.Join(os.Chmod(path, 0o666), conn.SetReadBuffer(4<<20)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s := &Syslog{conn: conn, framing: framing, host: host, grown: make(chan struct{})}
	go s.receive()
	return s, nil
}

// logSocket is where a box's /dev/log leads.
const logSocket = "/run/log.sock"

func (s *Syslog) receive() {
	buf := make([]byte, 1<<16)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			return
		}
		line := frame(s.framing, s.host, time.Now(), buf[:n])
		s.mu.Lock()
		s.lines = append(s.lines, line)
		close(s.grown)
		s.grown = make(chan struct{})
		s.mu.Unlock()
	}
}

// Lines returns the lines from the given index on, without their newlines.
func (s *Syslog) Lines(from int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines[from:])
}

// Wait blocks until a line at or after index from matches, and returns it with its index.
func (s *Syslog) Wait(ctx context.Context, from int, match func(line string) bool) (string, int, error) {
	for {
		s.mu.Lock()
		lines, grown := s.lines[from:], s.grown
		s.mu.Unlock()
		for i, line := range lines {
			if match(line) {
				return line, from + i, nil
			}
		}
		from += len(lines)
		select {
		case <-grown:
		case <-ctx.Done():
			return "", 0, fmt.Errorf("waiting for a log line: %w", context.Cause(ctx))
		}
	}
}

// Close stops receiving.
func (s *Syslog) Close() error { return s.conn.Close() }

// frame turns a datagram "<PRI>Mmm dd hh:mm:ss tag[pid]: message" into a line. As rsyslog does by default, the time is
// that of reception, one trailing newline goes, and control characters become # and three octal digits.
func frame(framing Framing, host string, now time.Time, datagram []byte) string {
	text := strings.TrimSuffix(string(datagram), "\n")
	pri := "38"
	if rest, ok := strings.CutPrefix(text, "<"); ok {
		if head, tail, ok := strings.Cut(rest, ">"); ok {
			pri, text = head, tail
		}
	}
	if _, err := time.Parse(time.Stamp, text[:min(len(text), len(time.Stamp))]); err == nil {
		text = strings.TrimPrefix(text[len(time.Stamp):], " ")
	}
	text = escapeControl(text)
	switch framing {
	case Protocol23:
		tag, message, _ := strings.Cut(text, ": ")
		name, pid, _ := strings.Cut(strings.TrimSuffix(tag, "]"), "[")
		// The message keeps the space that followed the tag.
		return fmt.Sprintf("<%s>1 %s %s %s %s - -  %s", pri, stamp8601(now), host, name, pid, message)
	case ISO8601:
		return fmt.Sprintf("%s %s %s", stamp8601(now), host, text)
	default:
		return fmt.Sprintf("%s %s %s", now.UTC().Format(time.Stamp), host, text)
	}
}

func stamp8601(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

func escapeControl(s string) string {
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == 0x7f {
			fmt.Fprintf(&out, "#%03o", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
