package reclaim

import "fmt"

// UndoFile is an undo tablespace.
type UndoFile struct {
	Name  string // as the server calls it, "" without one
	File  string
	Bytes int64
	Mount string
}

// Undo is where a server keeps undo logs.
type Undo struct {
	Flavour string
	Files   []UndoFile // empty: in the system tablespace
	// Truncate is innodb_undo_log_truncate, MaxBytes innodb_max_undo_log_size: a tablespace beyond it is truncated once
	// purge has emptied it.
	Truncate bool
	MaxBytes int64
	// History is the number of undo logs not purged yet; nil: not known.
	History *int64
	// PageSize is innodb_page_size; 0 for 16 KiB.
	PageSize int64
}

// initial is the size that a truncated undo tablespace has: 16 MiB in MySQL (fsp0fsp.h, UNDO_INITIAL_SIZE), 640 pages,
// whatever their size, in MariaDB (srv0srv.cc, SRV_UNDO_TABLESPACE_SIZE_IN_PAGES).
func (u Undo) initial() int64 {
	switch {
	case u.Flavour != "mariadb":
		return 16 << 20
	case u.PageSize > 0:
		return 640 * u.PageSize
	}
	return 640 * 16 << 10
}

// minUndoLimit is the least that innodb_max_undo_log_size can be.
const minUndoLimit = 10 << 20

// Plan is a step for each undo tablespace that has grown.
func (u Undo) Plan() []Step {
	var steps []Step
	for _, file := range u.Files {
		freed := file.Bytes - u.initial()
		if freed <= 0 {
			continue
		}
		step := Step{Kind: TruncateUndo, File: file.File, Mount: file.Mount, Risk: Low, FreesBytes: freed, FreesHighBytes: freed}
		step.Commands = []Command{u.command()}
		if len(u.Files) < 2 {
			step.Blockers = append(step.Blockers, "one undo tablespace alone is never truncated: the other has to take over meanwhile")
		}
		if u.History != nil && *u.History > 1_000_000 {
			step.Warnings = append(step.Warnings, fmt.Sprintf("purge is %d undo logs behind: a long transaction holds it back, and nothing is truncated before it ends", *u.History))
		}
		steps = append(steps, step)
	}
	return steps
}

// command makes the purge threads truncate, and puts the limit back.
func (u Undo) command() Command {
	line := "SET GLOBAL innodb_undo_log_truncate = ON;\n"
	if u.Truncate {
		line = ""
	}
	c := Command{Tool: "sql", Text: fmt.Sprintf("%sSET GLOBAL innodb_max_undo_log_size = %d;", line, int64(minUndoLimit))}
	if u.MaxBytes > 0 {
		c.Text += fmt.Sprintf("\n-- when the files are small again:\nSET GLOBAL innodb_max_undo_log_size = %d;", u.MaxBytes)
	}
	c.Note = "purge truncates one file after the other, once no transaction needs it"
	return c
}
