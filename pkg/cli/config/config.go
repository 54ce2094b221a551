// Package config resolves the settings that every command shares: flag, then
// OPSCTL_* variable, then configuration file, then default. It is the only
// importer of viper, and it is strict where viper is not: a key nobody knows, a
// duration without a unit or a word where a boolean belongs is an error that
// names the file and the line.
//
// A new setting is one line in Settings and one field in Config.
package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Config holds the resolved settings. The tags are the keys of Settings.
type Config struct {
	Output  string        `mapstructure:"output"`
	Timeout time.Duration `mapstructure:"timeout"`
	UTC     bool          `mapstructure:"utc"`
	NoColor bool          `mapstructure:"no-color"`
	NoInput bool          `mapstructure:"no-input"`
	Quiet   bool          `mapstructure:"quiet"`
	Verbose bool          `mapstructure:"verbose"`
}

// Setting describes one setting. Its key is also its flag's name, and in upper
// case with OPSCTL_ in front its variable's.
type Setting struct {
	Key string
	// Default also fixes the type: string, bool or time.Duration.
	Default any
	// Choices are the accepted values of a string, when they are few.
	Choices []string
	Help    string
}

// Settings returns every setting in the order in which they are shown.
func Settings() []Setting {
	return []Setting{
		{"output", "table", []string{"table", "wide", "json", "yaml", "csv", "name"}, "output format"},
		{"timeout", time.Duration(0), nil, "give up after this long, such as 90s; 0s means never"},
		{"utc", false, nil, "show times in UTC instead of the local zone"},
		{"no-color", false, nil, "never colour the output"},
		{"no-input", false, nil, "never ask; fail where a question would be needed"},
		{"quiet", false, nil, "no progress and no notes on stderr"},
		{"verbose", false, nil, "log what is done to stderr"},
	}
}

// Env is the name of the setting's environment variable.
func (s Setting) Env() string {
	return "OPSCTL_" + strings.ToUpper(strings.ReplaceAll(s.Key, "-", "_"))
}

// parse reads the text of a variable or of a YAML scalar.
func (s Setting) parse(text string) (any, error) {
	switch s.Default.(type) {
	case bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		return v, nil
	case time.Duration:
		return parseDuration(text)
	default:
		if len(s.Choices) > 0 && !slices.Contains(s.Choices, text) {
			return nil, fmt.Errorf("%q is not one of %s", text, strings.Join(s.Choices, ", "))
		}
		return text, nil
	}
}

func parseDuration(text string) (any, error) {
	if _, err := strconv.ParseFloat(text, 64); err == nil && text != "0" {
		return nil, fmt.Errorf("%s has no unit; write %ss for seconds, %sm for minutes", text, text, text)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a duration such as 90s or 5m", text)
	}
	if d < 0 {
		return nil, fmt.Errorf("%s is negative", text)
	}
	return d, nil
}

// Sources is where settings come from.
type Sources struct {
	// Flags are the command's parsed flags; only those given on the command
	// line count.
	Flags  *pflag.FlagSet
	Getenv func(string) string
	// ReadFile reads a configuration file: os.ReadFile outside tests.
	ReadFile func(string) ([]byte, error)
	// File is the file that --config names; "" looks in the usual places.
	File string
}

// Value is one resolved setting and where it came from.
type Value struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// Origin is flag, environment, file or default.
	Origin string `json:"origin"`
	// Source names the flag, the variable, or the file and line.
	Source string `json:"source"`
}

// Resolved is the outcome of Load.
type Resolved struct {
	Config
	// Values has one entry for each of Settings, in that order.
	Values []Value
	// File is the configuration file that was read, "" for none.
	File string
}

// Load resolves all settings. The error is an *Error when a value or the file
// is at fault.
func Load(src Sources) (*Resolved, error) {
	file, err := readFile(src)
	if err != nil {
		return nil, err
	}
	environment, err := readEnv(src.Getenv)
	if err != nil {
		return nil, err
	}
	v := viper.New()
	for _, s := range Settings() {
		v.SetDefault(s.Key, s.Default)
	}
	// Environment over file: a later merge wins. viper's own AutomaticEnv reads
	// the process environment, which tests must be able to replace.
	for _, layer := range []map[string]any{file.plain(), environment} {
		if err := v.MergeConfigMap(layer); err != nil {
			return nil, fmt.Errorf("merging settings: %w", err)
		}
	}
	if err := bindFlags(v, src.Flags); err != nil {
		return nil, err
	}
	out := &Resolved{File: file.path}
	if err := v.UnmarshalExact(&out.Config); err != nil {
		return nil, fmt.Errorf("resolving settings: %w", err)
	}
	for _, s := range Settings() {
		out.Values = append(out.Values, describe(s, v, src.Flags, environment, file))
	}
	return out, nil
}

func bindFlags(v *viper.Viper, flags *pflag.FlagSet) error {
	for _, s := range Settings() {
		flag := changed(flags, s.Key)
		if flag == nil {
			continue
		}
		if d, isDuration := s.Default.(time.Duration); isDuration && d >= 0 {
			if _, err := s.parse(flag.Value.String()); err != nil {
				return &Error{Source: "--" + s.Key, Err: err}
			}
		}
		if err := v.BindPFlag(s.Key, flag); err != nil {
			return fmt.Errorf("binding --%s: %w", s.Key, err)
		}
	}
	return nil
}

// changed returns the flag when it was given on the command line.
func changed(flags *pflag.FlagSet, name string) *pflag.Flag {
	if flags == nil {
		return nil
	}
	if flag := flags.Lookup(name); flag != nil && flag.Changed {
		return flag
	}
	return nil
}

func readEnv(getenv func(string) string) (map[string]any, error) {
	values := map[string]any{}
	for _, s := range Settings() {
		text := getenv(s.Env())
		if text == "" {
			continue
		}
		value, err := s.parse(text)
		if err != nil {
			return nil, &Error{Source: s.Env(), Err: err}
		}
		values[s.Key] = value
	}
	return values, nil
}

func describe(s Setting, v *viper.Viper, flags *pflag.FlagSet, environment map[string]any, file fileSettings) Value {
	out := Value{Key: s.Key, Value: v.GetString(s.Key), Origin: "default"}
	if _, isDuration := s.Default.(time.Duration); isDuration {
		out.Value = v.GetDuration(s.Key).String()
	}
	entry, inFile := file.entries[s.Key]
	_, inEnv := environment[s.Key]
	switch {
	case changed(flags, s.Key) != nil:
		out.Origin, out.Source = "flag", "--"+s.Key
	case inEnv:
		out.Origin, out.Source = "environment", s.Env()
	case inFile:
		out.Origin, out.Source = "file", fmt.Sprintf("%s:%d", file.path, entry.line)
	}
	return out
}
