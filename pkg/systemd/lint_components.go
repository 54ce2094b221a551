package systemd

import (
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// components are the programs whose faults this package knows.
func components() []string {
	return []string{
		"node_exporter", "mysqld_exporter", "kafka_exporter", "redis_exporter", "postgres_exporter", "process-exporter", "blackbox_exporter",
		"nginx-prometheus-exporter", "nginx_exporter", "prometheus", "alertmanager", "pushgateway",
	}
}

// componentOf is the component that a program's or folder's name stands for: node_exporter, prometheus-node-exporter and
// node_exporter-1.5.0.linux-amd64 are the same; "" when it is none.
func componentOf(name string) string {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	name, _, _ = cutVersion(name)
	for _, c := range components() {
		if plain(name) == plain(c) || plain(name) == "prometheus_"+plain(c) {
			return c
		}
	}
	return ""
}

// cutVersion splits node_exporter-1.5.0.linux-amd64 into the name and the version.
func cutVersion(name string) (base, version string, found bool) {
	m := regexp.MustCompile(`^(.*?)[-_@]v?(\d+\.\d+[^/]*)$`).FindStringSubmatch(name)
	if m == nil {
		return name, "", false
	}
	return m[1], m[2], true
}

// release finds a version in a path: a folder 3.1.0, or one with a component's name before it.
func release(program string) (major, minor int, ok bool) {
	for element := range strings.SplitSeq(program, "/") {
		if _, version, found := cutVersion(element); found {
			element = version
		}
		m := regexp.MustCompile(`^v?(\d+)\.(\d+)(?:\.|$)`).FindStringSubmatch(element)
		if m != nil {
			major, _ = strconv.Atoi(m[1]) // digits
			minor, _ = strconv.Atoi(m[2])
			return major, minor, true
		}
	}
	return 0, 0, false
}

// realProgram follows links where there is a host to look at.
func (l *linter) realProgram(program string) string {
	if l.opts.Host != nil {
		if resolved, err := l.opts.Host.RealPath(program); err == nil {
			return resolved
		}
	}
	return program
}

// component judges the settings of programs that are known.
func (l *linter) component() {
	main := l.main()
	if main == nil {
		return
	}
	c := componentOf(path.Base(main.Program.Text))
	if c == "" {
		return
	}
	switch c {
	case "node_exporter":
		l.nodeExporter()
	case "process-exporter":
		l.processExporter()
	case "mysqld_exporter":
		l.mysqldExporter(main)
	case "prometheus":
		l.prometheus(main)
	}
	l.versioned(main)
	if restart := l.unit.Value("Service", "Restart"); restart == "" || restart == "no" {
		l.add("no-restart", main.at, "after a crash "+c+" stays away", "Restart=on-failure")
	}
}

func (l *linter) nodeExporter() {
	if a, ok := l.unit.Last("Service", "ProtectClock"); ok && truth(a.Value) {
		l.add("protect-clock", a, "the timex collector reads the clock, and loses its 17 families of node_timex", "ProtectClock=no")
	}
	if a, ok := l.unit.Last("Service", "ProtectHome"); ok && (truth(a.Value) || a.Value == "tmpfs") {
		l.add("protect-home", a, "file systems below /home have no size any more", "ProtectHome=read-only")
	}
	for _, name := range []string{"PrivateTmp", "DynamicUser"} {
		if a, ok := l.unit.Last("Service", name); ok && (truth(a.Value) || a.Value == "disconnected") {
			l.add("private-tmp", a, name+"= hides what is mounted on /tmp and /var/tmp", name+"=no")
		}
	}
	l.netlink()
}

func (l *linter) netlink() {
	var allowed []string
	families := l.unit.All("Service", "RestrictAddressFamilies")
	for _, a := range families {
		if rest, denies := strings.CutPrefix(a.Value, "~"); denies {
			if slices.Contains(strings.Fields(rest), "AF_NETLINK") {
				l.add("address-families", a, "without AF_NETLINK there are no arp and netdev metrics", a.Name+"="+strings.ReplaceAll(a.Value, " AF_NETLINK", ""))
			}
			return
		}
		allowed = append(allowed, strings.Fields(a.Value)...)
	}
	if len(families) > 0 && !slices.Contains(allowed, "AF_NETLINK") {
		last := families[len(families)-1]
		l.add("address-families", last, "without AF_NETLINK there are no arp and netdev metrics", last.Name+"="+last.Value+" AF_NETLINK")
	}
}

func (l *linter) processExporter() {
	for _, name := range []string{"ProtectProc", "PrivateUsers", "PrivatePIDs"} {
		a, ok := l.unit.Last("Service", name)
		hides := truth(a.Value) || name == "ProtectProc" && a.Value != "default"
		if ok && hides {
			l.add("process-visibility", a, name+"="+a.Value+" hides other users' processes or their details", "# "+name+"="+a.Value)
		}
	}
}

func (l *linter) mysqldExporter(main *lineCommand) {
	major, minor, known := release(l.realProgram(main.Program.Text))
	if known && major == 0 && minor < 15 {
		return
	}
	for _, a := range l.unit.All("Service", "Environment") {
		if !strings.Contains(a.Value, "DATA_SOURCE_NAME=") {
			continue
		}
		which := "from 0.15 on mysqld_exporter"
		if known {
			which = fmt.Sprintf("mysqld_exporter %d.%d", major, minor)
		}
		l.add("data-source-name", a, which+" does not read DATA_SOURCE_NAME", "ExecStart="+main.Program.Raw+" --config.my-cnf=/etc/mysqld_exporter/my.cnf")
	}
}

// flags are a command's --name=value and --name value, with what Environment= puts in.
func (l *linter) flags(c *lineCommand) map[string]string {
	var words []string
	for _, w := range c.Args {
		name := strings.Trim(strings.TrimPrefix(w.Text, "$"), "{}")
		if value, set := l.variable(name); set && strings.HasPrefix(w.Text, "$") {
			words = append(words, strings.Fields(value)...)
			continue
		}
		words = append(words, w.Text)
	}
	flags := map[string]string{}
	for i, word := range words {
		name, found := strings.CutPrefix(word, "--")
		if !found {
			continue
		}
		name, value, joined := strings.Cut(name, "=")
		if !joined && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			value = words[i+1]
		}
		flags[name] = value
	}
	return flags
}

// variable is the value that Environment= gives a name.
func (l *linter) variable(name string) (value string, set bool) {
	for _, a := range l.unit.All("Service", "Environment") {
		words, err := SplitWords(a.Value)
		if err != nil {
			continue
		}
		for _, w := range words {
			if v, found := strings.CutPrefix(w.Text, name+"="); found {
				value, set = v, true
			}
		}
	}
	return value, set
}

func (l *linter) prometheus(main *lineCommand) {
	flags := l.flags(main)
	if _, on := flags["web.enable-lifecycle"]; on && flags["web.enable-lifecycle"] != "false" && flags["web.config.file"] == "" {
		listen := orDefault(flags["web.listen-address"], "0.0.0.0:9090")
		if !loopback(listen) {
			l.addLine("lifecycle", main.at.File, l.lineOf(main.at, "web.enable-lifecycle"),
				fmt.Sprintf("whoever reaches %s can reload and stop Prometheus", listen), "--web.listen-address=127.0.0.1:9090")
		}
	}
	major, _, known := release(l.realProgram(main.Program.Text))
	for _, name := range []string{"web.console.templates", "web.console.libraries"} {
		folder, given := flags[name]
		gone := known && major >= 3
		if given && !gone && l.opts.Host != nil && strings.HasPrefix(folder, "/") {
			_, err := l.opts.Host.Stat(folder)
			gone = err != nil
		}
		if given && gone {
			l.addLine("consoles", main.at.File, l.lineOf(main.at, name), fmt.Sprintf("--%s names %s, and Prometheus 3 comes without consoles", name, folder), "leave --"+name+" out")
		}
	}
	for i := range l.commands {
		c := &l.commands[i]
		if c.at.Name == "ExecReload" && path.Base(c.Program.Text) == "kill" {
			l.add("reload-unchecked", c.at, "systemctl reload succeeds with a configuration that Prometheus refuses", "opsctl service reload prometheus, which checks before and after")
		}
	}
}

// loopback says whether an address to listen on is reached from its own host only.
func loopback(listen string) bool {
	if strings.HasPrefix(listen, "localhost:") || strings.HasPrefix(listen, "/") {
		return true
	}
	addr, err := netip.ParseAddrPort(listen)
	return err == nil && addr.Addr().IsLoopback()
}

// versioned says whether the program lies in a folder of its version. What a package manager lays down is its own affair:
// it writes beside and renames.
func (l *linter) versioned(main *lineCommand) {
	program := main.Program.Text
	for _, own := range []string{"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/lib/", "/nix/", "/snap/"} {
		if strings.HasPrefix(program, own) {
			return
		}
	}
	if l.opts.Host == nil || !strings.HasPrefix(program, "/") {
		return
	}
	resolved, err := l.opts.Host.RealPath(program)
	if _, _, ok := release(resolved); err != nil || ok {
		return // what is missing is said elsewhere
	}
	c := componentOf(path.Base(program))
	l.add("unversioned-binary", main.at, program+" is replaced in place by an upgrade", main.at.Name+"=/opt/"+c+"/current/"+path.Base(program))
}

// folder finds a program in another component's folder: the folder next to it that bears a component's name decides.
func (l *linter) folder(c *lineCommand) {
	program := c.Program.Text
	own := componentOf(path.Base(program))
	if own == "" || !strings.HasPrefix(program, "/") {
		return
	}
	for dir := path.Dir(program); dir != "/"; dir = path.Dir(dir) {
		other := componentOf(path.Base(dir))
		if other == own {
			return
		}
		if other != "" {
			l.add("other-component-folder", c.at, fmt.Sprintf("%s lies in the folder of %s: %s", own, other, dir), c.at.Name+"=/opt/"+own+"/current/"+path.Base(program))
			return
		}
	}
}
