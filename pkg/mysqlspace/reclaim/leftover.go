package reclaim

import (
	"fmt"
	"path"
	"strings"

	"github.com/opsctl/opsctl/pkg/mysqlspace/space"
)

// Leftovers are files beside the tables.
type Leftovers struct {
	Datadir string // "" where only a server was asked
	Files   []space.File
	MariaDB bool // else MySQL
	// TruncateNow: the server has innodb_truncate_temporary_tablespace_now (MariaDB from 11.3 on).
	TruncateNow bool
	// TempInitial is the size that the temporary tablespace starts with (innodb_temp_data_file_path); 0: not known, 12 MiB.
	TempInitial int64
	// Altering: a statement that changes a table runs, or it is not known that none does.
	Altering bool
}

// minLog is the least size of a log that is worth a step.
const minLog = 16 << 20

// Plan is a step for each file that could go.
func (l Leftovers) Plan() []Step {
	var steps []Step
	for _, f := range l.Files {
		switch base := path.Base(f.Path); {
		case f.Category == space.Temporary && strings.HasPrefix(base, "ibtmp"):
			steps = append(steps, l.temporary(f))
		case f.Category == space.Orphans:
			steps = append(steps, l.orphan(f))
		case f.Category == space.Logs && f.Bytes >= minLog:
			steps = append(steps, l.log(f))
		}
	}
	return steps
}

func (l Leftovers) step(kind Kind, risk Risk, f space.File) Step {
	return Step{Kind: kind, Risk: risk, File: f.Path, Mount: f.Mount, FreesBytes: f.Bytes, FreesLowBytes: f.Bytes, FreesHighBytes: f.Bytes}
}

func (l Leftovers) temporary(f space.File) Step {
	step := l.step(TruncateTemp, High, f)
	initial := l.TempInitial
	if initial == 0 {
		initial = 12 << 20
	}
	freed := max(0, f.Bytes-initial)
	step.FreesBytes, step.FreesLowBytes, step.FreesHighBytes = freed, 0, freed
	if l.TruncateNow {
		step.Risk = Low
		step.Commands = []Command{{Tool: "sql", Text: "SET GLOBAL innodb_truncate_temporary_tablespace_now = ON;", Note: "gives back what is free at the file's end"}}
		return step
	}
	restart := Command{Tool: "shell", Text: "systemctl restart mysql", Note: "only a start makes it anew; innodb_temp_data_file_path can bound it (max:); the unit is mysqld in Oracle's RPM packages"}
	if l.MariaDB {
		restart.Text, restart.Note = "systemctl restart mariadb", "only a start makes it anew; innodb_temp_data_file_path can bound it (max:)"
	}
	step.Commands = []Command{restart}
	step.Warnings = []string{"needs a restart of the server"}
	return step
}

func (l Leftovers) orphan(f space.File) Step {
	step := l.step(RemoveOrphan, High, f)
	step.Warnings = append(step.Warnings, "cannot be taken back: keep a copy until the server has started again without it")
	if f.Why != "" {
		step.Warnings = append(step.Warnings, f.Why)
	}
	if l.Altering {
		step.Blockers = append(step.Blockers, "a running ALTER or OPTIMIZE has files of this name: ask a server that has none of them running")
	}
	step.Commands = []Command{{
		Tool: "shell", Text: fmt.Sprintf("mv -n -- %s %s", shell(l.abs(f)), shell("/path/on/another/mount/"+path.Base(f.Path))),
		Note: "with the server stopped; it must start without complaint before the copy goes",
	}}
	return step
}

func (l Leftovers) log(f space.File) Step {
	step := l.step(RotateLog, Low, f)
	name := l.abs(f)
	step.Commands = []Command{
		{Tool: "shell", Text: fmt.Sprintf("mv -n -- %s %s", shell(name), shell(name+".1"))},
		{Tool: "sql", Text: "FLUSH LOCAL " + flush(name) + ";", Note: "the server opens a new file; compress or delete the old one"},
	}
	return step
}

func (l Leftovers) abs(f space.File) string {
	if path.IsAbs(f.Path) {
		return f.Path
	}
	return path.Join(l.Datadir, f.Path)
}

// flush names the kind of log by its file, all kinds where the name does not say.
func flush(name string) string {
	switch base := path.Base(name); {
	case strings.Contains(base, "slow"):
		return "SLOW LOGS"
	case strings.HasSuffix(base, ".err"), strings.Contains(base, "error"):
		return "ERROR LOGS"
	}
	return "GENERAL LOGS, SLOW LOGS, ERROR LOGS"
}
