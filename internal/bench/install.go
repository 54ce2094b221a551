package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers"
)

// installScript is what an engineer would write: $1 mirror, $2 seconds to settle.
//
//go:embed install.sh
var installScript string

// cleanScript takes off what either installed.
const cleanScript = `systemctl disable --now --quiet node_exporter
rm -rf /opt/node_exporter /etc/node_exporter /etc/systemd/system/node_exporter.service /var/lib/opsctl
systemctl daemon-reload
userdel node_exporter`

// installer is one way to install node_exporter, with the time that each round took.
type installer struct {
	name  string
	argv  []string
	times []time.Duration
}

// measureInstall installs node_exporter in a booted machine from a mirror on its loopback, by opsctl and by a script, in turns,
// and prints the wall times. The machine's files lie in memory: what opsctl syncs and the script does not costs nothing here.
func measureInstall(ctx context.Context, bin string, rounds int, settle time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "bench-install-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m, mirror, err := installHost(ctx, dir)
	if errors.Is(err, testpeers.ErrMissing) {
		fmt.Printf("\ninstall: skipped: %v\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	server, err := serve(ctx, m, mirror)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	program, err := os.ReadFile(bin)
	if err != nil {
		return err
	}
	if err := os.WriteFile(m.Path("/root/opsctl"), program, 0o755); err != nil {
		return err
	}
	installers := []*installer{
		{name: "opsctl install", argv: []string{"/root/opsctl", "install", "node_exporter@1.5.0", "--mirror", "http://" + server.Addr, "--yes", "--settle", settle.String()}},
		{name: "a shell script", argv: []string{"bash", "-c", installScript, "install", "http://" + server.Addr, fmt.Sprint(settle.Seconds())}},
	}
	// The first round warms the caches.
	for round := range rounds + 1 {
		for _, i := range installers {
			if err := i.once(ctx, m, round > 0); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\ninstall: node_exporter 1.5.0 from a mirror, settled for %v, %d rounds in turns\n", settle, rounds)
	installTable(installers, settle)
	return nil
}

// installHost boots a machine and packs the release that its mirror serves.
func installHost(ctx context.Context, dir string) (*testpeers.Machine, *testpeers.Mirror, error) {
	debian, err := testpeers.ExporterPackages().Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	release, err := testpeers.Pack(dir, "node_exporter-1.5.0.linux-amd64", map[string]string{
		"node_exporter": filepath.Join(debian.Dir, "usr/bin/prometheus-node-exporter"),
	})
	if err != nil {
		return nil, nil, err
	}
	mirror := &testpeers.Mirror{}
	mirror.Add("prometheus/node_exporter", "1.5.0", release)
	tree, err := testpeers.BookwormMachine().Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, err := testpeers.Boot(ctx, tree)
	return m, mirror, err
}

// serve publishes the mirror on the machine's loopback, at the server's Addr.
func serve(ctx context.Context, m *testpeers.Machine, mirror *testpeers.Mirror) (*http.Server, error) {
	listener, err := m.Listen(ctx)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Addr: listener.Addr().String(), Handler: mirror, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until Close
	return server, nil
}

// once installs, looks whether it runs, and takes it off again.
func (i *installer) once(ctx context.Context, m *testpeers.Machine, counts bool) error {
	start := time.Now()
	if _, err := m.Run(ctx, i.argv[0], i.argv[1:]...); err != nil {
		return fmt.Errorf("%s: %w", i.name, err)
	}
	if counts {
		i.times = append(i.times, time.Since(start))
	}
	metrics, err := m.Run(ctx, "curl", "-sf", "http://127.0.0.1:9100/metrics")
	if err != nil || !strings.Contains(string(metrics), `version="1.5.0"`) {
		return fmt.Errorf("%s: node_exporter does not answer: %w", i.name, err)
	}
	_, err = m.Run(ctx, "bash", "-ec", cleanScript)
	return err
}

// installTable prints medians, and the first one's as a ratio of each: of the whole, and without what both only wait.
func installTable(installers []*installer, settle time.Duration) {
	fmt.Printf("%-18s %10s %10s %10s %18s %18s\n", "TOOL", "MEDIAN s", "MIN s", "MAX s", "OPSCTL'S WALL / IT", "WITHOUT SETTLING")
	first := median(installers[0].times)
	for _, i := range installers {
		mid := median(i.times)
		fmt.Printf("%-18s %10.3f %10.3f %10.3f %18.2f %18.2f\n", i.name, mid.Seconds(), slices.Min(i.times).Seconds(), slices.Max(i.times).Seconds(),
			first.Seconds()/mid.Seconds(), (first-settle).Seconds()/(mid-settle).Seconds())
	}
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}
