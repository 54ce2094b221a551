package component

import (
	"context"
	"slices"

	"github.com/opsctl/opsctl/pkg/plan"
)

// label adds the step that gives new files the labels that the host's policy has for their places, where SELinux is on
// (selinux(8): /sys/fs/selinux is there). A file made below /opt or /etc else keeps the label of its folder, which may be
// another.
func (in *Installer) label(p *plan.Plan, t *target, e effect) {
	if !in.Host.Live() || len(p.Steps) == 0 || e == nothing {
		return
	}
	if _, err := in.Host.Stat("/sys/fs/selinux/enforce"); err != nil {
		return
	}
	names := []string{t.c.home(), t.c.etc(), t.c.unitFile()}
	if data := t.c.dataDir(t.want); data != "" && !slices.Contains(names, data) {
		names = append(names, data)
	}
	p.Add(plan.Step{
		Action: "label", Target: t.c.Name, Detail: "SELinux labels as the policy has them for these places",
		Do: func(ctx context.Context) error {
			for _, name := range names {
				if _, err := in.Host.Lstat(name); err != nil {
					continue
				}
				if _, err := in.Host.Run(ctx, "restorecon", "-R", name); err != nil {
					return err
				}
			}
			return nil
		},
	})
}
