package test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/mysqlconn"
)

// TestTunnelReachesTheServerThroughSshd logs in at the real sshd, and from there by TCP and by the socket.
func TestTunnelReachesTheServerThroughSshd(t *testing.T) {
	testpeers.RequireProgram(t, "/usr/sbin/sshd")
	d := testpeers.RequireMariaDB(t, nil)
	sql(t, d, "create user app@'127.0.0.1' identified by 'x'; create user app@localhost identified by 'x'")
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	known := filepath.Join(home, ".ssh", "known_hosts")
	port, hostKey := startSshd(t, home)
	line := func(key *testpeers.Key) string { return fmt.Sprintf("[127.0.0.1]:%d %s\n", port, key.Line("")) }
	stranger := newKey(t)
	target := fmt.Sprintf("root@127.0.0.1:%d", port)
	for _, c := range []struct {
		name  string
		known string
		o     mysqlconn.Options
		want  error
	}{
		{"by TCP", line(hostKey), mysqlconn.Options{Host: "127.0.0.1", Port: d.Port}, nil},
		{"by the socket", line(hostKey), mysqlconn.Options{Socket: d.Socket}, nil},
		{"a host that is not known", "", mysqlconn.Options{Socket: d.Socket}, mysqlconn.ErrHostKey},
		{"a host with another key", line(stranger), mysqlconn.Options{Socket: d.Socket}, mysqlconn.ErrHostKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, known, c.known)
			o := c.o
			o.NoDefaults, o.User, o.PasswordStdin, o.SSH = true, "app", true, target
			config, err := mysqlconn.Resolve(t.Context(), o, mysqlconn.Env{Getenv: noEnv, In: strings.NewReader("x")})
			if err != nil {
				t.Fatal(err)
			}
			s, err := config.Open(t.Context())
			if !errors.Is(err, c.want) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if s.Flavour != "mariadb" {
				t.Errorf("a session with %q", s.Flavour)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// startSshd runs this machine's sshd, which lets root in by the key that it puts into home/.ssh, on a port that the kernel chose.
func startSshd(t *testing.T, home string) (port int, hostKey *testpeers.Key) {
	t.Helper()
	in := func(name string) string { return filepath.Join(home, name) }
	hostKey, login := newKey(t), newKey(t)
	for name, key := range map[string]*testpeers.Key{in("host"): hostKey, in(".ssh/id_ed25519"): login} {
		text, err := key.PrivatePEM("")
		if err != nil {
			t.Fatal(err)
		}
		write(t, name, text)
	}
	write(t, in("authorized_keys"), login.Line("")+"\n")
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, in("sshd_config"), fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n",
		port, in("host"), in("authorized_keys")))
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // its privilege separation wants it
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/usr/sbin/sshd", "-D", "-e", "-f", in("sshd_config"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	poll(t, "sshd listens", func() string {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err.Error()
		}
		if err := conn.Close(); err != nil {
			return err.Error()
		}
		return ""
	})
	return port, hostKey
}

func newKey(t *testing.T) *testpeers.Key {
	t.Helper()
	key, err := testpeers.NewEd25519()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// write makes a file that its owner alone may read, and its folder.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}
