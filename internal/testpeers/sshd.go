package testpeers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Sshd is a running sshd -D in a box, on port 22 of every address of the box.
type Sshd struct {
	Box    *Box
	daemon *Daemon
	args   []string
}

// HostKey is where the box's host key lies; made at the first start.
const HostKey = "/etc/ssh/ssh_host_ed25519_key"

// configFile is where Debian's sshd reads its configuration.
const configFile = "/etc/ssh/sshd_config"

// StartSshd writes the configuration to /etc/ssh/sshd_config as it stands and starts sshd with additional arguments
// ("-E", FILE). It returns when sshd accepts connections.
func StartSshd(ctx context.Context, box *Box, config string, args ...string) (*Sshd, error) {
	if err := box.WriteFiles(File{Name: configFile, Text: config, Mode: 0o644}); err != nil {
		return nil, err
	}
	if !exists(box.Path(HostKey)) {
		key, err := NewEd25519()
		if err != nil {
			return nil, err
		}
		text, err := key.PrivatePEM("")
		if err != nil {
			return nil, err
		}
		if err := box.WriteFiles(File{Name: HostKey, Text: text, Mode: 0o600}); err != nil {
			return nil, err
		}
	}
	s := &Sshd{Box: box, args: args}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Sshd) start(ctx context.Context) error {
	args := append([]string{"-D", "-f", configFile, "-h", HostKey}, s.args...)
	daemon, err := s.Box.Start(s.Box.Command(context.WithoutCancel(ctx), "/usr/sbin/sshd", args...))
	if err != nil {
		return fmt.Errorf("starting sshd: %w", err)
	}
	s.daemon = daemon
	for !listening(daemon.Pid) {
		if ctx.Err() != nil || !exists(fmt.Sprintf("/proc/%d/exe", daemon.Pid)) {
			_ = daemon.Stop()
			return fmt.Errorf("sshd does not listen: %s", daemon.Output())
		}
		pause()
	}
	return nil
}

// listening looks for listening sockets on port 22 in the process's network namespace, of both families: a trial connection
// would leave log lines.
func listening(pid int) bool {
	return listens(fmt.Sprintf("/proc/%d/net/tcp", pid)) && listens(fmt.Sprintf("/proc/%d/net/tcp6", pid))
}

// listens searches a socket table of proc(5): local address and state are its second and fourth columns.
func listens(table string) bool {
	text, err := os.ReadFile(table)
	if err != nil {
		return false
	}
	const port22, listen = ":0016", "0A"
	for line := range strings.Lines(string(text)) {
		column := strings.Fields(line)
		if len(column) > 3 && strings.HasSuffix(column[1], port22) && column[3] == listen {
			return true
		}
	}
	return false
}

// Stop ends the listener; connections that are open live on.
func (s *Sshd) Stop() error { return s.daemon.Stop() }

// StopAll ends the listener and waits until the processes of its connections have ended too, and with them the log.
// Their clients must have gone.
func (s *Sshd) StopAll(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	for s.Box.running("sshd") {
		if ctx.Err() != nil {
			return fmt.Errorf("waiting for the last connection: %w", context.Cause(ctx))
		}
		pause()
	}
	return nil
}

// Output is what sshd -e wrote to its standard error; call it after StopAll.
func (s *Sshd) Output() string { return s.daemon.Output() }

// Version is what the box's sshd calls itself: "OpenSSH_9.2p1 Debian-2+deb12u10".
func (b *Box) Version(ctx context.Context) (string, error) {
	// 9.2 has no -V and prints its version with the usage, exit 1; the client of the same source package knows it too.
	var out strings.Builder
	cmd := b.Command(ctx, "/usr/bin/ssh", "-V")
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		return "", errors.Join(err, errors.New(out.String()))
	}
	version, _, _ := strings.Cut(out.String(), ",")
	return strings.TrimSpace(version), nil
}
