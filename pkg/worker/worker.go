// Package worker spreads work over processes of the same program: each runs a hidden command that serves requests from its standard
// input. It is for work that owns something of its process, such as its random source, and so cannot be a goroutine.
//
// A frame is its length, four bytes with the highest first, and that many bytes of JSON.
package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// maxFrame bounds what is believed of a length.
const maxFrame = 1 << 30

// Pool says how workers are started.
type Pool struct {
	// Command prepares a process that calls [Serve]; its streams are the pool's.
	Command func(ctx context.Context) *exec.Cmd
	// Workers is how many processes there are; 0 for as many as this one may use processors.
	Workers int
}

// Self is this program with other arguments. It is found by the kernel's link, so that an upgrade meanwhile changes nothing; its name
// stays as it was called.
func Self(args ...string) func(ctx context.Context) *exec.Cmd {
	return func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
		cmd.Args[0] = os.Args[0]
		return cmd
	}
}

// Serve answers requests until in ends. An error of handle is an answer as well; Serve's own are of the streams.
func Serve[Req, Resp any](ctx context.Context, in io.Reader, out io.Writer, handle func(context.Context, Req) (Resp, error)) error {
	r, w := bufio.NewReaderSize(in, 1<<16), bufio.NewWriterSize(out, 1<<16)
	for ctx.Err() == nil {
		var req Req
		if err := read(r, &req); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var a answer[Resp]
		resp, err := handle(ctx, req)
		if a.Value = resp; err != nil {
			a.Err = err.Error()
		}
		if err := errors.Join(write(w, &a), w.Flush()); err != nil {
			return err
		}
	}
	return ctx.Err()
}

type answer[Resp any] struct {
	Value Resp
	Err   string `json:",omitempty"`
}

// Map has workers answer requests, and hands the answers to yield in the order of the requests, whatever the number of workers. It
// ends at the first error, of a request, a worker or yield, or when ctx does; no process is left then.
func Map[Req, Resp any](ctx context.Context, p Pool, requests iter.Seq[Req], yield func(i int, resp Resp) error) error {
	n := p.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make(chan *job[Req, Resp])
	ordered := make(chan *job[Req, Resp], 2*n) // bounds what is under way and not handed on
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			if err := serveJobs(ctx, p, jobs); err != nil {
				cancel(err)
			}
		})
	}
	group.Go(func() {
		defer close(jobs)
		defer close(ordered)
		feed(ctx, requests, jobs, ordered)
	})
	err := collect(ctx, ordered, yield)
	if err != nil {
		cancel(err)
	}
	group.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

type job[Req, Resp any] struct {
	req  Req
	resp Resp
	err  error
	done chan struct{}
}

func feed[Req, Resp any](ctx context.Context, requests iter.Seq[Req], jobs, ordered chan<- *job[Req, Resp]) {
	for req := range requests {
		j := &job[Req, Resp]{req: req, done: make(chan struct{})}
		select {
		case ordered <- j:
		case <-ctx.Done():
			return
		}
		select {
		case jobs <- j:
		case <-ctx.Done():
			return
		}
	}
}

func collect[Req, Resp any](ctx context.Context, ordered <-chan *job[Req, Resp], yield func(int, Resp) error) error {
	i := 0
	for j := range ordered {
		select {
		case <-j.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if j.err != nil {
			return j.err
		}
		if err := yield(i, j.resp); err != nil {
			return err
		}
		i++
	}
	return nil
}

// serveJobs runs one process until there are no more jobs. It is started with the first.
func serveJobs[Req, Resp any](ctx context.Context, p Pool, jobs <-chan *job[Req, Resp]) error {
	var proc *process
	defer func() {
		if proc != nil {
			proc.end()
		}
	}()
	for j := range jobs {
		if proc == nil {
			var err error
			if proc, err = start(ctx, p); err != nil {
				return err
			}
		}
		var a answer[Resp]
		if err := proc.ask(j.req, &a); err != nil {
			return err
		}
		j.resp = a.Value
		if a.Err != "" {
			j.err = errors.New(a.Err)
		}
		close(j.done)
	}
	return nil
}

// process is a worker that runs.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	log tail
}

func start(ctx context.Context, p Pool) (*process, error) {
	w := &process{cmd: p.Command(ctx)}
	w.cmd.Stderr = &w.log
	// A group of its own: Ctrl-C on a terminal is for the one who asked, and ends the workers through it.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.in, w.out = in, bufio.NewReaderSize(out, 1<<16)
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a worker: %w", err)
	}
	return w, nil
}

// ask sends a request and waits for its answer.
func (w *process) ask(req, resp any) error {
	err := write(w.in, req)
	if err == nil {
		err = read(w.out, resp)
	}
	if err != nil {
		_ = w.in.Close()
		return fmt.Errorf("a worker ended: %w", errors.Join(w.cmd.Wait(), w.log.err()))
	}
	return nil
}

// end closes the worker's input, which ends it, and waits for it.
func (w *process) end() {
	_ = w.in.Close()
	_ = w.cmd.Wait()
}

func write(w io.Writer, v any) error {
	var frame bytes.Buffer
	frame.Write(make([]byte, 4))
	if err := json.NewEncoder(&frame).Encode(v); err != nil {
		return err
	}
	b := frame.Bytes()
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	_, err := w.Write(b)
	return err
}

func read(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return fmt.Errorf("a frame of %d bytes", n)
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	return json.Unmarshal(b.Bytes(), v)
}

// tail keeps the end of what a worker says.
type tail struct{ b []byte }

const tailBytes = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	if over := len(t.b) - tailBytes; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(b), nil
}

func (t *tail) err() error {
	if text := strings.TrimSpace(string(t.b)); text != "" {
		return errors.New(text)
	}
	return nil
}
