package component

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
)

// path is where a file of the host lies on this machine. The links of an image's folders are the image's: none leads out of it.
func (in *Installer) path(name string) string {
	if in.Host == nil || in.Host.Live() {
		return filepath.Join(in.Dir, filepath.FromSlash(name))
	}
	name = path.Join("/", name)
	dir, rest := path.Split(name)
	for dir = path.Clean(dir); dir != "/"; dir = path.Dir(dir) {
		if found, err := in.Host.RealPath(dir); err == nil {
			return filepath.Join(in.Dir, found, rest)
		}
		rest = path.Join(path.Base(dir), rest)
	}
	return filepath.Join(in.Dir, rest)
}

// checkImage refuses an image with a link that leads nowhere in place of a folder that is to be written to: on this machine it
// could lead somewhere.
func (in *Installer) checkImage(c *Component) error {
	if in.Host.Live() {
		return nil
	}
	for _, dir := range []string{c.home(), c.etc(), path.Join(c.etc(), "secrets"), path.Dir(c.unitFile()), c.ownData(), StateDir} {
		for ; dir != "/"; dir = path.Dir(dir) {
			info, err := in.Host.Lstat(dir)
			if err != nil || info.Mode()&fs.ModeSymlink == 0 {
				continue
			}
			if _, err := in.Host.RealPath(dir); err != nil {
				return fmt.Errorf("the image's %s is a link that leads nowhere: %w", dir, err)
			}
		}
	}
	return nil
}
