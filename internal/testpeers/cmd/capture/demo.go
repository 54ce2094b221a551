package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// demo captures a hundred days of web01's auth.log, rotated twice, with the files that explain it. The lines are sshd's and
// rsyslogd's own; only rsyslogd's clock is moved.
func demo(ctx context.Context, w *world, recipe testpeers.Recipe, dir string) error {
	w.penalties = false
	tree, err := recipe.Get(ctx)
	if err != nil {
		return err
	}
	return inBox(ctx, w, tree, func(box *testpeers.Box) error {
		s := &stage{ctx: ctx, w: w, box: box, actor: newActor(ctx, box)}
		if err := errors.Join(s.giveClientsKeys(), box.WriteFiles(w.formerKeyFiles()...)); err != nil {
			return err
		}
		for _, p := range []period{
			{"auth.log.2.gz", sshdConfig0(w), s.summer},
			{"auth.log.1", sshdConfig0(w), s.autumn},
			{"auth.log", w.sshdConfig(), s.november},
		} {
			if err := s.record(p, dir); err != nil {
				return fmt.Errorf("%s: %w", p.file, err)
			}
			// The files as they are now, after somebody cleaned up in autumn.
			if err := box.WriteFiles(w.keyFiles()...); err != nil {
				return err
			}
		}
		return s.saveFiles(dir)
	})
}

// sshdConfig0 is the configuration of the time before web01 logged at VERBOSE.
func sshdConfig0(w *world) string { return w.sshdConfig("LogLevel INFO") }

// period is what one rotated log file holds.
type period struct {
	file   string
	config string
	play   func() []moment
}

// moment is something that happens at a time of web01's clock.
type moment struct {
	at string // UTC
	do func() error
}

// stage is the box with its clock and its clients.
type stage struct {
	ctx    context.Context // one stage serves one call of demo
	w      *world
	box    *testpeers.Box
	actor  *actor
	logger *testpeers.Rsyslog
	pid    int
}

// record plays a period and keeps its log.
func (s *stage) record(p period, dir string) (err error) {
	const inside = "/var/log/auth.log"
	if err := os.RemoveAll(s.box.Path(inside)); err != nil {
		return err
	}
	moments := p.play()
	slices.SortStableFunc(moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	start, err := time.Parse(time.DateTime, moments[0].at)
	if err != nil {
		return err
	}
	s.logger, err = s.box.StartRsyslog(s.ctx, testpeers.RsyslogOptions{
		Files: map[testpeers.Framing]string{testpeers.ISO8601: inside}, At: start.Add(-time.Minute),
	})
	if err != nil {
		return err
	}
	if err := s.setClock(moments[0].at); err != nil {
		return err
	}
	sshd, err := testpeers.StartSshd(s.ctx, s.box, p.config)
	if err != nil {
		return err
	}
	for _, m := range moments {
		if err := s.setClock(m.at); err != nil {
			return err
		}
		if err := m.do(); err != nil {
			return fmt.Errorf("at %s: %w", m.at, err)
		}
		settle(s.box)
	}
	if err := errors.Join(sshd.Stop(), s.logger.Stop()); err != nil {
		return err
	}
	return keep(s.box, inside, dir, "var/log/"+p.file)
}

// setClock moves rsyslogd's clock, and the pids as far as they would have come.
func (s *stage) setClock(at string) error {
	t, err := time.Parse(time.DateTime, at)
	if err != nil {
		return err
	}
	const stride, pids = 1237, 32000 // pids come round again, as they do within days
	s.pid = (s.pid+stride)%pids + 500
	return errors.Join(s.logger.SetTime(t), s.box.SetNextPid(s.ctx, s.pid))
}

// giveClientsKeys puts the private keys where the box's ssh finds them; they die with the box.
func (s *stage) giveClientsKeys() error {
	for name, key := range s.w.keys {
		text, err := key.PrivatePEM(name)
		if errors.Is(err, testpeers.ErrNoPrivateKey) {
			continue
		}
		if err != nil {
			return err
		}
		if err := s.box.WriteFiles(testpeers.File{Name: "/tmp/keys/" + name, Text: text, Mode: 0o600}); err != nil {
			return err
		}
	}
	return nil
}

// ssh logs in with the real client, which says goodbye as one does.
func (s *stage) ssh(user, from, key string, command ...string) func() error {
	return func() error {
		args := []string{
			"-F", "none", "-b", from, "-i", "/tmp/keys/" + key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-T",
			"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", user + "@" + server,
		}
		if len(command) == 0 {
			command = []string{"true"}
		}
		_, err := s.box.Run(s.ctx, "/usr/bin/ssh", append(args, command...)...)
		return err
	}
}

// certificate writes a certificate beside the key, where the client looks for it.
func (s *stage) certificate(subject, id string, serial uint64, principals ...string) error {
	cert, err := s.w.cert(userCA, subject, id, serial, principals...)
	if err != nil {
		return err
	}
	return s.box.WriteFiles(testpeers.File{Name: "/tmp/keys/" + subject + "-cert.pub", Text: cert.Line(subject) + "\n", Mode: 0o644})
}

// other lets another program of the machine write a line, so that the log does not hold sshd alone.
func (s *stage) other(tag, text string) func() error {
	return func() error {
		_, err := s.box.Run(s.ctx, "/bin/busybox", "logger", "-p", "authpriv.info", "-t", tag, text)
		return err
	}
}

func (s *stage) saveFiles(dir string) error {
	names := []string{"/etc/passwd", "/etc/group", "/etc/hostname", "/etc/ssh/sshd_config"}
	for _, f := range s.w.keyFiles() {
		names = append(names, f.Name)
	}
	for _, name := range names {
		if err := keep(s.box, name, dir, name[1:]); err != nil {
			return err
		}
	}
	return nil
}
