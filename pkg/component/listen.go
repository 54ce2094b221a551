package component

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
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

// portTaken is an error when a program that is not the component's own listens where it is to listen.
func (s *state) portTaken(want *Settings) error {
	_, text, err := net.SplitHostPort(want.Listen)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	pid, found, err := listener(port)
	if err != nil || !found || pid != 0 && pid == int(s.live.MainPID) {
		return err
	}
	owner := "a process that cannot be seen"
	if pid != 0 {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		owner = fmt.Sprintf("process %d, %s,", pid, exe)
	}
	return &ForeignError{"port", text, fmt.Sprintf(": %s listens there", owner)}
}
