package mysqlconn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/kevinburke/ssh_config"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// ErrHostKey is an SSH server whose key is not the one that is known, or not known at all.
var ErrHostKey = errors.New("the SSH server's key is not known")

// tunnel is an SSH connection through which the server is reached.
type tunnel struct {
	client *ssh.Client
	agent  net.Conn // nil without one
}

// openTunnel logs in at [user@]host[:port] as ssh(1) would: HostName, Port, User and IdentityFile of ~/.ssh/config, the
// agent's keys and then key files without a passphrase, and a host key that known_hosts has.
func openTunnel(ctx context.Context, target string) (_ *tunnel, err error) {
	t := &tunnel{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("ssh %s: %w", target, err), t.Close())
		}
	}()
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	h, err := sshHost(target, filepath.Join(home, ".ssh"))
	if err != nil {
		return nil, err
	}
	known, err := h.knownHosts()
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{
		User: h.user, Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(t.signers(h.keys))}, Timeout: dialTimeout,
		HostKeyCallback: known.HostKeyCallback(), HostKeyAlgorithms: known.HostKeyAlgorithms(h.address),
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", h.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c, channels, requests, err := ssh.NewClientConn(conn, h.address, config)
	if err != nil {
		_ = conn.Close()
		return nil, hostKeyError(err)
	}
	t.client = ssh.NewClient(c, channels, requests)
	return t, nil
}

func hostKeyError(err error) error {
	switch {
	case knownhosts.IsHostKeyChanged(err):
		return fmt.Errorf("%w: another one is in known_hosts: %w", ErrHostKey, err)
	case knownhosts.IsHostUnknown(err):
		return fmt.Errorf("%w: log in once with ssh to accept it: %w", ErrHostKey, err)
	}
	return err
}

// host is what ssh_config(5) says of a target.
type host struct {
	user, address string
	keys          []string // private key files
	known         []string
}

func sshHost(target, dir string) (host, error) {
	user, name, found := strings.Cut(target, "@")
	if !found {
		user, name = "", target
	}
	port := ""
	if h, p, err := net.SplitHostPort(name); err == nil {
		name, port = h, p
	}
	if name == "" {
		return host{}, &UsageError{fmt.Sprintf("--ssh %q names no host", target)}
	}
	config, err := sshConfig(filepath.Join(dir, "config"))
	if err != nil {
		return host{}, err
	}
	get := func(key string) string { v, _ := config.Get(name, key); return v }
	h := host{user: first(user, get("User"), login())}
	h.address = net.JoinHostPort(first(strings.ReplaceAll(get("HostName"), "%h", name), name), first(port, get("Port"), "22"))
	files, _ := config.GetAll(name, "IdentityFile")
	if len(files) == 0 {
		files = []string{"id_ed25519", "id_ecdsa", "id_rsa"}
	}
	for _, file := range files {
		h.keys = append(h.keys, expand(file, dir))
	}
	h.known = []string{filepath.Join(dir, "known_hosts"), filepath.Join(dir, "known_hosts2"), "/etc/ssh/ssh_known_hosts"}
	if file := get("UserKnownHostsFile"); file != "" {
		h.known = nil
		for one := range strings.FieldsSeq(file) {
			h.known = append(h.known, expand(one, dir))
		}
	}
	return h, nil
}

func sshConfig(path string) (*ssh_config.Config, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return &ssh_config.Config{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	config, err := ssh_config.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

// expand makes a path of ssh_config absolute: ~ is the folder above dir.
func expand(file, dir string) string {
	if rest, found := strings.CutPrefix(file, "~/"); found {
		return filepath.Join(filepath.Dir(dir), rest)
	}
	if !filepath.IsAbs(file) {
		return filepath.Join(dir, file)
	}
	return file
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (h host) knownHosts() (*knownhosts.HostKeyDB, error) {
	var there []string
	for _, file := range h.known {
		if _, err := os.Stat(file); err == nil {
			there = append(there, file)
		}
	}
	return knownhosts.NewDB(there...)
}

// signers are the agent's keys and those of files that need no passphrase.
func (t *tunnel) signers(files []string) func() ([]ssh.Signer, error) {
	return func() ([]ssh.Signer, error) {
		var all []ssh.Signer
		if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" && t.agent == nil {
			if conn, err := net.Dial("unix", socket); err == nil { //nolint:noctx,gosec // the user's own agent, and bounded by the login's own timeout
				t.agent = conn
				if keys, err := agent.NewClient(conn).Signers(); err == nil {
					all = append(all, keys...)
				}
			}
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			if key, err := ssh.ParsePrivateKey(data); err == nil {
				all = append(all, key)
			}
		}
		if len(all) == 0 {
			return nil, errors.New("neither the agent nor a key file without a passphrase has a key")
		}
		return all, nil
	}
}

// DialContext connects from the far side: to TCP or to a socket there.
func (t *tunnel) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return t.client.DialContext(ctx, network, address)
}

// Close ends the connection.
func (t *tunnel) Close() error {
	var errs []error
	if t.client != nil {
		errs = append(errs, t.client.Close())
	}
	if t.agent != nil {
		errs = append(errs, t.agent.Close())
	}
	return errors.Join(errs...)
}
