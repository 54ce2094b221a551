package authkeys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys/accounts"
	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/sshdconfig"
	"github.com/opsctl/opsctl/pkg/host"
)

// maxKeyFile bounds a key file, in bytes. sshd has no bound.
const maxKeyFile = 64 << 20

// site is a host with everything that decides about logins to it. It may be used from many goroutines.
type site struct {
	opts     Options
	host     *host.Host
	version  sshdconfig.Version
	accounts *accounts.Database // nil when explicit files are read instead
	config   *sshdconfig.File   // nil when the host has no configuration, or explicit files are read
	parser   keyline.Parser
	explicit []explicitFile
	output   map[string][]fileLine // what AuthorizedKeysCommand printed, by user
	copied   bool                  // owners and modes are those of a copy, not the host's
	// programless says that only some of the host's files are there, its programs are not: nothing can be
	// said of login shells.
	programless bool

	mu    sync.Mutex // guards what follows
	texts map[string]text
	lists map[string]*revocation
	dumps map[string]*Config // what sshd -T says, by the Match blocks that hold
	sshd  bool               // sshd -T works
}

// text is a key file's content.
type text struct {
	lines []fileLine
	err   error
}

// fileLine is a line that sshd looks at.
type fileLine struct {
	number int
	line   keyline.Line
}

func newSite(ctx context.Context, opts Options) (*site, error) {
	if opts.Host == nil {
		opts.Host = host.Local()
	}
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	if opts.ConfigFile == "" {
		opts.ConfigFile = "/etc/ssh/sshd_config"
	}
	if opts.SSHDPath == "" {
		opts.SSHDPath = "/usr/sbin/sshd"
	}
	s := &site{
		opts: opts, host: opts.Host, output: map[string][]fileLine{},
		texts: map[string]text{}, lists: map[string]*revocation{}, dumps: map[string]*Config{},
	}
	s.copied, s.programless = isCopy(s.host), !has(s.host, "/bin") && !has(s.host, "/usr")
	s.version = findVersion(s.host, opts.SSHDPath)
	services := readServices(s.host)
	s.parser = keyline.Parser{
		Location: opts.Location,
		Port:     func(name string) bool { return services[name] > 0 },
	}
	if s.parser.Location == nil {
		s.parser.Location = location(s.host)
	}
	if len(opts.Explicit) > 0 {
		return s, nil
	}
	db, err := accounts.Read(ctx, s.host)
	if db == nil {
		return nil, err
	}
	s.accounts = db
	file, configErr := sshdconfig.Load(s.host, opts.ConfigFile, sshdconfig.Env{
		Version: s.version,
		Groups:  s.groups,
		Home:    db.Home,
		Service: func(name string) (int, bool) { return services[name], services[name] > 0 },
	})
	if configErr == nil {
		s.config = file
	} else if !errors.Is(configErr, fs.ErrNotExist) {
		err = errors.Join(err, configErr)
	}
	return s, err
}

// isCopy says whether a folder that stands for a host was unpacked without the host's owners, as by anyone
// but root: then its "/" does not belong to root. Nothing about permissions can be said of it.
func isCopy(h *host.Host) bool {
	if h.Live() {
		return false
	}
	info, err := h.Stat("/")
	if err != nil {
		return false
	}
	owner, _, ok := ownerOf(info)
	return ok && owner != 0
}

func has(h *host.Host, name string) bool {
	_, err := h.Stat(name)
	return err == nil
}

func (s *site) groups(name string) []string {
	user, ok := s.accounts.Lookup(context.Background(), name)
	if !ok {
		return nil
	}
	return s.accounts.GroupNames(user)
}

// location is the time zone in which a host's sshd reads expiry times.
func location(h *host.Host) *time.Location {
	if h.Live() {
		return time.Local
	}
	data, err := h.ReadFile("/etc/localtime", 1<<20)
	if err != nil {
		return time.UTC
	}
	loc, err := time.LoadLocationFromTZData("localtime", data)
	if err != nil {
		return time.UTC
	}
	return loc
}

// readServices reads the TCP services of services(5) by name and alias; without the file there are none.
func readServices(h *host.Host) map[string]int {
	table := map[string]int{}
	data, err := h.ReadFile("/etc/services", 4<<20)
	if err != nil {
		return table
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		var port int
		if n, err := fmt.Sscanf(f[1], "%d/tcp", &port); n != 1 || err != nil || !strings.HasSuffix(f[1], "/tcp") {
			continue
		}
		for i, name := range f {
			if _, taken := table[name]; !taken && i != 1 {
				table[name] = port
			}
		}
	}
	return table
}

// read gives the lines of a key file by its name without symbolic links, from the cache when it was
// read before.
func (s *site) read(name string) ([]fileLine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.texts[name]; ok {
		return t.lines, t.err
	}
	data, err := s.host.ReadFile(name, maxKeyFile)
	t := text{err: err}
	if err == nil {
		t.lines = s.parse(data)
	}
	s.texts[name] = t
	return t.lines, t.err
}

func (s *site) parse(data []byte) []fileLine {
	var list []fileLine
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if !keyline.Blank(line) {
			list = append(list, fileLine{number, s.parser.Parse(line)})
		}
	}
	return list
}
