package component

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// serviceOf describes the component's service.
func (c *Component) serviceOf(s *Settings) *systemd.Service {
	service := &systemd.Service{
		Name: c.Name, Description: c.Name + ", " + c.Summary, Documentation: []string{"https://github.com/" + c.Repository},
		After: []string{"network-online.target"}, Wants: []string{"network-online.target"},
		Exec: c.argv(s), User: c.account(), DynamicUser: true,
		ReloadSignal: c.Reload, OpenFiles: c.OpenFiles, Capabilities: c.Capabilities,
		Hardening: systemd.Hardening{Profile: c.Profile, Overrides: c.Overrides},
	}
	if c.Data {
		service.StateDirectory = c.Name
	}
	return service
}

// unit writes the unit file.
func (c *Component) unit(s *Settings, version int) ([]byte, error) {
	return c.serviceOf(s).Render(version)
}

// account is the user that the service runs as. useradd takes no more than 32 characters, and no capital letters.
func (c *Component) account() string { return strings.ReplaceAll(c.Name, "-", "_") }

// maxAccounts bounds /etc/passwd.
const maxAccounts = 64 << 20

// hasAccount looks into the host's own files: accounts of a directory service are not for services.
func (in *Installer) hasAccount(name string) (bool, error) {
	data, err := in.Host.ReadFile("/etc/passwd", maxAccounts)
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, name+":") {
			return true, nil
		}
	}
	return false, nil
}

// addAccount makes a system account without home, shell or password (useradd(8)).
func (in *Installer) addAccount(name string) plan.Step {
	return plan.Step{
		Action: "create", Target: "user " + name, Detail: "a system account without home, shell or password",
		Do: func(ctx context.Context) error {
			err := in.run(ctx, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name)
			const exists = 9 // a killed run got as far
			if status, ok := errors.AsType[*exec.ExitError](err); ok && status.ExitCode() == exists {
				return nil
			}
			return err
		},
		Undo: func(ctx context.Context) error {
			if has, err := in.hasAccount(name); err != nil || !has {
				return err
			}
			return in.run(ctx, "userdel", name)
		},
	}
}

// run runs a program of the host; for an image, the one of this machine with --root, which both useradd and userdel have.
func (in *Installer) run(ctx context.Context, name string, args ...string) error {
	if in.Host.Live() {
		_, err := in.Host.Run(ctx, append([]string{name}, args...)...)
		return err
	}
	if _, err := host.Local().Run(ctx, append([]string{name, "--prefix", in.Dir}, args...)...); err != nil {
		return fmt.Errorf("%s in %s: %w", name, in.Dir, err)
	}
	return nil
}
