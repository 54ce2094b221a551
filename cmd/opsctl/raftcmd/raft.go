// Package raftcmd holds the commands about Raft clusters: simulated, broken, measured and tuned.
package raftcmd

import (
	"context"
	"iter"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/raftsim"
	"github.com/opsctl/opsctl/pkg/worker"
)

// New builds `opsctl raft`.
func New(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "raft",
		Short: "Simulate Raft clusters such as etcd's: watch, measure, break and tune them",
		Long: "Runs the consensus core of etcd, go.etcd.io/raft, in virtual time: a minute of a\n" +
			"cluster takes a moment here, and a seed always gives the same run. Nothing of this\n" +
			"touches a server.",
		Example: "  opsctl raft sim --nodes 5 --fault 'kill leader @10s for 5s'\n" +
			"  opsctl raft failover --nodes 3\n" +
			"  opsctl raft tune --topology zones.yaml",
	}
	cmd.AddCommand(newSim(env, inWorkers), newReplay(env, inWorkers), newShrink(env, inWorkers), newFailover(env, inWorkers), newTune(env, inWorkers), newWorker(env))
	return cmd
}

// runFunc has jobs done and hands on what came of them, in their order.
type runFunc func(ctx context.Context, workers int, jobs iter.Seq[raftsim.Job], yield func(i int, a raftsim.Answer) error) error

// inWorkers does jobs in processes of this program: the core draws from the process's random source, which a run has to own.
func inWorkers(ctx context.Context, workers int, jobs iter.Seq[raftsim.Job], yield func(int, raftsim.Answer) error) error {
	pool := worker.Pool{Command: worker.Self("raft", "worker"), Workers: workers}
	return worker.Map(ctx, pool, jobs, yield)
}

// one does a single job.
func (run runFunc) one(ctx context.Context, job raftsim.Job) (a raftsim.Answer, err error) {
	jobs := func(yield func(raftsim.Job) bool) { yield(job) }
	err = run(ctx, 1, jobs, func(_ int, got raftsim.Answer) error {
		a = got
		return nil
	})
	return a, err
}

// workerGC lets the heap of a worker grow to five times what is in use: the core makes much that lives for a moment.
const workerGC = 400

// newWorker is what the processes run.
func newWorker(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "worker",
		Short:   "Do jobs of other raft commands",
		Hidden:  true,
		Example: "  opsctl raft worker < /dev/null",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			debug.SetGCPercent(workerGC)
			s := raftsim.NewSimulator()
			defer s.Close()
			return worker.Serve(cmd.Context(), env.In, env.Out, s.Do)
		},
	}
}
