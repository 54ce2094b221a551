// Package relay lets a collection in a container without a network have its registry forget blobs: it asks, on its standard output,
// the process that started it, which can reach the registry, and reads the answers on standard input. Everything else that it
// writes is passed on as it is.
package relay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/opsctl/opsctl/pkg/registry/digest"
	"github.com/opsctl/opsctl/pkg/registry/sweep"
)

// Terms are what the collection is told: the manifests to keep, nil for none, and the registry that runs meanwhile and has a cache, nil
// for none.
type Terms struct {
	Keep    *digest.Set
	Running *sweep.Running
}

// terms is the first line on standard input.
type terms struct {
	Keep      []digest.Digest `json:"keep"`
	Cache     bool            `json:"cache"`
	Started   time.Time       `json:"started"`
	Manifests bool            `json:"manifests"`
}

// ask begins a line of standard output that is a question: "\x01forget REPOSITORY DIGEST". No document begins a line so.
const ask = "\x01forget "

// fine is the answer when it was forgotten; any other says why not.
const fine = "ok"

// Serve is the side of the process that can reach the registry: run starts the collection with these streams and returns when it has
// ended. What it writes goes to out, but for its questions.
func Serve(ctx context.Context, t Terms, out io.Writer, run func(stdin io.Reader, stdout io.Writer) error) error {
	first := terms{Keep: []digest.Digest{}}
	if t.Keep != nil {
		for d := range t.Keep.Sorted() {
			first.Keep = append(first.Keep, d)
		}
	}
	if t.Running != nil {
		first.Cache, first.Started, first.Manifests = true, t.Running.Started, t.Running.Manifests
	}
	line, err := json.Marshal(first)
	if err != nil {
		return err
	}
	stdin, answers := io.Pipe()
	// The pipe holds nothing: what is written waits for the reader.
	s := &server{ctx: ctx, terms: t, out: out, answers: make(chan string, 1)}
	var writing sync.WaitGroup
	writing.Go(func() {
		_, err := answers.Write(append(line, '\n'))
		for text := range s.answers {
			if err == nil {
				_, err = io.WriteString(answers, text+"\n")
			}
		}
		_ = answers.Close()
	})
	err = run(stdin, s)
	err = errors.Join(err, s.flush())
	_ = stdin.Close()
	close(s.answers)
	writing.Wait()
	return err
}

// server takes what the collection writes.
type server struct {
	ctx     context.Context //nolint:containedctx // of one call of Serve
	terms   Terms
	out     io.Writer
	answers chan string
	rest    []byte // of a line
}

// Write passes whole lines on, and answers questions.
func (s *server) Write(data []byte) (int, error) {
	s.rest = append(s.rest, data...)
	for {
		i := bytes.IndexByte(s.rest, '\n')
		if i < 0 {
			return len(data), nil
		}
		line := s.rest[:i+1]
		question, ok := strings.CutPrefix(string(line[:i]), ask)
		if ok {
			s.answers <- s.answer(question)
		} else if _, err := s.out.Write(line); err != nil {
			return 0, err
		}
		s.rest = s.rest[i+1:]
	}
}

// flush passes on a last line that has no end.
func (s *server) flush() error {
	_, err := s.out.Write(s.rest)
	return err
}

func (s *server) answer(question string) string {
	repository, text, _ := strings.Cut(question, " ")
	d, err := digest.Parse(text)
	switch {
	case err != nil:
	case s.terms.Running == nil:
		err = errors.New("no registry runs")
	default:
		err = s.terms.Running.Forget(s.ctx, repository, d)
	}
	if err != nil {
		return strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return fine
}

// Attach is the collection's side: it reads the terms, and its registry forgets by asking.
func Attach(stdin io.Reader, stdout io.Writer) (Terms, error) {
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return Terms{}, fmt.Errorf("reading what to keep: %w", err)
	}
	var first terms
	if err := json.Unmarshal(line, &first); err != nil {
		return Terms{}, fmt.Errorf("reading what to keep: %w", err)
	}
	t := Terms{}
	if len(first.Keep) > 0 {
		t.Keep = &digest.Set{}
		for _, d := range first.Keep {
			t.Keep.Add(d)
		}
	}
	if first.Cache {
		c := &client{in: in, out: stdout}
		t.Running = &sweep.Running{Started: first.Started, Forget: c.forget, Manifests: first.Manifests}
	}
	return t, nil
}

// client asks one question at a time.
type client struct {
	mu  sync.Mutex
	in  *bufio.Reader
	out io.Writer
}

func (c *client) forget(_ context.Context, repository string, d digest.Digest) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := fmt.Fprintf(c.out, "%s%s %v\n", ask, repository, d); err != nil {
		return err
	}
	answer, err := c.in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("asking for %v to be forgotten: %w", d, err)
	}
	if answer = strings.TrimSuffix(answer, "\n"); answer != fine {
		return errors.New(answer)
	}
	return nil
}
