package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opsctl/opsctl/internal/storegen"
	"github.com/opsctl/opsctl/internal/testpeers"
)

// patience is after how long the registry's own collector is stopped: on many tags it takes hours.
const patience = 2 * time.Minute

// shape is a generated store.
type shape struct {
	name   string
	o      storegen.Options
	root   string
	counts storegen.Counts
}

func shapes() []*shape {
	return []*shape{
		{name: "50,000 blobs", o: storegen.Options{Seed: seed, Blobs: 50_000}},
		{name: "one repository of 5,000 tags", o: storegen.Options{Seed: seed, Tags: 5000}},
	}
}

// contender is one program over a store.
type contender struct {
	name  string
	argv  []string
	runs  []measured
	keep  bool          // what it says is looked at
	said  []byte        // the last run's
	limit time.Duration // 0: none
	over  bool          // it was stopped at the limit
}

// measureRegistry marks generated stores by opsctl and by the registry's own collector, beside find(1) and a program that only reads
// what has to be read, in turns.
func measureRegistry(ctx context.Context, bin string, rounds int) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	tree, err := testpeers.Registry().Get(ctx)
	if errors.Is(err, testpeers.ErrMissing) {
		fmt.Printf("\nregistry: skipped: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, s := range shapes() {
		if err := s.generate(); err != nil {
			return err
		}
		if err := s.measure(ctx, bin, filepath.Join(tree.Dir, "usr/bin/docker-registry"), rounds); err != nil {
			return err
		}
	}
	return nil
}

// generate finds a store in the cache, or has another process make it.
func (s *shape) generate() error {
	cache, err := testpeers.CacheDir()
	if err != nil {
		return err
	}
	dir := filepath.Join(cache, fmt.Sprintf("bench-registry-%d-v%d-%d-%d", seed, storegen.Version, s.o.Blobs, s.o.Tags))
	s.root = filepath.Join(dir, "root")
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "generating %s, seed %d\n", dir, seed)
		if err := os.RemoveAll(dir + ".tmp"); err != nil {
			return err
		}
		cmd := exec.Command(os.Args[0], "-make-store", dir+".tmp", "-blobs", strconv.Itoa(s.o.Blobs), "-tags", strconv.Itoa(s.o.Tags))
		cmd.Stderr = os.Stderr
		if err := errors.Join(cmd.Run(), os.Rename(dir+".tmp", dir)); err != nil {
			return err
		}
	}
	conf := fmt.Sprintf("version: 0.1\nstorage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\nhttp: {addr: 127.0.0.1:0}\n", s.root)
	if err := os.WriteFile(filepath.Join(dir, "config.yml"), []byte(conf), 0o644); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, "counts.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &s.counts)
}

// writeStore makes a store and says beside it what it holds.
func writeStore(dir string, o storegen.Options) error {
	truth, err := storegen.Write(filepath.Join(dir, "root"), o)
	if err != nil {
		return err
	}
	text, err := json.Marshal(truth.Counts)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "counts.json"), text, 0o644)
}

func (s *shape) measure(ctx context.Context, bin, official string, rounds int) error {
	gc := []string{bin, "registry", "gc", "--dry-run", "--delete-untagged", "--grace", "0s", "--root", s.root, "-q", "-o", "json"}
	all := []*contender{
		{name: "opsctl registry gc", argv: gc, keep: true},
		{name: "mark alone", argv: []string{os.Args[0], "-mark", s.root}, keep: true},
		{name: "only reading", argv: []string{os.Args[0], "-floor", s.root}},
		{name: "find -type f", argv: []string{"find", s.root, "-type", "f"}},
		{
			name: "garbage-collect -m", limit: patience,
			argv: []string{official, "garbage-collect", "--dry-run", "--delete-untagged", filepath.Join(filepath.Dir(s.root), "config.yml")},
		},
	}
	// The first round warms the caches. The official collector runs in the last alone.
	for round := range rounds + 1 {
		for _, c := range all {
			if c.limit > 0 && round < rounds {
				continue
			}
			if err := c.run(ctx, round > 0); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\n%s: %d blobs, %d live, in %d repositories with %d tags and %d manifests; %d rounds in turns\n", s.name, s.counts.Blobs,
		s.counts.Tagged, s.counts.Repositories, s.counts.Tags, s.counts.Manifests, rounds)
	table(all)
	return s.check(all[0], all[1])
}

// run measures one run; to be stopped at the limit is no failure.
func (c *contender) run(ctx context.Context, counts bool) error {
	argv := c.argv
	if c.limit > 0 {
		argv = append([]string{"timeout", fmt.Sprint(c.limit.Seconds())}, argv...)
	}
	got, said, err := onceQuiet(ctx, argv, c.keep)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && c.limit > 0 && exit.ExitCode() == 124 {
		c.over, err = true, nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.said = said
	if counts {
		c.runs = append(c.runs, got)
	}
	return nil
}

// table prints medians, and each one's as a multiple of opsctl's: the first's, and marking's.
func table(all []*contender) {
	wall := func(c *contender) float64 {
		return middle(c.runs, func(m measured) float64 { return m.wall.Seconds() })
	}
	cpu := func(c *contender) float64 {
		return middle(c.runs, func(m measured) float64 { return m.cpu.Seconds() })
	}
	fmt.Printf("%-20s %8s %8s %9s %16s %16s %16s\n", "TOOL", "WALL s", "CPU s", "PEAK MiB", "WALL / OPSCTL'S", "MARK'S WALL / IT", "MARK'S CPU / IT")
	for _, c := range all {
		mark := ""
		if c.over {
			mark = " (stopped: at least)"
		}
		fmt.Printf("%-20s %8.3f %8.3f %9.1f %16.1f %16.2f %16.2f%s\n", c.name, wall(c), cpu(c), float64(slices.MaxFunc(c.runs, func(a, b measured) int {
			return int(a.rss - b.rss)
		}).rss)/(1<<20), wall(c)/wall(all[0]), wall(all[1])/wall(c), cpu(all[1])/cpu(c), mark)
	}
}

func middle(runs []measured, of func(measured) float64) float64 {
	var all []float64
	for _, m := range runs {
		all = append(all, of(m))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// check compares what both say with the truth, and prints opsctl's phases.
func (s *shape) check(gc, mark *contender) error {
	var doc struct {
		Kept    struct{ Blobs int }
		Seconds []struct {
			Name    string
			Seconds float64
		}
	}
	if err := json.Unmarshal(gc.said, &doc); err != nil {
		return fmt.Errorf("reading opsctl's output: %w", err)
	}
	var phases []string
	for _, p := range doc.Seconds {
		phases = append(phases, fmt.Sprintf("%s %.3f s", p.Name, p.Seconds))
	}
	fmt.Printf("opsctl's phases: %s\n", strings.Join(phases, ", "))
	live, err := strconv.Atoi(string(bytes.TrimSpace(mark.said)))
	if err != nil || live != s.counts.Tagged || doc.Kept.Blobs != live {
		return fmt.Errorf("%s: gc keeps %d blobs and mark %d, the truth is %d: %w", s.name, doc.Kept.Blobs, live, s.counts.Tagged, err)
	}
	fmt.Printf("equal to the truth: %d of %d blobs are kept\n", live, s.counts.Blobs)
	return nil
}
