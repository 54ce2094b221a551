package test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesThatMayNotBeReadAreNamedWithTheNextStep runs as an account that may read none of a data folder, then not one schema of it.
func TestFilesThatMayNotBeReadAreNamedWithTheNextStep(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("runs as another account: only root can")
	}
	temp := t.TempDir()
	program, dir := opsctlProgram(t), filepath.Join(temp, "data")
	schema := filepath.Join(dir, "shop")
	err := errors.Join(os.Chmod(filepath.Dir(temp), 0o755), os.MkdirAll(schema, 0o755), os.WriteFile(filepath.Join(dir, "ibdata1"), nil, 0o644), os.WriteFile(filepath.Join(schema, "t.frm"), nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		mode os.FileMode
		code int
	}{{dir, 0o700, 5}, {dir, 0o744, 5}, {schema, 0o700, 4}} {
		if err := os.Chmod(c.path, c.mode); err != nil {
			t.Fatal(err)
		}
		for _, args := range []string{"space", "reclaim", "history record --file /nonexistent/h"} {
			if strings.HasPrefix(args, "history") && c.code == 4 {
				continue // which would be written
			}
			cmd := exec.CommandContext(t.Context(), program, append(append([]string{"mysql"}, strings.Fields(args)...), "--datadir", dir)...)
			cmd.Env = []string{"HOME=/nonexistent"}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if _, ended := errors.AsType[*exec.ExitError](err); !ended {
				t.Fatalf("%s: %v", args, err)
			}
			if code := cmd.ProcessState.ExitCode(); code != c.code || (len(out) > 0) != (c.code == 4) {
				t.Errorf("%s, %s is %v: exit %d, %q", args, c.path, c.mode, code, out)
			}
			if text := stderr.String(); !strings.Contains(text, c.path) || !strings.Contains(text, "permission denied\nhint: run it as root, or as the account") {
				t.Errorf("%s, %s is %v: %s", args, c.path, c.mode, text)
			}
		}
		if err := os.Chmod(c.path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
