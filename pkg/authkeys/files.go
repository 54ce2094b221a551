package authkeys

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/opsctl/opsctl/pkg/authkeys/accounts"
)

// keyFile is a file of an account's AuthorizedKeysFile, as sshd finds it.
type keyFile struct {
	name    string // as sshd names it in its log
	lines   []fileLine
	refused string // why sshd does not read it, "" when it does
	remedy  string
	err     error // why it could not be read here
}

// expand replaces the tokens of a file name (percent_expand). An unknown one ends the connection.
func expand(text string, tokens map[byte]string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) {
			return "", fmt.Errorf("invalid format %q", text)
		}
		if text[i] == '%' {
			out.WriteByte('%')
			continue
		}
		value, ok := tokens[text[i]]
		if !ok {
			return "", fmt.Errorf("unknown key %%%c in %q", text[i], text)
		}
		out.WriteString(value)
	}
	return out.String(), nil
}

func userTokens(u accounts.User) map[byte]string {
	return map[byte]string{'h': u.Home, 'u': u.Name, 'U': fmt.Sprint(u.UID)}
}

// keyNames expands a name of AuthorizedKeysFile or AuthorizedPrincipalsFile for a user: absolute, or
// below the home folder, and since OpenSSH 10.0 a pattern (expand_authorized_keys, user_key_allowed).
func (s *site) keyNames(text string, u accounts.User) ([]string, error) {
	name, err := expand(text, userTokens(u))
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(name, "/") {
		name = u.Home + "/" + name
	}
	if !s.version.AtLeast(10, 0) || !strings.ContainsAny(name, `*?[\`) {
		return []string{name}, nil
	}
	names, _ := s.host.Glob(name) // folders that cannot be read match nothing for sshd, too
	return names, nil
}

// open looks at a key file as sshd does: with the user's rights, and with StrictModes when strict. A file
// that does not exist is nil. A file that sshd does not read is read here nevertheless, so that the keys
// in it can be named.
func (s *site) open(name string, u accounts.User, strict bool) *keyFile {
	f := &keyFile{name: name}
	access := func(dir string, info fs.FileInfo) error {
		if f.refused == "" && !s.may(u, info, 1) {
			f.refused = fmt.Sprintf("%s cannot enter folder %s", u.Name, dir)
			f.remedy = "chmod a+x " + quote(dir)
		}
		return nil
	}
	resolved, err := s.host.Traverse(name, access)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return nil
	case err != nil:
		f.err = fmt.Errorf("reading %s: %w", s.host.Path(name), err)
		return f
	}
	info, err := s.host.Stat(resolved)
	if err != nil {
		f.err = err
		return f
	}
	if !info.Mode().IsRegular() {
		f.refused = fmt.Sprintf("%s is not a regular file", name)
		return f
	}
	if f.refused == "" && !s.may(u, info, 4) {
		f.refused = fmt.Sprintf("%s cannot read %s", u.Name, name)
		f.remedy = fmt.Sprintf("chown %s %s", quote(u.Name), quote(name))
	}
	if f.refused == "" && strict && !s.copied {
		f.refused, f.remedy = s.unsafe(resolved, info, u)
	}
	f.lines, f.err = s.read(resolved)
	return f
}

// may says whether a user's process has the permission bit (4 read, 1 search) by the mode of a file.
// Access control lists are not looked at.
func (s *site) may(u accounts.User, info fs.FileInfo, bit fs.FileMode) bool {
	owner, group, ok := ownerOf(info)
	if !ok || u.UID == 0 || s.copied {
		return true
	}
	mode := info.Mode().Perm()
	switch {
	case owner == u.UID:
		mode >>= 6
	case slices.Contains(s.accounts.GIDs(u), group):
		mode >>= 3
	}
	return mode&bit != 0
}

func ownerOf(info fs.FileInfo) (uid, gid uint32, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return st.Uid, st.Gid, true
}

// unsafe is safe_path(): the file and every folder above it up to the home folder, or to "/", belong to
// root or the user and can be written by nobody else. It returns why not, and what mends it.
func (s *site) unsafe(file string, info fs.FileInfo, u accounts.User) (why, remedy string) {
	if remedy := s.insecure(file, info, u); remedy != "" {
		return "bad ownership or modes for file " + file, remedy
	}
	home, err := s.host.RealPath(u.Home)
	if err != nil {
		home = ""
	}
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		info, err := s.host.Stat(dir)
		if err != nil {
			return "bad ownership or modes for directory " + dir, ""
		}
		if remedy := s.insecure(dir, info, u); remedy != "" {
			return "bad ownership or modes for directory " + dir, remedy
		}
		if dir == home || dir == "/" {
			return "", ""
		}
	}
}

// insecure is secure_permissions(): it returns the command that mends a file's owner or mode, "" when
// they are fine.
func (s *site) insecure(name string, info fs.FileInfo, u accounts.User) string {
	owner, group, ok := ownerOf(info)
	if !ok {
		return ""
	}
	mode := info.Mode().Perm()
	if owner != 0 && owner != u.UID {
		return fmt.Sprintf("chown %s %s", quote(u.Name), quote(name))
	}
	if mode&0o022 == 0 || mode&0o002 == 0 && s.version.Debian && s.accounts.OwnGroup(group, owner, u.UID) {
		return ""
	}
	return "chmod go-w " + quote(name)
}

// quote writes a word for a shell.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
