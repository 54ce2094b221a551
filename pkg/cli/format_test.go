package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/cli/config"
)

func TestPeekFormatReadsWhatPflagWould(t *testing.T) {
	tests := []struct {
		name, args, fallback string
		want                 Format
	}{
		{"nothing said", "", "", Table},
		{"short with a space", "-o json", "", JSON},
		{"short without", "-ojson", "", JSON},
		{"short with equals", "-o=json", "", JSON},
		{"long with a space", "x --output json y", "", JSON},
		{"long with equals", "--output=json", "", JSON},
		{"the last one wins", "-o json -o yaml", "", YAML},
		{"an unknown format changes nothing", "-o json -o xml", "", JSON},
		{"nothing after the end of flags counts", "x -- -o json", "", Table},
		{"the value is missing", "x -o", "", Table},
		{"the environment's choice", "x", "json", JSON},
		{"a flag over the environment", "-o csv", "json", CSV},
		{"an unknown environment", "", "xml", Table},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := peekFormat(strings.Fields(tt.args), tt.fallback); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestConfigurationKnowsTheFormats(t *testing.T) {
	for _, s := range config.Settings() {
		if s.Key == "output" && !slices.Equal(s.Choices, strings.Split(formatNames(Formats()), ", ")) {
			t.Errorf("config knows %v, commands know %s", s.Choices, formatNames(Formats()))
		}
	}
}
