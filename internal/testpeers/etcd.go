package testpeers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// etcdVersion is the etcd that is built.
const etcdVersion = "3.7.3"

// Etcd builds etcd through the module proxy, once: the program's path in the cache. Its module replaces others, so that it is built from
// a module of its own that asks for it.
func Etcd(ctx context.Context) (string, error) {
	dir, err := cached("etcd-"+etcdVersion, func(work string) error {
		out := filepath.Join(work, "out")
		source := filepath.Join(work, "source")
		files := map[string]string{
			"main.go": "package main\n\nimport (\n\t\"os\"\n\n\t\"go.etcd.io/etcd/server/v3/etcdmain\"\n)\n\nfunc main() { etcdmain.Main(os.Args) }\n",
			"go.mod":  "module etcd\n\ngo 1.26\n\nrequire go.etcd.io/etcd/server/v3 v" + etcdVersion + "\n",
		}
		if err := errors.Join(os.Mkdir(out, 0o755), os.Mkdir(source, 0o755)); err != nil {
			return err
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
				return err
			}
		}
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(out, "etcd"), ".")
		cmd.Env, cmd.Dir = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod"), source
		if said, err := cmd.CombinedOutput(); err != nil {
			return errors.Join(fmt.Errorf("building etcd %s: %w: %s", etcdVersion, err, said), ErrMissing)
		}
		return nil
	})
	return filepath.Join(dir, "etcd"), err
}

// EtcdCluster are members of a cluster on this machine, with etcd's default timers: heartbeats every 100 ms, an election timeout of 1 s.
type EtcdCluster struct {
	Members []*EtcdMember
	program string
	dir     string
	initial string
	proxies []*slowLink
}

// EtcdMember is one process, or one that was killed.
type EtcdMember struct {
	Name   string
	Client string // URL

	listen, advertised string
	cmd                *exec.Cmd
	ended              chan error

	mu    sync.Mutex
	leads []Leadership // what its log said, of all its lives
	knows int          // how often it has learnt of a leader
	log   strings.Builder
}

// Leadership is a line of a member's log: it became leader.
type Leadership struct {
	At   time.Time
	Term string
}

// StartEtcd runs n members. extra is added to what messages between two of them take, each way. The caller closes it.
func StartEtcd(ctx context.Context, program string, n int, extra time.Duration) (c *EtcdCluster, err error) {
	c = &EtcdCluster{program: program}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.dir, err = os.MkdirTemp("", "opsctl-etcd-"); err != nil {
		return c, err
	}
	var initial []string
	for i := range n {
		m := &EtcdMember{Name: fmt.Sprintf("m%d", i+1)}
		peer, err1 := freePort(ctx)
		client, err2 := freePort(ctx)
		if err := errors.Join(err1, err2); err != nil {
			return c, err
		}
		m.listen, m.Client = fmt.Sprintf("http://127.0.0.1:%d", peer), fmt.Sprintf("http://127.0.0.1:%d", client)
		m.advertised = m.listen
		if extra > 0 {
			link, err := newSlowLink(ctx, fmt.Sprintf("127.0.0.1:%d", peer), extra)
			if err != nil {
				return c, err
			}
			c.proxies = append(c.proxies, link)
			m.advertised = "http://" + link.address()
		}
		initial = append(initial, m.Name+"="+m.advertised)
		c.Members = append(c.Members, m)
	}
	c.initial = strings.Join(initial, ",")
	for _, m := range c.Members {
		if err := c.Start(m); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Start runs a member that does not run.
func (c *EtcdCluster) Start(m *EtcdMember) error {
	m.cmd = exec.Command(c.program, "--name", m.Name, "--data-dir", filepath.Join(c.dir, m.Name), "--listen-peer-urls", m.listen,
		"--initial-advertise-peer-urls", m.advertised, "--listen-client-urls", m.Client, "--advertise-client-urls", m.Client,
		"--initial-cluster", c.initial, "--log-outputs", "stderr")
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pipe, err := m.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := m.cmd.Start(); err != nil {
		return err
	}
	m.ended = make(chan error, 1)
	go func() {
		m.read(pipe)
		m.ended <- m.cmd.Wait()
	}()
	return nil
}

// read takes from a member's log what it says of leaders (raft.go, raft.node).
func (m *EtcdMember) read(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			TS  string `json:"ts"`
			Msg string `json:"msg"`
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		m.mu.Lock()
		if m.log.Len() < 1<<20 {
			m.log.Write(lines.Bytes())
			m.log.WriteByte('\n')
		}
		_, term, became := strings.Cut(line.Msg, " became leader at term ")
		if at, err := time.Parse("2006-01-02T15:04:05.999999Z0700", line.TS); became && err == nil {
			m.leads = append(m.leads, Leadership{at, term})
		}
		if strings.HasPrefix(line.Msg, "raft.node: ") && (strings.Contains(line.Msg, " elected leader ") || strings.Contains(line.Msg, " changed leader ")) {
			m.knows++
		}
		m.mu.Unlock()
	}
}

// Led are the times at which it became leader, and knows how often it has learnt of one.
func (m *EtcdMember) Led() (led []Leadership, knows int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Leadership(nil), m.leads...), m.knows
}

// Log is what it has said, the beginning of it.
func (m *EtcdMember) Log() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.String()
}

// Kill ends a member as a power cut does, and says when that was.
func (m *EtcdMember) Kill() (at time.Time, err error) {
	at = time.Now()
	err = m.cmd.Process.Kill()
	<-m.ended
	m.cmd = nil
	return at, err
}

// Close ends all members and removes their data.
func (c *EtcdCluster) Close() error {
	var errs []error
	for _, m := range c.Members {
		if m.cmd != nil && m.cmd.Process != nil {
			_, err := m.Kill()
			errs = append(errs, err)
		}
	}
	for _, p := range c.proxies {
		errs = append(errs, p.close())
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}

// RequireEtcd is the program's path, for a test that is skipped as [Require] skips it.
func RequireEtcd(tb testing.TB) string {
	tb.Helper()
	return requireBuilt(tb, Etcd)
}
