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
	recipes := []testpeers.Recipe{testpeers.Bookworm()}
	if *torture {
		recipes = append(recipes, testpeers.Trixie())
	}
	if err := fill(ctx, recipes); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		return 1
	}
	return 0
}

// fill builds every recipe. A machine that cannot build one is told so, and fails only under OPSCTL_CI.
func fill(ctx context.Context, recipes []testpeers.Recipe) error {
	for _, recipe := range recipes {
		start := time.Now()
		tree, err := recipe.Get(ctx)
		if errors.Is(err, testpeers.ErrMissing) && os.Getenv("OPSCTL_CI") == "" {
			fmt.Printf("peers: sshd of %s skipped: %v\n", recipe.Suite, err)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Printf("peers: sshd of %s %.1f s %s\n", recipe.Suite, time.Since(start).Seconds(), tree.Dir)
	}
	return nil
}
