// Command capture makes the samples under testdata/ssh anew, from real sshd, rsyslogd and systemd-journald:
//
//	go run ./internal/testpeers/cmd/capture [-out testdata/ssh]
//
// It needs root and what package testpeers needs. All keys are new at every run; only their public halves are written.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/opsctl/opsctl/internal/testpeers"
)

func main() { os.Exit(run()) }

func run() int {
	out := flag.String("out", "testdata/ssh", "write the samples below this `folder`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := capture(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		return 1
	}
	return 0
}

func capture(ctx context.Context, out string) error {
	w, err := newWorld()
	if err != nil {
		return err
	}
	versions := []struct {
		name   string
		recipe testpeers.Recipe
	}{
		{"openssh-9.2", testpeers.Bookworm()},
		{"openssh-10.0", testpeers.Trixie()},
	}
	for _, v := range versions {
		if err := samples(ctx, w, v.recipe, filepath.Join(out, v.name)); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	if err := demo(ctx, w, testpeers.Bookworm(), filepath.Join(out, "demo")); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// save writes a sample whole, packed when its name ends in .gz. A packed file holds no time, so equal text gives equal bytes.
func save(dir, name string, data []byte) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if strings.HasSuffix(name, ".gz") {
		var packed bytes.Buffer
		w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		data = packed.Bytes()
	}
	return os.WriteFile(path, data, 0o644)
}
