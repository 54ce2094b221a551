package systemd

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// header begins every unit that opsctl writes.
const header = `# Written by opsctl for systemd %d; the next installation replaces it.
# Changes belong in a drop-in: systemctl edit %s
`

// Render gives the unit's text for a version of systemd, byte for byte the same for the same value. Directives that the
// version does not know are left out. Errors wrap ErrVersion, ErrUnsafe or ErrSecret, or say which field is wrong.
func (s *Service) Render(version int) ([]byte, error) {
	if err := CheckVersion(version); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	w := &unitWriter{version: version, table: NewDirectives()}
	fmt.Fprintf(&w.out, header, version, s.Name)
	s.unit(w)
	w.section("Service")
	if err := s.command(w); err != nil {
		return nil, err
	}
	s.account(w)
	s.limits(w)
	if err := s.harden(w); err != nil {
		return nil, err
	}
	w.section("Install")
	w.literal("WantedBy", orDefault(s.WantedBy, "multi-user.target"))
	if w.err != nil {
		return nil, w.err
	}
	return []byte(w.out.String()), nil
}

// unitWriter writes directives that the version knows in the section. Its first error sticks.
type unitWriter struct {
	out     strings.Builder
	version int
	table   *Directives
	current string
	err     error
}

func (w *unitWriter) section(name string) {
	w.current = name
	w.out.WriteString("\n[" + name + "]\n")
}

// knows says whether the version has the directive in the current section.
func (w *unitWriter) knows(name string) bool { return w.table.Known(w.current, name, w.version) }

// put writes a directive whose value systemd takes to the end of the line. An empty value resets a list and is written.
func (w *unitWriter) put(name, value string) {
	if err := refuseBreaks(value); err != nil && w.err == nil {
		w.err = fmt.Errorf("%s=: %w", name, err)
	}
	if strings.HasSuffix(value, `\`) && w.err == nil {
		// The next line would be a part of it.
		w.err = fmt.Errorf("%s=%s ends in a backslash: %w", name, value, ErrUnsafe)
	}
	line := name + "=" + value
	if w.version < longLinesSince && len(line) >= 2048 && w.err == nil {
		w.err = fmt.Errorf("%s=: %d bytes are more than a line of systemd %d holds: %w", name, len(line), w.version, ErrUnsafe)
	}
	if w.knows(name) {
		w.out.WriteString(line + "\n")
	}
}

// literal is put for a value in which systemd expands specifiers.
func (w *unitWriter) literal(name, value string) {
	if value != "" {
		w.put(name, strings.ReplaceAll(value, "%", "%%"))
	}
}

func (w *unitWriter) list(name string, values []string) {
	if len(values) > 0 {
		w.put(name, strings.Join(values, " "))
	}
}

func (w *unitWriter) seconds(name string, d time.Duration) {
	if d > 0 {
		w.put(name, strconv.FormatFloat(d.Seconds(), 'f', -1, 64)+"s")
	}
}

func (w *unitWriter) number(name string, n uint64) {
	if n > 0 {
		w.put(name, strconv.FormatUint(n, 10))
	}
}

func (s *Service) unit(w *unitWriter) {
	w.section("Unit")
	w.literal("Description", s.Description)
	w.literal("Documentation", strings.Join(s.Documentation, " "))
	w.literal("Wants", strings.Join(s.Wants, " "))
	w.literal("After", strings.Join(s.After, " "))
	if w.version >= startLimitUnitSince {
		w.startLimit("StartLimitIntervalSec")
	}
}

// startLimit ends a loop of failing starts: five in five minutes. The defaults, five in ten seconds, never count to five
// with RestartSec=5s.
func (w *unitWriter) startLimit(interval string) {
	w.put(interval, "300s")
	w.put("StartLimitBurst", "5")
}

func (s *Service) command(w *unitWriter) error {
	if w.version >= typeExecSince {
		// Unlike simple, a start whose program is missing fails.
		w.put("Type", "exec")
	} else {
		w.put("Type", "simple")
	}
	words, err := execWords(s.Exec)
	if err != nil {
		return fmt.Errorf("setting ExecStart=: %w", err)
	}
	for i, word := range words {
		words[i] = s.credentialPaths(word, w.version)
	}
	for i, word := range words {
		// A word a line: changes show, and no line gets long.
		if w.version < longLinesSince && len(word) >= 2000 {
			return fmt.Errorf("ExecStart=: an argument of %d bytes is more than a line of systemd %d holds: %w", len(word), w.version, ErrUnsafe)
		}
		if i == 0 {
			word = "ExecStart=" + word
		} else {
			word = "    " + word
		}
		if i < len(words)-1 {
			word += ` \`
		}
		w.out.WriteString(word + "\n")
	}
	if s.ReloadSignal != "" {
		w.put("ExecReload", "/bin/kill -"+s.ReloadSignal+" $MAINPID")
	}
	w.put("Restart", orDefault(s.Restart, "on-failure"))
	if s.RestartDelay == 0 {
		w.put("RestartSec", "5s")
	}
	w.seconds("RestartSec", s.RestartDelay)
	if w.version < startLimitUnitSince {
		w.startLimit("StartLimitInterval")
	}
	w.seconds("TimeoutStartSec", s.TimeoutStart)
	w.seconds("TimeoutStopSec", s.TimeoutStop)
	return s.environment(w)
}

// credentialPaths replaces {credential:NAME} in a quoted word: by systemd's folder, else by the file itself.
func (s *Service) credentialPaths(word string, version int) string {
	for _, c := range s.Credentials {
		where := "%d/" + c.Name
		if version < credentialsSince {
			where = strings.ReplaceAll(strings.ReplaceAll(c.File, "%", "%%"), "$", "$$")
		}
		word = strings.ReplaceAll(word, "{credential:"+c.Name+"}", where)
	}
	return word
}

func (s *Service) environment(w *unitWriter) error {
	for _, v := range s.Environment {
		word, err := QuoteEnvironment(v.Name, v.Value)
		if err != nil {
			return fmt.Errorf("setting Environment=: %w", err)
		}
		w.put("Environment", s.credentialPaths(word, w.version))
	}
	if !s.CredentialFiles(w.version) {
		for _, c := range s.Credentials {
			w.literal("LoadCredential", c.Name+":"+c.File)
		}
	}
	return nil
}

func (s *Service) account(w *unitWriter) {
	if !s.NeedsAccount(w.version) {
		w.put("DynamicUser", "yes")
	}
	w.literal("User", s.User)
	w.literal("Group", s.Group)
	folders := []struct{ directive, parent, name string }{
		{"StateDirectory", "/var/lib", s.StateDirectory},
		{"CacheDirectory", "/var/cache", s.CacheDirectory},
		{"RuntimeDirectory", "/run", s.RuntimeDirectory},
		{"ConfigurationDirectory", "/etc", s.ConfigurationDirectory},
	}
	writable := slices.Clone(s.ReadWritePaths)
	for _, f := range folders {
		w.literal(f.directive, f.name)
		if f.name != "" && !w.knows(f.directive) && f.parent != "/etc" {
			writable = append(writable, path.Join(f.parent, f.name))
		}
	}
	for _, f := range folders[:2] {
		if f.name != "" {
			w.put(f.directive+"Mode", "0750")
		}
	}
	if w.version >= strictSince {
		// Below, ProtectSystem=full leaves /var and /run writable.
		w.paths("ReadWritePaths", writable)
		w.paths("ReadOnlyPaths", s.ReadOnlyPaths)
	}
}

func (w *unitWriter) paths(name string, values []string) {
	w.literal(name, strings.Join(values, " "))
}

func (s *Service) limits(w *unitWriter) {
	w.number("LimitNOFILE", s.OpenFiles)
	w.number("TasksMax", s.Tasks)
	if w.knows("MemoryMax") {
		w.number("MemoryMax", s.Memory)
	} else {
		w.number("MemoryLimit", s.Memory)
	}
	w.put("UMask", "0027")
}

func orDefault(value, other string) string {
	if value == "" {
		return other
	}
	return value
}
