// Package component installs programs that come as one release archive and run as one
// service: what there is (a catalogue of data), what a host has of it, and the plan that
// leads from the one to the other.
package component

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/opsctl/opsctl/pkg/systemd"
)

// Component is an entry of the catalogue. In archive, args and the configuration {version}, {os}, {arch}, {listen},
// {port}, {data} and {config} stand for what was chosen.
type Component struct {
	Name       string   `yaml:"name"`       // also the folder below /opt, /etc and /var/lib, and the service
	Summary    string   `yaml:"summary"`    // one line for help
	Repository string   `yaml:"repository"` // OWNER/REPO of the releases
	Version    string   `yaml:"version"`    // pinned: what a new installation takes without @VERSION
	Archive    string   `yaml:"archive"`    // file name of a release's archive
	Binary     string   `yaml:"binary"`     // the program inside the release's top folder
	Port       int      `yaml:"port"`       // where it listens unless told otherwise
	Args       []string `yaml:"args"`
	// Config is a file below /etc/NAME that the program reads. It is written where there is none, and then left alone.
	Config *Config `yaml:"config"`
	Data   bool    `yaml:"data"`   // the program keeps data, in /var/lib/NAME
	Reload string  `yaml:"reload"` // the signal that makes it read its configuration anew: HUP
	Health Health  `yaml:"health"`
	// OpenFiles is how many files it may have open, 0 systemd's default.
	OpenFiles    uint64   `yaml:"open-files"`
	Capabilities []string `yaml:"capabilities"` // such as CAP_NET_RAW; none by default
	// Profile is the sandbox that fits (pkg/systemd), Overrides what it gets otherwise.
	Profile   systemd.Profile   `yaml:"profile"`
	Overrides map[string]string `yaml:"overrides"`
	// Tested says against which real program this entry was tried: "debian" for Debian's build of it, "" for none.
	Tested string `yaml:"tested"`
}

// Config is a configuration file to begin with.
type Config struct {
	File string `yaml:"file"`
	Text string `yaml:"text"`
}

// Health says how a running component is judged.
type Health struct {
	Path    string `yaml:"path"`    // answers 200 when it is well
	Metrics string `yaml:"metrics"` // gives metrics; "" for none
	Build   string `yaml:"build"`   // the metric whose label version is the program's
}

// Catalogue is all components, by name.
type Catalogue struct{ byName map[string]*Component }

// ErrUnknown is in the error about a name that the catalogue does not have.
var ErrUnknown = errors.New("no such component")

// Load reads every *.yaml of a folder. A file that says what no field takes, or that lacks what each needs, is an error.
func Load(files fs.FS, dir string) (*Catalogue, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	c := &Catalogue{byName: map[string]*Component{}}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		component, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if path.Base(name) != component.Name+".yaml" {
			return nil, fmt.Errorf("%s: describes %s", name, component.Name)
		}
		c.byName[component.Name] = component
	}
	return c, nil
}

func parse(data []byte) (*Component, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var c Component
	if err := d.Decode(&c); err != nil {
		return nil, err
	}
	return &c, c.check()
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
	return nil
}

// Names lists the components, sorted.
func (c *Catalogue) Names() []string {
	names := []string{}
	for name := range c.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Get finds a component.
func (c *Catalogue) Get(name string) (*Component, error) {
	found, ok := c.byName[name]
	if !ok {
		return nil, fmt.Errorf("%w: %q; there are %s", ErrUnknown, name, strings.Join(c.Names(), ", "))
	}
	return found, nil
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
	return strings.NewReplacer("{version}", version, "{os}", system, "{arch}", arch).Replace(c.Archive)
}
