package component

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/opsctl/opsctl/pkg/systemd"
)

// foreignRun is how somebody else runs a program.
type foreignRun struct {
	argv        []string
	folder      string // its working folder
	user        string // a name or a number
	environment map[string]string
}

// readRun looks at a process of this machine (proc(5)).
func readRun(pid int) (*foreignRun, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	command, err1 := os.ReadFile(dir + "/cmdline")
	folder, err2 := os.Readlink(dir + "/cwd")
	status, err3 := os.ReadFile(dir + "/status")
	variables, err4 := os.ReadFile(dir + "/environ")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("looking at process %d: %w", pid, err)
	}
	r := &foreignRun{argv: strings.Split(strings.TrimSuffix(string(command), "\x00"), "\x00"), folder: folder, environment: map[string]string{}}
	for each := range strings.SplitSeq(string(variables), "\x00") {
		if name, value, ok := strings.Cut(each, "="); ok {
			r.environment[name] = value
		}
	}
	for line := range strings.Lines(string(status)) {
		if ids, ok := strings.CutPrefix(line, "Uid:"); ok { // real, effective, saved, file system
			if f := strings.Fields(ids); len(f) > 1 {
				r.user = f[1]
			}
		}
	}
	return r, nil
}

// errExpands is of a command line that only systemd can read.
var errExpands = errors.New("its command line is made of variables: start it first, so that it can be read")

// parseRun reads a unit that does not run.
func parseRun(file string, text []byte) (*foreignRun, error) {
	r := &foreignRun{folder: "/", environment: map[string]string{}}
	for _, a := range systemd.Parse(file, text).Assignments {
		if a.Section != "Service" {
			continue
		}
		switch a.Name {
		case "ExecStart":
			commands, err := systemd.SplitExec(a.Value)
			if err != nil || len(commands) == 0 {
				continue
			}
			r.argv = []string{commands[0].Program.Text}
			for _, word := range commands[0].Args {
				r.argv = append(r.argv, word.Text)
			}
		case "WorkingDirectory":
			r.folder = strings.TrimLeft(a.Value, "-")
		case "User":
			r.user = a.Value
		case "Environment":
			words, err := systemd.SplitWords(a.Value)
			if err != nil {
				continue
			}
			for _, word := range words {
				if name, value, ok := strings.Cut(word.Text, "="); ok {
					r.environment[name] = value
				}
			}
		}
	}
	if len(r.argv) == 0 || strings.Contains(strings.Join(r.argv, " "), "$") {
		return nil, fmt.Errorf("%s: %w", file, errExpands)
	}
	return r, nil
}

// flags are the arguments in the form --NAME=VALUE, or --NAME. A value that stands for itself is put to its flag: none of
// these programs takes other arguments.
func (r *foreignRun) flags() []string {
	var flags []string
	for _, arg := range r.argv[1:] {
		if strings.HasPrefix(arg, "-") && arg != "-" {
			flags = append(flags, "--"+strings.TrimLeft(arg, "-"))
			continue
		}
		if n := len(flags) - 1; n >= 0 && !strings.Contains(flags[n], "=") {
			flags[n] += "=" + arg
		}
	}
	return flags
}

// clientFile writes a data source name of go-sql-driver, such as user:password@(host:3306)/, as a my.cnf (MySQL reference
// manual, Using Option Files).
func clientFile(dsn string) ([]byte, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("it is no data source name") // the error would show it
	}
	var b strings.Builder
	b.WriteString("[client]\n")
	put := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s=%s\n", key, quoteOption(value))
		}
	}
	put("user", c.User)
	put("password", c.Passwd)
	if c.Net == "unix" {
		put("socket", c.Addr)
	} else {
		host, port, err := net.SplitHostPort(c.Addr) // ParseDSN adds the port
		if err != nil {
			return nil, errors.New("its address is not HOST:PORT")
		}
		put("host", host)
		put("port", port)
	}
	return []byte(b.String()), nil
}

// quoteOption quotes a value of an option file.
func quoteOption(value string) string {
	if !strings.ContainsAny(value, "#;\"'\\ \t") {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
