// Command loggen writes a generated auth log to stdout.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/opsctl/opsctl/internal/loggen"
)

func main() {
	mib := flag.Int64("mib", 64, "size in MiB")
	seed := flag.Uint64("seed", 1, "seed")
	names := flag.Bool("names", false, "every attack brings a user name of its own")
	flag.Parse()
	truth, err := loggen.Write(os.Stdout, loggen.Options{
		Bytes: *mib << 20, Seed: *seed, Names: *names, Start: time.Now().Add(-30 * 24 * time.Hour),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "loggen:", err)
		os.Exit(1)
	}
	logins := uint64(0)
	for _, n := range truth.Logins {
		logins += n
	}
	fmt.Fprintf(os.Stderr, "%d lines, %d of sshd, %d logins, %d failures of %d addresses, %d rows\n",
		truth.Lines, truth.SSHDLines, logins, truth.Total, len(truth.FailuresOf), len(truth.Failures))
}
