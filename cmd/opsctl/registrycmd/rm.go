package registrycmd

import (
	"context"
	"errors"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/plancmd"
	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/plan"
	"github.com/opsctl/opsctl/pkg/registry/inspect"
	"github.com/opsctl/opsctl/pkg/registry/policy"
	"github.com/opsctl/opsctl/pkg/registry/reference"
	"github.com/opsctl/opsctl/pkg/registry/remove"
	"github.com/opsctl/opsctl/pkg/span"
)

// rmOptions are the flags of rm.
type rmOptions struct {
	where
	plancmd.Flags

	request       remove.Request
	match, except string
}

func newRm(env *cli.Env) *cobra.Command {
	var o rmOptions
	cmd := &cobra.Command{
		Use:   "rm REPO:TAG|REPO@DIGEST|REPO... [flags]",
		Short: "Delete tags by name or by policy, and manifests by digest",
		Long: "Deletes tags, each alone: other tags of the same image stay, also on registries of the 2.8\n" +
			"series, which only delete a digest with all its tags. REPO@DIGEST deletes a manifest with its\n" +
			"tags. What nothing names any more stays until opsctl registry gc --delete-untagged. With\n" +
			"--root the tags go into the quarantine, and opsctl registry undo takes that back.\n\n" +
			"REPO alone needs a policy. --keep N spares the N newest tags, --older-than those that are not\n" +
			"that old; with both a tag goes only when both say so. --match and --except are regular\n" +
			"expressions of whole tags: what the policy is about, and what not. Age is when the tag was\n" +
			"set; over the API when the image was made, of an index its newest child. An age that is not\n" +
			"known, or 1970, is never old. Tags that hold what is about an image (sha256-<hex>, and\n" +
			"cosign's) neither count nor go, but with --all-tags.",
		Example: "  opsctl registry rm team/app:v1 --root /var/lib/docker-registry --dry-run\n" +
			"  opsctl registry rm team/app:v1 --registry 127.0.0.1:5000 --dry-run\n" +
			"  opsctl registry rm 127.0.0.1:5000/team/app --keep 10 --older-than 30d --except 'latest|v[0-9.]+' --yes\n" +
			"  opsctl registry rm team/app --match 'pr-[0-9]+' --older-than 14d --registry 127.0.0.1:5000 --dry-run",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.request.Rules.KeepSet = cmd.Flags().Changed("keep")
			if err := o.complete(args); err != nil {
				return err
			}
			return o.use(env, cmd, args, func(ctx context.Context, p *place) error {
				return o.remove(ctx, env, p, args)
			})
		},
	}
	o.add(cmd)
	o.Add(cmd.Flags())
	f, rules := cmd.Flags(), &o.request.Rules
	f.IntVar(&rules.Keep, "keep", 0, "spare the `N` newest tags of each REPO")
	f.Var(span.Value{D: &rules.OlderThan}, "older-than", "spare what is not older, such as 30d")
	f.StringVar(&o.match, "match", "", "only tags that match the regular expression `RE` as a whole")
	f.StringVar(&o.except, "except", "", "but no tags that match the regular expression `RE` as a whole")
	f.BoolVar(&rules.All, "all-tags", false, "every tag of each REPO")
	return cmd
}

// complete reads what the flags' types do not.
func (o *rmOptions) complete(args []string) error {
	if err := o.Check(); err != nil {
		return err
	}
	var err error
	rules := &o.request.Rules
	if o.match != "" {
		if rules.Match, err = expression("--match", o.match); err != nil {
			return err
		}
	}
	if o.except != "" {
		if rules.Except, err = expression("--except", o.except); err != nil {
			return err
		}
	}
	for _, arg := range args {
		var ref reference.Reference
		if ref, err = o.name(arg); err != nil {
			return err
		}
		o.request.Targets = append(o.request.Targets, ref)
	}
	return explainRemoval(o.request.Check())
}

// remove shows the plan and does it.
func (o *rmOptions) remove(ctx context.Context, env *cli.Env, p *place, args []string) (err error) {
	source, remover, err := o.removal(ctx, env, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remover.Close()) }()
	o.request.Now, o.request.Made = env.Now(), p.api != nil
	planned, err := remove.Plan(ctx, source, remover, o.request)
	if err != nil {
		return explainRemoval(err)
	}
	return explainRemoval(o.Each(ctx, env, plancmd.Work{
		Kind: "RegistryRemoval", Targets: args, Question: "Delete them?", Plan: planned.Plan, Problems: planned.Problems,
		Ready: planned.Ready, Done: remover.Done,
	}))
}

// remover is what deletes, and what it has to say in the end.
type remover interface {
	remove.Remover
	Done(*plan.Plan) error
	Close() error
}

// removal is the place as tags are deleted from it.
func (o *rmOptions) removal(ctx context.Context, env *cli.Env, p *place) (remove.Source, remover, error) {
	if p.api != nil {
		return p.api.View(ctx, false), overAPI{remove.OverAPI{Registry: p.api}}, nil
	}
	folders, err := remove.OpenFolders(p.root, env.Now)
	return inspect.Folders{Store: p.store}, inFolders{folders}, err
}

// overAPI has nothing to say in the end.
type overAPI struct{ remove.OverAPI }

// Done implements remover.
func (overAPI) Done(*plan.Plan) error { return nil }

// Close implements remover.
func (overAPI) Close() error { return nil }

// inFolders says how to take it back.
type inFolders struct{ *remove.InFolders }

// Done implements remover.
func (f inFolders) Done(p *plan.Plan) error {
	run, err := f.Run()
	if run != "" {
		p.Note("opsctl registry undo %s takes it back", run)
	}
	return err
}

// explainRemoval says what to do about a request that means nothing.
func explainRemoval(err error) error {
	if errors.Is(err, remove.ErrBare) {
		usage := cli.Usagef("%w", err)
		usage.Hint = "name them as REPO:TAG, choose with --keep, --older-than or --match, or take --all-tags"
		return usage
	}
	return explain(sweepError(err))
}

// expression reads a flag's.
func expression(flag, text string) (*regexp.Regexp, error) {
	e, err := policy.Expression(text)
	if err != nil {
		return nil, cli.Usagef("%s: %w", flag, err)
	}
	return e, nil
}
