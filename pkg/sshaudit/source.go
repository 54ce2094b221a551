package sshaudit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/opsctl/opsctl/pkg/authlog"
	"github.com/opsctl/opsctl/pkg/host"
)

// The errors of a log that is no log. They come wrapped in a FileError.
var (
	ErrEmpty  = errors.New("is empty")
	ErrNoLogs = errors.New("no logs found")
	ErrNotLog = errors.New("holds no line in syslog or journal form")
	ErrFolder = errors.New("is a folder without files")
	ErrLong   = errors.New("lines over 64 KiB were read only in part")
)

// FileError is what went wrong with one file. The others have been read.
type FileError struct {
	Path string
	Err  error
}

// Error names the file first.
func (e *FileError) Error() string {
	if pe, ok := errors.AsType[*fs.PathError](e.Err); ok {
		return e.Path + ": " + pe.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *FileError) Unwrap() error { return e.Err }

// source is one log to be read.
type source struct {
	name    string
	open    func() (io.ReadCloser, error)
	again   bool // open can be called again
	mtime   time.Time
	size    int64 // of the file, 0 if unknown
	found   bool  // not named by the caller: it may be empty
	guessed bool  // one of all the files of a folder: it need not be a log of sshd

	first int64             // time of the first line, 0 if there is none
	hosts map[string]bool   // of the lines at its beginning
	whole [sha256.Size]byte // of the text, if all of it is of one second; else zero
	kind  authlog.Compression
}

// fileSource describes a file.
func fileSource(name string, open func() (*os.File, error)) (*source, error) {
	f, err := open()
	if err != nil {
		return nil, &FileError{name, err}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, &FileError{name, err}
	}
	if info.IsDir() {
		return nil, &FileError{name, syscall.EISDIR}
	}
	s := &source{name: name, mtime: info.ModTime(), size: info.Size(), again: info.Mode().IsRegular()}
	s.open = func() (io.ReadCloser, error) { return open() }
	return s, nil
}

func openLocal(name string) func() (*os.File, error) {
	return func() (*os.File, error) { return os.Open(name) }
}

// sources finds the logs that the caller named, or the host's own. The errors
// are FileErrors; what was found stands beside them.
func (o *Options) sources(ctx context.Context) ([]*source, []error) {
	if len(o.Logs) == 0 {
		return o.hostSources(ctx)
	}
	var list []*source
	var errs []error
	for _, arg := range o.Logs {
		found, err := o.argument(arg)
		list = append(list, found...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	return withoutTwins(list), errs
}

// argument expands "-", a file, a folder or a pattern.
func (o *Options) argument(arg string) ([]*source, error) {
	if arg == "-" {
		once := o.Stdin
		return []*source{{
			name: "-", mtime: o.Now,
			open: func() (io.ReadCloser, error) { return io.NopCloser(once), nil },
		}}, nil
	}
	names, guessed := []string{arg}, false
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		if names, guessed, err = folder(arg); err != nil {
			return nil, &FileError{arg, err}
		}
	case err != nil && strings.ContainsAny(arg, "*?["):
		matches, globErr := filepath.Glob(arg)
		if globErr != nil || len(matches) == 0 {
			return nil, &FileError{arg, ErrNoLogs}
		}
		names = matches
	}
	var list []*source
	var errs []error
	for _, name := range names {
		s, err := fileSource(name, openLocal(name))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.guessed = guessed
		list = append(list, s)
	}
	return list, errors.Join(errs...)
}

// folder lists a folder's logs: auth.log* and secure* where it has some, else all its
// regular files, which is but a guess.
func folder(dir string) (names []string, guessed bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, false, err
	}
	var logs, all []string
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		all = append(all, name)
		if isAuthLog(e.Name()) {
			logs = append(logs, name)
		}
	}
	if len(logs) > 0 {
		return logs, false, nil
	}
	if len(all) == 0 {
		return nil, false, ErrFolder
	}
	return all, true, nil
}

func isAuthLog(name string) bool {
	return strings.HasPrefix(name, "auth.log") || strings.HasPrefix(name, "secure")
}

// hostSources finds the host's auth.log* or secure*, else its journal.
func (o *Options) hostSources(ctx context.Context) ([]*source, []error) {
	var list []*source
	var errs []error
	for _, pattern := range []string{"/var/log/auth.log*", "/var/log/secure*"} {
		names, err := o.Host.Glob(pattern)
		if err != nil {
			return nil, []error{&FileError{path.Dir(pattern), err}}
		}
		for _, name := range names {
			s, err := fileSource(o.Host.Path(name), func() (*os.File, error) { return o.Host.Open(name) })
			if err != nil {
				errs = append(errs, err)
				continue
			}
			s.found = true
			list = append(list, s)
		}
	}
	if len(list)+len(errs) > 0 {
		return list, errs
	}
	j, err := journalSource(ctx, o.Host)
	if err != nil {
		return nil, []error{err}
	}
	j.mtime = o.Now
	return []*source{j}, nil
}

// journalSource reads a host's journal with journalctl(1).
func journalSource(ctx context.Context, h *host.Host) (*source, error) {
	args := []string{"-o", "json", "--all", "--no-pager", "--quiet"}
	name := "journal"
	if !h.Live() {
		dir := h.Path("/var/log/journal")
		if _, err := h.Stat("/var/log/journal"); err != nil {
			return nil, &FileError{h.Path("/var/log"), fmt.Errorf("%w: neither auth.log, secure nor journal", ErrNoLogs)}
		}
		args, name = append(args, "-D", dir), dir
	}
	args = append(args, "_COMM=sshd", "+", "_COMM=sshd-session", "+", "_COMM=sshd-auth")
	if _, err := exec.LookPath("journalctl"); err != nil {
		return nil, &FileError{name, fmt.Errorf("%w: neither auth.log nor secure, and no journalctl to read the journal", ErrNoLogs)}
	}
	open := func() (io.ReadCloser, error) { return startJournal(ctx, args) }
	return &source{name: name, open: open, again: true, found: true}, nil
}

// journalPipe ends journalctl when it is closed.
type journalPipe struct {
	io.Reader
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	eof    bool
}

func startJournal(ctx context.Context, args []string) (io.ReadCloser, error) {
	cmd := exec.CommandContext(ctx, "journalctl", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &journalPipe{Reader: out, cmd: cmd, stderr: &stderr}, nil
}

// Read turns journalctl's failure into an error at the end of its output.
func (j *journalPipe) Read(p []byte) (int, error) {
	if j.eof { // Wait has closed the pipe
		return 0, io.EOF
	}
	n, err := j.Reader.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	j.eof = true
	if waitErr := j.cmd.Wait(); waitErr != nil {
		return n, fmt.Errorf("journalctl: %w: %s", waitErr, strings.TrimSpace(j.stderr.String()))
	}
	return n, io.EOF
}

// Close ends journalctl if it has not ended.
func (j *journalPipe) Close() error {
	if j.eof {
		return nil
	}
	_ = j.cmd.Process.Kill()
	_ = j.cmd.Wait()
	return nil
}

// withoutTwins drops files that were named twice.
func withoutTwins(list []*source) []*source {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(s *source) bool {
		key := s.name
		if info, err := os.Stat(s.name); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				key = fmt.Sprint(st.Dev, " ", st.Ino)
			}
		}
		twin := seen[key]
		seen[key] = true
		return twin
	})
}
