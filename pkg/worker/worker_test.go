package worker_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opsctl/opsctl/pkg/worker"
)

// TestMain is the worker as well: it squares, and does what some numbers ask for.
func TestMain(m *testing.M) {
	if os.Getenv("WORKER_TEST") == "" {
		os.Exit(m.Run())
	}
	err := worker.Serve(context.Background(), os.Stdin, os.Stdout, func(_ context.Context, n int) (int, error) {
		switch n {
		case -1:
			return 0, errors.New("no root")
		case -2:
			_, _ = os.Stderr.WriteString("last words\n")
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return n * n, nil
	})
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func pool(workers int) worker.Pool {
	return worker.Pool{Workers: workers, Command: func(ctx context.Context) *exec.Cmd {
		cmd := worker.Self()(ctx)
		cmd.Env = append(os.Environ(), "WORKER_TEST=1")
		return cmd
	}}
}

func TestAnswersComeInTheOrderOfTheRequests(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		var got []int
		numbers := make([]int, 100)
		for i := range numbers {
			numbers[i] = i
		}
		err := worker.Map(t.Context(), pool(workers), slices.Values(numbers), func(i, square int) error {
			if square != i*i {
				t.Errorf("%d workers: answer %d is %d", workers, i, square)
			}
			got = append(got, square)
			return nil
		})
		if err != nil || len(got) != len(numbers) {
			t.Errorf("%d workers: %d answers, %v", workers, len(got), err)
		}
	}
}

func TestErrorsEndTheWork(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		want []string
	}{
		{"of a request", -1, []string{"no root"}},
		{"of a worker that is killed", -2, []string{"a worker ended", "signal: killed", "last words"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answers := 0
			err := worker.Map(t.Context(), pool(2), slices.Values([]int{1, 2, c.n, 3, 4, 5, 6, 7, 8, 9}), func(int, int) error {
				answers++
				return nil
			})
			if err == nil || answers > 2 {
				t.Fatalf("%d answers, %v", answers, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

func TestMapEndsWithItsContextAndItsCaller(t *testing.T) {
	stop := errors.New("stop")
	forever := func(yield func(int) bool) {
		for n := 0; yield(n); n++ {
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	err := worker.Map(ctx, pool(2), forever, func(i, _ int) error {
		if i == 10 {
			cancel(stop)
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Errorf("a context that ends: %v", err)
	}
	err = worker.Map(t.Context(), pool(2), forever, func(i, _ int) error {
		if i == 10 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Errorf("a caller that has enough: %v", err)
	}
}
