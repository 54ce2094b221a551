package component

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// listener finds the process that listens on a TCP port of this machine, of any address (proc_net(5)); pid is 0 where
// somebody does whose process cannot be seen.
func listener(port int) (pid int, found bool, err error) {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return 0, false, err
		}
		for line := range strings.Lines(string(data)) {
			if inode, ok := listening(line, port); ok {
				sockets["socket:["+inode+"]"] = true
			}
		}
	}
	if len(sockets) == 0 {
		return 0, false, nil
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, true, err
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && sockets[target] {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			return pid, true, err
		}
	}
	return 0, true, nil
}

// listening reads a line "SL LOCAL:PORT REMOTE ST TX:RX TR:TM RETR UID TIMEOUT INODE ...", all numbers but the inode's
// in hexadecimal.
func listening(line string, port int) (inode string, ok bool) {
	const listen = "0A"
	f := strings.Fields(line)
	if len(f) < 10 || f[3] != listen {
		return "", false
	}
	_, hex, _ := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(hex, 16, 16)
	return f[9], err == nil && int(n) == port
}

// portOwner finds the process that listens where the component is to listen; 0 for one that cannot be seen.
func portOwner(want *Settings) (pid int, found bool, err error) {
	_, text, err := net.SplitHostPort(want.Listen)
	if err != nil {
		return 0, false, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0, false, err
	}
	return listener(port)
}

// unitOf is the unit whose process that is, by its control group (cgroups(7)): "prometheus.service"; "" for none.
func unitOf(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		// ID:CONTROLLERS:PATH, of which systemd's own is 0::PATH or N:name=systemd:PATH.
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) < 3 || f[1] != "" && f[1] != "name=systemd" {
			continue
		}
		for _, part := range slices.Backward(strings.Split(f[2], "/")) {
			if strings.HasSuffix(part, ".service") {
				return part
			}
		}
	}
	return ""
}

// portForeign names a program that is not the component's own and listens where it is to listen.
func (s *state) portForeign(c *Component, want *Settings) (things []Foreign, pid int, err error) {
	pid, found, err := portOwner(want)
	if err != nil || !found || pid != 0 && pid == int(s.live.MainPID) {
		return nil, 0, err
	}
	if pid != 0 && s.settings != nil && unitOf(pid) == c.service() {
		return nil, 0, nil // a child of the process that a drop-in starts
	}
	owner := "a process that cannot be seen"
	if pid != 0 {
		owner = fmt.Sprintf("process %d, %s,", pid, exeOf(uint32(pid)))
		if unit := unitOf(pid); unit != "" {
			owner += " of " + unit
		}
	}
	_, port, _ := net.SplitHostPort(want.Listen)
	return []Foreign{{"port", port, owner + " listens there"}}, pid, nil
}
