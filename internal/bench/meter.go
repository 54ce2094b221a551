package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// meter runs tools and prints how they compare.
type meter struct {
	runs  int
	tools []measured
	err   error
}

// measured is the run of a tool that took the least CPU.
type measured struct {
	name      string
	cpu, wall time.Duration
	rss       int64 // bytes
}

func (m *meter) heading(format string, a ...any) {
	fmt.Printf("\n"+format+"\n", a...)
	m.tools = nil
}

// tool measures a command and gives what it wrote.
func (m *meter) tool(name string, argv []string) []byte {
	best := measured{name: name}
	var said []byte
	for range m.runs {
		got, out, err := once(argv)
		if err != nil {
			m.err = errors.Join(m.err, fmt.Errorf("%s: %w", name, err))
			return nil
		}
		said = out
		if best.cpu == 0 || got.cpu < best.cpu {
			best.cpu, best.wall = got.cpu, got.wall
		}
		best.rss = max(best.rss, got.rss)
	}
	m.tools = append(m.tools, best)
	return said
}

func once(argv []string) (measured, []byte, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	m, err := measure(cmd)
	return m, out.Bytes(), err
}

// onceQuiet drops what a tool writes to stderr, and to stdout unless that is kept. It gives a tool that failed its figures
// as well.
func onceQuiet(ctx context.Context, argv []string, keep bool) (measured, []byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out bytes.Buffer
	if keep {
		cmd.Stdout = &out
	}
	m, err := measure(cmd)
	return m, out.Bytes(), err
}

func measure(cmd *exec.Cmd) (measured, error) {
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if cmd.ProcessState == nil {
		return measured{}, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return measured{}, errors.New("no resource usage on this system")
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return measured{cpu: cpu, wall: wall, rss: usage.Maxrss << 10}, err
}

// table prints the tools, with the first one's CPU as a ratio of each.
func (m *meter) table(size int64) {
	if len(m.tools) == 0 {
		return
	}
	fmt.Printf("%-18s %10s %12s %8s %10s %18s\n", "TOOL", "CPU s", "CPU s/GiB", "WALL s", "PEAK MiB", "OPSCTL'S CPU / IT")
	for _, t := range m.tools {
		fmt.Printf("%-18s %10.2f %12.2f %8.2f %10.1f %18.2f\n", t.name, t.cpu.Seconds(), t.cpu.Seconds()*float64(1<<30)/float64(size),
			t.wall.Seconds(), float64(t.rss)/(1<<20), m.tools[0].cpu.Seconds()/t.cpu.Seconds())
	}
}
