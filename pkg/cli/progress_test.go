package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/progress"
)

// safeBuffer can be read while a meter draws.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func progressEnv(out *safeBuffer) *Env {
	return &Env{Err: out, Getenv: func(string) string { return "" }}
}

func TestProgressWithoutTerminalIsALineInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out safeBuffer
		rep := progressEnv(&out).Progress("reading 库", Bytes)
		rep.Start(100 << 20)
		time.Sleep(500 * time.Millisecond)
		for range 25 {
			rep.Add(1 << 20)
			time.Sleep(time.Second)
		}
		rep.Done()
		want := []string{
			"reading 库   10 %  1.0 MiB/s  1m30s left",
			"reading 库   20 %  1.0 MiB/s  1m20s left",
		}
		if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(out.String()), "\n")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestShortWorkShowsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out safeBuffer
		env := progressEnv(&out)
		env.ErrTerm = true
		rep := env.Progress("reading", Items)
		rep.Start(2)
		rep.Add(1)
		time.Sleep(900 * time.Millisecond)
		rep.Done()
		if out.String() != "" {
			t.Errorf("drew %q", out.String())
		}
	})
}

func TestProgressOnATerminalIsABarThatIsErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out safeBuffer
		env := progressEnv(&out)
		env.ErrTerm = true
		rep := env.Progress("reading\x1b[2J", Items)
		rep.Start(400)
		rep.Add(100)
		time.Sleep(1100 * time.Millisecond)
		if want := clearLine + "reading\ufffd[2J  [======>                 ]   25 %  100/s  3s left"; out.String() != want {
			t.Errorf("drew %q, want %q", out.String(), want)
		}
		rep.Done()
		rep.Done()
		if !strings.HasSuffix(out.String(), clearLine) {
			t.Errorf("left %q on the screen", out.String())
		}
	})
}

func TestProgressWithoutTotalShowsAmountAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out safeBuffer
		rep := progressEnv(&out).Progress("reading", Items)
		rep.Start(0)
		rep.Add(50)
		time.Sleep(10*time.Second + time.Millisecond)
		rep.Done()
		if out.String() != "reading  50  5/s  10s\n" {
			t.Errorf("drew %q", out.String())
		}
	})
}

func TestProgressNeverWrapsALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out safeBuffer
		env := progressEnv(&out)
		env.ErrTerm, env.Width = true, 30
		rep := env.Progress(strings.Repeat("库", 30), Items)
		rep.Start(10)
		time.Sleep(1100 * time.Millisecond)
		rep.Done()
		if longest := strings.Count(out.String(), "库"); longest > 14 {
			t.Errorf("drew %d wide characters into 30 columns", longest)
		}
	})
}

func TestQuietShowsNoProgress(t *testing.T) {
	env := &Env{Quiet: true}
	if rep := env.Progress("x", Items); rep != (progress.Nop{}) {
		t.Errorf("got %T", rep)
	}
}

func TestDoneWithoutStart(*testing.T) {
	progressEnv(&safeBuffer{}).Progress("x", Items).Done()
}
