package authkeys

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys/sshdconfig"
	"github.com/opsctl/opsctl/pkg/host"
)

// sshdTime is how long sshd -T may take.
const sshdTime = 10 * time.Second

// findVersion finds the release of a host's sshd in the program itself, which holds the greeting that it
// sends. Newer releases keep that in sshd-session. Without a program the newest release is assumed.
func findVersion(h *host.Host, sshd string) sshdconfig.Version {
	for _, name := range []string{sshd, "/usr/lib/openssh/sshd-session", "/usr/libexec/openssh/sshd-session", "/usr/libexec/sshd-session"} {
		if v, ok := programVersion(h, name); ok {
			return v
		}
	}
	return sshdconfig.Newest()
}

func programVersion(h *host.Host, name string) (sshdconfig.Version, bool) {
	f, err := h.Open(name)
	if err != nil {
		return sshdconfig.Version{}, false
	}
	defer f.Close() //nolint:errcheck // read only
	const window, overlap = 1 << 20, 256
	in := bufio.NewReaderSize(io.LimitReader(f, 64<<20), window)
	var best sshdconfig.Version
	found := false
	for {
		part, err := in.Peek(window)
		if v, ok := sshdconfig.ParseVersion(part); ok && v.Newer(best) {
			best, found = v, true
		}
		if err != nil {
			return best, found
		}
		_, _ = in.Discard(len(part) - overlap) // cannot fail: the bytes were peeked
	}
}

// settings gives the configuration for a connection. On a live host sshd itself is asked, once for all
// connections for which the same Match blocks hold. The error is one at which sshd ends the connection.
func (s *site) settings(conn sshdconfig.Connection) (*Config, error) {
	if s.config == nil {
		return sshdconfig.Default(), nil
	}
	ours, path, err := s.config.For(conn)
	if err != nil || conn.AnyAddress || !s.host.Live() || os.Geteuid() != 0 {
		return ours, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.dumps[path]; ok {
		return c, nil
	}
	s.dumps[path] = ours
	if dump, err := s.askSSHD(conn); err == nil {
		s.sshd = true
		s.dumps[path] = sshdconfig.FromDump(dump, s.version, ours)
	}
	return s.dumps[path], nil
}

// askSSHD runs sshd -T for a connection.
func (s *site) askSSHD(conn sshdconfig.Connection) ([]byte, error) {
	args := []string{s.opts.SSHDPath, "-T", "-f", s.opts.ConfigFile}
	if s.config.HasMatch() {
		var spec []string
		for _, part := range []struct{ name, value string }{
			{"user", conn.User}, {"host", conn.Host}, {"addr", conn.Address}, {"laddr", conn.LocalAddr}, {"rdomain", conn.RDomain},
		} {
			if strings.Contains(part.value, ",") {
				return nil, errors.New("a comma cannot be passed on")
			}
			if part.value != "" {
				spec = append(spec, part.name+"="+part.value)
			}
		}
		if conn.LocalPort != 0 {
			spec = append(spec, fmt.Sprintf("lport=%d", conn.LocalPort))
		}
		args = append(args, "-C", strings.Join(spec, ","))
	}
	ctx, cancel := context.WithTimeout(context.Background(), sshdTime)
	defer cancel()
	return s.host.Run(ctx, args...)
}
