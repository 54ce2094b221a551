package test

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// call is one system call as strace(1) -f -y writes it.
type call struct {
	name string
	args []string // as strace writes them
	ret  string   // "0", "-1 ENOENT (...)", "7</etc/passwd>"; "?" where nobody knows
	// Lines of strace's output on which it began and ended. Others' calls stand between two that differ.
	begin, end int
}

// parseStrace reads the output of strace -f -y -o. A call that another thread interrupted stands on two lines there and is one
// call here, at the place where it began; one that its process' end cut off has the result "?".
func parseStrace(r io.Reader) ([]call, error) {
	type started struct {
		text  string
		begin int
		at    int // in calls
	}
	var calls []call
	unfinished := map[string]started{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 0; lines.Scan(); n++ {
		pid, text, _ := strings.Cut(lines.Text(), " ")
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "+++ ") || strings.HasPrefix(text, "--- ") || strings.HasSuffix(text, "<detached ...>") {
			continue // an end, a signal, a thread that the process took along in its end
		}
		at, begin := len(calls), n
		if head, ok := strings.CutSuffix(text, "<unfinished ...>"); ok {
			unfinished[pid] = started{head, n, len(calls)}
			calls = append(calls, call{begin: n, end: -1})
			continue
		}
		if strings.HasPrefix(text, "<... ") {
			was, ok := unfinished[pid]
			_, rest, resumed := strings.Cut(text, " resumed>")
			if !ok || !resumed {
				return nil, fmt.Errorf("line %d resumes nothing: %s", n+1, text)
			}
			delete(unfinished, pid)
			text, at, begin = was.text+rest, was.at, was.begin
		} else {
			calls = append(calls, call{})
		}
		c, err := parseCall(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		c.begin, c.end = begin, n
		calls[at] = c
	}
	for _, was := range unfinished {
		c, err := parseCall(was.text + ") = ?")
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", was.begin+1, err)
		}
		c.begin, c.end = was.begin, math.MaxInt
		calls[was.at] = c
	}
	return calls, lines.Err()
}

// parseCall reads NAME(ARGUMENT, ...) = RESULT.
func parseCall(text string) (call, error) {
	name, rest, ok := strings.Cut(text, "(")
	if !ok {
		return call{}, fmt.Errorf("no call: %s", text)
	}
	c := call{name: name}
	for {
		n := argument(rest)
		if n == len(rest) {
			return call{}, fmt.Errorf("a call without an end: %s", text)
		}
		if arg := strings.TrimSpace(rest[:n]); arg != "" {
			c.args = append(c.args, arg)
		}
		last := rest[n] == ')'
		rest = rest[n+1:]
		if last {
			break
		}
	}
	_, ret, ok := strings.Cut(rest, "= ")
	if !ok {
		return call{}, fmt.Errorf("a call without a result: %s", text)
	}
	c.ret = ret
	return c, nil
}

// argument is the length of the argument that text begins with: up to a comma or parenthesis that is not in a string, in
// brackets, or in the path that -y writes after a descriptor.
func argument(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += quoted(text[i:]) - 1
		case '<':
			if end := strings.IndexByte(text[i:], '>'); end > 0 {
				i += end
			}
		case '(', '[', '{':
			depth++
		case ']', '}':
			depth--
		case ')':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// quoted is the length of the string that text begins with.
func quoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// ok says whether the call did what it is for.
func (c *call) ok() bool { return !strings.HasPrefix(c.ret, "-1") && c.ret != "?" }

// text is a string argument; what strace cut short ends where it did.
func (c *call) text(i int) string {
	if i >= len(c.args) || !strings.HasPrefix(c.args[i], `"`) {
		return ""
	}
	return unescape(c.args[i][1 : quoted(c.args[i])-1])
}

// unescape undoes strace's escapes, which are C's; octal ones have as few digits as need be.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		digits := 0
		for digits < 3 && i+digits < len(text) && '0' <= text[i+digits] && text[i+digits] <= '7' {
			digits++
		}
		if n, err := strconv.ParseUint(text[i:i+digits], 8, 8); err == nil {
			out.WriteByte(byte(n))
			i += digits - 1
			continue
		}
		if at := strings.IndexByte("ntvfr", text[i]); at >= 0 {
			out.WriteByte("\n\t\v\f\r"[at])
		} else {
			out.WriteByte(text[i])
		}
	}
	return out.String()
}

// file is what -y says that a descriptor is: a path, "socket:[1]", "" for none. A file that has lost its name has none.
func (c *call) file(i int) string {
	if i >= len(c.args) {
		return ""
	}
	_, rest, _ := strings.Cut(c.args[i], "<")
	name, after, ok := strings.Cut(rest, ">")
	if !ok || strings.Contains(after, "deleted") || strings.HasSuffix(name, " (deleted)") {
		return ""
	}
	return unescape(name)
}

// path is what the name of argument name means below the folder of argument dir; dir < 0: the call takes none.
func (c *call) path(dir, name int) string {
	if text := c.text(name); dir < 0 || strings.HasPrefix(text, "/") {
		return path.Clean(text)
	}
	return path.Join(c.file(dir), c.text(name))
}

func TestStraceIsRead(t *testing.T) {
	const output = `10    openat(AT_FDCWD</root>, "etc/a, \"b\"\t\33", O_RDWR|O_CREAT|O_CLOEXEC, 0644 <unfinished ...>
11    --- SIGURG {si_signo=SIGURG, si_code=SI_TKILL, si_pid=5, si_uid=0} ---
11    renameat(3</opt>, "x", 3</opt>, "y") = 0
10    <... openat resumed>)             = 7</root/etc/a>
12    fsync(7</root/etc/with \76, ) in it> <unfinished ...>
11    unlinkat(3</opt>, "gone", AT_REMOVEDIR) = -1 ENOENT (No such file or directory)
12    <... fsync resumed>)              = 0
11    fcntl(3</opt>, F_SETLK, {l_type=F_WRLCK, l_start=0}) = 0
11    pwrite64(8</var/x>(deleted), "{\"run\":\"1\""..., 300, 0) = 300
10    exit_group(0)                     = ?
13    fsync(3</opt> <unfinished ...>
11    ???( <detached ...>
10    +++ exited with 0 +++
`
	calls, err := parseStrace(strings.NewReader(output))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range calls {
		got = append(got, fmt.Sprintf("%d-%d %s/%d %v %q %q %q", c.begin, c.end, c.name, len(c.args), c.ok(), c.file(0), c.path(0, 1), c.text(1)))
	}
	want := []string{
		`0-3 openat/4 true "/root" "/root/etc/a, \"b\"\t\x1b" "etc/a, \"b\"\t\x1b"`,
		`2-2 renameat/4 true "/opt" "/opt/x" "x"`,
		`4-6 fsync/1 true "/root/etc/with >, ) in it" "/root/etc/with >, ) in it" ""`,
		`5-5 unlinkat/3 false "/opt" "/opt/gone" "gone"`,
		`7-7 fcntl/3 true "/opt" "/opt" ""`,
		`8-8 pwrite64/4 true "" "{\"run\":\"1\"" "{\"run\":\"1\""`,
		`9-9 exit_group/1 false "" "" ""`,
		`10-9223372036854775807 fsync/1 false "/opt" "/opt" ""`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"1 <... fsync resumed>) = 0", "1 what <unfinished ...>", "1 fsync(3", "1 fsync(3)", "1 what"} {
		if calls, err := parseStrace(strings.NewReader(bad + "\n")); err == nil {
			t.Errorf("%s: %v", bad, calls)
		}
	}
}
