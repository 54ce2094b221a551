// Command opsctl answers the questions that come up while running servers, from
// the files and logs that are there. `opsctl --help` lists the commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/opsctl/opsctl/pkg/cli"
)

// Set by the linker: -X main.version=1.2.3 -X main.commit=abc.
var (
	version = "devel"
	commit  = ""
)

func main() { os.Exit(run()) }

func run() int {
	// A closed pipe then is an error of the write, which Main judges, instead of
	// a death by signal. Notify rather than Ignore: children start with the default.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := cli.WithSignals(context.Background())
	defer stop()
	return int(cli.Main(ctx, cli.System(version), newRoot, os.Args[1:]))
}
