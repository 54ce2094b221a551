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
		GroupID: selfGroup,
		Example: "  opsctl version\n  opsctl version -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return render.Document(env, versionView(thisBuild(env.Version)))
		},
	}
}

func versionView(b build) render.View {
	return render.View{
		Kind: "Version",
		Body: b,
		Page: func(p *render.Page) {
			p.Para("opsctl %s (%s, %s/%s)", b.Version, b.Go, b.OS, b.Arch)
			if p.Wide() && b.Commit != "" {
				p.Para("commit %s", b.Commit)
			}
		},
		CSV: func() ([]string, [][]string) {
			return []string{"version", "commit", "go", "os", "arch"},
				[][]string{{b.Version, b.Commit, b.Go, b.OS, b.Arch}}
		},
		Names: func() []string { return []string{b.Version} },
	}
}

// thisBuild takes the commit from the linker's flags, else from the stamp that
// `go build` leaves.
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
