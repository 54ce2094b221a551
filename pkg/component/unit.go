package component

import (
	"errors"
	"io/fs"

	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/systemd"
)

// serviceOf describes the component's service.
func (c *Component) serviceOf(s *Settings) *systemd.Service {
	service := &systemd.Service{
		Name: c.Name, Description: c.Name + ", " + c.Summary, Documentation: []string{"https://github.com/" + c.Repository},
		After: []string{"network-online.target"}, Wants: []string{"network-online.target"},
		Exec: c.argv(s), Environment: c.environment(s), User: c.account(s), DynamicUser: s.User == "" && s.Data == "",
		OpenFiles: c.OpenFiles, Capabilities: c.Capabilities,
		Hardening: systemd.Hardening{Profile: c.Profile, Overrides: c.Overrides},
	}
	if c.Reload != nil {
		service.ReloadSignal = c.Reload.Signal
	}
	for _, name := range s.Secrets {
		service.Credentials = append(service.Credentials, systemd.Credential{Name: name, File: c.secretFile(name)})
	}
	switch {
	case c.Data == nil:
	case s.Data == "":
		service.StateDirectory = c.Name
	default:
		service.ReadWritePaths = []string{s.Data}
	}
	return service
}

// unit writes the unit file.
func (c *Component) unit(s *Settings, version int) ([]byte, error) {
	return c.serviceOf(s).Render(version)
}

// Unit writes the unit of a component for a version of systemd: as it was chosen on this host, else as a new installation
// has it, with all secrets that it needs.
func Unit(name string, version int) (string, error) {
	catalogue, err := Shipped()
	if err != nil {
		return "", err
	}
	c, err := catalogue.Get(name)
	if err != nil {
		return "", err
	}
	s, err := c.readSettings(host.Local())
	if errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	if err == nil && s == nil {
		s, err = c.choose(nil, &Options{})
		for _, secret := range c.Secrets {
			if secret.Required {
				s.Secrets = append(s.Secrets, secret.Name)
			}
		}
	}
	if err != nil {
		return "", err
	}
	text, err := c.unit(s, version)
	return string(text), err
}
