package component

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// checkOpen is an error about a component that is told to answer over TLS or with a password only (exporter-toolkit,
// docs/web-configuration.md): nobody could tell whether it is well, and a good service would be taken for a bad one.
func (in *Installer) checkOpen(t *target) error {
	for _, flag := range []string{"web.config.file", "web.config"} {
		name := t.want.arg(flag)
		if name == "" {
			continue
		}
		text, err := in.Host.ReadFile(name, maxSettings)
		if err != nil {
			return fmt.Errorf("--%s: %w", flag, err)
		}
		var web struct {
			TLS       yaml.Node `yaml:"tls_server_config"`
			Passwords yaml.Node `yaml:"basic_auth_users"`
		}
		if err := yaml.Unmarshal(text, &web); err != nil {
			return fmt.Errorf("%s: %w: %w", name, ErrSetting, err)
		}
		if len(web.TLS.Content)+len(web.Passwords.Content) > 0 {
			return fmt.Errorf("argument --%s=%s is %w: with it %s answers over TLS or with a password only, and opsctl, which asks it over HTTP, could not tell whether it is well",
				flag, name, ErrSetting, t.c.Name)
		}
	}
	return nil
}
