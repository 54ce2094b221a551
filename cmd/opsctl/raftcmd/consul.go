package raftcmd

import (
	"strconv"
	"time"

	"github.com/opsctl/opsctl/pkg/cli"
	"github.com/opsctl/opsctl/pkg/cli/render"
	"github.com/opsctl/opsctl/pkg/raftsim"
)

// consulTimers are what raft_multiplier makes of Consul's timers. JSON has seconds.
type consulTimers struct {
	Multiplier int     `json:"raftMultiplier"`
	Heartbeat  float64 `json:"heartbeatTimeoutSeconds"`
	Election   float64 `json:"electionTimeoutSeconds"`
	Lease      float64 `json:"leaderLeaseTimeoutSeconds"`
	Note       string  `json:"note,omitempty"`
}

// The library's defaults (hashicorp/raft, DefaultConfig), which performance.raft_multiplier, from 1 to 10, multiplies.
const (
	consulHeartbeat  = time.Second
	consulElection   = time.Second
	consulLease      = 500 * time.Millisecond
	consulDefault    = 5
	consulMultiplier = 10
)

func showConsul(env *cli.Env, c *raftsim.Config) error {
	longest := c.Topology.Longest()
	var all []consulTimers
	for m := 1; m <= consulMultiplier; m++ {
		t := consulTimers{m, (time.Duration(m) * consulHeartbeat).Seconds(), (time.Duration(m) * consulElection).Seconds(), (time.Duration(m) * consulLease).Seconds(), ""}
		switch {
		case time.Duration(m)*consulLease < 10*longest:
			t.Note = "the lease is shorter than ten round trips"
		case m == 1:
			t.Note = "what HashiCorp advises for production"
		case m == consulDefault:
			t.Note = "the default, for small machines"
		}
		all = append(all, t)
	}
	return render.Document(render.Unstamped(env), render.View{
		Kind: "RaftConsulTimerList",
		Body: struct {
			Items []consulTimers `json:"items"`
		}{all},
		Page: func(p *render.Page) {
			p.Para("Consul has another Raft core, hashicorp/raft, which is not simulated here: this is arithmetic. performance.raft_multiplier multiplies all three timers.")
			var rows [][]string
			for _, t := range all {
				rows = append(rows, []string{strconv.Itoa(t.Multiplier), seconds(t.Heartbeat), seconds(t.Election), seconds(t.Lease), orDash(t.Note)})
			}
			p.Table([]string{"RAFT_MULTIPLIER", "HEARTBEAT", "ELECTION", "LEASE", "NOTE"}, []bool{true, true, true, true}, rows)
			p.Para("A follower that hears nothing for once to twice the heartbeat timeout calls an election; a leader without a majority steps down after the lease.")
		},
		CSV: func() ([]string, [][]string) {
			var rows [][]string
			for _, t := range all {
				rows = append(rows, []string{strconv.Itoa(t.Multiplier), exact(t.Heartbeat), exact(t.Election), exact(t.Lease)})
			}
			return []string{"raftMultiplier", "heartbeatTimeoutSeconds", "electionTimeoutSeconds", "leaderLeaseTimeoutSeconds"}, rows
		},
	})
}
