package component

import (
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/systemd"
)

// argv is the program with all its arguments. One that was chosen replaces the component's own of the same name.
func (c *Component) argv(s *Settings) []string {
	argv := []string{path.Join(c.currentLink(), c.Binary)}
	own := c.Args
	if c.loopback(s) {
		own = slices.Concat(own, c.LoopbackArgs)
	}
	for _, arg := range own {
		same := func(chosen string) bool { return flagName(chosen) == flagName(arg) }
		if slices.ContainsFunc(s.Args, same) {
			continue
		}
		if text, ok := c.fill(arg, s); ok {
			argv = append(argv, text)
		}
	}
	return append(argv, s.Args...)
}

// environment is what the unit sets, in order of the names.
func (c *Component) environment(s *Settings) []systemd.Variable {
	var all []systemd.Variable
	for _, name := range slices.Sorted(maps.Keys(c.Environment)) {
		if text, ok := c.fill(c.Environment[name], s); ok {
			all = append(all, systemd.Variable{Name: name, Value: text})
		}
	}
	return all
}

// flagName is the name of an argument's flag, without dashes and value.
func flagName(arg string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return name
}

// placeholders lists what stands in braces in a text of the catalogue.
func placeholders(text string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`\{([a-z][a-z0-9_.:-]*)\}`).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// placeholderOf is what the component's own argument of that flag is filled with, as a whole; "" for none.
func (c *Component) placeholderOf(flag string) string {
	for _, arg := range c.Args {
		if _, value, _ := strings.Cut(arg, "="); flagName(arg) == flag && strings.HasPrefix(value, "{") && strings.HasSuffix(value, "}") {
			if names := placeholders(value); len(names) == 1 {
				return names[0]
			}
		}
	}
	return ""
}

// fill puts the values in; ok is false where one of them is missing. {credential:NAME} stays for pkg/systemd.
func (c *Component) fill(text string, s *Settings) (filled string, ok bool) {
	values := c.values(s)
	ok = true
	for _, name := range placeholders(text) {
		if secret, is := strings.CutPrefix(name, "credential:"); is {
			ok = ok && slices.Contains(s.Secrets, secret)
			continue
		}
		ok = ok && values[name] != ""
		text = strings.ReplaceAll(text, "{"+name+"}", values[name])
	}
	return text, ok
}

// values are what the placeholders stand for.
func (c *Component) values(s *Settings) map[string]string {
	_, port, _ := net.SplitHostPort(s.Listen)
	values := map[string]string{"listen": s.Listen, "port": port, "data": c.dataDir(s), "config": c.configFile(s)}
	for name, option := range c.Options {
		values[name] = option.Default
		if chosen, ok := s.Set[name]; ok {
			values[name] = chosen
		}
	}
	return values
}

// address is where the component answers on this machine: HOST:PORT.
func (c *Component) address(s *Settings) string {
	address, port, _ := net.SplitHostPort(s.Listen)
	if ip, err := netip.ParseAddr(address); err != nil || ip.IsUnspecified() {
		address = "127.0.0.1"
	}
	return net.JoinHostPort(address, port)
}

// loopback tells whether the component listens for its own machine alone.
func (c *Component) loopback(s *Settings) bool {
	ip, err := netip.ParseAddrPort(s.Listen)
	return err == nil && ip.Addr().IsLoopback()
}

// url is where the component answers on this machine, below the prefix that its own arguments put before it.
func (c *Component) url(s *Settings, where string) string {
	if where == c.Health.Metrics {
		where = c.metricsPath(s)
	} else {
		where = c.prefix(s) + where
	}
	return "http://" + c.address(s) + where
}

// metricsPath is where its metrics are.
func (c *Component) metricsPath(s *Settings) string {
	if chosen := s.arg("web.telemetry-path"); chosen != "" {
		return path.Join("/", chosen)
	}
	return c.prefix(s) + c.Health.Metrics
}

// prefix begins all paths of a Prometheus, and of what has its flags, that is told of one (prometheus(1), --web.route-prefix:
// without it the path of --web.external-url).
func (c *Component) prefix(s *Settings) string {
	prefix := s.arg("web.route-prefix")
	if external, err := url.Parse(s.arg("web.external-url")); prefix == "" && err == nil {
		prefix = external.Path
	}
	return strings.TrimSuffix(path.Join("/", prefix), "/")
}

// arg is the value of a further argument, the last one of that flag; "" for none.
func (s *Settings) arg(flag string) (value string) {
	for _, arg := range s.Args {
		if flagName(arg) == flag {
			_, value, _ = strings.Cut(arg, "=")
		}
	}
	return value
}
