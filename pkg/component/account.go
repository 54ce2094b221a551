package component

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/plan"
)

// account is the user that the service runs as. useradd takes no more than 32 characters, and no capital letters.
func (c *Component) account(s *Settings) string {
	if s.User != "" {
		return s.User
	}
	return strings.ReplaceAll(c.Name, "-", "_")
}

// maxAccounts bounds /etc/passwd.
const maxAccounts = 64 << 20

// owner is an account's numbers.
type owner struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// findAccount looks into the host's own files: accounts of a directory service are not for services.
func (in *Installer) findAccount(name string) (o owner, found bool, err error) {
	data, err := in.Host.ReadFile("/etc/passwd", maxAccounts)
	if err != nil {
		return owner{}, false, err
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(line, ":") // name:password:UID:GID:..., passwd(5)
		if len(f) < 4 || f[0] != name {
			continue
		}
		uid, err1 := strconv.Atoi(f[2])
		gid, err2 := strconv.Atoi(f[3])
		if err := errors.Join(err1, err2); err != nil {
			return owner{}, false, fmt.Errorf("account %s in %s: %w", name, in.Host.Path("/etc/passwd"), err)
		}
		return owner{uid, gid}, true, nil
	}
	return owner{}, false, nil
}

// addAccount makes a system account without home, shell or password (useradd(8)).
func (in *Installer) addAccount(name string) plan.Step {
	return plan.Step{
		Former: former{Account: name},
		Action: "create", Target: "user " + name, Detail: "a system account without home, shell or password",
		Do: func(ctx context.Context) error {
			err := in.run(ctx, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name)
			const exists = 9
			if status, ok := errors.AsType[*exec.ExitError](err); ok && status.ExitCode() == exists {
				// A killed run got as far, unless somebody has the name who is not in the host's own files.
				if _, has, findErr := in.findAccount(name); findErr != nil || has {
					return findErr
				}
			}
			return err
		},
		Undo: func(ctx context.Context) error {
			if _, has, err := in.findAccount(name); err != nil || !has {
				return err
			}
			return in.run(ctx, "userdel", name)
		},
	}
}

// run runs useradd or userdel on the host; for an image, that of this machine with --prefix, which both have. They sync the
// files that they write, and not the folder in which those get their names.
func (in *Installer) run(ctx context.Context, name string, args ...string) error {
	var err error
	if in.Host.Live() {
		_, err = in.Host.Run(ctx, append([]string{name}, args...)...)
	} else {
		_, err = host.Local().Run(ctx, append([]string{name, "--prefix", in.Dir}, args...)...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return atomicfile.SyncDir(in.path("/etc"))
}
