package locate

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/moby/moby/api/types/container"
	"go.yaml.in/yaml/v3"

	"github.com/opsctl/opsctl/pkg/engine"
	"github.com/opsctl/opsctl/pkg/registry/server"
)

// readConfig finds a registry's configuration file by its command and its environment, and reads it out of the container.
func readConfig(ctx context.Context, e inspector, found *container.InspectResponse) (*server.Config, error) {
	for _, name := range configPaths(append([]string{found.Path}, found.Args...), found.Config.Env) {
		text, err := e.ReadFile(ctx, found.ID, clean(found.Config.WorkingDir, name), maxFile)
		switch {
		case errors.Is(err, engine.ErrNoFile):
			continue
		case err != nil:
			return nil, err
		case !isConfig(text):
			return nil, fmt.Errorf("%w: %s is no registry's configuration", ErrNotRegistry, name)
		}
		return server.ParseConfig(text, found.Config.Env)
	}
	return nil, fmt.Errorf("%w: neither its command (%s) nor its environment names a configuration, and it is not where the official images have it",
		ErrNotRegistry, strings.Join(append([]string{found.Path}, found.Args...), " "))
}

// configPaths are the files that may be the configuration. One that the command or the environment names is the only one.
// The official images' entrypoint puts "registry serve" before what ends in .yml.
func configPaths(command, environment []string) []string {
	for i, word := range command {
		named := i > 0 && !strings.HasPrefix(word, "-")
		if named && (path.Ext(word) == ".yml" || path.Ext(word) == ".yaml" || command[i-1] == "serve") {
			return []string{word}
		}
	}
	for _, entry := range environment {
		if name, ok := strings.CutPrefix(entry, "REGISTRY_CONFIGURATION_PATH="); ok {
			return []string{name}
		}
	}
	return []string{"/etc/distribution/config.yml", "/etc/docker/registry/config.yml"}
}

// isConfig says whether a file has what every registry's configuration begins with.
func isConfig(text []byte) bool {
	var top map[string]yaml.Node
	if err := yaml.Unmarshal(text, &top); err != nil {
		return false
	}
	version := top["version"]
	return strings.HasPrefix(version.Value, "0.")
}
