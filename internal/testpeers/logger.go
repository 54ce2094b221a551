package testpeers

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Rsyslog is a running rsyslogd that answers /dev/log of its box.
type Rsyslog struct {
	box    *Box
	daemon *Daemon
}

// RsyslogOptions configures [Box.StartRsyslog].
type RsyslogOptions struct {
	Files  map[Framing]string // file inside the box for each template that shall be written
	Reduce bool               // $RepeatedMsgReduction: "message repeated N times: [ ... ]"
	At     time.Time          // where its clock starts; zero is the true time
}

// fakeTime holds rsyslogd's distance from the true time; libfaketime reads it at every look at the clock.
const fakeTime = "/etc/faketimerc"

// StartRsyslog starts rsyslogd with its own templates. Its clock can be moved with [Rsyslog.SetTime].
func (b *Box) StartRsyslog(ctx context.Context, opts RsyslogOptions) (*Rsyslog, error) {
	reduce := "off"
	if opts.Reduce {
		reduce = "on"
	}
	// rsyslogd's own clock stamps the lines, not the kernel's and not the sender's: only that one is faked.
	var conf strings.Builder
	conf.WriteString("$RepeatedMsgReduction " + reduce + "\n" +
		`module(load="imuxsock" SysSock.Name="` + logSocket + `" SysSock.RateLimit.Interval="0" SysSock.UseSysTimeStamp="off" SysSock.IgnoreTimestamp="on")` + "\n")
	for _, framing := range slices.Sorted(maps.Keys(opts.Files)) {
		fmt.Fprintf(&conf, "action(type=\"omfile\" file=%q template=%q)\n", opts.Files[framing], framing)
	}
	files := []File{
		{Name: "/etc/rsyslog.conf", Text: conf.String(), Mode: 0o644},
		{Name: fakeTime, Text: "+0", Mode: 0o644},
	}
	if !opts.At.IsZero() {
		files[1].Text = offsetTo(opts.At)
	}
	if err := b.WriteFiles(files...); err != nil {
		return nil, err
	}
	cmd := b.Command(context.WithoutCancel(ctx), "/bin/busybox", "env",
		"LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "FAKETIME_TIMESTAMP_FILE="+fakeTime,
		"FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
		"/usr/sbin/rsyslogd", "-n", "-i", "/run/rsyslogd.pid", "-f", "/etc/rsyslog.conf")
	daemon, err := b.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("starting rsyslogd: %w", err)
	}
	return &Rsyslog{box: b, daemon: daemon}, b.awaitSocket(ctx, daemon)
}

func (b *Box) awaitSocket(ctx context.Context, daemon *Daemon) error {
	for !exists(b.Path(logSocket)) {
		if ctx.Err() != nil || !exists(fmt.Sprintf("/proc/%d/exe", daemon.Pid)) {
			_ = daemon.Stop()
			return fmt.Errorf("no log socket: %s", daemon.Output())
		}
		pause()
	}
	return nil
}

// SetTime makes rsyslogd believe that it is t now; its clock runs on from there.
func (r *Rsyslog) SetTime(t time.Time) error {
	// In place and in one write: rsyslogd may read at any moment.
	return os.WriteFile(r.box.Path(fakeTime), []byte(offsetTo(t)), 0o644)
}

// offsetTo is the distance to t in the form that libfaketime reads.
func offsetTo(t time.Time) string { return fmt.Sprintf("%+f", time.Until(t).Seconds()) }

// Stop ends rsyslogd, which writes out everything that it has received.
func (r *Rsyslog) Stop() error {
	if err := r.daemon.Stop(); err != nil {
		return err
	}
	return os.RemoveAll(r.box.Path(logSocket))
}

// Journal is a running systemd-journald that answers /dev/log of its box.
type Journal struct {
	box    *Box
	daemon *Daemon
}

// StartJournald starts systemd-journald, without systemd, writing to /run/log/journal.
func (b *Box) StartJournald(ctx context.Context) (*Journal, error) {
	const machineID = "0123456789abcdef0123456789abcdef"
	files := []File{
		{Name: "/etc/machine-id", Text: machineID + "\n", Mode: 0o444},
		{Name: "/etc/systemd/journald.conf", Text: "[Journal]\nStorage=volatile\nRateLimitBurst=0\nReadKMsg=no\nAudit=no\n", Mode: 0o644},
		{Name: "/run/systemd/journal/.keep", Mode: 0o644},
	}
	if err := b.WriteFiles(files...); err != nil {
		return nil, err
	}
	const devLog = "/run/systemd/journal/dev-log"
	if err := os.Symlink(devLog, b.Path(logSocket)); err != nil {
		return nil, err
	}
	daemon, err := b.Start(b.Command(context.WithoutCancel(ctx), "/usr/lib/systemd/systemd-journald"))
	if err != nil {
		return nil, fmt.Errorf("starting systemd-journald: %w", err)
	}
	for !exists(b.Path(devLog)) {
		if ctx.Err() != nil || !exists(fmt.Sprintf("/proc/%d/exe", daemon.Pid)) {
			_ = daemon.Stop()
			return nil, fmt.Errorf("no log socket: %s", daemon.Output())
		}
		pause()
	}
	return &Journal{box: b, daemon: daemon}, nil
}

// Export returns what journalctl -o json --all prints for sshd's processes. It goes by the name that they logged under: an
// entry lacks _COMM when its process had ended before journald looked.
func (j *Journal) Export(ctx context.Context) ([]byte, error) {
	// journald may still have datagrams to read.
	if _, err := j.box.Run(ctx, "/usr/bin/journalctl", "--sync"); err != nil {
		return nil, err
	}
	return j.box.Run(ctx, "/usr/bin/journalctl", "-D", "/run/log/journal", "-o", "json", "--all", "--no-pager",
		"SYSLOG_IDENTIFIER=sshd", "SYSLOG_IDENTIFIER=sshd-session", "SYSLOG_IDENTIFIER=sshd-auth")
}

// Stop ends journald.
func (j *Journal) Stop() error {
	if err := j.daemon.Stop(); err != nil {
		return err
	}
	return os.RemoveAll(j.box.Path(logSocket))
}

// SetNextPid makes the box's next process have about this pid, so that logs read like a machine's that has been up for long.
func (b *Box) SetNextPid(ctx context.Context, pid int) error {
	_, err := b.Run(ctx, "/bin/busybox", "sh", "-c", fmt.Sprintf("echo %d > /proc/sys/kernel/ns_last_pid", pid))
	return err
}
