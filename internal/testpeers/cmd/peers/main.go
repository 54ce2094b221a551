// Command peers fills the test cache with the programs that opsctl's tests run: go run ./internal/testpeers/cmd/peers.
// With --torture it adds those that only long runs use. It prints the seconds of each.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
)

func main() { os.Exit(run()) }

func run() int {
	torture := flag.Bool("torture", false, "also build the peers that only torture runs use")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	recipes := []testpeers.Recipe{
		testpeers.Bookworm(), testpeers.BookwormMachine(), testpeers.ExporterPackages(), testpeers.Prometheus(),
		testpeers.MariaDBPackages(), testpeers.BackendPackages(), testpeers.Registry(), testpeers.EnginePackages(),
	}
	suites := []string{"bookworm"}
	if *torture {
		recipes = append(recipes, testpeers.Trixie(), testpeers.BullseyeAnalyze(), testpeers.Machines()[247], testpeers.Machines()[257],
			testpeers.MariaDB118Packages(), testpeers.MySQLPackages())
		suites = append(suites, "trixie")
	}
	err := fill(ctx, recipes, suites)
	if err == nil && *torture {
		err = get("distribution 3", func() (string, error) { return testpeers.Distribution3(ctx) })
	}
	if err == nil && *torture {
		err = get("etcd", func() (string, error) { return testpeers.Etcd(ctx) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		return 1
	}
	return 0
}

// fill builds every recipe, the unit files of the suites, and the newer node_exporter. A machine that cannot build one is
// told so, and fails only under OPSCTL_CI.
func fill(ctx context.Context, recipes []testpeers.Recipe, suites []string) error {
	for _, recipe := range recipes {
		err := get(recipe.Suite+" "+recipe.Packages[0], func() (string, error) {
			tree, err := recipe.Get(ctx)
			if err != nil {
				return "", err
			}
			return tree.Dir, nil
		})
		if err != nil {
			return err
		}
	}
	for _, suite := range suites {
		if err := get("units of "+suite, func() (string, error) { return testpeers.DebianUnits(ctx, suite) }); err != nil {
			return err
		}
	}
	if err := get("releases of Debian's programs", func() (string, error) { return testpeers.DebianMirror(ctx) }); err != nil {
		return err
	}
	return get("node_exporter", func() (string, error) { return testpeers.NodeExporter(ctx) })
}

// get builds one, and prints its seconds.
func get(name string, build func() (string, error)) error {
	start := time.Now()
	dir, err := build()
	if errors.Is(err, testpeers.ErrMissing) && os.Getenv("OPSCTL_CI") == "" {
		fmt.Printf("peers: %s skipped: %v\n", name, err)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Printf("peers: %s %.1f s %s\n", name, time.Since(start).Seconds(), dir)
	return nil
}
