package authkeys

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/opsctl/opsctl/pkg/authkeys/accounts"
	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/sshdconfig"
)

// Read reads the host's accounts, sshd's configuration and all key files. When some of them cannot be
// read it returns what it could read beside the joined errors, one per file; without a list of accounts
// the Set is nil.
//
// Where settings depend on the client's address, all files are read that count for some address, and a
// key is dead only when it is for all.
func Read(ctx context.Context, opts Options) (*Set, error) {
	s, siteErr := newSite(ctx, opts)
	if s == nil {
		return nil, siteErr
	}
	b := &builder{site: s, set: &Set{site: s, Host: s.host.Name()}, seen: map[string]bool{}}
	b.fail(siteErr)
	if len(s.opts.Explicit) > 0 {
		b.named()
	} else if err := b.own(ctx); err != nil {
		return nil, err
	}
	return b.finish(), errors.Join(b.errs...)
}

// builder collects a Set.
type builder struct {
	*site
	set    *Set
	errs   []error
	seen   map[string]bool // problems and errors that were reported
	opened int             // key files whose lines were read
	closed int             // key files that could not be read
}

func (b *builder) fail(err error) {
	if err != nil && !b.seen[err.Error()] {
		b.seen[err.Error()] = true
		b.errs = append(b.errs, err)
	}
}

func (b *builder) problem(p Problem) {
	p.Host = b.set.Host
	id := fmt.Sprint(p.Kind, "\x00", p.File, "\x00", p.Line, "\x00", p.User, "\x00", p.Message)
	if !b.seen[id] {
		b.seen[id] = true
		b.set.Problems = append(b.set.Problems, p)
	}
}

func (b *builder) finish() *Set {
	set := b.set
	set.Read = b.opened > 0 || b.closed == 0
	// Consumers print these as they are: a list is never null.
	set.Keys, set.CAs = orEmpty(set.Keys), orEmpty(set.CAs)
	set.Accounts, set.Problems = orEmpty(set.Accounts), orEmpty(set.Problems)
	return set
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// own reads a host's own files.
func (b *builder) own(ctx context.Context) error {
	b.set.Source = "defaults"
	global := sshdconfig.Default()
	if b.config != nil {
		b.set.Source = "sshd_config"
		for _, p := range b.config.Problems() {
			b.problem(Problem{Kind: configKinds[p.Kind], File: p.File, Line: p.Line, Message: p.Message})
		}
		global = b.config.Global()
	}
	if c, err := b.settings(sshdconfig.Connection{}); err == nil {
		global = c
	}
	b.set.Config = global
	b.hostFiles(global)
	for _, u := range b.accounts.Users {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.account(ctx, u)
	}
	if b.sshd {
		b.set.Source = "sshd -T"
	}
	return nil
}

var configKinds = map[sshdconfig.Kind]ProblemKind{
	sshdconfig.Unknown: ProblemDirective, sshdconfig.Deprecated: ProblemDeprecated,
	sshdconfig.Bad: ProblemConfig, sshdconfig.Unreadable: ProblemUnreadable,
}

// hostFiles reads the authorities and revocations that hold for all accounts.
func (b *builder) hostFiles(c *Config) {
	if b.copied && c.StrictModes {
		b.problem(Problem{Kind: ProblemCopy, File: "/", Message: "owners and modes of the files are those of a copy: StrictModes was not judged"})
	}
	if !b.accounts.ShadowRead && !c.UsePAM {
		b.problem(Problem{Kind: ProblemAccounts, File: "/etc/shadow", Message: "whether accounts are locked is unknown without it"})
	}
	if r := b.revocations(c.RevokedKeys); r != nil && r.broken != nil {
		b.problem(Problem{
			Kind: ProblemRevoked, File: r.name, Message: fmt.Sprintf("sshd refuses every key: %v", r.broken),
			Remedy: "mend the file, or take RevokedKeys out of sshd_config",
		})
	}
	list, err := b.trusted(c.TrustedUserCAKeys)
	if err != nil {
		b.problem(Problem{
			Kind: ProblemTrustedCA, File: c.TrustedUserCAKeys, Message: fmt.Sprintf("sshd reads no further: %v", err),
			Remedy: "mend or remove the line",
		})
	}
	for _, l := range list {
		b.set.CAs = append(b.set.CAs, CA{
			Host: b.set.Host, File: c.TrustedUserCAKeys, Line: l.line, Type: l.key.Type, Bits: l.key.Bits, Comment: l.comment,
			SHA256: l.key.SHA256(), MD5: l.key.MD5(), Blob: l.key.Blob,
			Dead: (&judge{site: b.site, config: c, now: b.opts.Now, lists: b.revocations(c.RevokedKeys)}).authority(l.key).reason,
		})
	}
}

// account reads one account's files, under the settings for an unknown address and, when addresses
// matter, also under those that hold when all conditions about them do.
func (b *builder) account(ctx context.Context, u accounts.User) {
	if known, ok := b.accounts.Lookup(ctx, u.Name); !ok || known.UID != u.UID || known.Home != u.Home {
		return // a later entry of the same name, which the system never finds
	}
	account := Account{
		Name: u.Name, UID: u.UID, GID: u.GID, Home: u.Home, Shell: u.Shell, Groups: orEmpty(b.accounts.GroupNames(u)), Locked: u.Locked,
		LoginShell: !slices.Contains([]string{"nologin", "false"}, path.Base(u.Shell)), Files: []string{},
	}
	views := []sshdconfig.Connection{{User: u.Name}}
	if b.config != nil && b.config.ByAddress() {
		views = append(views, sshdconfig.Connection{User: u.Name, AnyAddress: true})
	}
	var judges []*judge
	for _, conn := range views {
		c, err := b.settings(conn)
		if err != nil {
			b.problem(Problem{Kind: ProblemConfig, User: u.Name, Message: "sshd ends the connection: " + err.Error()})
		}
		judges = append(judges, newJudge(b.site, u, c, sshdconfig.Connection{}, b.opts.Now))
	}
	account.Refused = common(judges, (*judge).accountRefused)
	for _, j := range judges {
		for _, f := range b.keyFiles(j) {
			if !slices.Contains(account.Files, f.name) {
				account.Files = append(account.Files, f.name)
				b.keyFile(u, f, judges, account.Refused)
			}
		}
	}
	b.set.Accounts = append(b.set.Accounts, account)
	if c := judges[0].config; b.runsKeys(c) {
		b.keysCommand(ctx, u, judges, account.Refused)
	}
}

// accountRefused is why nobody gets into the account with any key.
func (j *judge) accountRefused() string {
	if why := j.userRefused(); why != "" {
		return why
	}
	if why, _ := j.methodRefused(); why != "" {
		return why
	}
	if j.config.PermitRootLogin == "no" {
		return j.rootRefused(false)
	}
	return ""
}

// common is the first judge's answer when all have one, "" when one has none.
func common(judges []*judge, ask func(*judge) string) string {
	first := ""
	for i, j := range judges {
		why := ask(j)
		if why == "" {
			return ""
		}
		if i == 0 {
			first = why
		}
	}
	return first
}

// keyFiles opens the existing key files of a user in sshd's order. Two names of one file are both there.
func (b *builder) keyFiles(j *judge) []*keyFile {
	var list []*keyFile
	for _, text := range j.config.AuthorizedKeysFiles {
		if strings.EqualFold(text, "none") {
			continue
		}
		names, err := j.keyNames(text, j.user)
		if err != nil {
			b.problem(Problem{
				Kind: ProblemConfig, User: j.user.Name, Message: "sshd ends the connection: AuthorizedKeysFile: " + err.Error(),
				Remedy: "use %h, %u, %U and %% only",
			})
			continue
		}
		for _, name := range names {
			if f := j.open(name, j.user, j.config.StrictModes); f != nil {
				list = append(list, f)
			}
		}
	}
	return list
}

// named reads the files that the caller named.
func (b *builder) named() {
	b.set.Source = "explicit"
	b.set.Config = sshdconfig.Default()
	err := b.readExplicit()
	if err != nil {
		b.closed++
		b.errs = append(b.errs, err)
	}
	for _, f := range b.explicit {
		b.opened++
		u, _ := b.lookup(f.user)
		judges := []*judge{newJudge(b.site, u, b.set.Config, sshdconfig.Connection{}, b.opts.Now)}
		b.lines(f.user, f.name, f.lines, func(l keyline.Line) finding { return b.dead(l, judges, "", "") })
	}
}
