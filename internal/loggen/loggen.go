// Package loggen writes auth logs of any size whose content is known, to measure
// and to check `opsctl ssh audit` at sizes that no captured sample has. The
// lines have the forms of the captured ones in testdata/ssh.
package loggen

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Version changes when the same options give another log.
const Version = 1

// Options shape a log.
type Options struct {
	Bytes int64 // the log ends with the line that reaches this size
	Seed  uint64
	IPs   int  // attackers' addresses; 0: 100,000
	Names bool // every attack brings a user name of its own
	Start time.Time
	Span  time.Duration // from the first to about the last line; 0: 30 days a GiB, four lines a second
}

// LoginKey and FailKey are the rows of the truth.
type LoginKey struct{ User, IP, Fingerprint string }

// FailKey names a row of failures.
type FailKey struct{ IP, User, Reason string }

// Truth is what a log holds.
type Truth struct {
	Lines, SSHDLines int64
	Logins           map[LoginKey]uint64
	Failures         map[FailKey]uint64 // nil with Options.Names
	FailuresOf       map[string]uint64  // by address
	Total            uint64             // of failures
	ByReason         map[string]uint64
	Names            int // distinct names that are no account, with Options.Names
}

// Host is the host of every line.
const Host = "web01"

const bytesPerLine = 110

// person is an account with its key.
type person struct {
	name, ip, fingerprint string
}

// attacker is an address that is at work.
type attacker struct {
	ip    string
	left  int // connections until it goes away
	names int
}

// connection holds the lines that a connection still has to write.
type connection struct {
	pid   string
	lines []string
	last  int64 // when it wrote one, in microseconds
}

// patience is how long a connection is silent at most: below sshd's
// LoginGraceTime, so that all its lines belong together.
const patience = 60_000_000

// generator holds the state of one log.
type generator struct {
	w       *bufio.Writer
	o       Options
	rng     *rand.Rand
	truth   *Truth
	written int64
	now     int64 // microseconds since the start
	step    int64
	stampAt int64
	stamp   []byte
	line    []byte
	people  []person
	active  []attacker
	waiting []*connection
	pid     int
	name    uint64
	turn    int
}

// Write writes a log and says what it holds.
func Write(w io.Writer, o Options) (*Truth, error) {
	if o.IPs == 0 {
		o.IPs = 100_000
	}
	if o.Span == 0 {
		o.Span = time.Duration(float64(30*24*time.Hour) * float64(o.Bytes) / (1 << 30))
	}
	g := &generator{
		w: bufio.NewWriterSize(w, 1<<20), o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), stampAt: -1,
		truth: &Truth{
			Logins: map[LoginKey]uint64{}, Failures: map[FailKey]uint64{}, FailuresOf: map[string]uint64{}, ByReason: map[string]uint64{},
		},
		step: o.Span.Microseconds() * bytesPerLine / max(o.Bytes, 1),
	}
	if o.Names {
		g.truth.Failures = nil
	}
	for i := range 40 {
		sum := sha256.Sum256([]byte(fmt.Sprint("person", i)))
		g.people = append(g.people, person{
			name: fmt.Sprintf("user%02d", i), ip: fmt.Sprintf("192.0.2.%d", 10+i), fingerprint: "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]),
		})
	}
	for range 400 {
		g.active = append(g.active, g.newAttacker())
	}
	for g.written < o.Bytes {
		g.next()
	}
	for len(g.waiting) > 0 {
		g.resume()
	}
	return g.truth, g.w.Flush()
}

func (g *generator) newAttacker() attacker {
	// Every address has its turn before the first comes back; consecutive
	// attackers are no neighbours.
	n := g.turn * 48_271 % g.o.IPs
	g.turn++
	return attacker{ip: fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), left: 1 + int(g.rng.ExpFloat64()*8), names: g.rng.IntN(40)}
}

// next writes one line: of another program, or of one of the open connections.
func (g *generator) next() {
	switch r := g.rng.IntN(100); {
	case r < 42:
		g.other()
	case len(g.waiting) > 24 || len(g.waiting) > 0 && r < 82:
		g.resume()
	default:
		g.open()
		g.resume()
	}
}

// resume writes the next line of an open connection: of any, but of one that was
// silent for long first.
func (g *generator) resume() {
	i := g.rng.IntN(len(g.waiting))
	for k, c := range g.waiting {
		if g.now-c.last > patience {
			i = k
			break
		}
	}
	c := g.waiting[i]
	g.sshd(c.pid, c.lines[0])
	c.lines, c.last = c.lines[1:], g.now
	if len(c.lines) == 1 && strings.HasPrefix(c.lines[0], "Disconnected from ") { // comes at once
		g.sshd(c.pid, c.lines[0])
		c.lines = nil
	}
	if len(c.lines) == 0 {
		last := len(g.waiting) - 1
		g.waiting[i], g.waiting = g.waiting[last], g.waiting[:last]
	}
}

// open begins a connection: 5 in 100 are logins.
func (g *generator) open() {
	g.pid = 1000 + (g.pid+1)%30000
	pid := strconv.Itoa(g.pid)
	port := strconv.Itoa(1024 + g.rng.IntN(64000))
	switch r := g.rng.IntN(1000); {
	case r < 62:
		g.wait(pid, g.login(port))
	case r < 150:
		a := &g.active[g.rng.IntN(len(g.active))]
		g.wait(pid, []string{"Connection closed by " + a.ip + " port " + port + " [preauth]"})
	default:
		g.wait(pid, g.attack(port))
	}
}

func (g *generator) wait(pid string, lines []string) {
	g.waiting = append(g.waiting, &connection{pid, lines, g.now})
}

func (g *generator) login(port string) []string {
	p := g.people[g.rng.IntN(len(g.people))]
	g.truth.Logins[LoginKey{p.name, p.ip, p.fingerprint}]++
	var lines []string
	if g.rng.IntN(4) == 0 { // a key that is refused first does not count
		lines = append(lines, "Failed publickey for "+p.name+" from "+p.ip+" port "+port+" ssh2: RSA "+g.people[0].fingerprint)
	}
	return append(lines,
		"Accepted publickey for "+p.name+" from "+p.ip+" port "+port+" ssh2: ED25519 "+p.fingerprint,
		"pam_unix(sshd:session): session opened for user "+p.name+"(uid=1001) by (uid=0)",
		"Disconnected from user "+p.name+" "+p.ip+" port "+port,
		"pam_unix(sshd:session): session closed for user "+p.name)
}

// attack tries one name with one to three passwords.
func (g *generator) attack(port string) []string {
	a := &g.active[g.rng.IntN(len(g.active))]
	if a.left--; a.left < 0 {
		*a = g.newAttacker()
	}
	user, known := g.victim(a)
	from := " from " + a.ip + " port " + port
	var lines []string
	reason, invalid, who := "password", "", "authenticating user "
	if !known {
		lines = append(lines, "Invalid user "+user+from)
		reason, invalid, who = "invalid-user", "invalid user ", "invalid user "
	}
	tries := 1 + g.rng.IntN(3)
	for range tries {
		lines = append(lines, "Failed password for "+invalid+user+from+" ssh2")
	}
	g.count(a.ip, user, reason, uint64(tries))
	if g.rng.IntN(2) == 0 {
		return append(lines, "Connection closed by "+who+user+" "+a.ip+" port "+port+" [preauth]")
	}
	return append(lines,
		"Received disconnect from "+a.ip+" port "+port+":11: Bye Bye [preauth]",
		"Disconnected from "+who+user+" "+a.ip+" port "+port+" [preauth]")
}

// victim chooses the name that an attacker tries.
func (g *generator) victim(a *attacker) (name string, known bool) {
	if g.o.Names {
		g.name++
		g.truth.Names++
		return "u" + strconv.FormatUint(g.name*0x9e3779b97f4a7c15>>20, 36), false
	}
	if r := g.rng.IntN(10); r < 4 {
		return "root", true
	}
	return names()[(a.names+g.rng.IntN(6))%len(names())], false
}

func names() []string {
	return []string{
		"admin", "test", "user", "ubuntu", "oracle", "postgres", "git", "deploy", "pi", "ftpuser", "guest", "mysql", "www", "hadoop", "jenkins",
		"nagios", "tomcat", "minecraft", "steam", "es", "elastic", "kafka", "zookeeper", "ansible", "vagrant", "docker", "backup", "support",
		"operator", "svc", "dev", "demo", "student", "teamspeak", "redis", "nginx", "gitlab", "sysadmin", "webmaster", "info",
	}
}

func (g *generator) count(ip, user, reason string, n uint64) {
	if g.truth.Failures != nil {
		g.truth.Failures[FailKey{ip, user, reason}] += n
	}
	g.truth.FailuresOf[ip] += n
	g.truth.Total += n
	g.truth.ByReason[reason] += n
}

// other writes a line of another program.
func (g *generator) other() {
	switch pid := strconv.Itoa(1000 + g.rng.IntN(30000)); g.rng.IntN(5) {
	case 0, 1:
		g.write("CRON["+pid+"]: ", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)")
	case 2, 3:
		g.write("CRON["+pid+"]: ", "pam_unix(cron:session): session closed for user root")
	default:
		g.write("sudo: ", "  deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/usr/bin/systemctl reload nginx")
	}
}

func (g *generator) sshd(pid, msg string) {
	g.truth.SSHDLines++
	g.write("sshd["+pid+"]: ", msg)
}

func (g *generator) write(tag, msg string) {
	g.now += g.step/2 + g.rng.Int64N(g.step+1)
	if second := g.now / 1e6; second != g.stampAt {
		g.stampAt = second
		g.stamp = g.o.Start.Add(time.Duration(second)*time.Second).AppendFormat(g.stamp[:0], "Jan _2 15:04:05 ")
		g.stamp = append(g.stamp, Host+" "...)
	}
	g.line = append(append(append(append(g.line[:0], g.stamp...), tag...), msg...), '\n')
	g.truth.Lines++
	g.written += int64(len(g.line))
	_, _ = g.w.Write(g.line) // Flush gives the first error again
}
