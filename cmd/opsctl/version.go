package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
)

// build describes this binary, as the document Version holds it.
type build struct {
	Version string `json:"version"`
	// Commit is "" for a build outside a git checkout.
	Commit string `json:"commit"`
	Go     string `json:"go"`
	OS     string `json:"os"`
	Arch   string `json:"arch"`
}

func newVersion(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of opsctl",
		Example: "  opsctl version\n  opsctl version -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild(env.Version)
			return render.Document(env, render.View{
				Kind: "Version",
				Body: b,
				Page: func(p *render.Page) {
					p.Para("opsctl %s (%s, %s/%s)", b.Version, b.Go, b.OS, b.Arch)
				},
				CSV: func() ([]string, [][]string) {
					return []string{"version", "commit", "go", "os", "arch"},
						[][]string{{b.Version, b.Commit, b.Go, b.OS, b.Arch}}
				},
				Names: func() []string { return []string{b.Version} },
			})
		},
	}
}

func thisBuild(version string) build {
	b := build{Version: version, Commit: commit, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok && b.Commit == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Commit = s.Value
			}
		}
	}
	return b
}
