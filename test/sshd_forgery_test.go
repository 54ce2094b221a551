package test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opsctl/opsctl/pkg/authlog"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/sshaudit"
)

// TestHostileTextInventsNoLogin lets strangers choose user names and key ids that read like lines of sshd, logs them through
// every framing, and holds the audit against what the clients know. OPSCTL_SEED repeats a run.
func TestHostileTextInventsNoLogin(t *testing.T) {
	n := numberOfCases(150, 300, 2000)
	recipes := []testpeers.Recipe{testpeers.Bookworm()}
	if numberOfCases(0, 1, 1) > 0 {
		recipes = append(recipes, testpeers.Trixie())
	}
	for _, recipe := range recipes {
		t.Run(recipe.Suite, func(t *testing.T) {
			testpeers.Require(t, recipe)
			seed := seed(t)
			rng := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }
			t.Run("rsyslog, with PAM", func(t *testing.T) { throughRsyslog(t, recipe, rng(1), "yes", "VERBOSE", n) })
			t.Run("rsyslog, without PAM", func(t *testing.T) { throughRsyslog(t, recipe, rng(2), "no", "VERBOSE", n/2) })
			t.Run("rsyslog, LogLevel INFO", func(t *testing.T) { throughRsyslog(t, recipe, rng(3), "yes", "INFO", n/2) })
			t.Run("journald", func(t *testing.T) { throughJournald(t, recipe, rng(4), n/2) })
			t.Run("sshd -E", func(t *testing.T) { withoutFraming(t, recipe, rng(5), "-E", n/3) })
			t.Run("sshd -e", func(t *testing.T) { withoutFraming(t, recipe, rng(6), "-e", n/3) })
		})
	}
}

// throughRsyslog reads the files of a real rsyslogd, one for each of its templates, and one with repeated lines folded.
func throughRsyslog(t *testing.T, recipe testpeers.Recipe, rng *rand.Rand, pam, level string, n int) {
	t.Helper()
	s := newStage(t, recipe, rng)
	files := map[testpeers.Framing]string{
		testpeers.Traditional: "/var/log/rfc3164.log", testpeers.ISO8601: "/var/log/iso8601.log", testpeers.Protocol23: "/var/log/rfc5424.log",
	}
	logger, err := s.box.StartRsyslog(t.Context(), testpeers.RsyslogOptions{Files: files, Reduce: rng.IntN(2) == 0})
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, stageConfig(recipe, pam, level), n)
	if err := logger.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, framing := range slices.Sorted(maps.Keys(files)) {
		t.Run(string(framing), func(t *testing.T) {
			s.compare(t, s.box.Path(files[framing]), level == "VERBOSE")
		})
	}
}

// throughJournald reads what a real journald exports.
func throughJournald(t *testing.T, recipe testpeers.Recipe, rng *rand.Rand, n int) {
	t.Helper()
	s := newStage(t, recipe, rng)
	journal, err := s.box.StartJournald(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, stageConfig(recipe, "yes", "VERBOSE"), n)
	entries, err := journal.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Stop(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "journal.json")
	if err := os.WriteFile(file, entries, 0o600); err != nil {
		t.Fatal(err)
	}
	s.compare(t, file, true)
}

// run plays n connections against an sshd that is gone with all its children afterwards, so that its log is whole.
func (s *stage) run(t *testing.T, config string, n int, args ...string) (stderr string) {
	t.Helper()
	sshd, err := testpeers.StartSshd(t.Context(), s.box, config, args...)
	if err != nil {
		t.Fatal(err)
	}
	s.play(t, n)
	if err := sshd.StopAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sshd.Output()
}

// compare holds the audit of a log against the truth.
func (s *stage) compare(t *testing.T, file string, verbose bool) {
	t.Helper()
	doc := audit(t, file)
	got := map[login]int{}
	for _, l := range doc.Logins {
		key := login{user: l.User, ip: l.IP, method: l.Method, fingerprint: l.Fingerprint}
		if l.Certificate != nil {
			key.certificate, key.serial = true, l.Certificate.Serial
		}
		got[key] += int(l.Count)
	}
	if diff := cmp.Diff(s.known(got), got, cmp.AllowUnexported(login{})); diff != "" {
		t.Errorf("logins (-true +audit):\n%s", diff)
	}
	refused := map[string]int{}
	for _, f := range doc.Failures.Rows {
		refused[f.IP] += int(f.Count)
	}
	if verbose {
		if diff := cmp.Diff(s.truth.refused, refused); diff != "" {
			t.Errorf("refused attempts by address (-true +audit):\n%s", diff)
		}
	} else if wrong := strangers(refused, s.truth.refused); len(wrong) > 0 {
		t.Errorf("refused attempts from addresses that nobody came from: %q", wrong)
	}
	noFakeAddress(t, doc)
	if f := doc.Coverage.Files[0]; f.Framing == sshaudit.FramingNone || f.NotUnderstood > cutLines(t, file) {
		t.Errorf("framing %s, %d of %d lines of sshd not understood", f.Framing, f.NotUnderstood, f.SSHDLines)
	}
	if t.Failed() {
		keep(t, file, s)
	}
}

// known is the truth as a log can tell it: where syslog cut a long line the certificate's serial is lost, and the audit may
// only give it as 0.
func (s *stage) known(got map[login]int) map[login]int {
	want := maps.Clone(s.truth.logins)
	for l, n := range s.truth.logins {
		if cut := l; l.certificate && got[l] == 0 {
			cut.serial = 0
			delete(want, l)
			want[cut] += n
		}
	}
	return want
}

func strangers(got, want map[string]int) []string {
	var wrong []string
	for ip := range got {
		if want[ip] == 0 {
			wrong = append(wrong, ip)
		}
	}
	return wrong
}

// withoutFraming reads what sshd writes itself. There the audit must say that nothing can be trusted, and must not say that
// anybody logged in from where nobody was.
func withoutFraming(t *testing.T, recipe testpeers.Recipe, rng *rand.Rand, flag string, n int) {
	t.Helper()
	s := newStage(t, recipe, rng)
	const inside = "/var/log/sshd.log"
	args := []string{"-e"}
	if flag == "-E" {
		args = []string{"-E", inside}
	}
	stderr := s.run(t, stageConfig(recipe, "no", "VERBOSE"), n, args...)
	file := s.box.Path(inside)
	if flag == "-e" {
		file = filepath.Join(t.TempDir(), "stderr.log")
		if err := os.WriteFile(file, []byte(stderr), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	doc := audit(t, file)
	noFakeAddress(t, doc)
	if f := doc.Coverage.Files[0]; f.Framing != sshaudit.FramingNone {
		t.Errorf("framing %s of %d lines, want none", f.Framing, f.Lines)
	}
	if !slices.ContainsFunc(doc.Findings, func(f sshaudit.Finding) bool { return f.ID == "unverifiable-log" }) {
		t.Errorf("no finding unverifiable-log among %v", doc.Findings)
	}
	if t.Failed() {
		keep(t, file, s)
	}
}

func audit(t *testing.T, file string) *sshaudit.Document {
	t.Helper()
	collection, err := sshaudit.Collect(t.Context(), sshaudit.Options{Logs: []string{file}, Location: time.UTC, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return collection.Report(sshaudit.ReportOptions{Now: time.Now(), UnusedAfter: 90 * 24 * time.Hour, MinRSA: 3072})
}

// noFakeAddress searches the document for an address that only hostile text speaks of, wherever an address stands.
func noFakeAddress(t *testing.T, doc *sshaudit.Document) {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`"(ip|subject)":"` + regexp.QuoteMeta(fake) + `|"ips":\[[^]]*"` + regexp.QuoteMeta(fake))
	if found := address.FindIndex(text); found != nil {
		t.Errorf("the audit believes a forged address: ...%s...", text[max(found[0]-300, 0):min(found[1]+300, len(text))])
	}
}

// keep leaves a log that the audit misread where it can be looked at.
func keep(t *testing.T, file string, s *stage) {
	t.Helper()
	dir, err := os.MkdirTemp("", "opsctl-forgery-") //nolint:usetesting // it shall outlive the test
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{filepath.Base(file): data, "truth.txt": []byte(strings.Join(s.truth.all, "\n"))} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("log and truth kept in %s", dir)
}

// cutLines counts the messages that have lost their end: those may stay unknown.
func cutLines(t *testing.T, file string) (n int64) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	clock, lines := authlog.NewClock(time.UTC, 2026), authlog.NewLines(f)
	for line, ok := lines.Next(); ok; line, ok = lines.Next() {
		var h authlog.Header
		status := clock.Parse(line, &h)
		if bytes.HasPrefix(line, []byte("{")) {
			status, _ = authlog.Journal(line, &h)
		}
		if status == authlog.SSHD && len(h.Msg) >= 400 { // see authlog's trimmedAt
			n++
		}
	}
	return n
}
