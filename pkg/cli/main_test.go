package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
)

// world is an Env whose streams and environment a test can look at.
type world struct {
	env      *cli.Env
	out, err bytes.Buffer
	vars     map[string]string
}

func newWorld() *world {
	w := &world{vars: map[string]string{}}
	w.env = &cli.Env{
		In:       strings.NewReader(""),
		Out:      &w.out,
		Err:      &w.err,
		Getenv:   func(key string) string { return w.vars[key] },
		Hostname: func() (string, error) { return "web01", nil },
		Now:      func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
		Version:  "1.2.3",
	}
	return w
}

// toyRoot is a tree with a command for each way to end.
func toyRoot(env *cli.Env) *cobra.Command {
	root := &cobra.Command{Use: "toy", Short: "Toy with commands"}
	group := &cobra.Command{Use: "ssh", Short: "Secure shells"}
	audit := command("audit", func(*cobra.Command) error {
		_, err := fmt.Fprintf(env.Out, "format=%s utc=%t quiet=%t color=%t\n", env.Format, env.UTC, env.Quiet, env.Color)
		return err
	})
	audit.Flags().Int("top", 10, "show the `N` largest")
	audit.Flags().String("from", "", "only from `CIDR`")
	audit.Flags().String("since", "", "start")
	audit.Flags().String("last", "", "length")
	audit.MarkFlagsMutuallyExclusive("since", "last")
	who := command("who-can USER", func(*cobra.Command) error { return nil })
	who.Args = cobra.ExactArgs(1)
	must := command("must", func(*cobra.Command) error { return nil })
	must.Flags().String("file", "", "a file")
	if err := must.MarkFlagRequired("file"); err != nil {
		panic(err)
	}
	group.AddCommand(audit, who, must)
	root.AddCommand(group, outcomes(env))
	return root
}

func command(use string, run func(*cobra.Command) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: "Run " + use,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd) },
	}
}

func outcomes(env *cli.Env) *cobra.Command {
	group := &cobra.Command{Use: "end", Short: "Ways to end"}
	group.AddCommand(
		command("panic", func(*cobra.Command) error { panic("index out of range") }),
		command("fail", func(*cobra.Command) error { return errors.New("reading /x: broken") }),
		command("denied", func(*cobra.Command) error {
			return fmt.Errorf("reading keys: %w", &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission})
		}),
		command("found", func(*cobra.Command) error {
			_, err := fmt.Fprintln(env.Out, "1 finding")
			return errors.Join(err, cli.Found())
		}),
		command("partial", func(*cobra.Command) error {
			_, err := fmt.Fprintln(env.Out, "half")
			return errors.Join(err, cli.Partial(errors.Join(errors.New("a: gone"), errors.New("b: gone"))))
		}),
		command("hint", func(*cobra.Command) error {
			return &cli.Error{Code: cli.CodeDeclined, ID: "toy.no", Err: errors.New("no\x1b[31m"), Hint: "say yes"}
		}),
		command("wait", func(cmd *cobra.Command) error {
			_, err := fmt.Fprintln(env.Err, "ready")
			<-cmd.Context().Done()
			return errors.Join(err, cmd.Context().Err())
		}),
		command("slow", func(cmd *cobra.Command) error {
			<-cmd.Context().Done()
			return &cli.Error{Code: cli.CodeFailed, ID: "toy.ask", Err: fmt.Errorf("asking: %w", cmd.Context().Err()), Hint: "ask again"}
		}),
		command("some", func(cmd *cobra.Command) error {
			<-cmd.Context().Done()
			_, err := fmt.Fprintln(env.Out, "half")
			return errors.Join(err, cli.Partial(fmt.Errorf("b: %w", cmd.Context().Err())))
		}),
		command("hang", func(*cobra.Command) error {
			_, _ = fmt.Fprintln(env.Err, "ready")
			select {}
		}),
		command("much", func(*cobra.Command) error {
			for range 100_000 {
				if _, err := fmt.Fprintln(env.Out, "line"); err != nil {
					return err
				}
			}
			return nil
		}),
	)
	return group
}

func (w *world) run(t *testing.T, args ...string) cli.Code {
	t.Helper()
	return cli.Main(t.Context(), w.env, toyRoot, args)
}

func TestCommandLinesThatAreWrong(t *testing.T) {
	tests := []struct {
		name    string
		args    string
		message string
		hint    string
	}{
		{"nothing at all", "", "no command given", "toy --help lists"},
		{"a group alone", "ssh", "ssh: no command given", "toy ssh --help lists"},
		{"a mistyped group", "shs", `unknown command "shs" for "toy"`, "did you mean toy ssh?"},
		{"a mistyped command under a group", "ssh adit", `unknown command "adit" for "toy ssh"`, "did you mean toy ssh audit?"},
		{"a command nobody could have meant", "ssh zzzzzz", `unknown command "zzzzzz" for "toy ssh"`, "toy ssh --help lists"},
		{"a mistyped command with its own flag", "ssh adit --from 10.0.0.0/8", `unknown command "adit"`, "toy ssh audit?"},
		{"a global flag before a mistyped command", "-o csv ssh adit", `unknown command "adit"`, "toy ssh audit?"},
		{"an unknown flag", "ssh audit --form 1", "ssh audit: unknown flag: --form", "toy ssh audit --help"},
		{"an unknown flag of a group", "ssh --form=1", "ssh: unknown flag: --form", "toy ssh --help"},
		{"an unknown flag of the root", "--form", "unknown flag: --form", "toy --help"},
		{"an unknown short flag", "ssh audit -x", "ssh audit: unknown shorthand flag: 'x' in -x", ""},
		{"a flag without its value", "ssh audit --from", "flag needs an argument: --from", ""},
		{"a word for a number", "ssh audit --top ten", `invalid value "ten" for --top: not a number`, ""},
		{"a number that is too large", "ssh audit --top 99999999999999999999", "for --top: out of range", ""},
		{"a duration without unit", "ssh audit --timeout 30", `invalid value "30" for --timeout: not a duration such as 90s`, ""},
		{"a negative duration", "ssh audit --timeout=-3s", "--timeout: -3s is negative", ""},
		{"a word for a boolean", "ssh audit --utc=maybe", `invalid value "maybe" for --utc: neither true nor false`, ""},
		{"an unknown format", "ssh audit -o xml", `invalid value "xml" for --output: must be one of table, wide, json`, ""},
		{"an argument too many", "ssh audit x", `ssh audit: takes no arguments, got "x"`, "toy ssh audit --help"},
		{"an argument too few", "ssh who-can", "ssh who-can: accepts 1 arg(s), received 0", ""},
		{"two arguments for one", "ssh who-can a b", "ssh who-can: accepts 1 arg(s), received 2", ""},
		{"a required flag missing", "ssh must", `ssh must: required flag(s) "file" not set`, ""},
		{"flags that exclude each other", "ssh audit --since a --last b", "ssh audit: if any flags in the group [since last]", ""},
		{"a configuration file that is not there", "ssh audit --config /nonexistent/x", "/nonexistent/x: no such file", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			code := w.run(t, strings.Fields(tt.args)...)
			if code != cli.CodeUsage {
				t.Errorf("exit code %d, want 2", code)
			}
			if w.out.Len() > 0 {
				t.Errorf("stdout is not empty: %q", w.out.String())
			}
			if got := w.err.String(); !strings.HasPrefix(got, "opsctl: ") || !strings.Contains(got, tt.message) || !strings.Contains(got, tt.hint) {
				t.Errorf("stderr:\n%s\nwants %q and hint %q", got, tt.message, tt.hint)
			}
		})
	}
}

func TestErrorsAreOneJSONLineWhereverOutputIsNamed(t *testing.T) {
	for _, args := range []string{
		"ssh adit -o json",
		"-o json ssh adit",
		"-ojson ssh adit",
		"--output=json ssh adit",
		"ssh audit --bogus --output json",
		"ssh audit -o table -o=json --bogus",
		"ssh audit -o json x",
		"ssh audit -o json --config /nonexistent/x",
	} {
		w := newWorld()
		code := w.run(t, strings.Fields(args)...)
		var got struct {
			Error struct {
				ID, Message, Hint string
				Code              int
			}
		}
		if err := json.Unmarshal(w.err.Bytes(), &got); err != nil || strings.Count(w.err.String(), "\n") != 1 {
			t.Errorf("%s: stderr is not one line of JSON: %q", args, w.err.String())
		}
		if code != 2 || got.Error.Code != 2 || got.Error.Message == "" || w.out.Len() > 0 {
			t.Errorf("%s: code %d, error %+v, stdout %q", args, code, got.Error, w.out.String())
		}
	}
}

func TestErrorsAreTextUnlessJSONIsAskedFor(t *testing.T) {
	for _, args := range []string{"ssh adit", "ssh adit -o yaml", "ssh adit -- -o json", "ssh adit -o", "ssh audit -o json -o table --bogus"} {
		w := newWorld()
		w.run(t, strings.Fields(args)...)
		if !strings.HasPrefix(w.err.String(), "opsctl: ") {
			t.Errorf("%s: %q", args, w.err.String())
		}
	}
}

func TestEnvironmentChoosesTheFormOfErrors(t *testing.T) {
	w := newWorld()
	w.vars["OPSCTL_OUTPUT"] = "json"
	if w.run(t, "ssh", "adit"); !strings.HasPrefix(w.err.String(), `{"error":`) {
		t.Errorf("stderr: %q", w.err.String())
	}
}

func TestHowCommandsEnd(t *testing.T) {
	tests := []struct {
		name   string
		args   string
		code   cli.Code
		stdout string
		stderr []string
	}{
		{"an error", "end fail", 1, "", []string{"opsctl: reading /x: broken\n"}},
		{"no permission", "end denied", 5, "", []string{"opsctl: reading keys: open /x: permission denied\n"}},
		{"a check that found something", "end found", 3, "1 finding\n", []string{}},
		{"some targets failed", "end partial", 4, "half\n", []string{"opsctl: a: gone\nopsctl: b: gone\n"}},
		{"a hint, with foreign text inert", "end hint", 6, "", []string{"opsctl: no\ufffd[31m\nhint: say yes\n"}},
		{"a defect", "end panic", 1, "", []string{"opsctl: internal error: index out of range\n", "hint: this is a bug in opsctl 1.2.3", "goroutine", "main_test.go"}},
		{"a timeout", "end wait --timeout 1ms", 1, "", []string{"opsctl: timed out after 1ms", "hint: give it longer with --timeout"}},
		{"a timeout in a command with hints of its own", "end slow --timeout 1ms", 1, "", []string{"opsctl: timed out after 1ms: asking", "hint: give it longer"}},
		{"a timeout after a partial result", "end some --timeout 1ms", 4, "half\n", []string{"opsctl: b: context deadline exceeded\n"}},
		{"help", "ssh audit --help", 0, "Run audit.", []string{}},
		{"help of a group", "ssh --help", 0, "Secure shells.", []string{}},
		{"help with -h", "-h", 0, "Toy with commands.", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			if code := w.run(t, strings.Fields(tt.args)...); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(w.out.String(), tt.stdout) || tt.stdout == "" && w.out.Len() > 0 {
				t.Errorf("stdout %q, want %q", w.out.String(), tt.stdout)
			}
			for _, want := range tt.stderr {
				if !strings.Contains(w.err.String(), want) {
					t.Errorf("stderr %q lacks %q", w.err.String(), want)
				}
			}
			if len(tt.stderr) == 0 && w.err.Len() > 0 {
				t.Errorf("stderr %q", w.err.String())
			}
		})
	}
}

func TestPanicWithJSONIsOneLine(t *testing.T) {
	w := newWorld()
	code := w.run(t, "end", "panic", "-o", "json")
	if code != 1 || strings.Count(w.err.String(), "\n") != 1 || !strings.Contains(w.err.String(), `"id":"internal"`) {
		t.Errorf("code %d, stderr %q", code, w.err.String())
	}
}

// brokenWriter fails as a pipe or a disk does.
type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: b.err}
}

func TestBrokenStdout(t *testing.T) {
	tests := []struct {
		name string
		err  error
		args string
		code cli.Code
		want string
	}{
		{"a closed pipe is silent", syscall.EPIPE, "ssh audit", 0, ""},
		{"a closed pipe under help is silent", syscall.EPIPE, "--help", 0, ""},
		{"findings count although nobody reads them", syscall.EPIPE, "end found", 3, ""},
		{"a full disk is an error", syscall.ENOSPC, "ssh audit", 1, "writing the result: write /dev/stdout: no space left on device"},
		{"a full disk under help is an error", syscall.ENOSPC, "--help", 1, "no space left on device"},
		{"a full disk hides no findings", syscall.ENOSPC, "end found", 1, "no space left on device"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.env.Out = brokenWriter{tt.err}
			if code := w.run(t, strings.Fields(tt.args)...); code != tt.code {
				t.Errorf("exit code %d, want %d; stderr %q", code, tt.code, w.err.String())
			}
			if got := w.err.String(); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("stderr %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSignalsHaveTheirOwnCodes(t *testing.T) {
	for signal, code := range map[os.Signal]cli.Code{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(&cli.SignalError{Signal: signal})
		w := newWorld()
		if got := cli.Main(ctx, w.env, toyRoot, []string{"end", "wait"}); got != code {
			t.Errorf("%v: exit code %d, want %d", signal, got, code)
		}
		if w.out.Len() > 0 || !strings.Contains(w.err.String(), "opsctl: stopped by ") {
			t.Errorf("%v: stdout %q, stderr %q", signal, w.out.String(), w.err.String())
		}
	}
}

func TestCompletionDoesNotReadTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("nonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.vars["OPSCTL_CONFIG"] = file
	if code := w.run(t, "__complete", "ssh", "audit", "--output", ""); code != 0 || !strings.Contains(w.out.String(), "json\n") {
		t.Errorf("code %d, stdout %q", code, w.out.String())
	}
	if code := w.run(t, "ssh", "audit"); code != 2 {
		t.Errorf("a command ran with a wrong configuration: %d", code)
	}
}

func TestColorOnlyWhereItIsWelcome(t *testing.T) {
	tests := []struct {
		name string
		vars map[string]string
		args string
		pipe bool
		want bool
	}{
		{"on a terminal", nil, "", false, true},
		{"into a pipe", nil, "", true, false},
		{"with --no-color", nil, "--no-color", false, false},
		{"with NO_COLOR", map[string]string{"NO_COLOR": "1"}, "", false, false},
		{"with OPSCTL_NO_COLOR", map[string]string{"OPSCTL_NO_COLOR": "true"}, "", false, false},
		{"on a dumb terminal", map[string]string{"TERM": "dumb"}, "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.vars, w.env.OutTerm = tt.vars, !tt.pipe
			w.run(t, append([]string{"ssh", "audit"}, strings.Fields(tt.args)...)...)
			if want := fmt.Sprintf("color=%t", tt.want); !strings.Contains(w.out.String(), want) {
				t.Errorf("got %q, want %s", w.out.String(), want)
			}
		})
	}
}

func TestVerboseLogsToStderr(t *testing.T) {
	for args, want := range map[string]string{"end log": "", "end log -v": "level=DEBUG msg=seen user=\"\\x1b[31m\"\n"} {
		w := newWorld()
		root := func(env *cli.Env) *cobra.Command {
			tree := toyRoot(env)
			end, _, err := tree.Find([]string{"end"})
			if err != nil {
				t.Fatal(err)
			}
			end.AddCommand(command("log", func(*cobra.Command) error {
				env.Log.Debug("seen", "user", "\x1b[31m")
				return nil
			}))
			return tree
		}
		cli.Main(t.Context(), w.env, root, strings.Fields(args))
		if _, got, _ := strings.Cut(w.err.String(), " "); got != want {
			t.Errorf("%s: stderr %q, want %q", args, got, want)
		}
	}
}
