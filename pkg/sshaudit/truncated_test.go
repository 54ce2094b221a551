package sshaudit_test

import (
	"bytes"
	"os"
	"sync"
	"testing"

	"github.com/opsctl/opsctl/internal/loggen"
	"github.com/opsctl/opsctl/pkg/progress"
	"github.com/opsctl/opsctl/pkg/sshaudit"
)

// truncater empties a log, as copytruncate does, once some of it has been read.
type truncater struct {
	progress.Nop
	once func()
}

func (tr *truncater) Add(int64) { tr.once() }

// A log that is truncated while it is read counts as far as it was read.
func TestALogThatIsTruncatedWhileItIsRead(t *testing.T) {
	var log bytes.Buffer
	truth, err := loggen.Write(&log, loggen.Options{Bytes: 12 << 20, Seed: 1, IPs: 500, Start: now().AddDate(0, -2, 0)})
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, "auth.log", log.String())
	empty := sync.OnceFunc(func() {
		if err := os.Truncate(path, 0); err != nil {
			t.Error(err)
		}
	})
	doc := mustCollect(t, sshaudit.Options{Logs: []string{path}, Progress: &truncater{once: empty}})
	if f := doc.Coverage.Files[0]; f.Lines == 0 || f.Lines >= truth.Lines || f.SSHDLines == 0 || doc.Failures.Total == 0 {
		t.Errorf("%d lines, %d of sshd, %d failures; the log had %d lines", f.Lines, f.SSHDLines, doc.Failures.Total, truth.Lines)
	}
}
