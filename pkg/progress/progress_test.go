package progress_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opsctl/opsctl/pkg/progress"
)

type counter struct {
	progress.Nop
	n int64
}

func (c *counter) Add(n int64) { c.n += n }

func TestReaderCountsWhatIsRead(t *testing.T) {
	var c counter
	text := strings.Repeat("x", 1000)
	got, err := io.ReadAll(progress.Reader(iotest.HalfReader(strings.NewReader(text)), &c))
	if err != nil || string(got) != text || c.n != 1000 {
		t.Errorf("read %d bytes, counted %d, %v", len(got), c.n, err)
	}
}

func TestNilReporterIsNop(t *testing.T) {
	rep := progress.OrNop(nil)
	rep.Start(1)
	rep.Add(1)
	rep.Done()
	if _, err := io.ReadAll(progress.Reader(strings.NewReader("x"), nil)); err != nil {
		t.Error(err)
	}
}
