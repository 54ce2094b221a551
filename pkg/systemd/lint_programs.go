package systemd

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// bareNamesSince is the first version that looks a program without a slash up in a path: NEWS of 239.
const bareNamesSince = 239

// programs judges the commands that count, and how systemd starts and restarts the first.
func (l *linter) programs() {
	for i := range l.commands {
		c := &l.commands[i]
		l.shellWords(c)
		l.reloadRace(c)
		if l.absolute(c) && l.opts.Host != nil {
			l.binary(c)
		}
		l.folder(c)
	}
	l.starts()
}

// absolute says whether the program is an absolute path, and reports what systemd refuses.
func (l *linter) absolute(c *lineCommand) bool {
	program := c.Program.Text
	switch {
	case strings.HasPrefix(program, "/"):
		return true
	case strings.HasPrefix(program, "%"), program == "":
		return false
	case strings.Contains(program, "/"), l.opts.Version != 0 && l.opts.Version < bareNamesSince:
		l.add("exec-not-absolute", c.at, fmt.Sprintf("%s is no absolute path, and systemd refuses the unit", program),
			strings.Replace(c.at.Name+"="+c.at.Value, program, "/usr/bin/"+path.Base(program), 1))
	}
	return false
}

// binary looks at the program's file. What the unit itself makes conditional, hides or brings along is passed over.
func (l *linter) binary(c *lineCommand) {
	program := c.Program.Text
	if c.IgnoresFailure() || strings.Contains(program, "%") || l.otherRoot() || l.conditional(program) {
		return
	}
	if archive := l.archiveOnTheWay(program); archive != "" {
		l.add("symlink-to-archive", c.at, fmt.Sprintf("the way to %s leads through a link to the archive %s", program, archive),
			"ln -sfnT the unpacked folder, not the archive")
		return
	}
	info, err := l.opts.Host.Stat(program)
	switch {
	case err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0:
		return
	case err == nil && info.Mode().IsRegular():
		l.add("missing-binary", c.at, program+" is not executable", "chmod 0755 "+program)
		return
	case err == nil:
		l.add("missing-binary", c.at, program+" is no regular file", c.at.Name+"="+path.Join(program, path.Base(program)))
		return
	}
	if behind := l.linkInside(program); behind != "" {
		l.add("link-inside-folder", c.at, fmt.Sprintf("%s is not there, but %s is: a link was put into the folder instead of in its place", program, behind),
			c.at.Name+"="+behind)
		return
	}
	l.add("missing-binary", c.at, program+" is not there"+l.afterStart(c), "install "+program+", or name the program that is meant")
}

// afterStart warns where systemctl start hides the fault.
func (l *linter) afterStart(c *lineCommand) string {
	if c.at.Name == "ExecStart" && l.serviceType() == "simple" {
		return ", and with Type=simple systemctl start succeeds all the same"
	}
	return ""
}

// otherRoot says whether programs are looked up somewhere else than on the host.
func (l *linter) otherRoot() bool {
	for _, name := range []string{"RootDirectory", "RootImage", "MountImages", "ExtensionImages", "ExtensionDirectories", "BindPaths", "BindReadOnlyPaths"} {
		if l.unit.Value("Service", name) != "" {
			return true
		}
	}
	return false
}

// conditional says whether the unit starts only where the program is, or where something is that this host lacks or that
// cannot be told.
func (l *linter) conditional(program string) bool {
	for _, name := range []string{
		"ConditionPathExists", "ConditionFileIsExecutable", "ConditionFileNotEmpty", "ConditionPathIsDirectory", "ConditionDirectoryNotEmpty",
		"AssertPathExists", "AssertFileIsExecutable",
	} {
		for _, a := range l.unit.All("Unit", name) {
			value := strings.TrimPrefix(a.Value, "|")
			if value == program || strings.Contains(value, "%") {
				return true
			}
			if _, err := l.opts.Host.Stat(value); err != nil && strings.HasPrefix(value, "/") {
				return true
			}
		}
	}
	return false
}

func isArchive(name string) bool {
	for _, suffix := range []string{".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".tar", ".zip"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// archiveOnTheWay is the archive that a part of the path stands for.
func (l *linter) archiveOnTheWay(program string) string {
	for part := program; part != "/" && part != "."; part = path.Dir(part) {
		resolved, err := l.opts.Host.RealPath(part)
		if err != nil {
			continue
		}
		info, err := l.opts.Host.Stat(resolved)
		if err == nil && info.Mode().IsRegular() && isArchive(resolved) {
			return resolved
		}
	}
	return ""
}

// linkInside finds the program behind a symbolic link that lies in a folder of the program's path: what ln -s leaves when
// the name that it was to take is a folder.
func (l *linter) linkInside(program string) string {
	for dir := path.Dir(program); dir != "/"; dir = path.Dir(dir) {
		entries, err := l.opts.Host.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			behind := path.Join(dir, e.Name(), strings.TrimPrefix(program, dir))
			if e.Type()&fs.ModeSymlink == 0 {
				continue
			}
			if info, err := l.opts.Host.Stat(behind); err == nil && info.Mode().IsRegular() {
				return behind
			}
		}
	}
	return ""
}

// shellWords finds what only a shell understands.
func (l *linter) shellWords(c *lineCommand) {
	if isShell(c.Program.Text) {
		return
	}
	for _, w := range c.Args {
		switch w.Raw {
		case "|", "||", "&&", "&", ">", ">>", "<", "2>&1", "2>/dev/null", ">/dev/null", "&>", "&>/dev/null":
			l.add("shell-syntax", c.at, fmt.Sprintf("%s is an argument of %s: systemd starts programs without a shell", w.Raw, path.Base(c.Program.Text)),
				c.at.Name+`=/bin/sh -c "..."`)
			return
		}
	}
}

func isShell(program string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "zsh", "ksh", "ash"}, path.Base(program))
}

// reloadRace finds systemctl daemon-reload & systemctl restart X: the one ampersand starts both at once.
func (l *linter) reloadRace(c *lineCommand) {
	for _, w := range c.Args {
		_, after, found := strings.Cut(w.Text, "daemon-reload")
		after = strings.TrimLeft(after, " \t")
		if found && strings.HasPrefix(after, "&") && !strings.HasPrefix(after, "&&") {
			l.add("daemon-reload-race", c.at, "one & runs what follows beside daemon-reload, and it takes the old unit at times",
				strings.Replace(c.at.Name+"="+c.at.Value, "&", "&&", 1))
			return
		}
	}
}

// serviceType is Type= or what systemd takes without it.
func (l *linter) serviceType() string {
	switch value := l.unit.Value("Service", "Type"); {
	case value != "":
		return value
	case l.unit.Value("Service", "BusName") != "":
		return "dbus"
	case l.main() == nil:
		return "oneshot"
	}
	return "simple"
}

// starts judges how the service starts and restarts.
func (l *linter) starts() {
	main := l.main()
	if main == nil {
		return
	}
	if l.serviceType() == "simple" && (l.opts.Version == 0 || l.opts.Version >= typeExecSince) {
		at := main.at
		if typed, ok := l.unit.Last("Service", "Type"); ok {
			at = typed
		}
		l.add("type-simple", at, "a start counts as done before the program runs: with a missing program systemctl start succeeds", "Type=exec")
	}
	restart, ok := l.unit.Last("Service", "Restart")
	delay, err := parseSpan(orDefault(l.unit.Value("Service", "RestartSec"), "100ms"))
	if !ok || restart.Value == "no" || err != nil || l.limited() {
		return
	}
	// The defaults of systemd-system.conf(5): five starts within ten seconds.
	if 5*delay >= 10*time.Second {
		l.add("restart-forever", restart, fmt.Sprintf("with %v between starts there are never five within ten seconds, so that a broken service is started for ever", delay),
			"StartLimitIntervalSec="+(60*delay).String()+" in [Unit]")
	}
}

// limited says whether the unit chooses its own limit of starts.
func (l *linter) limited() bool {
	for _, section := range []string{"Unit", "Service"} {
		for _, name := range []string{"StartLimitIntervalSec", "StartLimitInterval", "StartLimitBurst"} {
			if _, ok := l.unit.Last(section, name); ok {
				return true
			}
		}
	}
	return false
}

// parseSpan reads a time span of one number and unit, as most are; systemd.time(7) has more.
func parseSpan(text string) (time.Duration, error) {
	text = strings.ReplaceAll(text, " ", "")
	for _, unit := range []struct{ long, short string }{{"seconds", "s"}, {"second", "s"}, {"sec", "s"}, {"minutes", "m"}, {"minute", "m"}, {"min", "m"}} {
		if number, found := strings.CutSuffix(text, unit.long); found {
			return time.ParseDuration(number + unit.short)
		}
	}
	if text != "" && text[len(text)-1] >= '0' && text[len(text)-1] <= '9' {
		text += "s"
	}
	return time.ParseDuration(text)
}
