package config_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/opsctl/opsctl/pkg/cli/config"
)

// sources reads from maps: variables, files by path, and a command line.
func sources(t *testing.T, vars, files map[string]string, args ...string) config.Sources {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.String("output", "table", "")
	flags.Duration("timeout", 0, "")
	flags.Bool("utc", false, "")
	file := flags.String("config", "", "")
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.Sources{
		Flags:  flags,
		Getenv: func(key string) string { return vars[key] },
		File:   *file,
		ReadFile: func(path string) ([]byte, error) {
			text, ok := files[path]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
			}
			return []byte(text), nil
		},
	}
}

func origins(r *config.Resolved) map[string]string {
	out := map[string]string{}
	for _, v := range r.Values {
		if v.Origin != "default" {
			out[v.Key] = strings.Join([]string{v.Value, v.Origin, v.Source}, " ")
		}
	}
	return out
}

func TestFlagOverEnvironmentOverFileOverDefault(t *testing.T) {
	files := map[string]string{config.SystemFile: "output: yaml\nutc: false\ntimeout: 90s\nquiet: true\n"}
	vars := map[string]string{"OPSCTL_OUTPUT": "csv", "OPSCTL_UTC": "1", "OPSCTL_TIMEOUT": ""}
	got, err := config.Load(sources(t, vars, files, "--output", "json"))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{Output: "json", UTC: true, Timeout: 90 * time.Second, Quiet: true}
	if diff := cmp.Diff(want, got.Config); diff != "" {
		t.Error(diff)
	}
	wantOrigins := map[string]string{
		"output":  "json flag --output",
		"utc":     "true environment OPSCTL_UTC",
		"timeout": "1m30s file /etc/opsctl/config.yaml:3",
		"quiet":   "true file /etc/opsctl/config.yaml:4",
	}
	if diff := cmp.Diff(wantOrigins, origins(got)); diff != "" {
		t.Error(diff)
	}
	if len(got.Values) != len(config.Settings()) {
		t.Errorf("%d values for %d settings", len(got.Values), len(config.Settings()))
	}
}

func TestAFlagSetToItsDefaultStillWins(t *testing.T) {
	got, err := config.Load(sources(t, map[string]string{"OPSCTL_UTC": "true"}, nil, "--utc=false"))
	if err != nil {
		t.Fatal(err)
	}
	if got.UTC || origins(got)["utc"] != "false flag --utc" {
		t.Errorf("utc is %t from %s", got.UTC, origins(got)["utc"])
	}
}

func TestOneFileIsRead(t *testing.T) {
	system := map[string]string{config.SystemFile: "utc: true\n"}
	with := func(path string) map[string]string {
		return map[string]string{config.SystemFile: "utc: true\n", path: "quiet: true\n"}
	}
	tests := []struct {
		name  string
		vars  map[string]string
		files map[string]string
		args  []string
		want  string
	}{
		{"none there is", nil, nil, nil, ""},
		{"the system's", nil, system, nil, config.SystemFile},
		{"the user's, XDG", map[string]string{"XDG_CONFIG_HOME": "/x", "HOME": "/h"}, with("/x/opsctl/config.yaml"), nil, "/x/opsctl/config.yaml"},
		{"the user's, home", map[string]string{"HOME": "/h"}, with("/h/.config/opsctl/config.yaml"), nil, "/h/.config/opsctl/config.yaml"},
		{
			"XDG must be absolute",
			map[string]string{"XDG_CONFIG_HOME": "x", "HOME": "/h"},
			with("/h/.config/opsctl/config.yaml"), nil, "/h/.config/opsctl/config.yaml",
		},
		{"the variable's", map[string]string{"OPSCTL_CONFIG": "/v", "HOME": "/h"}, with("/v"), nil, "/v"},
		{"the flag's", map[string]string{"OPSCTL_CONFIG": "/v"}, with("/f"), []string{"--config", "/f"}, "/f"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := config.Load(sources(t, tt.vars, tt.files, tt.args...))
			if err != nil {
				t.Fatal(err)
			}
			if got.File != tt.want {
				t.Errorf("read %q, want %q", got.File, tt.want)
			}
			if got.UTC && got.Quiet {
				t.Error("two files were read")
			}
		})
	}
}

func TestWrongSettingsNameTheirPlace(t *testing.T) {
	tests := []struct {
		name string
		file string
		vars map[string]string
		want string
	}{
		{"an unknown key", "utc: true\nutz: true\n", nil, "/f:2: utz: unknown key"},
		{"a key in capitals, which viper would take", "UTC: true\n", nil, "/f:1: UTC: unknown key"},
		{"a dotted key", "a.b: 1\n", nil, "/f:1: a.b: unknown key"},
		{"a duration without unit", "\n\ntimeout: 30\n", nil, "/f:3: timeout: 30 has no unit; write 30s for seconds, 30m for minutes"},
		{"a duration that is none", "timeout: soon\n", nil, `/f:1: timeout: "soon" is not a duration such as 90s or 5m`},
		{"a negative duration", "timeout: -1s\n", nil, "/f:1: timeout: -1s is negative"},
		{"a word for a boolean", "utc: maybe\n", nil, `/f:1: utc: "maybe" is neither true nor false`},
		{"a number for a boolean", "utc: 1\n", nil, `/f:1: utc: "1" is neither true nor false`},
		{"a value that is no choice", "output: xml\n", nil, `/f:1: output: "xml" is not one of table, wide, json, yaml, csv, name`},
		{"a key twice", "utc: true\nutc: false\n", nil, "/f:2: utc: is set twice"},
		{"a list for a value", "output: [json]\n", nil, "/f:1: output: needs a single value"},
		{"no value", "output:\n", nil, "/f:1: output: needs a single value"},
		{"a list for a mapping", "- utc\n", nil, "/f:1: is not a mapping"},
		{"a broken file", "utc: [\n", nil, "/f: yaml: line"},
		{"two documents", "utc: true\n---\nutc: false\n", nil, "/f: holds more than one YAML document"},
		{"a variable", "", map[string]string{"OPSCTL_TIMEOUT": "30"}, "OPSCTL_TIMEOUT: 30 has no unit"},
		{"a boolean variable", "", map[string]string{"OPSCTL_UTC": "yes please"}, "OPSCTL_UTC: \"yes please\" is neither true nor false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Load(sources(t, tt.vars, map[string]string{"/f": tt.file}, "--config", "/f"))
			at, ok := errors.AsType[*config.Error](err)
			if !ok || !strings.HasPrefix(at.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestFilesThatHoldNothing(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "null\n"} {
		if _, err := config.Load(sources(t, nil, map[string]string{"/f": text}, "--config", "/f")); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestANamedFileMustBeReadable(t *testing.T) {
	_, err := config.Load(sources(t, nil, nil, "--config", "/nowhere"))
	if err == nil || err.Error() != "/nowhere: file does not exist" {
		t.Errorf("got %v", err)
	}
	src := sources(t, nil, nil)
	src.ReadFile = func(path string) ([]byte, error) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	if _, err := config.Load(src); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("an unreadable file was passed over: %v", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("output: json\ntimeout: 90s\n")
	f.Add("utc: &a true\nquiet: *a\n")
	f.Add("<<: {utc: true}\n")
	f.Fuzz(func(t *testing.T, text string) {
		src := sources(t, nil, map[string]string{"/f": text}, "--config", "/f")
		if got, err := config.Load(src); err == nil && len(got.Values) != len(config.Settings()) {
			t.Errorf("%d values", len(got.Values))
		}
	})
}
