package main

import (
	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/cmd/opsctl/installcmd"
	"github.com/opsctl/opsctl/cmd/opsctl/mysqlcmd"
	"github.com/opsctl/opsctl/cmd/opsctl/raftcmd"
	"github.com/opsctl/opsctl/cmd/opsctl/registrycmd"
	"github.com/opsctl/opsctl/cmd/opsctl/scrapecmd"
	"github.com/opsctl/opsctl/cmd/opsctl/servicecmd"
	"github.com/opsctl/opsctl/cmd/opsctl/sshcmd"
	"github.com/opsctl/opsctl/pkg/cli"
)

// newRoot builds the command tree: a line for each group, in the order of help.
func newRoot(env *cli.Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "opsctl",
		Short: "Answer questions about servers from the files and logs that are there, and install what watches them",
		Example: "  opsctl ssh audit\n" +
			"  opsctl help exit-codes",
	}
	help := newHelp(env)
	root.SetHelpCommand(help)
	root.AddGroup(&cobra.Group{ID: jobGroup, Title: "Jobs"}, &cobra.Group{ID: selfGroup, Title: "About opsctl"})
	service := servicecmd.New(env)
	service.GroupID = jobGroup
	ssh := sshcmd.New(env)
	ssh.GroupID = jobGroup
	install := installcmd.New(env)
	install.GroupID = jobGroup
	mysql := mysqlcmd.New(env)
	mysql.GroupID = jobGroup
	raft := raftcmd.New(env)
	raft.GroupID = jobGroup
	registry := registrycmd.New(env)
	registry.GroupID = jobGroup
	scrape := scrapecmd.New(env)
	scrape.GroupID = jobGroup
	root.AddCommand(
		install,
		mysql,
		raft,
		registry,
		scrape,
		service,
		ssh,
		help,
		newVersion(env),
		newConfig(env),
		newCompletion(env),
	)
	return root
}

// selfGroup is the section of the help for commands about opsctl itself.
const selfGroup = "self"

// jobGroup is the section of the help for the work itself.
const jobGroup = "jobs"
