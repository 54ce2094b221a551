package component

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/opsctl/opsctl/pkg/host"
)

// Settings is what was chosen for an installed component: /etc/NAME/opsctl.yaml, which a later run keeps unless it is told
// otherwise.
type Settings struct {
	Version string            `yaml:"version"`
	Listen  string            `yaml:"listen"`           // ADDRESS:PORT or :PORT
	Data    string            `yaml:"data,omitempty"`   // the folder with its data; "" for /var/lib/NAME
	Config  string            `yaml:"config,omitempty"` // its configuration; "" for the file of the catalogue in /etc/NAME
	User    string            `yaml:"user,omitempty"`   // the account; "" for one of the component's name
	Set     map[string]string `yaml:"set,omitempty"`    // options of the catalogue
	Secrets []string          `yaml:"secrets,omitempty"`
	Args    []string          `yaml:"args,omitempty"` // beside the component's own
	// Scrape says how Prometheus on this host is told of it: "" in its file, "file" by a file of targets, "off" not at all.
	Scrape string `yaml:"scrape,omitempty"`
	// Written is the newest version that has written to the data, where that is not Version.
	Written string `yaml:"written,omitempty"`
}

// The values of Settings.Scrape.
const (
	ScrapeStatic = ""
	ScrapeFile   = "file"
	ScrapeOff    = "off"
)

// maxSettings bounds the file.
const maxSettings = 1 << 20

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
	if err := c.checkSettings(s); err != nil {
		return nil, fmt.Errorf("%s: %w", h.Path(c.settingsFile()), err)
	}
	return s, nil
}

// ErrSetting is in the error about a value that cannot be.
var ErrSetting = errors.New("not usable")

func (c *Component) checkSettings(s *Settings) error {
	if _, err := ParseVersion(s.Version); err != nil {
		return err
	}
	if err := checkListen(s.Listen); err != nil {
		return err
	}
	for what, name := range map[string]string{"data folder": s.Data, "configuration": s.Config} {
		if name != "" && (path.Clean(name) != name || !path.IsAbs(name) || name == "/" || strings.ContainsAny(name, " \t\"'\\:\n\x00")) {
			return fmt.Errorf("%s %q is %w: an absolute path without blanks, quotes and colons", what, name, ErrSetting)
		}
	}
	switch {
	case s.Data != "" && (systemFolder(s.Data) || s.Data == c.home()):
		return fmt.Errorf("data folder %s is %w: its files would go to the service's account, and others need them; name one of its own below", s.Data, ErrSetting)
	case s.Data != "" && c.Data == nil:
		return fmt.Errorf("data folder %s is %w: %s keeps no data", s.Data, ErrSetting, c.Name)
	case s.User != "" && (!wholeName.MatchString(s.User) || s.User == "root" || s.User == "nobody"):
		return fmt.Errorf("user %q is %w", s.User, ErrSetting)
	case !slices.Contains([]string{ScrapeStatic, ScrapeFile, ScrapeOff}, s.Scrape):
		return fmt.Errorf("scrape %q is %w: file, off, or nothing", s.Scrape, ErrSetting)
	}
	return errors.Join(c.checkSet(s.Set), c.checkArgs(s.Args))
}

// systemFolder tells the folders that hold what is not one service's: those of hier(7), all of what lies in those of the
// operating system, and opsctl's own.
func systemFolder(name string) bool {
	for _, whole := range []string{"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/var/run", "/var/lib/opsctl", "/var/lib/dpkg", "/var/lib/systemd"} {
		if name == whole || strings.HasPrefix(name, whole+"/") {
			return true
		}
	}
	return slices.Contains([]string{"/home", "/media", "/mnt", "/opt", "/root", "/srv", "/tmp", "/var", "/var/cache", "/var/lib", "/var/lib/private", "/var/log", "/var/spool", "/var/tmp"}, name)
}

// checkSet looks at the values of options. Its errors do not show one: it may hold a password, which is why it is refused.
func (c *Component) checkSet(set map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		option, ok := c.Options[name]
		if !ok {
			return fmt.Errorf("option %q is %w: %s has %s", name, ErrSetting, c.Name, c.optionNames())
		}
		if set[name] != "" && !regexp.MustCompile(option.whole()).MatchString(set[name]) {
			return fmt.Errorf("option %s: that value is %w: %s", name, ErrSetting, option.Help)
		}
	}
	return nil
}

func (c *Component) optionNames() string {
	if len(c.Options) == 0 {
		return "no options"
	}
	return strings.Join(slices.Sorted(maps.Keys(c.Options)), ", ")
}

// checkArgs looks at further arguments: what has a setting of its own is not said twice. Its errors show no values, as those
// of checkSet.
func (c *Component) checkArgs(args []string) error {
	for i, arg := range args {
		if !strings.HasPrefix(arg, "-") || strings.ContainsAny(arg, "\n\x00") {
			return fmt.Errorf("further argument %d is %w: one word that begins with a dash", i+1, ErrSetting)
		}
		if name := c.placeholderOf(flagName(arg)); name != "" && !strings.HasPrefix(name, "credential:") {
			return fmt.Errorf("argument --%s is %w: %s says that", flagName(arg), ErrSetting, settingOf(name))
		}
	}
	return nil
}

// settingOf is the flag of opsctl install that fills a placeholder in.
func settingOf(placeholder string) string {
	switch placeholder {
	case "listen", "port":
		return "--listen"
	case "data":
		return "--data-dir"
	case "config":
		return "the component's own configuration file"
	}
	return "--set " + placeholder + "="
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
	for _, each := range []struct{ to, from *string }{{&s.Version, &o.Version}, {&s.Listen, &o.Listen}, {&s.Data, &o.Data}} {
		if *each.from != "" {
			*each.to = *each.from
		}
	}
	if path.IsAbs(s.Data) {
		s.Data = path.Clean(s.Data) // as a shell completes it, with a slash at the end
	}
	if s.Data == c.ownData() {
		s.Data = ""
	}
	if o.Scrape != nil {
		s.Scrape = *o.Scrape
	}
	if o.Args != nil {
		s.Args = slices.Clone(o.Args)
	}
	s.Set = maps.Clone(s.Set)
	for name, value := range o.Set {
		if s.Set == nil {
			s.Set = map[string]string{}
		}
		s.Set[name] = value
		if value == "" { // back to the component's own
			delete(s.Set, name)
		}
	}
	s.Secrets = slices.Clone(s.Secrets)
	for name := range o.Secrets {
		if _, ok := c.secret(name); !ok {
			return nil, fmt.Errorf("secret %q is %w: %s", name, ErrSetting, c.secretHelp())
		}
		if !slices.Contains(s.Secrets, name) {
			s.Secrets = append(s.Secrets, name)
		}
	}
	slices.Sort(s.Secrets)
	if err := c.checkSet(o.Set); err != nil { // also of those that go back to the component's own
		return nil, err
	}
	return s, c.checkSettings(s)
}

// secretHelp lists the secrets that a component takes.
func (c *Component) secretHelp() string {
	names := []string{}
	for _, s := range c.Secrets {
		names = append(names, s.Name+" ("+s.Help+")")
	}
	if len(names) == 0 {
		return c.Name + " takes none"
	}
	return c.Name + " takes " + strings.Join(names, ", ")
}

// ErrSecretMissing is in the error about a component that cannot run without a secret that it was not given.
var ErrSecretMissing = errors.New("is missing")

// missingSecret is an error when a secret that must be there was never given.
func (c *Component) missingSecret(s *Settings) error {
	for _, secret := range c.Secrets {
		if secret.Required && !slices.Contains(s.Secrets, secret.Name) {
			return fmt.Errorf("%s: secret %s %w: %s", c.Name, secret.Name, ErrSecretMissing, secret.Help)
		}
	}
	return nil
}
