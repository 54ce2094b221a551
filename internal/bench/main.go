// Command bench measures opsctl beside named tools: the same input, the same run,
// CPU seconds and peak memory as ratios. It also compares what opsctl says with
// what the generator knows; a difference is an error. An installation is measured
// in wall time, beside a shell script that does the same in the same machine. Of a
// generated registry it measures marking, beside the registry's own collector; of two servers with 10,000 tables each
// reading its files, beside find(1), and asking it, beside the query that everybody uses.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opsctl/opsctl/internal/storegen"
)

func main() {
	mib := flag.Int64("mib", 1024, "size of the plain log in MiB")
	runs := flag.Int("runs", 3, "runs of each tool; the one with the least CPU counts")
	installs := flag.Int("installs", 7, "rounds of each way to install")
	settle := flag.Duration("settle", 2*time.Second, "how long an installation has to stay well")
	only := flag.String("only", "", "measure `WHAT` alone: audit, install, registry, mysql, raft")
	rounds := flag.Int("rounds", 5, "rounds of each tool over a registry, and over tables")
	bin := flag.String("bin", "bin/opsctl", "the program to measure")
	output := flag.String("make", "", "write the log of this `PATH` and its truth, and end")
	names := flag.Bool("names", false, "with -make: every attack brings a user name of its own")
	store := flag.String("make-store", "", "write a registry's store below this `DIR`, and end")
	blobs := flag.Int("blobs", 0, "with -make-store: how many")
	tags := flag.Int("tags", 0, "with -make-store: one repository with as many")
	marked := flag.String("mark", "", "mark the store of this `DIR`, and end")
	floor := flag.String("floor", "", "only read what marking the store of this `DIR` has to, and end")
	loop := flag.Int("raft-loop", 0, "step a cluster of the consensus core for `SECONDS`, and end")
	flag.Parse()
	job := func() error {
		var errs []error
		if *only == "" || *only == "audit" {
			errs = append(errs, run(*bin, *mib, *runs))
		}
		if *only == "" || *only == "install" {
			errs = append(errs, measureInstall(context.Background(), *bin, *installs, *settle))
		}
		if *only == "" || *only == "registry" {
			errs = append(errs, measureRegistry(context.Background(), *bin, *rounds))
		}
		if *only == "" || *only == "mysql" {
			errs = append(errs, measureMySQL(context.Background(), *bin, *rounds))
		}
		if *only == "" || *only == "raft" {
			errs = append(errs, measureRaft(context.Background(), *bin, *rounds))
		}
		return errors.Join(errs...)
	}
	switch {
	case *output != "":
		job = func() error { return write(*output, *mib, *names) }
	case *store != "":
		job = func() error { return writeStore(*store, storegen.Options{Seed: seed, Blobs: *blobs, Tags: *tags}) }
	case *marked != "":
		job = func() error { return markStore(context.Background(), *marked) }
	case *loop > 0:
		job = func() error { return stepRaft(*loop) }
	case *floor != "":
		job = func() error { return readStore(*floor) }
	}
	if err := job(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(bin string, mib int64, runs int) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	dir, err := cacheDir()
	if err != nil {
		return err
	}
	plain, err := generate(dir, "plain", mib, false)
	if err != nil {
		return err
	}
	names, err := generate(dir, "names", mib, true)
	if err != nil {
		return err
	}
	packed, err := generate(dir, "packed", mib/4, false)
	if err != nil {
		return err
	}
	gz, err := pack(packed.path)
	if err != nil {
		return err
	}
	return measureAll(bin, runs, plain, names, packed, gz)
}

func measureAll(bin string, runs int, plain, names, packed *input, gz string) error {
	noKeys, err := os.CreateTemp("", "no-keys")
	if err != nil {
		return err
	}
	defer os.Remove(noKeys.Name())
	m := &meter{runs: runs}
	audit := func(path string) []string {
		return []string{bin, "ssh", "audit", path, "--authorized-keys", noKeys.Name(), "-q", "-o", "json"}
	}
	m.heading("%s: %d MiB", filepath.Base(plain.path), plain.bytes>>20)
	plain.said = m.tool("opsctl ssh audit", audit(plain.path))
	m.tool("wc -l", []string{"wc", "-l", plain.path})
	m.tool("grep -c", []string{"grep", "-c", "Accepted publickey", plain.path})
	m.tool("awk", []string{"awk", awkLogins, plain.path})
	m.table(plain.bytes)

	m.heading("%s: %d MiB, every attack with a name of its own", filepath.Base(names.path), names.bytes>>20)
	names.said = m.tool("opsctl ssh audit", audit(names.path))
	m.tool("awk", []string{"awk", awkFailures, names.path})
	m.table(names.bytes)

	m.heading("%s: %d MiB unpacked", filepath.Base(gz), packed.bytes>>20)
	packed.said = m.tool("opsctl ssh audit", audit(gz))
	m.tool("zcat | grep -c", []string{"sh", "-c", "zcat '" + gz + "' | grep -c 'Accepted publickey'"})
	m.table(packed.bytes)

	fmt.Println()
	for _, in := range []*input{plain, names, packed} {
		// Only now: the peak memory of a command counts that of its parent.
		m.err = errors.Join(m.err, in.check())
	}
	return m.err
}

// What an engineer would write: logins by user and address; failures by address.
const (
	awkLogins   = `$6 == "Accepted" { n[$9 " " $11]++ } END { for (k in n) print n[k], k }`
	awkFailures = `$6 == "Failed" { n[$(NF-5) " " $(NF-3)]++ } END { print length(n) }`
)
