// Command capture makes the samples under testdata/ssh anew, from real sshd, rsyslogd and systemd-journald:
//
//	go run ./internal/testpeers/cmd/capture [-out testdata/ssh]
//
// It needs root and what package testpeers needs. All keys are new at every run; only their public halves are written.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/internal/testpeers/samples"
)

func main() {
	out := flag.String("out", "testdata/ssh", "write the samples below this `folder`")
	os.Exit(samples.Main(func(ctx context.Context) error { return capture(ctx, *out) }))
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
		if err := sampleAll(ctx, w, v.recipe, filepath.Join(out, v.name)); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	if err := demo(ctx, w, testpeers.Bookworm(), filepath.Join(out, "demo")); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// save writes a sample whole, packed when its name ends in .gz.
func save(dir, name string, data []byte) error {
	path := filepath.Join(dir, name)
	if strings.HasSuffix(name, ".gz") {
		return samples.Gzip(path, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
