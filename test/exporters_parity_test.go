package test

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// seeAll compares each daemon with the same program, run with the same arguments by plain root outside any sandbox. Its port
// and its data folder are others: both run at a time.
func (f *fleet) seeAll(t *testing.T) {
	f.ask(t, "sh", "-ec", `mkdir -p /home/web /tmp/there
		mount -t tmpfs -o size=3m tmpfs /home/web
		mount -t tmpfs -o size=5m tmpfs /tmp/there
		ip link add port0 type bridge
		ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev port0
		cp /bin/sleep /run/otherssleep
		systemd-run --quiet --unit=others --uid=65534 --property=Type=exec /run/otherssleep 1000`)
	plain := map[string]int{}
	for name, port := range ports() {
		plain[name] = port + 10000
		f.runPlain(t, name, plain[name])
	}
	defer f.ask(t, "systemctl", "stop", "plain-*", "others")
	poll(t, "root's pushgateway", func() string { return f.push(t, plain["pushgateway"]) })
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		t.Run(name, func(t *testing.T) {
			ours, roots := f.compare(t, ports()[name], plain[name], "/metrics")
			t.Logf("%d families and forms of samples, %d samples", len(ours.shapes), len(ours.series))
			switch name {
			case "blackbox_exporter":
				for _, probe := range []string{"icmp&target=127.0.0.1", "tcp_connect&target=127.0.0.1:6379", "http_2xx&target=127.0.0.1:8080/stub_status"} {
					ours, _ := f.compare(t, ports()[name], plain[name], "/probe?module="+probe)
					if ours.series["probe_success"] != "1" {
						t.Errorf("%s: %v", probe, ours.series)
					}
				}
			case "node_exporter":
				sameMachine(t, ours, roots)
			case "process-exporter":
				sameProcess(t, ours, roots)
			}
		})
	}
}

// furtherCollectors are those that node_exporter runs when it is told to, but for slabinfo, whose file is root's alone.
func furtherCollectors() []string {
	return []string{
		"buddyinfo", "cgroups", "drm", "ethtool", "interrupts", "ksmd", "lnstat", "logind", "meminfo_numa", "mountstats", "network_route",
		"pcidevice", "perf", "processes", "qdisc", "softirqs", "swap", "systemd", "tcpstat", "wifi", "xfrm", "zoneinfo",
	}
}

// newNodeSeesAll upgrades node_exporter to a version that asks the machine for more, with further collectors, and compares
// again.
func (f *fleet) newNodeSeesAll(t *testing.T) {
	program, err := testpeers.NodeExporter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	args := f.pack(t, "node_exporter", "1.12.1", program)
	for _, collector := range furtherCollectors() {
		args = append(args, "--arg=--collector."+collector)
	}
	f.opsctl(t, args...)
	const port = 19100
	f.runPlain(t, "node_exporter", port)
	defer f.ask(t, "systemctl", "stop", "plain-node_exporter")
	ours, roots := f.compare(t, ports()["node_exporter"], port, "/metrics")
	t.Logf("%d families and forms of samples, %d samples", len(ours.shapes), len(ours.series))
	sameMachine(t, ours, roots)
}

// compare asks both until they give the same families with the same labels: some come with the first scrape or request.
func (f *fleet) compare(t *testing.T, port, plain int, where string) (ours, roots *exposition) {
	t.Helper()
	poll(t, "parity", func() string {
		one, ok1 := f.get(t, port, where)
		two, ok2 := f.get(t, plain, where)
		if !ok1 || !ok2 {
			return fmt.Sprintf("no answer: our unit's %v, root's %v", ok1, ok2)
		}
		ours, roots = parseExposition(one), parseExposition(two)
		if lost, more := ours.lacks(roots), roots.lacks(ours); len(lost)+len(more) > 0 {
			return fmt.Sprintf("lost: %q\nmore: %q", lost, more)
		}
		return ""
	})
	return ours, roots
}

// sameMachine compares what node_exporter says of clock, network, file systems and collectors.
func sameMachine(t *testing.T, ours, roots *exposition) {
	t.Helper()
	for name, want := range map[[2]string]string{
		{"node_filesystem_size_bytes{", `mountpoint="/home/web"`}:  "3.145728e+06",
		{"node_filesystem_size_bytes{", `mountpoint="/tmp/there"`}: "5.24288e+06",
		{"node_arp_entries{", `device="port0"`}:                    "1",
		{"node_network_transmit_bytes_total{", `device="port0"`}:   "0",
	} {
		if got := ours.value(name[0], name[1]); got != want {
			t.Errorf("%s %q, not %s", name, got, want)
		}
	}
	clock := 0
	for shape := range ours.shapes {
		if strings.HasPrefix(shape, "family node_timex_") {
			clock++
		}
	}
	if clock != 17 {
		t.Errorf("%d families of node_timex", clock)
	}
	for name, want := range roots.series {
		got, ok := ours.series[name]
		switch {
		case strings.Contains(name, `mountpoint="/root/`): // nobody but root gets there, whatever the unit says
		case strings.HasPrefix(name, "node_processes_"): // they come and go
		case !ok:
			t.Errorf("only root's has %s", name)
		case strings.HasPrefix(name, "node_scrape_collector_success{") && got != want:
			t.Errorf("%s %s, not %s", name, got, want)
		}
	}
}

// sameProcess compares what process-exporter says of another user's process that sleeps, but for what is counted from the
// exporter's own start on. A share of memory changes with those that it is shared with.
func sameProcess(t *testing.T, ours, roots *exposition) {
	t.Helper()
	seen := 0
	for name, want := range roots.series {
		if !strings.Contains(name, `groupname="otherssleep"`) {
			continue
		}
		seen++
		got, ok := ours.series[name]
		counted := strings.Contains(name, "_total{") || strings.Contains(name, "proportional")
		if !ok || counted && got == "0" && want != "0" || !counted && got != want {
			t.Errorf("%s %q, not %s", name, got, want)
		}
	}
	for _, name := range []string{
		`namedprocess_namegroup_open_filedesc{groupname="otherssleep"}`,
		`namedprocess_namegroup_memory_bytes{groupname="otherssleep",memtype="proportionalResident"}`,
	} {
		if roots.series[name] == "0" || roots.series[name] == "" {
			t.Errorf("of %d samples root's has no %s", seen, name)
		}
	}
}

// runPlain starts the program of a service once more, as the service's process was started but for its port and its data.
func (f *fleet) runPlain(t *testing.T, name string, port int) {
	t.Helper()
	pid := strings.TrimSpace(f.ask(t, "systemctl", "show", "-P", "MainPID", name))
	args := []string{"--quiet", "--collect", "--unit=plain-" + name, "--property=Type=exec"}
	for _, variable := range f.strings(t, path.Join("/proc", pid, "environ")) {
		if strings.HasPrefix(variable, "DATA_SOURCE_") {
			args = append(args, "--setenv="+variable)
		}
	}
	for _, arg := range f.strings(t, path.Join("/proc", pid, "cmdline")) {
		switch flag, _, _ := strings.Cut(arg, "="); flag {
		case "--web.listen-address":
			arg = flag + "=127.0.0.1:" + strconv.Itoa(port)
		case "--storage.tsdb.path", "--storage.path", "--persistence.file":
			arg = flag + "=/run/plain-" + name
		}
		args = append(args, arg)
	}
	f.ask(t, "systemd-run", args...)
}

// strings reads a file of strings that end in NUL.
func (f *fleet) strings(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(f.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}
