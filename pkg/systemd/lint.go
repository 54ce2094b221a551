package systemd

import (
	"cmp"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/severity"
)

// LintOptions say what a unit is judged by.
type LintOptions struct {
	// Host is where programs are looked for; without one nothing is said about files.
	Host *host.Host
	// Version is the systemd that the unit is for, 0 when unknown.
	Version int
	// Ignore are ids of rules to leave out.
	Ignore []string
}

// Finding is one fault of a unit.
type Finding struct {
	File     string            `json:"file"`
	Line     int               `json:"line"` // from 1; 0 is the file as a whole
	ID       string            `json:"id"`
	Severity severity.Severity `json:"severity"`
	Message  string            `json:"message"`
	Fix      string            `json:"fix"` // the line or lines to write, or words where there is no one answer
}

// Lint judges a unit. name is its file's name, which tells its kind: prometheus.service, or
// prometheus.service.d/local.conf for a drop-in alone. Findings are in the order of the lines.
func Lint(name string, unit *Unit, opts LintOptions) []Finding {
	l := &linter{unit: unit, opts: opts, table: NewDirectives(), kind: unitKind(name), name: path.Base(name)}
	l.syntax()
	l.values()
	if l.kind == "Service" || l.kind == "" {
		l.commands = l.readCommands()
		l.programs()
		l.component()
	}
	files := map[string]int{}
	for _, line := range unit.Lines {
		if _, seen := files[line.File]; !seen {
			files[line.File] = len(files)
		}
	}
	l.found = slices.DeleteFunc(l.found, func(f Finding) bool { return slices.Contains(opts.Ignore, f.ID) })
	sort.SliceStable(l.found, func(i, j int) bool {
		a, b := &l.found[i], &l.found[j]
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Message, b.Message)) < 0
	})
	return slices.Compact(l.found)
}

type linter struct {
	unit     *Unit
	opts     LintOptions
	table    *Directives
	kind     string // the unit's own section, "" when the name does not tell
	name     string
	commands []lineCommand
	found    []Finding
}

// lineCommand is a command of an Exec directive that counts.
type lineCommand struct {
	Command
	at Assignment
}

func (l *linter) add(id string, at Assignment, message, fix string) {
	l.addLine(id, at.File, at.Line, message, fix)
}

// addWord is add at the line of a continued value in which a word stands. Where the value is on one line, the fix is that
// line with the word replaced, else the new word alone.
func (l *linter) addWord(id string, at Assignment, word, message, instead string) {
	fix := strings.Replace(at.Name+"="+at.Value, word, instead, 1)
	if at.Continued {
		fix = instead
	}
	l.addLine(id, at.File, l.lineOf(at, word), message, fix)
}

// lineOf is the line of an assignment that holds a text, its first when none does.
func (l *linter) lineOf(at Assignment, text string) int {
	for _, line := range l.unit.Lines {
		if line.File == at.File && at.Line <= line.Number && line.Number <= at.Last && strings.Contains(line.Text, text) {
			return line.Number
		}
	}
	return at.Line
}

func (l *linter) addLine(id, file string, line int, message, fix string) {
	l.found = append(l.found, Finding{File: file, Line: line, ID: id, Severity: severityOf(id), Message: message, Fix: fix})
}

// unitKind is the section of a unit's own settings by its name, such as Service; "" when the name does not tell. Units
// without such a section (targets) give their kind all the same.
func unitKind(name string) string {
	base := path.Base(name)
	if strings.HasSuffix(base, ".conf") {
		dir, found := strings.CutSuffix(path.Base(path.Dir(name)), ".d")
		if !found {
			return ""
		}
		// service.d holds drop-ins for all services.
		base = "x." + path.Base(dir[strings.LastIndexByte(dir, '.')+1:])
	}
	switch suffix := strings.TrimPrefix(path.Ext(base), "."); suffix {
	case "service", "socket", "mount", "automount", "swap", "path", "timer", "slice", "scope", "target", "device":
		return strings.ToUpper(suffix[:1]) + suffix[1:]
	}
	return ""
}

// IsUnitName says whether a file's name is that of a unit or of a drop-in.
func IsUnitName(name string) bool { return unitKind(name) != "" || strings.HasSuffix(name, ".conf") }

// sections are those that a unit of this kind may have.
func (l *linter) sections() []string {
	if l.kind == "" {
		return l.table.sections
	}
	return []string{"Unit", l.kind, "Install"}
}

// readCommands gives the commands that count: those that a later empty assignment resets are gone.
func (l *linter) readCommands() []lineCommand {
	var all []lineCommand
	for _, name := range execDirectives() {
		for _, a := range l.unit.All("Service", name) {
			commands, err := SplitExec(a.Value)
			if err != nil {
				continue // said by values
			}
			for _, c := range commands {
				all = append(all, lineCommand{c, a})
			}
		}
	}
	return all
}

func execDirectives() []string {
	return []string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"}
}

// main is the command of the first ExecStart=, nil when there is none.
func (l *linter) main() *lineCommand {
	for i := range l.commands {
		if l.commands[i].at.Name == "ExecStart" {
			return &l.commands[i]
		}
	}
	return nil
}
