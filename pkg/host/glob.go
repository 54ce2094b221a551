package host

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Glob lists the host's names that match an absolute pattern, in byte order, with the rules of
// glob(7): *, ?, [...] with ! and classes such as [:digit:], backslash quotes, and a leading dot is
// matched only by a dot. A pattern without magic yields itself when the name exists (a dangling
// symbolic link exists). Folders that cannot be read match nothing; their errors are joined and
// returned beside what was found.
func (h *Host) Glob(pattern string) ([]string, error) {
	names := []string{"/"}
	var errs []error
	for _, elem := range elements(pattern) {
		next, err := h.globStep(names, elem)
		if err != nil {
			errs = append(errs, err)
		}
		if names = next; len(names) == 0 {
			break
		}
	}
	slices.Sort(names)
	return names, errors.Join(errs...)
}

func (h *Host) globStep(dirs []string, elem string) ([]string, error) {
	var found []string
	var errs []error
	for _, dir := range dirs {
		if !strings.ContainsAny(elem, `*?[\`) {
			// A plain ".." must not be cleaned away: dir may be a link.
			name := strings.TrimSuffix(dir, "/") + "/" + elem
			if _, err := h.Lstat(name); err == nil {
				found = append(found, name)
			}
			continue
		}
		entries, err := h.ReadDir(dir)
		if err != nil {
			if info, serr := h.Stat(dir); serr == nil && info.IsDir() && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
			continue
		}
		for _, e := range entries {
			if matchElement(elem, e.Name()) {
				found = append(found, path.Join(dir, e.Name()))
			}
		}
	}
	return found, errors.Join(errs...)
}

func matchElement(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") && !strings.HasPrefix(pattern, `\.`) {
		return false
	}
	return wildcard(pattern, name)
}

// wildcard matches one path element byte by byte. It is iterative over the last star, so that a
// hostile pattern costs no more than len(pattern)*len(name) steps.
func wildcard(pattern, name string) bool {
	p, n := 0, 0
	star, mark := -1, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, n
			p++
			continue
		}
		if size, ok := matchOne(pattern[p:], name[n]); ok {
			p += size
			n++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		p, n = star+1, mark
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches the pattern's first unit against one byte and says how long the unit is.
func matchOne(pattern string, c byte) (size int, ok bool) {
	switch {
	case pattern == "":
		return 0, false
	case pattern[0] == '?':
		return 1, true
	case pattern[0] == '\\' && len(pattern) > 1:
		return 2, pattern[1] == c
	case pattern[0] == '[':
		if size, ok := matchBracket(pattern, c); size > 0 {
			return size, ok
		}
	}
	return 1, pattern[0] == c
}

// matchBracket matches a bracket expression; size 0 means that it has no end and [ stands for
// itself.
func matchBracket(pattern string, c byte) (size int, ok bool) {
	i := 1
	negate := i < len(pattern) && pattern[i] == '!'
	if negate {
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, ok != negate
		}
		if name, found := strings.CutPrefix(pattern[i:], "[:"); found {
			if class, _, found := strings.Cut(name, ":]"); found {
				ok = ok || inClass(class, c)
				i += len(class) + len("[::]")
				continue
			}
		}
		low, next := bracketByte(pattern, i)
		high := low
		if next+1 < len(pattern) && pattern[next] == '-' && pattern[next+1] != ']' {
			high, next = bracketByte(pattern, next+1)
		}
		ok = ok || low <= c && c <= high
		i = next
	}
	return 0, false
}

func bracketByte(pattern string, i int) (c byte, next int) {
	if pattern[i] == '\\' && i+1 < len(pattern) {
		i++
	}
	return pattern[i], i + 1
}

// inClass answers for the classes of the C locale.
func inClass(class string, c byte) bool {
	lower, upper, digit := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9'
	switch class {
	case "lower":
		return lower
	case "upper":
		return upper
	case "alpha":
		return lower || upper
	case "digit":
		return digit
	case "alnum":
		return lower || upper || digit
	case "xdigit":
		return digit || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
	case "blank":
		return c == ' ' || c == '\t'
	case "space":
		return c == ' ' || '\t' <= c && c <= '\r'
	case "punct":
		return '!' <= c && c <= '~' && !lower && !upper && !digit
	case "print":
		return ' ' <= c && c <= '~'
	case "graph":
		return '!' <= c && c <= '~'
	case "cntrl":
		return c < ' ' || c == 0x7f
	}
	return false
}
