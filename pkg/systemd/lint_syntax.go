package systemd

import (
	"fmt"
	"slices"
	"strings"
)

// syntax finds what systemd does not read, or reads otherwise than it looks.
func (l *linter) syntax() {
	for _, p := range l.unit.Problems {
		l.problem(p)
	}
	for _, h := range l.unit.Headers {
		if !slices.Contains(l.sections(), h.Section) && !strings.HasPrefix(h.Section, "X-") {
			l.unknownSection(h)
		}
	}
	for _, a := range l.unit.Assignments {
		if slices.Contains(l.sections(), a.Section) && !strings.HasPrefix(a.Name, "X-") {
			l.directive(a)
		}
		l.swallowed(a)
	}
}

func (l *linter) problem(p Problem) {
	shown := shorten(p.Text)
	switch p.Kind {
	case ProblemUTF8:
		l.addLine("invalid-utf8", p.File, p.Line, "the line is not UTF-8, and systemd refuses the whole unit", "write it in UTF-8, or bytes of a command as \\xNN")
	case ProblemHeader:
		l.addLine("section-header", p.File, p.Line, fmt.Sprintf("%s has no closing bracket, and systemd refuses the whole unit", shown), shown+"]")
	case ProblemLong:
		l.addLine("line-too-long", p.File, p.Line, "the line with its continuations has over 1 MiB, and systemd refuses the whole unit", "move the text into a file")
	case ProblemOutside:
		l.addLine("not-an-assignment", p.File, p.Line, fmt.Sprintf("%s stands before the first section, and is ignored", shown), "put it below a header such as ["+orDefault(l.kind, "Service")+"]")
	case ProblemNoEqual:
		l.addLine("not-an-assignment", p.File, p.Line, fmt.Sprintf("%s is neither a section header nor NAME=VALUE, and is ignored", shown), "# "+shown)
	case ProblemNoName:
		l.addLine("not-an-assignment", p.File, p.Line, fmt.Sprintf("%s has no name before the equals sign, and is ignored", shown), "NAME"+shown)
	}
}

// shorten keeps messages to a line.
func shorten(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

func (l *linter) unknownSection(h Header) {
	fix := "[X-" + strings.Trim(h.Section, " ") + "]"
	hint := ""
	if near := l.table.nearestSection(strings.TrimSpace(h.Section)); near != "" && slices.Contains(l.sections(), near) {
		fix, hint = "["+near+"]", "; ["+near+"] is meant"
	}
	l.addLine("unknown-section", h.File, h.Line, fmt.Sprintf("a %s has no section [%s], and all of it is ignored%s", l.kindName(), h.Section, hint), fix)
}

// kindName is the kind of the unit in words.
func (l *linter) kindName() string {
	if l.kind == "" {
		return "unit"
	}
	return strings.ToLower(l.kind) + " unit"
}

// directive judges a name.
func (l *linter) directive(a Assignment) {
	entry, known := l.table.Lookup(a.Section, a.Name)
	if known {
		l.age(a, entry)
		return
	}
	var elsewhere []string
	for _, section := range l.table.Sections(a.Name) {
		if slices.Contains(l.sections(), section) {
			elsewhere = append(elsewhere, "["+section+"]")
		}
	}
	if len(elsewhere) > 0 {
		l.add("wrong-section", a, fmt.Sprintf("%s= belongs to %s; in [%s] it is ignored", a.Name, strings.Join(elsewhere, " or "), a.Section),
			elsewhere[0]+"\n"+a.Name+"="+a.Value)
		return
	}
	near := l.table.Nearest(a.Section, a.Name)
	if near == "" && l.opts.Version > MaxVersion {
		return // it may be younger than the table
	}
	message, fix := fmt.Sprintf("[%s] has no %s=, and the line is ignored", a.Section, a.Name), "# "+a.Name+"="+a.Value
	if near != "" {
		message, fix = message+"; "+near+"= is meant", near+"="+a.Value
	}
	l.add("unknown-directive", a, message, fix)
}

// age judges a directive by the host's version. One that is older than the host's by a removal has no young sibling in
// the table, so it can only go.
func (l *linter) age(a Assignment, entry Directive) {
	switch v := l.opts.Version; {
	case v == 0:
	case entry.Since > v:
		l.add("directive-version", a, fmt.Sprintf("%s= came with systemd %d, and %d ignores it", a.Name, entry.Since, v), "# "+a.Name+"="+a.Value)
	case entry.Until != 0 && v > entry.Until:
		l.add("directive-version", a, fmt.Sprintf("systemd %d has no %s= any more, and ignores it", v, a.Name), "# "+a.Name+"="+a.Value)
	}
}

// swallowed finds lines that were meant as directives or headers of their own, but continue the line before.
func (l *linter) swallowed(a Assignment) {
	if !a.Continued {
		return
	}
	for _, line := range l.unit.Lines {
		if line.File != a.File || line.Number <= a.Line || line.Number > a.Last {
			continue
		}
		text := strings.Trim(line.Text, blanks)
		name, _, assigned := strings.Cut(text, "=")
		_, known := l.table.Lookup(a.Section, strings.TrimSpace(name))
		section, opened := strings.CutPrefix(text, "[")
		section, closed := strings.CutSuffix(section, "]")
		if assigned && known || opened && closed && slices.Contains(l.sections(), section) {
			l.addLine("swallowed-line", line.File, line.Number,
				fmt.Sprintf("the backslash above makes %s a part of %s=", shorten(text), a.Name), "end the line above without a backslash")
		}
	}
}
