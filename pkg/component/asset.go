package component

import (
	"strings"

	"github.com/opsctl/opsctl/pkg/fetch"
)

// Asset is the archive of a release for Linux. arch is Go's name.
func (c *Component) Asset(version, arch string) fetch.Asset {
	owner, repo, _ := strings.Cut(c.Repository, "/")
	return fetch.Asset{
		Owner: owner, Repo: repo, Name: c.Name, Version: version, OS: "linux", Arch: arch, File: c.File(version, "linux", arch),
		Sums: release(c.Sums, version, "linux", arch),
	}
}
