package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script/*.txtar, the black-box tests of all
// commands. Beside testscript's own commands there is
//
//	exits CODE PROGRAM ARG...
//
// which runs a program and wants exactly that exit code, json and
// jsoncmp (see scriptjson_test.go), conditions [PROGRAM] for real programs and
// [root], and the variable TESTDATA, the folder of the samples that commands share.
func TestScripts(t *testing.T) {
	top, path := repository(t), searchPath(t)
	scripts, err := filepath.Glob(filepath.Join(top, "testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	testscript.Run(t, testscript.Params{
		Files:              scripts,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", path)
			env.Setenv("TESTDATA", filepath.Join(top, "testdata"))
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("TZ", "Asia/Shanghai")
			return nil
		},
		Condition: installed,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "json": jsonValues, "jsoncmp": jsonCompare,
		},
	})
}

// installed is the condition [program]. Under OPSCTL_CI it always holds, so that
// a missing program fails where it is started. [root] tells who runs the test.
func installed(program string) (bool, error) {
	if program == "root" {
		return os.Getuid() == 0, nil
	}
	_, err := exec.LookPath(program)
	return err == nil || os.Getenv("OPSCTL_CI") != "", nil
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}
