package component

import "path"

// Where a component lies on its host.

func (c *Component) home() string                  { return path.Join("/opt", c.Name) }
func (c *Component) currentLink() string           { return path.Join(c.home(), "current") }
func (c *Component) release(version string) string { return path.Join(c.home(), version) }

// staging is where a release is laid down before it gets its name.
func (c *Component) staging(version string) string { return stagingOf(c.home(), version) }

func stagingOf(home, version string) string { return path.Join(home, ".new-"+version) }

func (c *Component) service() string  { return c.Name + ".service" }
func (c *Component) unitFile() string { return path.Join("/etc/systemd/system", c.service()) }

func (c *Component) etc() string                   { return path.Join("/etc", c.Name) }
func (c *Component) settingsFile() string          { return path.Join(c.etc(), "opsctl.yaml") }
func (c *Component) secretFile(name string) string { return path.Join(c.etc(), "secrets", name) }
func (c *Component) loadedFile() string            { return path.Join(StateDir, "loaded", c.Name+".json") }
func (c *Component) ownData() string               { return path.Join("/var/lib", c.Name) }
func (c *Component) program(version string) string { return path.Join(c.release(version), c.Binary) }

// configFile is "" for a component without one.
func (c *Component) configFile(s *Settings) string {
	switch {
	case c.Config == nil:
		return ""
	case s.Config != "":
		return s.Config
	}
	return path.Join(c.etc(), c.Config.File)
}

// dataDir is "" for a component without data.
func (c *Component) dataDir(s *Settings) string {
	switch {
	case c.Data == nil:
		return ""
	case s.Data != "":
		return s.Data
	}
	return c.ownData()
}
