package authkeys

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/opsctl/opsctl/pkg/host"
)

func background() context.Context { return context.Background() }

// explicitFile is a key file that the caller named.
type explicitFile struct {
	name  string
	user  string // "" when the name says nothing about it
	lines []fileLine
}

// readExplicit reads files, and folders with all files below them, from the local file system. Nothing
// is known of the accounts they are for, so permissions are not judged.
func (s *site) readExplicit() error {
	local := host.Local()
	var errs []error
	for _, arg := range s.opts.Explicit {
		name, err := filepath.Abs(arg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		info, err := local.Stat(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !info.IsDir() {
			errs = append(errs, s.addExplicit(local, name, explicitUser(name, false)))
			continue
		}
		err = filepath.WalkDir(name, func(file string, e fs.DirEntry, err error) error {
			if err != nil {
				errs = append(errs, err)
				return nil
			}
			if target, statErr := local.Stat(file); e.IsDir() || statErr == nil && target.IsDir() {
				return nil // links to folders are not followed, so that a loop ends
			}
			errs = append(errs, s.addExplicit(local, file, explicitUser(file, true)))
			return nil
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *site) addExplicit(local *host.Host, name, user string) error {
	data, err := local.ReadFile(name, maxKeyFile)
	if err != nil {
		return err
	}
	if strings.HasPrefix(string(data), "-----BEGIN ") {
		return nil // a private key beside its public one
	}
	s.explicit = append(s.explicit, explicitFile{name: name, user: user, lines: s.parse(data)})
	return nil
}

// explicitUser guesses whose a key file is: the owner of the home folder of a file in .ssh, else, in a
// folder with a file for every user, the file's name without its extension.
func explicitUser(name string, inFolder bool) string {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	if path.Base(dir) == ".ssh" {
		if user := path.Base(path.Dir(dir)); user != "/" && user != "." {
			return user
		}
		return ""
	}
	if !inFolder {
		return ""
	}
	if user := strings.TrimSuffix(base, path.Ext(base)); user != "" && !strings.HasPrefix(user, "authorized_keys") {
		return user
	}
	return ""
}
