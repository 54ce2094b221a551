package main

import (
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/opsctl/opsctl/internal/loggen"
)

// seed is fixed: a log is generated once and kept in the test cache.
const seed = 20261122

// input is a generated log and what it holds.
type input struct {
	path  string
	bytes int64
	said  []byte // opsctl's document about it
	truth *loggen.Truth
}

func cacheDir() (string, error) {
	dir := os.Getenv("OPSCTL_TEST_CACHE")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(cache, "opsctl-test")
	}
	dir = filepath.Join(dir, fmt.Sprintf("bench-%d-v%d", seed, loggen.Version))
	return dir, os.MkdirAll(dir, 0o755)
}

// generate finds a log in the cache, or has another process make it.
func generate(dir, name string, mib int64, names bool) (*input, error) {
	in := &input{path: filepath.Join(dir, fmt.Sprintf("%s-%d.log", name, mib))}
	info, err := os.Stat(in.path)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "generating %s, seed %d\n", in.path, seed)
		cmd := exec.Command(os.Args[0], "-make", in.path, "-mib", strconv.FormatInt(mib, 10), "-names="+strconv.FormatBool(names))
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, err
		}
		info, err = os.Stat(in.path)
	}
	if err != nil {
		return nil, err
	}
	in.bytes = info.Size()
	return in, nil
}

// write makes a log and its truth.
func write(path string, mib int64, names bool) error {
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	truth, err := loggen.Write(f, loggen.Options{
		Bytes: mib << 20, Seed: seed, Names: names, Start: time.Now().Add(-31 * 24 * time.Hour).UTC().Truncate(time.Second),
	})
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := (&input{path: path, truth: truth}).save(); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

func (in *input) save() error {
	f, err := os.Create(in.path + ".truth")
	if err != nil {
		return err
	}
	return errors.Join(gob.NewEncoder(f).Encode(in.truth), f.Close())
}

func (in *input) load() error {
	in.truth = &loggen.Truth{}
	f, err := os.Open(in.path + ".truth")
	if err != nil {
		return err
	}
	return errors.Join(gob.NewDecoder(f).Decode(in.truth), f.Close())
}

// pack compresses a log with gzip(1), as logrotate does.
func pack(path string) (string, error) {
	gz := path + ".gz"
	if _, err := os.Stat(gz); err == nil {
		return gz, nil
	}
	out, err := os.Create(gz + ".tmp")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("gzip", "-c", path)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := errors.Join(cmd.Run(), out.Close()); err != nil {
		return "", err
	}
	return gz, os.Rename(gz+".tmp", gz)
}

// document is what is compared of opsctl's output.
type document struct {
	Coverage struct {
		Files []struct{ Lines, SSHDLines, NotUnderstood int64 }
	}
	Logins []struct {
		User, IP, Fingerprint string
		Count                 uint64
	}
	Failures struct {
		Total    uint64
		ByReason map[string]uint64
		Detail   string
		Rows     []struct {
			IP, User, Reason string
			Count            uint64
		}
		DistinctRows int
	}
}

// check compares opsctl's output with the truth.
func (in *input) check() error {
	if err := in.load(); err != nil {
		return err
	}
	var doc document
	if err := json.Unmarshal(in.said, &doc); err != nil {
		return fmt.Errorf("reading opsctl's output: %w", err)
	}
	var errs []error
	equal := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			errs = append(errs, fmt.Errorf("%s: opsctl says %v, the truth is %v", what, got, want))
		}
	}
	equal("lines", doc.Coverage.Files[0].Lines, in.truth.Lines)
	equal("lines of sshd", doc.Coverage.Files[0].SSHDLines, in.truth.SSHDLines)
	equal("lines not understood", doc.Coverage.Files[0].NotUnderstood, 0)
	equal("failures", doc.Failures.Total, in.truth.Total)
	equal("failures by reason", doc.Failures.ByReason, in.truth.ByReason)
	equal("rows of logins", len(doc.Logins), len(in.truth.Logins))
	for _, l := range doc.Logins {
		equal("logins of "+l.User, l.Count, in.truth.Logins[loggen.LoginKey{User: l.User, IP: l.IP, Fingerprint: l.Fingerprint}])
	}
	if in.truth.Failures != nil && doc.Failures.Detail == "user" {
		equal("rows of failures", doc.Failures.DistinctRows, len(in.truth.Failures))
		for _, f := range doc.Failures.Rows {
			equal("failures of "+f.IP, f.Count, in.truth.Failures[loggen.FailKey{IP: f.IP, User: f.User, Reason: f.Reason}])
		}
	}
	if len(errs) == 0 {
		fmt.Printf("%s: equal to the truth: %d lines, %d of sshd, %d logins, %d failures of %d addresses in %d rows (detail: %s)\n",
			filepath.Base(in.path), in.truth.Lines, in.truth.SSHDLines, sum(in.truth.Logins), in.truth.Total, len(in.truth.FailuresOf),
			doc.Failures.DistinctRows, doc.Failures.Detail)
	}
	return errors.Join(errs...)
}

func sum[K comparable](counts map[K]uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}
