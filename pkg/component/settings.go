package component

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/opsctl/opsctl/pkg/host"
)

// Settings is what was chosen for an installed component: /etc/NAME/opsctl.yaml, which a later run keeps unless it is told
// otherwise.
type Settings struct {
	Version string   `yaml:"version"`
	Listen  string   `yaml:"listen"`         // ADDRESS:PORT or :PORT
	Args    []string `yaml:"args,omitempty"` // beside the component's own
}

// maxSettings bounds the file.
const maxSettings = 1 << 20

// settingsFile names the file of a component.
func (c *Component) settingsFile() string { return path.Join("/etc", c.Name, "opsctl.yaml") }

// readSettings gives nil where there is no file.
func (c *Component) readSettings(h *host.Host) (*Settings, error) {
	data, err := h.ReadFile(c.settingsFile(), maxSettings)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	s := &Settings{}
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("%s: %w", h.Path(c.settingsFile()), err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", h.Path(c.settingsFile()), err)
	}
	return s, nil
}

// ErrSetting is in the error about a value that cannot be.
var ErrSetting = errors.New("not usable")

func (s *Settings) check() error {
	if _, err := ParseVersion(s.Version); err != nil {
		return err
	}
	if err := checkListen(s.Listen); err != nil {
		return err
	}
	for _, arg := range s.Args {
		if !strings.HasPrefix(arg, "-") || strings.ContainsAny(arg, "\n\x00") {
			return fmt.Errorf("argument %q is %w: one word that begins with a dash", arg, ErrSetting)
		}
	}
	return nil
}

func checkListen(text string) error {
	address, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("listen %q is %w: ADDRESS:PORT or :PORT", text, ErrSetting)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("listen %q is %w: port %q", text, ErrSetting, port)
	}
	if _, err := netip.ParseAddr(address); address != "" && err != nil {
		return fmt.Errorf("listen %q is %w: %q is no address", text, ErrSetting, address)
	}
	return nil
}

// encode writes the file's text.
func (s *Settings) encode() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Written by opsctl install; a later run keeps these values unless its flags say otherwise.\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(s), e.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// choose merges what is asked for into what was chosen before.
func (c *Component) choose(before *Settings, o *Options) (*Settings, error) {
	s := &Settings{Version: c.Version, Listen: ":" + strconv.Itoa(c.Port)}
	if before != nil {
		*s = *before
	}
	if o.Version != "" {
		s.Version = o.Version
	}
	if o.Listen != "" {
		s.Listen = o.Listen
	}
	if o.Args != nil {
		s.Args = slices.Clone(o.Args)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

// argv is the program with all its arguments.
func (c *Component) argv(s *Settings) []string {
	values := c.values(s)
	argv := []string{path.Join(c.currentLink(), c.Binary)}
	for _, arg := range c.Args {
		argv = append(argv, values.Replace(arg))
	}
	return append(argv, s.Args...)
}

// values are what the placeholders of the catalogue stand for.
func (c *Component) values(s *Settings) *strings.Replacer {
	_, port, _ := net.SplitHostPort(s.Listen)
	return strings.NewReplacer("{listen}", s.Listen, "{port}", port, "{data}", c.dataDir(), "{config}", c.configFile())
}

// configFile is "" for a component without one.
func (c *Component) configFile() string {
	if c.Config == nil {
		return ""
	}
	return path.Join("/etc", c.Name, c.Config.File)
}

func (c *Component) dataDir() string { return path.Join("/var/lib", c.Name) }

// url is where the component answers on this machine.
func (c *Component) url(s *Settings, where string) string {
	address, port, _ := net.SplitHostPort(s.Listen)
	if ip, err := netip.ParseAddr(address); err != nil || ip.IsUnspecified() {
		address = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(address, port) + where
}

func (c *Component) home() string        { return path.Join("/opt", c.Name) }
func (c *Component) currentLink() string { return path.Join(c.home(), "current") }
func (c *Component) release(version string) string {
	return path.Join(c.home(), version)
}
func (c *Component) unitFile() string { return path.Join("/etc/systemd/system", c.service()) }
func (c *Component) service() string  { return c.Name + ".service" }
