package component

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/systemd"
)

// Component is an entry of the catalogue. In archive, sums, args, environment and the configuration, {version}, {os},
// {arch}, {listen}, {port}, {data}, {config}, and the name of an option in braces, stand for what was chosen; an argument
// or variable that names an option without a value, or a secret that is not there as {credential:NAME}, is left out.
type Component struct {
	Name       string   `yaml:"name"`       // also the folder below /opt, /etc and /var/lib, and the service
	Summary    string   `yaml:"summary"`    // one line for help
	Repository string   `yaml:"repository"` // OWNER/REPO of the releases
	Version    string   `yaml:"version"`    // pinned: what a new installation takes without @VERSION
	Archive    string   `yaml:"archive"`    // file name of a release's archive
	Sums       string   `yaml:"sums"`       // file name of a release's sums; "" for sha256sums.txt
	Binary     string   `yaml:"binary"`     // the program inside the release's top folder
	Aliases    []string `yaml:"aliases"`    // names that others give the program
	Port       int      `yaml:"port"`       // where it listens unless told otherwise
	Args       []string `yaml:"args"`
	// LoopbackArgs are added where it listens for its own machine alone.
	LoopbackArgs []string          `yaml:"loopback-args"`
	Environment  map[string]string `yaml:"environment"`
	Options      map[string]Option `yaml:"options"` // what --set takes
	Secrets      []Secret          `yaml:"secrets"`
	// Config is a file below /etc/NAME that the program reads. It is written where there is none, and then left alone.
	Config *Config `yaml:"config"`
	// Flags is where it answers with all its flags as they are in force (Prometheus' HTTP API, /api/v1/status/flags).
	Flags  string  `yaml:"flags"`
	Data   *Data   `yaml:"data"` // the program keeps data, in /var/lib/NAME unless told otherwise
	Reload *Reload `yaml:"reload"`
	Health Health  `yaml:"health"`
	Scrape Scrape  `yaml:"scrape"`
	// OpenFiles is how many files it may have open, 0 systemd's default.
	OpenFiles    uint64   `yaml:"open-files"`
	Capabilities []string `yaml:"capabilities"` // such as CAP_NET_RAW; none by default
	// Profile is the sandbox that fits (pkg/systemd), Overrides what it gets otherwise.
	Profile   systemd.Profile   `yaml:"profile"`
	Overrides map[string]string `yaml:"overrides"`
	// Tested says against which real program this entry was tried: "debian" for Debian's build of it, "" for none.
	Tested string `yaml:"tested"`
}

// Option is a value that may be chosen for a component.
type Option struct {
	Help    string `yaml:"help"`
	Default string `yaml:"default"`
	Form    string `yaml:"form"` // a regular expression for the whole value; "" for anything in one line
}

// Secret is a file that only the service may read.
type Secret struct {
	Name     string `yaml:"name"`
	Help     string `yaml:"help"` // what it holds
	Required bool   `yaml:"required"`
	// DSN is the variable in which older ways to run the program hold the same as go-sql-driver's data source name; the
	// secret is then a my.cnf.
	DSN string `yaml:"dsn"`
}

// Config is a configuration file to begin with.
type Config struct {
	File string `yaml:"file"`
	Text string `yaml:"text"`
	// Check is a program of the release, and its arguments, that exits with 0 for a configuration that can be used.
	Check []string `yaml:"check"`
	// Unsaid is the file that the program reads where no argument names one, relative to where it was started.
	Unsaid string `yaml:"unsaid"`
}

// Data says what is known of what the program keeps.
type Data struct {
	// Unsaid is the folder that the program writes to where no argument names one, relative to where it was started.
	Unsaid string `yaml:"unsaid"`
	// Formats are versions from which on data are written that not every older version reads.
	Formats []Format `yaml:"formats"`
}

// Format says that data written by a version from Since on are read by versions from ReadableFrom on only.
type Format struct {
	Since        string `yaml:"since"`
	ReadableFrom string `yaml:"readable-from"`
}

// Reload is how a component reads its configuration anew.
type Reload struct {
	Signal string `yaml:"signal"` // HUP
	Path   string `yaml:"path"`   // where a POST does the same, and says why not; it may be switched off
	// Succeeded is the metric that is 1 after the last reload was good, At the one with the time of the last good one.
	Succeeded string `yaml:"succeeded"`
	At        string `yaml:"at"`
}

// Health says how a running component is judged.
type Health struct {
	Path    string `yaml:"path"`    // answers 200 when it is well
	Metrics string `yaml:"metrics"` // gives metrics; "" for none
	Build   string `yaml:"build"`   // the metric whose label version is the program's
	Replay  string `yaml:"replay"`  // tells how far reading the write-ahead log has got (Prometheus' HTTP API); "" for none
}

// Scrape says what Prometheus is told of a component.
type Scrape struct {
	HonorLabels  bool `yaml:"honor-labels"`
	Alertmanager bool `yaml:"alertmanager"` // alerts are sent to it
}

var (
	wholeName    = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	wholeVersion = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)
	wholeRepo    = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
)

func (c *Component) check() error {
	switch {
	case !wholeName.MatchString(c.Name):
		return fmt.Errorf("name %q", c.Name)
	case !wholeVersion.MatchString(c.Version):
		return fmt.Errorf("version %q is not of the form 1.2.3", c.Version)
	case !wholeRepo.MatchString(c.Repository):
		return fmt.Errorf("repository %q is not OWNER/REPO", c.Repository)
	case c.Summary == "" || c.Archive == "" || c.Health.Path == "":
		return errors.New("summary, archive and health.path must be there")
	case c.Binary == "" || !fs.ValidPath(c.Binary):
		return fmt.Errorf("binary %q is no path inside the release", c.Binary)
	case c.Config != nil && (c.Config.File != path.Base(c.Config.File) || c.Config.Text == ""):
		return fmt.Errorf("config %q is no name of a file, or has no text", c.Config.File)
	case c.Port < 1 || c.Port > 65535:
		return fmt.Errorf("port %d", c.Port)
	}
	return errors.Join(c.checkOptions(), c.checkPlaceholders())
}

func (c *Component) checkOptions() error {
	for _, name := range slices.Sorted(maps.Keys(c.Options)) {
		o := c.Options[name]
		if !wholeName.MatchString(name) || slices.Contains([]string{"listen", "port", "data", "config"}, name) || o.Help == "" {
			return fmt.Errorf("option %q: a name of its own, and help", name)
		}
		form, err := regexp.Compile(o.whole())
		if err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
		if o.Default != "" && !form.MatchString(o.Default) {
			return fmt.Errorf("option %s: its own value %q is not of its form", name, o.Default)
		}
	}
	for _, s := range c.Secrets {
		if s.Name == "" || s.Name != path.Base(s.Name) || s.Help == "" {
			return fmt.Errorf("secret %q: a name of a file, and help", s.Name)
		}
	}
	return nil
}

// whole is the option's form for the whole of a value.
func (o Option) whole() string {
	if o.Form == "" {
		return `^[^\n\r\x00]*$`
	}
	return "^(?:" + o.Form + ")$"
}

// checkPlaceholders refuses what nothing will stand for.
func (c *Component) checkPlaceholders() error {
	known := []string{"listen", "port", "data", "config"}
	known = slices.AppendSeq(known, maps.Keys(c.Options))
	for _, s := range c.Secrets {
		known = append(known, "credential:"+s.Name)
	}
	texts := slices.Concat(c.Args, c.LoopbackArgs, slices.Collect(maps.Values(c.Environment)))
	if c.Config != nil {
		texts = append(texts, c.Config.Check...)
	}
	for _, text := range texts {
		for _, name := range placeholders(text) {
			if !slices.Contains(known, name) {
				return fmt.Errorf("%q: nothing is called {%s}", text, name)
			}
		}
	}
	return nil
}

// ErrVersion is in the error about text that is no version.
var ErrVersion = errors.New("not a version such as 1.2.3")

// ParseVersion takes a version with or without the v of its tag.
func ParseVersion(text string) (string, error) {
	v := strings.TrimPrefix(text, "v")
	if !wholeVersion.MatchString(v) {
		return "", fmt.Errorf("%q is %w", text, ErrVersion)
	}
	return v, nil
}

// File is the name of a release's archive.
func (c *Component) File(version, system, arch string) string {
	return release(c.Archive, version, system, arch)
}

// release fills in the name of a file of a release.
func release(pattern, version, system, arch string) string {
	return strings.NewReplacer("{version}", version, "{os}", system, "{arch}", arch).Replace(pattern)
}

// secret finds one by its name.
func (c *Component) secret(name string) (*Secret, bool) {
	i := slices.IndexFunc(c.Secrets, func(s Secret) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return &c.Secrets[i], true
}
