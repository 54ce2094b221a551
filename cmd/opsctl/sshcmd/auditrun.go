package sshcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/sshaudit"
)

// audit reads keys and logs and joins them. A document may stand beside an error that
// names the files which could not be read.
func audit(ctx context.Context, o *auditOptions) (*sshaudit.Document, error) {
	if o.baseline != "" {
		b, err := sshaudit.ReadBaseline(o.baseline)
		if err != nil {
			return nil, err
		}
		o.report.Baseline = b
	}
	if err := o.selectKeys(); err != nil {
		return nil, err
	}
	set, keyErr := authkeys.Read(ctx, o.keys)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	o.widenKeys(set)
	if set != nil && set.Config != nil && o.ofHost() {
		o.logs.Grace = graceOf(set.Config)
	}
	o.startHistory()
	o.logs.Save = o.save != ""
	logs, logErr := sshaudit.Collect(ctx, o.logs)
	if logs == nil {
		return nil, logErr
	}
	saveErr, err := o.saveLogs(logs, logErr)
	if err != nil {
		return nil, err
	}
	if !o.ofHost() && len(o.keys.Explicit) == 0 && !logs.About(set) {
		// The logs are of other hosts: this one's keys explain nothing, and
		// that they could not all be read does not matter.
		set, keyErr = nil, nil
	}
	o.report.Keys = set
	return logs.Report(o.report), errors.Join(logErr, saveErr, keyErr)
}

// graceOf is how long a connection may take: as long as the host's sshd lets it, and
// not less than sshd's default, since the logs may be older than the setting.
func graceOf(config *authkeys.Config) time.Duration {
	if config.LoginGraceTime == 0 { // no limit
		return time.Hour
	}
	return max(config.LoginGraceTime, sshaudit.DefaultGrace*time.Second)
}

// startHistory makes the first run of --merge FILE --save FILE, where there is no
// FILE yet, like all later ones.
func (o *auditOptions) startHistory() {
	if _, err := os.Stat(o.save); o.save != "" && (len(o.logs.Logs) > 0 || o.root != "") && errors.Is(err, fs.ErrNotExist) {
		o.logs.Merge = slices.DeleteFunc(o.logs.Merge, func(path string) bool { return path == o.save })
	}
}

// saveLogs writes what the logs said, unless the history that it was to join could not
// be read: without it the file would lose that history. It then says so in skipped.
func (o *auditOptions) saveLogs(logs *sshaudit.Collection, logErr error) (skipped, err error) {
	if o.save == "" {
		return nil, nil
	}
	for _, path := range o.logs.Merge {
		if failed(logErr, path) {
			return fmt.Errorf("%s: not written, it would lack what %s holds", o.save, path), nil
		}
	}
	if err := logs.Save(o.save); err != nil {
		return nil, fmt.Errorf("saving: %w", err)
	}
	return nil, nil
}

// failed tells whether one of joined errors is about a file.
func failed(err error, path string) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(joined.Unwrap(), func(e error) bool { return failed(e, path) })
	}
	fileErr, ok := errors.AsType[*sshaudit.FileError](err)
	return ok && fileErr.Path == path
}

// ofHost tells that logs and keys are those of one host for sure.
func (o *auditOptions) ofHost() bool {
	return o.root != "" || len(o.logs.Logs) == 0 && len(o.logs.Merge) == 0
}

// tooVague refuses what is in every key, and paths of files that are not there,
// as far as their names tell: base64 has no dots, but it may begin with a slash.
func tooVague(arg string) error {
	if slices.Contains([]string{"SHA256", "SHA256:", "MD5", "MD5:"}, arg) || strings.Trim(arg, "A") == "" {
		return cli.Usagef("--key %s means every key", arg)
	}
	info, err := os.Stat(arg)
	if err == nil && info.IsDir() || err != nil && strings.Contains(arg, ".") && !strings.HasSuffix(arg, "...") {
		return cli.Usagef("--key %s is no file that holds a key", arg)
	}
	return nil
}

// selectKeys finds out which keys --key means.
func (o *auditOptions) selectKeys() error {
	for _, arg := range o.key {
		if err := tooVague(arg); err != nil {
			return err
		}
		fps, err := authkeys.FingerprintOf(arg)
		switch {
		case errors.Is(err, fs.ErrPermission):
			return fmt.Errorf("--key %s: %w", arg, err)
		case err != nil:
			return cli.Usagef("--key %s: %w", arg, err)
		}
		o.report.Filter.Keys = append(o.report.Filter.Keys, fps...)
	}
	return nil
}

// widenKeys adds the other forms of the selected keys: logs hold fingerprints in one
// form, and a part of a key's base64 is in no log.
func (o *auditOptions) widenKeys(set *authkeys.Set) {
	if set == nil || len(o.report.Filter.Keys) == 0 {
		return
	}
	selected := o.report.Filter.Keys
	for _, k := range set.Keys {
		if authkeys.MatchesKey(selected, k.SHA256, k.MD5, k.Blob) {
			o.report.Filter.Keys = append(o.report.Filter.Keys, k.SHA256, k.MD5)
		}
	}
	for _, ca := range set.CAs {
		if authkeys.MatchesKey(selected, ca.SHA256, ca.MD5, ca.Blob) {
			o.report.Filter.Keys = append(o.report.Filter.Keys, ca.SHA256, ca.MD5)
		}
	}
}
