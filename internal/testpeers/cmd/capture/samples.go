package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// sampleAll captures all forms of lines of one sshd version into dir.
func sampleAll(ctx context.Context, w *world, recipe testpeers.Recipe, dir string) error {
	tree, err := recipe.Get(ctx)
	if err != nil {
		return err
	}
	if w.penalties = recipe.Suite != testpeers.Bookworm().Suite; w.penalties {
		w.pack = ".gz"
	}
	for _, part := range []struct {
		name string
		take func(context.Context, *world, *testpeers.Box, string) error
	}{
		{"rsyslog", throughRsyslog}, {"repeated", repeated}, {"journal", throughJournald}, {"-E", toFile},
	} {
		if err := inBox(ctx, w, tree, func(box *testpeers.Box) error { return part.take(ctx, w, box, dir) }); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func inBox(ctx context.Context, w *world, tree *testpeers.Tree, use func(*testpeers.Box) error) (err error) {
	box, err := testpeers.NewBox(ctx, tree, "web01")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	if err := w.furnish(ctx, box); err != nil {
		return err
	}
	return use(box)
}

// throughRsyslog plays every form, first with PAM and then the parts that differ without, in rsyslog's three templates.
func throughRsyslog(ctx context.Context, w *world, box *testpeers.Box, dir string) error {
	files := map[testpeers.Framing]string{
		testpeers.Traditional: "auth-rfc3164.log",
		testpeers.ISO8601:     "auth-iso8601.log",
		testpeers.Protocol23:  "auth-rfc5424.log",
	}
	inside := map[testpeers.Framing]string{}
	for framing, name := range files {
		inside[framing] = "/var/log/" + name
	}
	logger, err := box.StartRsyslog(ctx, testpeers.RsyslogOptions{Files: inside})
	if err != nil {
		return err
	}
	withoutPAM := []act{
		{"public keys", publicKeys}, {"passwords", passwordLogins}, {"accounts that sshd refuses", refusedAccounts},
	}
	err = errors.Join(
		play(ctx, w, box, w.sshdConfig("LoginGraceTime 2"), forms()),
		play(ctx, w, box, w.sshdConfig("UsePAM no", "LogLevel INFO"), withoutPAM),
		play(ctx, w, box, w.sshdConfig("FingerprintHash md5"), []act{{"md5 fingerprints", publicKeys}}),
		logger.Stop(),
	)
	if err != nil {
		return err
	}
	// One plain file to read and the others packed, no framing twice without need: the repository keeps them for ever.
	err = errors.Join(
		keep(box, "/var/log/auth-rfc3164.log", dir, "auth-rfc3164.log"+w.pack),
		keep(box, "/var/log/auth-iso8601.log", dir, "auth-iso8601.log.gz"),
	)
	if err != nil || w.penalties {
		return err
	}
	return keep(box, "/var/log/auth-rfc5424.log", dir, "auth-rfc5424.log.gz")
}

// repeated plays guesses that rsyslog folds into "message repeated N times".
func repeated(ctx context.Context, w *world, box *testpeers.Box, dir string) error {
	const inside = "/var/log/auth.log"
	logger, err := box.StartRsyslog(ctx, testpeers.RsyslogOptions{
		Files: map[testpeers.Framing]string{testpeers.Traditional: inside}, Reduce: true,
	})
	if err != nil {
		return err
	}
	guesses := func(w *world, a *actor) error {
		return all(
			func() error { return a.out("bob", attacker, passwords("a", "b", "c", "d", "e")) },
			func() error { return a.out("postgres", attacker, passwords("a", "b", "c", "d", "e")) },
			func() error { return a.in("alice", laptop, nil, offer(w.keys["alice@laptop"])) },
			func() error { return a.in("alice", laptop, nil, passwords("no", "no", "correct horse")) },
		)
	}
	// Without PAM nothing stands between two refusals of one connection.
	err = play(ctx, w, box, w.sshdConfig("UsePAM no", "LogLevel INFO"), []act{{"guesses", guesses}})
	if err := errors.Join(err, logger.Stop()); err != nil {
		return err
	}
	return keep(box, inside, dir, "auth-repeated.log")
}

// throughJournald plays a part of the forms: a journal's entries are large.
func throughJournald(ctx context.Context, w *world, box *testpeers.Box, dir string) error {
	journal, err := box.StartJournald(ctx)
	if err != nil {
		return err
	}
	short := []act{{"public keys", publicKeys}, {"hostile user names", someHostileNames}}
	if err := play(ctx, w, box, w.sshdConfig(), short); err != nil {
		return errors.Join(err, journal.Stop())
	}
	entries, err := journal.Export(ctx)
	if err := errors.Join(err, journal.Stop()); err != nil {
		return err
	}
	return save(dir, "journal.json.gz", entries)
}

// someHostileNames are those that journald treats specially.
func someHostileNames(_ *world, a *actor) error {
	for _, name := range []string{"caf\xe9", "a\nb", "two words", "-\x1b[31m\xe9", "-x\nAccepted password for root from 7.7.7.7 port 7 ssh2"} {
		for _, auth := range []func(...string) error{
			func(tries ...string) error { return a.out(name, attacker, passwords(tries...)) },
			func(tries ...string) error { return a.out(name, attacker, interactive(tries...)) },
		} {
			if err := auth("x"); err != nil {
				return err
			}
		}
	}
	return nil
}

// toFile plays what matters where sshd -E writes the file itself, without a stamp and with newlines as they come.
func toFile(ctx context.Context, w *world, box *testpeers.Box, dir string) error {
	const inside = "/var/log/sshd.log"
	acts := []act{
		{"public keys", publicKeys}, {"certificates", certificates}, {"hostile key ids", hostileKeyIDs},
	}
	if err := play(ctx, w, box, w.sshdConfig("UsePAM no"), acts, "-E", inside); err != nil {
		return err
	}
	return keep(box, inside, dir, "sshd-E.log"+w.pack)
}

// play starts sshd, plays the acts and stops it once the log has come to rest.
func play(ctx context.Context, w *world, box *testpeers.Box, config string, acts []act, args ...string) error {
	sshd, err := testpeers.StartSshd(ctx, box, config, args...)
	if err != nil {
		return err
	}
	a := newActor(ctx, box)
	for _, act := range acts {
		if err := act.play(w, a); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", act.name, err), sshd.Stop())
		}
	}
	settle(box)
	return sshd.Stop()
}

// settle waits until no log of the box has grown for a while: the last process of a connection outlives it.
func settle(box *testpeers.Box) {
	size := func() (sum int64) {
		entries, err := os.ReadDir(box.Path("/var/log"))
		if err != nil {
			return 0
		}
		for _, entry := range entries {
			if info, err := entry.Info(); err == nil {
				sum += info.Size()
			}
		}
		return sum
	}
	const quiet = 60 * time.Millisecond
	for before := int64(-1); before != size(); {
		before = size()
		time.Sleep(quiet)
	}
}

func keep(box *testpeers.Box, inside, dir, name string) error {
	data, err := os.ReadFile(box.Path(inside))
	if err != nil {
		return err
	}
	return save(dir, name, data)
}
