package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/authkeys"
	"github.com/opsctl/opsctl/pkg/host"
)

// casesPerRound is how many logins are tried with one configuration.
const casesPerRound = 20

// TestWhoCanPredictsWhatSshdDecides writes random configurations and key files, says beforehand who gets in and by which
// line, then logs in and compares with sshd's answer. OPSCTL_SEED repeats a run, OPSCTL_ROUND one of its rounds.
func TestWhoCanPredictsWhatSshdDecides(t *testing.T) {
	t.Run("sshd 9.2", func(t *testing.T) { judge(t, testpeers.Bookworm(), numberOfCases(200, 300, 2000)) })
	t.Run("sshd 10.0", func(t *testing.T) {
		cases := numberOfCases(0, 300, 2000)
		if cases == 0 {
			t.Skip("the newer sshd is judged under OPSCTL_TORTURE")
		}
		judge(t, testpeers.Trixie(), cases)
	})
}

// numberOfCases chooses by OPSCTL_TORTURE: unset, "short", or anything else.
func numberOfCases(normal, short, torture int) int {
	switch os.Getenv("OPSCTL_TORTURE") {
	case "", "0":
		return normal
	case "short":
		return short
	}
	return torture
}

// seed is OPSCTL_SEED or a new one, and always printed.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := uint64(time.Now().UnixNano())
	if text := os.Getenv("OPSCTL_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("OPSCTL_SEED=%d", n)
	return n
}

func judge(t *testing.T, recipe testpeers.Recipe, cases int) {
	t.Helper()
	testpeers.Require(t, recipe)
	seed, keys := seed(t), newPool(t)
	var sum tally
	rounds := (cases + casesPerRound - 1) / casesPerRound
	for n := 0; n < rounds || n < 3*rounds && sum.tooFew(); n++ {
		if only := os.Getenv("OPSCTL_ROUND"); only != "" && only != strconv.Itoa(n) {
			continue
		}
		t.Run(fmt.Sprintf("round %d", n), func(t *testing.T) {
			r := newRound(rand.New(rand.NewPCG(seed, uint64(n))), keys, recipe.Suite == "trixie")
			sum.add(playRound(t, recipe, r))
		})
	}
	t.Logf("%d cases, %d let in (%d by certificate), %d mismatches", sum.cases, sum.allowed, sum.byCert, sum.wrong)
	if sum.cases >= 200 && sum.tooFew() {
		t.Errorf("too few of the cases are let in to mean anything")
	}
}

// tally counts what the cases came to.
type tally struct{ cases, allowed, byCert, wrong int }

func (s *tally) add(o tally) {
	s.cases, s.allowed, s.byCert, s.wrong = s.cases+o.cases, s.allowed+o.allowed, s.byCert+o.byCert, s.wrong+o.wrong
}

// tooFew says that chance let too few in for their answers to mean anything: it gets more rounds then.
func (s *tally) tooFew() bool { return s.allowed*5 < s.cases || s.byCert == 0 }

// rig is a round with its sshd running and its prediction ready.
type rig struct {
	*round
	box  *testpeers.Box
	logs *testpeers.Syslog
	set  *authkeys.Set
	now  time.Time
}

func playRound(t *testing.T, recipe testpeers.Recipe, r *round) (sum tally) {
	t.Helper()
	box := testpeers.Require(t, recipe)
	r.install(t, box)
	logs, err := box.ListenSyslog(testpeers.Traditional, "web01")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = logs.Close() }()
	config := strings.Join(r.config, "\n") + "\n"
	sshd, err := testpeers.StartSshd(t.Context(), box, config)
	if err != nil {
		t.Fatalf("%v\n%s", err, config)
	}
	defer func() { _ = sshd.Stop() }()
	g := &rig{round: r, box: box, logs: logs, now: time.Now()}
	g.read(t)
	for range casesPerRound {
		c := r.newCase()
		predicted := g.predict(c)
		got := g.try(t, c)
		sum.cases++
		if got.allowed {
			sum.allowed++
			if c.certificate() != nil {
				sum.byCert++
			}
		}
		if problem := got.disagrees(predicted); problem != "" {
			sum.wrong++
			t.Errorf("%s\n%s", problem, g.report(c, predicted, got))
		}
	}
	return sum
}

func (g *rig) read(t *testing.T) {
	t.Helper()
	h, err := host.Root(g.box.Root())
	if err != nil {
		t.Fatal(err)
	}
	// A partial set is fine: files that cannot be read are part of the game.
	g.set, err = authkeys.Read(t.Context(), authkeys.Options{Host: h, Now: g.now, Location: time.UTC})
	if g.set == nil {
		g.set = &authkeys.Set{}
		return
	}
	if g.set == nil {
		t.Fatal(err)
	}
}

// attempt is one login to be tried.
type attempt struct {
	user string
	from netip.Addr
	key  named
}

func (c attempt) certificate() *ssh.Certificate {
	cert, _ := c.key.signer.PublicKey().(*ssh.Certificate)
	return cert
}

var addresses = []string{"127.0.0.1", "192.0.2.10", "192.0.2.11", "198.51.100.7", "198.51.100.77", "203.0.113.5", "2001:db8::5", "10.1.2.3"}

func (r *round) newCase() attempt {
	a := pick(r.Rand, r.accounts)
	c := attempt{user: a.Name, from: netip.MustParseAddr(pick(r.Rand, addresses)), key: pick(r.Rand, r.keysOf[a.Name])}
	switch {
	case r.maybe(3):
		c.user = pick(r.Rand, []string{"nobody-here", "Alice", "alice ", "nobody"})
	case r.maybe(10):
		c.key = pick(r.Rand, r.pool.plain)
	case r.maybe(30):
		ca := pick(r.Rand, r.pool.cas)
		if r.maybe(10) {
			ca = r.pool.rogue
		}
		c.key = r.certificate(ca, c.key, fmt.Sprintf("try-%d", r.IntN(4)), c.user)
	}
	return c
}

// localOf is the address of the box that a client of this family connects to.
func localOf(from netip.Addr) netip.Addr {
	if from.Is6() {
		return netip.IPv6Loopback()
	}
	return netip.MustParseAddr("127.0.0.1")
}

func (g *rig) predict(c attempt) authkeys.Verdict {
	return g.set.WhoCan(authkeys.Query{
		User: c.user, From: c.from, Local: localOf(c.from), Port: 22, Key: c.key.line(""), Now: g.now,
	})
}

// truth is what sshd did.
type truth struct {
	allowed bool
	file    string
	line    int // 0: sshd does not say (TrustedUserCAKeys)
	log     []string
}

// try logs in, and reads in sshd's log by which line.
func (g *rig) try(t *testing.T, c attempt) truth {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	offer, err := testpeers.Offer(c.key.signer)
	if err != nil {
		t.Fatal(err)
	}
	got := g.box.Login(ctx, testpeers.Login{
		User: c.user, From: c.from, To: netip.AddrPortFrom(localOf(c.from), 22), Auth: []ssh.AuthMethod{offer},
	})
	if !got.Local.IsValid() {
		t.Fatalf("connecting: %v", got.Err)
	}
	if got.Client != nil {
		defer func() { _ = got.Client.Close() }()
	}
	began, _, err := g.logs.Wait(ctx, 0, func(line string) bool {
		return strings.Contains(line, fmt.Sprintf("Connection from %s port %d on ", c.from, got.Local.Port()))
	})
	if err != nil {
		t.Fatal(err)
	}
	tag := began[strings.Index(began, " sshd")+1 : strings.Index(began, ": ")+1]
	if got.Client != nil {
		// The monitor logs while the client has its answer already.
		if _, _, err := g.logs.Wait(ctx, 0, func(line string) bool { return strings.Contains(line, tag+" Accepted publickey for ") }); err != nil {
			t.Fatalf("%v\n%s\n%s", err, strings.Join(g.logs.Lines(0), "\n"), g.report(c, authkeys.Verdict{}, truth{}))
		}
	}
	res := truth{allowed: got.Client != nil}
	for _, line := range g.logs.Lines(0) {
		if strings.Contains(line, tag) {
			res.log = append(res.log, line)
			res.found(line)
		}
	}
	return res
}

// found reads FILE:LINE from "Accepted key ... found at FILE:LINE" or "Accepted certificate ... via FILE".
func (res *truth) found(line string) {
	if strings.Contains(line, ": Accepted key ") || strings.Contains(line, ": Accepted certificate ") {
		if _, at, ok := cutLast(line, " found at "); ok {
			file, n, _ := cutLast(at, ":")
			res.file = file
			res.line, _ = strconv.Atoi(n)
		} else if _, via, ok := cutLast(line, " via "); ok {
			res.file, res.line = via, 0
		}
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func (res truth) disagrees(v authkeys.Verdict) string {
	// The rig's security key is software that never verifies its user.
	allowed := v.Allowed && !v.NeedsVerification
	switch {
	case res.allowed != allowed:
		return fmt.Sprintf("sshd lets in: %v, predicted: %v", res.allowed, allowed)
	case res.allowed && res.file != v.File:
		return fmt.Sprintf("sshd found the key in %s:%d, predicted: %s:%d", res.file, res.line, v.File, v.Line)
	case res.allowed && res.line != 0 && res.line != v.Line:
		return fmt.Sprintf("sshd found the key in %s:%d, predicted: %s:%d", res.file, res.line, v.File, v.Line)
	}
	return ""
}
