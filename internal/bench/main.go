// Command bench measures opsctl beside named tools: the same input, the same run,
// CPU seconds and peak memory as ratios. It also compares what opsctl says with
// what the generator knows; a difference is an error.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	mib := flag.Int64("mib", 1024, "size of the plain log in MiB")
	runs := flag.Int("runs", 3, "runs of each tool; the one with the least CPU counts")
	bin := flag.String("bin", "bin/opsctl", "the program to measure")
	flag.Parse()
	if err := run(*bin, *mib, *runs); err != nil {
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
	m := &meter{runs: runs}
	audit := func(path string) []string {
		return []string{bin, "ssh", "audit", path, "--authorized-keys", os.DevNull, "-q", "-o", "json"}
	}
	m.heading("%s: %d lines, %d of sshd, %d addresses", filepath.Base(plain.path), plain.truth.Lines, plain.truth.SSHDLines, len(plain.truth.FailuresOf))
	m.tool("opsctl ssh audit", audit(plain.path), plain.check)
	m.tool("wc -l", []string{"wc", "-l", plain.path}, nil)
	m.tool("grep -c", []string{"grep", "-c", "Accepted publickey", plain.path}, nil)
	m.tool("awk", []string{"awk", awkLogins, plain.path}, nil)
	m.table(plain.bytes)

	m.heading("%s: %d names that are no account", filepath.Base(names.path), names.truth.Names)
	m.tool("opsctl ssh audit", audit(names.path), names.check)
	m.tool("awk", []string{"awk", awkFailures, names.path}, nil)
	m.table(names.bytes)

	m.heading("%s: %d MiB unpacked", filepath.Base(gz), packed.bytes>>20)
	m.tool("opsctl ssh audit", audit(gz), packed.check)
	m.tool("zcat | grep -c", []string{"sh", "-c", "zcat '" + gz + "' | grep -c 'Accepted publickey'"}, nil)
	m.table(packed.bytes)
	return m.err
}

// What an engineer would write: logins by user and address; failures by address.
const (
	awkLogins   = `$6 == "Accepted" { n[$9 " " $11]++ } END { for (k in n) print n[k], k }`
	awkFailures = `$6 == "Failed" { n[$(NF-5) " " $(NF-3)]++ } END { print length(n) }`
)
