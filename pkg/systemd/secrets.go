package systemd

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// secretName matches names of variables and flags whose values are secrets.
func secretName(name string) bool {
	name = strings.ToLower(strings.NewReplacer("-", "_", ".", "_").Replace(strings.TrimLeft(name, "-")))
	for _, whole := range []string{"api_key", "access_key", "private_key", "secret_key", "password_hash", "data_source_name", "data_source_pass"} {
		if strings.HasSuffix(name, whole) {
			return true
		}
	}
	// The last word says what the value is: PASSWORD_FILE and TOKEN_TTL are none.
	last := name[strings.LastIndexByte(name, '_')+1:]
	for _, word := range []string{"password", "passwd", "passphrase", "secret", "token"} {
		if strings.HasSuffix(last, word) {
			return true
		}
	}
	return slices.Contains([]string{"pass", "pwd", "apikey", "dsn"}, last)
}

// secretValue matches values that hold a password whatever their name: user:password@ of a URL or a MySQL DSN.
func secretValue(value string) bool {
	if u, err := url.Parse(value); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok && plainSecret(password) {
			return true
		}
	}
	dsn := regexp.MustCompile(`^[^:@/\s]+:([^@\s]+)@(?:tcp|unix)?\(`).FindStringSubmatch(value)
	keyword := regexp.MustCompile(`(?i)(?:^|[\s;&?])(?:password|passwd|pwd)=([^\s;&]+)`).FindStringSubmatch(value)
	return len(dsn) > 1 && plainSecret(dsn[1]) || len(keyword) > 1 && plainSecret(keyword[1])
}

// plainSecret says whether a value is a secret itself, rather than nothing, a file, or a variable to be expanded.
func plainSecret(value string) bool {
	value = strings.Trim(value, `"'`)
	switch {
	case value == "", strings.HasPrefix(value, "/"), strings.HasPrefix(value, "${"), strings.HasPrefix(value, "%"):
		return false
	case strings.HasPrefix(value, "$"), value == "true", value == "false", value == "yes", value == "no":
		return false
	}
	return true
}

// secretVariable says whether NAME=VALUE of an environment shows a secret.
func secretVariable(name, value string) bool {
	if secretValue(value) {
		return true
	}
	if secretName(name) {
		return plainSecret(value)
	}
	return false
}

// secretArgument finds the argument of a command line that shows a secret: --password=X, --password X, a DSN. The
// program's own name is argv[0]. -1 means none.
func secretArgument(argv []string) int {
	for i, arg := range argv {
		if i == 0 {
			continue
		}
		name, value, joined := strings.Cut(arg, "=")
		isFlag := strings.HasPrefix(arg, "-")
		switch {
		case isFlag && joined && secretName(name) && plainSecret(value), secretValue(arg), joined && secretValue(value):
			return i
		case isFlag && !joined && secretName(name) && i+1 < len(argv) && !strings.HasPrefix(argv[i+1], "-") && plainSecret(argv[i+1]):
			return i + 1
		}
	}
	return -1
}

// check refuses what no version of the unit could hold.
func (s *Service) check() error {
	if len(s.Exec) == 0 || !cleanAbsolute(s.Exec[0]) || strings.Contains(s.Exec[0], "$") {
		return fmt.Errorf("the command %q must begin with an absolute path", s.Exec)
	}
	if !unitName(s.Name) {
		return fmt.Errorf("unit name %q: %w", s.Name, ErrUnsafe)
	}
	if s.User == "" || s.User == "nobody" || s.User == "nfsnobody" {
		return fmt.Errorf("the service must have a user of its own, not %q", s.User)
	}
	for _, name := range slices.Concat([]string{
		s.User, s.Group, s.StateDirectory, s.CacheDirectory, s.RuntimeDirectory,
		s.ConfigurationDirectory, s.ReloadSignal, s.Restart, s.WantedBy,
	}, s.After, s.Wants, s.Documentation, s.Capabilities) {
		if strings.ContainsAny(name, " \t#;\\\"'") {
			return fmt.Errorf("%q: blank, quote or comment mark in a name: %w", name, ErrUnsafe)
		}
	}
	for _, p := range slices.Concat(s.ReadWritePaths, s.ReadOnlyPaths) {
		if !cleanAbsolute(p) || strings.ContainsAny(p, " \t\"'\\:") {
			return fmt.Errorf("path %q is no plain absolute path: %w", p, ErrUnsafe)
		}
	}
	if i := secretArgument(s.Exec); i > 0 {
		return fmt.Errorf("argument %d of the command: %w", i, ErrSecret)
	}
	for _, v := range s.Environment {
		if secretVariable(v.Name, v.Value) {
			return fmt.Errorf("variable %s: %w", v.Name, ErrSecret)
		}
	}
	return s.checkCredentials()
}

// unitName says whether a name is made of what systemd.unit(5) allows.
func unitName(name string) bool {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(":-_.@", r)
	}
	return name != "" && len(name) < 248 && !strings.ContainsFunc(name, other)
}

func (s *Service) checkCredentials() error {
	for _, c := range s.Credentials {
		if !cleanAbsolute(c.File) || strings.ContainsAny(c.File, " \t\"'\\:") {
			return fmt.Errorf("credential %s: %q is no plain absolute path: %w", c.Name, c.File, ErrUnsafe)
		}
		if c.Name == "" || path.Base(c.Name) != c.Name || strings.ContainsAny(c.Name, " \t:%$\"'\\{}") {
			return fmt.Errorf("credential %q: %w", c.Name, ErrUnsafe)
		}
	}
	return nil
}
