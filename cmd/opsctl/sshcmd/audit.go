package sshcmd

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/authkeys"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/severity"
	"github.com/opsctl/opsctl/pkg/span"
	"github.com/opsctl/opsctl/pkg/sshaudit"
)

// auditOptions are the flags that the two packages do not share.
type auditOptions struct {
	logs   sshaudit.Options
	report sshaudit.ReportOptions
	keys   authkeys.Options

	root, since, until, baseline, save, failOn string
	from, key                                  []string
}

// auditFunc is what the command calls; tests put their own in its place.
type auditFunc func(context.Context, *auditOptions) (*sshaudit.Document, error)

func newAudit(env *cli.Env, run auditFunc) *cobra.Command {
	o := auditOptions{report: sshaudit.ReportOptions{UnusedAfter: 90 * span.Day, MinRSA: 3072, Top: 20}}
	cmd := &cobra.Command{
		Use:   "audit [flags] [LOG...]",
		Short: "Explain every login by a key and the line that holds it",
		Long: "Reads sshd's logs and the key files of a host, and says who logged in with\n" +
			"which key, from where, and by which line of which file; which keys are unused,\n" +
			"unknown or dead; and who failed.\n\n" +
			"LOG is a file, a pattern, a folder or - (standard input): syslog in any of its\n" +
			"stamp forms or the journal's JSON, plain or packed with gzip, xz, zstd or bzip2.\n" +
			"Without LOG it reads this host's /var/log/auth.log* or secure*, else its\n" +
			"journal; with --merge and no LOG only what was saved. Nothing is written, but\n" +
			"for --save.",
		Example: "  opsctl ssh audit\n" +
			"  opsctl ssh audit --from 115.192.217.112\n" +
			"  opsctl ssh audit /var/log/auth.log* --user root --since 30d\n" +
			"  opsctl ssh audit --root /mnt/web01 --fail-on high\n" +
			"  opsctl ssh audit /var/log --merge history.opsctl --save history.opsctl\n" +
			"  opsctl ssh audit -o json | jq '.logins[] | select(.location == null)'",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cli.NotEmpty(cmd); err != nil {
				return err
			}
			if err := o.check(env, args); err != nil {
				return err
			}
			doc, err := run(cmd.Context(), &o)
			if doc == nil {
				return auditError(err)
			}
			page := view(doc, o.report.Filter.Active())
			if o.root != "" {
				page.Host = o.logs.Host.Name()
			}
			if renderErr := render.Document(env, page); renderErr != nil {
				return renderErr
			}
			return cli.Verdict(doc.Exceeds(severity.Severity(o.failOn)), err)
		},
	}
	o.addFlags(cmd)
	return cmd
}

func (o *auditOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.from, "from", nil, "show only what came from `CIDR` or address (repeatable)")
	f.StringVar(&o.report.Filter.User, "user", "", "show only `USER`")
	f.StringArrayVar(&o.key, "key", nil, "show only `KEY`: a fingerprint, a file, or a part of either's base64 (repeatable)")
	f.StringVar(&o.since, "since", "", "pass over earlier lines: `TIME` is 2026-11-01, 2026-11-01 12:30, RFC 3339, or 30d for 30 days ago")
	f.StringVar(&o.until, "until", "", "pass over lines from `TIME` on")
	f.StringArrayVar(&o.keys.Explicit, "authorized-keys", nil, "read the keys of this `FILE|DIR` instead of the accounts' files (repeatable)")
	f.StringVar(&o.root, "root", "", "take `DIR` as the host's /: its logs, accounts, keys and sshd_config")
	f.BoolVar(&o.keys.RunKeysCommand, "run-keys-command", false, "run AuthorizedKeysCommand for each account, as sshd would")
	f.Var(span.Value{D: &o.report.UnusedAfter}, "unused-after", "call a key unused after `DURATION` without a login")
	f.IntVar(&o.report.MinRSA, "min-rsa", o.report.MinRSA, "call an RSA key weak below `BITS`")
	f.StringVar(&o.baseline, "baseline", "", "report addresses that `FILE`, an earlier -o json or --save, does not have")
	f.StringVar(&o.save, "save", "", "write what the logs said to `FILE`, for a later --merge")
	f.StringArrayVar(&o.logs.Merge, "merge", nil, "add what a --save `FILE` holds (repeatable)")
	f.StringArrayVar(&o.report.Ignore, "ignore", nil, "leave out findings: `ID[:SUBJECT]` (repeatable)")
	f.StringVar(&o.failOn, "fail-on", "", "exit 3 on a finding of this `SEVERITY` or above: info, low, medium, high, critical")
	f.IntVar(&o.report.Top, "top", o.report.Top, "show the `N` largest rows of failures; 0 shows all")
}

// check turns the flags into the packages' options.
func (o *auditOptions) check(env *cli.Env, args []string) error {
	now := env.Now()
	o.logs.Logs, o.logs.Stdin, o.logs.Now, o.logs.Location = args, env.In, now, env.Location
	o.keys.Now, o.report.Now = now, now
	var err error
	if o.logs.Since, err = moment("--since", o.since, now, env); err != nil {
		return err
	}
	if o.logs.Until, err = moment("--until", o.until, now, env); err != nil {
		return err
	}
	if !o.logs.Until.IsZero() && !o.logs.Since.Before(o.logs.Until) {
		return cli.Usagef("--until %s is not after --since %s", o.until, o.since)
	}
	if (o.since != "" || o.until != "") && (o.save != "" || len(o.logs.Merge) > 0) {
		return cli.Usagef("--since and --until do not go with --save and --merge: a saved partial holds totals, not lines")
	}
	for _, text := range o.from {
		prefix, err := parsePrefix(text)
		if err != nil {
			return cli.Usagef("--from %q is neither an address nor a CIDR", text)
		}
		o.report.Filter.From = append(o.report.Filter.From, prefix)
	}
	for _, rule := range o.report.Ignore {
		if err := checkIgnore(rule); err != nil {
			return err
		}
	}
	if o.report.MinRSA < 0 || o.report.Top < 0 {
		return cli.Usagef("--min-rsa and --top must not be negative")
	}
	if o.failOn != "" {
		limit, err := severity.Parse(o.failOn)
		if err != nil {
			return cli.Usagef("--fail-on: %w", err)
		}
		o.failOn = string(limit)
	}
	o.logs.Progress = env.Progress("reading logs", cli.Bytes)
	return o.openHost()
}

func (o *auditOptions) openHost() error {
	if o.root == "" {
		o.logs.Host = host.Local()
		o.keys.Host = o.logs.Host
		return nil
	}
	if o.keys.RunKeysCommand {
		return cli.Usagef("--run-keys-command runs programs of this host, not of --root %s", o.root)
	}
	h, err := host.Root(o.root)
	if err != nil {
		return &cli.Error{Code: cli.CodeUsage, ID: "ssh.root", Err: err, Hint: "--root takes the folder that holds the host's etc and var"}
	}
	o.logs.Host, o.keys.Host = h, h
	return nil
}

func moment(flag, text string, now time.Time, env *cli.Env) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := span.Moment(text, now, env.Zone())
	if err != nil {
		return t, cli.Usagef("%s: %w", flag, err)
	}
	return t, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		ip = ip.Unmap().WithZone("")
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err == nil && prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), err
}

func checkIgnore(rule string) error {
	id, subject, narrow := strings.Cut(rule, ":")
	if narrow && subject == "" {
		return cli.Usagef("--ignore %s: the subject after the colon is empty", rule)
	}
	var known []string
	for _, r := range sshaudit.Rules() {
		if r.ID == id {
			return nil
		}
		known = append(known, r.ID)
	}
	return cli.Usagef("--ignore %s: no finding has the id %q; there are %s", rule, id, strings.Join(known, ", "))
}

// auditError gives the error of an audit that has no result its code.
func auditError(err error) error {
	var fileErr *sshaudit.FileError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &cli.Error{Code: cli.CodeDenied, ID: "ssh.denied", Err: err, Hint: "run it as root, or as a member of group adm for the logs alone"}
	case errors.Is(err, sshaudit.ErrNoLogs):
		return &cli.Error{Code: cli.CodeFailed, ID: "ssh.logs", Err: err, Hint: "name the logs: opsctl ssh audit FILE..., or --root DIR"}
	case errors.As(err, &fileErr):
		return &cli.Error{Code: cli.CodeFailed, ID: "ssh.logs", Err: err}
	}
	return err
}
