package authkeys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/opsctl/opsctl/pkg/authkeys/accounts"
	"github.com/opsctl/opsctl/pkg/authkeys/keyline"
	"github.com/opsctl/opsctl/pkg/authkeys/sshdconfig"
	"github.com/opsctl/opsctl/pkg/host"
)

// KeysCommandFile stands in for a file's name in keys that AuthorizedKeysCommand printed.
const KeysCommandFile = "AuthorizedKeysCommand"

// Limits on a command. sshd has none but LoginGraceTime.
const (
	commandTime   = 10 * time.Second
	commandOutput = 4 << 20
)

// errNeedsKey is a command that looks at the offered key, so that it cannot list all keys.
var errNeedsKey = errors.New("the command is told the offered key, so it cannot be asked for all keys")

// runsKeys says whether sshd asks a command for keys, and takes note.
func (b *builder) runsKeys(c *Config) bool {
	if c.AuthorizedKeysCommand == "" || strings.EqualFold(c.AuthorizedKeysCommand, "none") {
		return false
	}
	b.set.HasKeysCommand = true
	if !b.opts.RunKeysCommand || !b.host.Live() {
		b.problem(Problem{
			Kind: ProblemKeysCommand, Message: fmt.Sprintf("keys also come from %q, which was not run", c.AuthorizedKeysCommand),
			Remedy: "run it with --run-keys-command on the host",
		})
		return false
	}
	return true
}

// keysCommand runs the command for a user and takes the lines it prints into the set.
func (b *builder) keysCommand(ctx context.Context, u accounts.User, judges []*judge, refused string) {
	out, err := b.runKeysCommand(ctx, u, judges[0].config)
	if err != nil {
		b.problem(Problem{Kind: ProblemCommandError, File: KeysCommandFile, User: u.Name, Message: err.Error()})
		if !errors.Is(err, errNeedsKey) {
			b.fail(fmt.Errorf("asking AuthorizedKeysCommand about %s: %w", u.Name, err))
		}
		return
	}
	lines := b.parse(out)
	b.output[u.Name] = lines
	b.lines(u.Name, KeysCommandFile, lines, func(l keyline.Line) finding { return b.dead(l, judges, "", refused) })
}

// runKeysCommand is the first half of user_key_command_allowed2(): the command runs as its own user,
// with a small environment, when its path is absolute and safe.
func (b *builder) runKeysCommand(ctx context.Context, u accounts.User, c *Config) ([]byte, error) {
	name, err := expand(c.AuthorizedKeysCommandUser, map[byte]string{'u': u.Name})
	if err != nil {
		return nil, err
	}
	as, ok := b.accounts.Lookup(ctx, name)
	if !ok {
		return nil, fmt.Errorf("AuthorizedKeysCommandUser %q not found", name)
	}
	argv, err := sshdconfig.Split(c.AuthorizedKeysCommand, false)
	if err != nil || len(argv) == 0 {
		return nil, fmt.Errorf("AuthorizedKeysCommand %q contains invalid quotes", c.AuthorizedKeysCommand)
	}
	tokens := userTokens(u)
	for i := range argv[1:] {
		if usesKey(argv[i+1]) {
			return nil, errNeedsKey
		}
		if argv[i+1], err = expand(argv[i+1], tokens); err != nil {
			return nil, err
		}
	}
	if len(argv) == 1 {
		argv = append(argv, u.Name)
	}
	if err := b.safeCommand(argv[0]); err != nil {
		return nil, err
	}
	cmd := host.Command{
		Argv: argv, MaxOutput: commandOutput,
		Env: []string{
			"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "USER=" + as.Name, "LOGNAME=" + as.Name, "HOME=" + as.Home,
		},
	}
	if os.Geteuid() == 0 {
		cmd.As = &host.Credential{UID: as.UID, GID: as.GID}
	} else if uint32(os.Geteuid()) != as.UID {
		return nil, fmt.Errorf("only root can run it as %s", as.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	return b.host.Exec(ctx, cmd)
}

// usesKey says whether an argument holds a token about the offered key or the connection.
func usesKey(arg string) bool {
	arg = strings.ReplaceAll(arg, "%%", "")
	for _, token := range []string{"%t", "%k", "%f", "%C", "%D"} {
		if strings.Contains(arg, token) {
			return true
		}
	}
	return false
}

// safeCommand is what subprocess() in misc.c demands of a program: an absolute path, and a file that
// only root can change, in folders that only root can change.
func (b *builder) safeCommand(name string) error {
	if !strings.HasPrefix(name, "/") {
		return fmt.Errorf("path %q is not absolute", name)
	}
	resolved, err := b.host.RealPath(name)
	if err != nil {
		return err
	}
	for at := resolved; ; at = path.Dir(at) {
		info, err := b.host.Stat(at)
		if err != nil {
			return err
		}
		if at == resolved && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", at)
		}
		if b.insecure(at, info, accounts.User{UID: 0, Name: "root"}) != "" {
			return fmt.Errorf("unsafe: bad ownership or modes for %s", at)
		}
		if at == "/" {
			return nil
		}
	}
}
