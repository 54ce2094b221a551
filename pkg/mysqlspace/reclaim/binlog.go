package reclaim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Binlog is one binary log, in the order in which they were written; the last is the one that is being written.
type Binlog struct {
	Name     string
	Bytes    int64
	Modified time.Time // zero where the file could not be looked at
}

// Replica is one that the server knows, or that was named.
type Replica struct {
	Name string
	// Needs is the first of the server's binary logs that it has not applied yet: Relay_Master_Log_File of its status; ""
	// where it could not be asked.
	Needs string
}

// Binlogs are a server's binary logs and who reads them.
type Binlogs struct {
	Logs     []Binlog
	Replicas []Replica
	// Hidden: the account may not see which replicas there are.
	Hidden bool
	// Keep is how long logs are kept whoever has read them: a restore to a point in time needs those since the last backup.
	Keep  time.Duration
	Now   time.Time
	Mount string
}

// Plan is the step that purges logs: none when there is nothing to purge.
func (b Binlogs) Plan() []Step {
	if len(b.Logs) < 2 {
		return nil
	}
	first := len(b.Logs) - 1 // the first log that stays
	step := Step{Kind: PurgeBinlogs, Risk: Low, Mount: b.Mount}
	if b.Keep > 0 {
		first = min(first, b.firstWithin(&step))
	}
	for _, r := range b.Replicas {
		first = min(first, b.firstFor(r, &step))
	}
	if b.Hidden {
		step.Blockers = append(step.Blockers, "the account may not see which replicas there are: Limits name the GRANT")
	}
	if len(b.Replicas) == 0 {
		step.Warnings = append(step.Warnings, "no replica is known to the server; one that is down now is not known either, and --replica names it")
	}
	for _, log := range b.Logs[:first] {
		step.FreesBytes += log.Bytes
	}
	if first == 0 {
		return nil
	}
	step.FreesLowBytes, step.FreesHighBytes = step.FreesBytes, step.FreesBytes
	step.File = b.Logs[0].Name + " to " + b.Logs[first-1].Name
	step.Commands = []Command{{
		Tool: "sql", Text: fmt.Sprintf("PURGE BINARY LOGS TO %s;", text(b.Logs[first].Name)),
		Note: "deletes the logs before it; have a backup that does not need them",
	}}
	return []Step{step}
}

func (b Binlogs) firstWithin(step *Step) int {
	since := b.Now.Add(-b.Keep)
	for i, log := range b.Logs {
		if log.Modified.IsZero() {
			step.Warnings = append(step.Warnings, "when the logs were written is not known without their files: their age is not regarded")
			return len(b.Logs) - 1
		}
		if log.Modified.After(since) {
			return i
		}
	}
	return len(b.Logs) - 1
}

// firstFor is the first log that r still needs. Where that is not known the step is blocked, and shown as if r had all.
func (b Binlogs) firstFor(r Replica, step *Step) int {
	i := slices.IndexFunc(b.Logs, func(log Binlog) bool { return log.Name == r.Needs || strings.HasSuffix(log.Name, "/"+r.Needs) })
	switch {
	case r.Needs == "":
		step.Blockers = append(step.Blockers, fmt.Sprintf("which log the replica %s still needs is not known: ask it with --replica", r.Name))
		return len(b.Logs) - 1
	case i < 0:
		step.Blockers = append(step.Blockers, fmt.Sprintf("the replica %s needs %s, which is not among the logs", r.Name, r.Needs))
		return len(b.Logs) - 1
	}
	return i
}
