package optionfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Search says which files are read, as the options of every program of MySQL's do.
type Search struct {
	NoDefaults bool   // none but the login file
	File       string // this alone, and the login file
	ExtraFile  string // between those of the system and the user's
	// GroupSuffix reads [client_x] as well as [client].
	GroupSuffix string
	// LoginPath is a further group of the login file.
	LoginPath string
	Getenv    func(string) string
	Home      string
	Warn      func(string)
}

// Load reads the options of groups from all files, the weakest first. A file that was named has to be there.
func (s Search) Load(groups []string) ([]Option, error) {
	r := &Reader{Warn: s.Warn, Home: s.Home}
	s.File, s.ExtraFile = expand(s.File, s.Home), expand(s.ExtraFile, s.Home)
	for _, path := range s.files() {
		err := r.File(path)
		named := path == s.File || path == s.ExtraFile
		if err != nil && !named && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading options: %w", err)
		}
	}
	groups = slices.Clone(groups)
	suffix := s.GroupSuffix
	if suffix == "" {
		suffix = first(s.Getenv("MARIADB_GROUP_SUFFIX"), s.Getenv("MYSQL_GROUP_SUFFIX"))
	}
	if suffix != "" {
		for _, group := range groups {
			groups = append(groups, group+suffix)
		}
	}
	all := inGroups(r.Options(), groups)
	login, err := s.login()
	if err != nil {
		return nil, err
	}
	if s.LoginPath != "" {
		if len(inGroups(login, []string{s.LoginPath})) == 0 {
			return nil, fmt.Errorf("the login file has no path %q: mysql_config_editor print --all shows those there are", s.LoginPath)
		}
		groups = append(groups, s.LoginPath, s.LoginPath+suffix)
	}
	return append(all, inGroups(login, groups)...), nil
}

func inGroups(options []Option, groups []string) []Option {
	return slices.DeleteFunc(slices.Clone(options), func(o Option) bool {
		return !slices.ContainsFunc(groups, func(g string) bool { return strings.EqualFold(g, o.Group) })
	})
}

// files are the option files in the order in which programs read them.
func (s Search) files() []string {
	switch {
	case s.NoDefaults:
		return nil
	case s.File != "":
		return []string{s.File}
	}
	files := []string{"/etc/my.cnf", "/etc/mysql/my.cnf"}
	if home := first(s.Getenv("MARIADB_HOME"), s.Getenv("MYSQL_HOME")); home != "" {
		file := filepath.Join(home, "my.cnf")
		// One that is read already has its place here.
		files = append(slices.DeleteFunc(files, func(f string) bool { return f == file }), file)
	}
	if s.ExtraFile != "" {
		files = append(files, s.ExtraFile)
	}
	if s.Home != "" {
		files = append(files, filepath.Join(s.Home, ".my.cnf"))
	}
	return files
}

// login reads the login file: that of MYSQL_TEST_LOGIN_FILE, or ~/.mylogin.cnf.
func (s Search) login() ([]Option, error) {
	path := s.Getenv("MYSQL_TEST_LOGIN_FILE")
	if path == "" && s.Home != "" {
		path = filepath.Join(s.Home, ".mylogin.cnf")
	}
	if path == "" {
		return nil, nil
	}
	r := &Reader{Warn: s.Warn, Home: s.Home}
	err := r.LoginFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && s.LoginPath == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the login file: %w", err)
	}
	return r.Options(), nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
