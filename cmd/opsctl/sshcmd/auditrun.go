package sshcmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/opsctl/opsctl/pkg/authkeys"
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
	set, keyErr := authkeys.Read(ctx, o.keys)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := o.selectKeys(set); err != nil {
		return nil, err
	}
	if set != nil && set.Config != nil && o.ofHost() {
		// A connection may take as long as this host's sshd lets it.
		o.logs.Grace = max(set.Config.LoginGraceTime, o.logs.Grace)
	}
	o.logs.Save = o.save != ""
	logs, logErr := sshaudit.Collect(ctx, o.logs)
	if logs == nil {
		return nil, logErr
	}
	if o.save != "" {
		if err := logs.Save(o.save); err != nil {
			return nil, fmt.Errorf("saving: %w", err)
		}
	}
	if !o.ofHost() && len(o.keys.Explicit) == 0 && !logs.About(set) {
		// The logs are of other hosts: this one's keys explain nothing, and
		// that they could not all be read does not matter.
		set, keyErr = nil, nil
	}
	o.report.Keys = set
	return logs.Report(o.report), errors.Join(logErr, keyErr)
}

// ofHost tells that logs and keys are those of one host for sure.
func (o *auditOptions) ofHost() bool { return o.root != "" || len(o.logs.Logs) == 0 }

// selectKeys finds out which keys --key means.
func (o *auditOptions) selectKeys(set *authkeys.Set) error {
	for _, arg := range o.key {
		fps, err := authkeys.FingerprintOf(arg)
		if err != nil {
			return fmt.Errorf("--key %s: %w", arg, err)
		}
		o.report.Filter.Keys = append(o.report.Filter.Keys, fps...)
	}
	return nil
}
