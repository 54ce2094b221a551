package systemd

import (
	"fmt"
	"slices"
	"strings"
)

// values judges what stands behind the equals signs.
func (l *linter) values() {
	for _, a := range l.unit.Assignments {
		entry, known := l.table.Lookup(a.Section, a.Name)
		if !known || !slices.Contains(l.sections(), a.Section) {
			continue
		}
		switch {
		case entry.Kind == "COMMAND":
			l.command(a)
		case a.Name == "Environment":
			l.environment(a)
		case !freeText(entry):
			l.comment(a, entry)
		}
	}
	l.user()
}

// freeText says whether a value may hold " #" with good reason.
func freeText(d Directive) bool {
	switch d.Kind {
	case "STRING", "REGEX":
		return true
	}
	return slices.Contains([]string{
		"SetCredential", "SetCredentialEncrypted", "StandardInputText", "StandardInputData", "LogExtraFields", "ConditionEnvironment",
		"ConditionKernelCommandLine", "AssertEnvironment", "AssertKernelCommandLine", "RootImageOptions", "MountImages", "ExtensionImages",
	}, d.Name)
}

// commentStart is where a comment mark stands behind a blank, -1 when nowhere.
func commentStart(value string) int {
	for i := 1; i < len(value); i++ {
		if (value[i] == '#' || value[i] == ';') && strings.IndexByte(blanks, value[i-1]) >= 0 {
			return i
		}
	}
	return -1
}

func (l *linter) comment(a Assignment, entry Directive) {
	i := commentStart(a.Value)
	if i < 0 {
		return
	}
	comment := a.Value[i:]
	l.add("trailing-comment", a, fmt.Sprintf("%q is part of the value: %s", shorten(comment), consequence(a, entry)), withoutComment(a, a.Value[:i], comment))
}

// withoutComment puts the comment where it is one.
func withoutComment(a Assignment, value, comment string) string {
	return "# " + strings.TrimLeft(comment, "#; \t") + "\n" + a.Name + "=" + strings.TrimRight(value, blanks)
}

// consequence says what systemd makes of a value with a comment in it, by what it is.
func consequence(a Assignment, entry Directive) string {
	switch a.Name {
	case "User", "Group", "SupplementaryGroups":
		return "there is no such account, and the start fails with 217/USER"
	case "WantedBy", "RequiredBy", "Also", "Alias", "UpheldBy":
		return "its words are no valid unit names, and systemctl enable fails or links what is not meant"
	case "WorkingDirectory":
		return "there is no such folder, and the start fails with 200/CHDIR"
	}
	switch entry.Kind {
	case "PATH", "FILE", "CONDITION":
		return "it names another file"
	case "PATH...", "UNIT...", "URL":
		return "its words count as further values"
	}
	return "the value is not understood, and the line is ignored"
}

func (l *linter) user() {
	a, ok := l.unit.Last("Service", "User")
	if i := commentStart(a.Value); i > 0 {
		a.Value = strings.TrimRight(a.Value[:i], blanks)
	}
	if ok && (a.Value == "nobody" || a.Value == "nfsnobody" || a.Value == "65534") {
		l.add("user-nobody", a, a.Value+" is shared with NFS and with every other such service, which can reach this one's processes and files",
			"DynamicUser=yes, or User= with an account of its own")
	}
}

// environment judges Environment=.
func (l *linter) environment(a Assignment) {
	words, err := SplitWords(a.Value)
	if err != nil {
		l.add("unbalanced-quoting", a, "the quotes do not end, and the line is ignored", a.Name+"="+a.Value+`"`)
		return
	}
	for _, w := range words {
		name, value, assigned := strings.Cut(w.Text, "=")
		switch {
		case w.Raw[0] == '#' || w.Raw[0] == ';':
			before, comment := cutAtWord(a.Value, w.Raw)
			l.add("trailing-comment", a, fmt.Sprintf("%q is no comment: its words count as variables", shorten(comment)), withoutComment(a, before, comment))
			return
		case strings.Contains(name, "%"): // known only at run time
		case w.UnknownEscape && l.brokenContinuation(a, w):
			continue
		case !assigned || !variableName(name):
			l.add("environment-word", a, fmt.Sprintf("%s is no NAME=VALUE, and is ignored", shorten(w.Raw)), `Environment="NAME=VALUE with blanks"`)
		case secretVariable(name, value):
			l.add("secret-in-environment", a, fmt.Sprintf("%s holds a secret that every user reads with systemctl show", name), l.secretFix(name))
		}
		l.escapes(a, w)
		l.percent(a, w)
	}
}

// secretFix is how a secret reaches the service on the host's version.
func (l *linter) secretFix(name string) string {
	name = strings.ToLower(strings.TrimLeft(name, "-"))
	if l.opts.Version != 0 && l.opts.Version < credentialsSince {
		return "EnvironmentFile=/etc/" + orDefault(l.stem(), "service") + "/" + name + ".env"
	}
	return "LoadCredential=" + name + ":/etc/" + orDefault(l.stem(), "service") + "/" + name
}

// stem is the unit's name without its suffix.
func (l *linter) stem() string {
	stem, _, _ := strings.Cut(l.name, ".")
	return strings.TrimSuffix(stem, "@")
}

// cutAtWord cuts a value before a word as it was written.
func cutAtWord(value, raw string) (before, after string) {
	i := strings.Index(" "+value, " "+raw)
	if i < 0 {
		return value, ""
	}
	return value[:max(0, i)], value[i:]
}

// command judges the value of an Exec directive.
func (l *linter) command(a Assignment) {
	if a.Value == "" {
		return
	}
	commands, err := SplitExec(a.Value)
	if err != nil {
		l.add("unbalanced-quoting", a, "the quotes do not end, and systemd refuses the unit", a.Name+"="+a.Value+`"`)
		return
	}
	for _, c := range commands {
		argv := []string{c.Name}
		for _, w := range c.Args {
			if w.Raw[0] == '#' {
				before, comment := cutAtWord(a.Value, w.Raw)
				fix := withoutComment(a, before, comment)
				if a.Continued {
					fix = "put the comment on a line of its own above " + a.Name + "="
				}
				l.addLine("trailing-comment", a.File, l.lineOf(a, w.Raw), fmt.Sprintf("%q is no comment: its words are arguments of the program", shorten(comment)), fix)
				break
			}
			argv = append(argv, w.Text)
			l.escapes(a, w)
			l.percent(a, w)
			l.dollar(a, c, w)
		}
		if i := secretArgument(argv); i > 0 {
			l.add("secret-in-arguments", a, fmt.Sprintf("argument %d of the command holds a secret that every user reads with ps and systemctl show", i), l.secretFix("secret"))
		}
	}
}

func (l *linter) escapes(a Assignment, w Word) {
	if w.UnknownEscape && l.brokenContinuation(a, w) {
		return
	}
	if w.UnknownEscape {
		l.add("unknown-escape", a, fmt.Sprintf("%s holds a backslash before a character that it does not escape; it stays", shorten(w.Raw)), `\\ for a backslash`)
	}
}

// brokenContinuation finds a backslash that was to continue a line, but that blanks or a comment follow.
func (l *linter) brokenContinuation(a Assignment, w Word) bool {
	for _, line := range l.unit.Lines {
		if line.File != a.File || line.Number < a.Line || line.Number > a.Last {
			continue
		}
		before, behind, found := strings.Cut(line.Text, `\ `)
		if !found {
			before, behind, found = strings.Cut(line.Text, "\\\t")
		}
		behind = strings.TrimLeft(behind, blanks)
		if found && strings.HasPrefix(w.Raw, `\`) && (behind == "" || behind[0] == '#') {
			l.addLine("broken-continuation", line.File, line.Number, "the backslash does not end the line, so that the next line is one of its own", before+`\`)
			return true
		}
	}
	return false
}

// specifiers are the letters behind a percent sign that systemd.unit(5) of 257 lists.
const specifiers = "abcdfghijlmnopqstuvwyABCDEGHIJLMNPSTUVWY%"

// percent finds percent signs that were meant literally: one that no specifier follows, or a whole date format.
func (l *linter) percent(a Assignment, w Word) {
	rest := w.Text
	for {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			break
		}
		if after == "" || strings.IndexByte(specifiers, after[0]) < 0 {
			l.percentFound(a, w)
			return
		}
		rest = after[1:]
	}
	if format, found := strings.CutPrefix(w.Text, "+%"); found && !strings.HasPrefix(format, "%") {
		l.percentFound(a, w) // date +%H
	}
}

func (l *linter) percentFound(a Assignment, w Word) {
	l.addWord("percent-unescaped", a, w.Raw, fmt.Sprintf("systemd takes the percent sign in %s for a specifier; %%%% is a literal one", shorten(w.Raw)),
		strings.ReplaceAll(strings.ReplaceAll(w.Raw, "%%", "%"), "%", "%%"))
}

// dollar finds ${NAME} that nothing sets: a variable of a shell that systemd has replaced before the shell starts.
func (l *linter) dollar(a Assignment, c Command, w Word) {
	if !c.Expands() || len(l.unit.All("Service", "EnvironmentFile")) > 0 || len(l.unit.All("Service", "PassEnvironment")) > 0 {
		return
	}
	for rest := w.Text; ; {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			return
		}
		name, tail, closed := strings.Cut(after, "}")
		if strings.HasSuffix(before, "$") || !closed || !variableName(name) {
			rest = after
			continue
		}
		if !l.sets(name) {
			l.addWord("dollar-expansion", a, "${"+name+"}",
				fmt.Sprintf("systemd replaces ${%s}, in any quotes, and nothing in the unit sets %s: it becomes empty", name, name), "$${"+name+"}")
			return
		}
		rest = tail
	}
}

// sets says whether the unit, or systemd itself (systemd.exec(5), ENVIRONMENT VARIABLES IN SPAWNED PROCESSES), sets a
// variable.
func (l *linter) sets(name string) bool {
	for _, a := range l.unit.All("Service", "Environment") {
		words, err := SplitWords(a.Value)
		if err != nil {
			continue
		}
		if slices.ContainsFunc(words, func(w Word) bool { return strings.HasPrefix(w.Text, name+"=") }) {
			return true
		}
	}
	if strings.HasSuffix(name, "_DIRECTORY") || strings.HasPrefix(name, "LISTEN_") || strings.HasPrefix(name, "WATCHDOG_") ||
		strings.HasPrefix(name, "MONITOR_") || strings.HasPrefix(name, "TRIGGER_") || strings.HasPrefix(name, "EXIT_") {
		return true
	}
	return slices.Contains([]string{
		"PATH", "LANG", "USER", "LOGNAME", "HOME", "SHELL", "MAINPID", "MANAGERPID", "INVOCATION_ID", "JOURNAL_STREAM", "NOTIFY_SOCKET",
		"TERM", "SERVICE_RESULT", "PIDFILE", "REMOTE_ADDR", "REMOTE_PORT", "SYSTEMD_EXEC_PID", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
		"FDSTORE", "TZ", "XDG_RUNTIME_DIR", "XDG_SESSION_ID", "XDG_SEAT", "XDG_VTNR", "LOG_NAMESPACE",
	}, name)
}
