package mysqlspace_test

import (
	"strings"
	"testing"

	"github.com/opsctl/opsctl/pkg/mysqlspace"
	"github.com/opsctl/opsctl/pkg/mysqlspace/live"
)

func TestReplicasAreKnownByTheirServerID(t *testing.T) {
	const log = "binlog.000002"
	for name, c := range map[string]struct {
		known  []live.Replica
		hidden bool
		asked  map[string][]live.Position
		want   string // of the blockers
		purge  string
	}{
		"asked under another name": {
			[]live.Replica{{Name: "10.0.0.2:3306", ID: "2"}}, false, map[string][]live.Position{"db2": {{Log: log, Source: "1", Replica: "2"}}}, "", log,
		},
		"one asked twice, another not at all": {
			[]live.Replica{{Name: "db2:3306", ID: "2"}, {Name: "db3:3306", ID: "3"}},
			false,
			map[string][]live.Position{"db2": {{Log: log, Source: "1", Replica: "2"}}, "10.0.0.2": {{Log: log, Source: "1", Replica: "2"}}},
			"db3:3306", log,
		},
		"one that is down was asked, the connected one not": {
			[]live.Replica{{Name: "db3:3306", ID: "3"}}, false, map[string][]live.Position{"db2": {{Log: log, Source: "1", Replica: "2"}}}, "db3:3306", log,
		},
		"one that did not register was asked": {
			[]live.Replica{{Name: "one that did not register"}}, false, map[string][]live.Position{"db2": {{Log: log, Source: "1", Replica: "2"}}}, "", log,
		},
		"two channels from here": {
			[]live.Replica{{Name: "db2:3306", ID: "2"}},
			false,
			map[string][]live.Position{"db2": {{Log: "binlog.000003", Source: "1", Replica: "2"}, {Log: log, Source: "1", Replica: "2"}}},
			"", log,
		},
		"replicas may not be seen": {nil, true, nil, "may not see", "binlog.000003"},
	} {
		t.Run(name, func(t *testing.T) {
			snap := &live.Snapshot{
				Variables: map[string]string{"log_bin": "ON", "server_id": "1"}, Replicas: c.known, ReplicasHidden: c.hidden,
				Binlogs: []live.Binlog{{Name: "binlog.000001", Bytes: 1}, {Name: log, Bytes: 1}, {Name: "binlog.000003", Bytes: 1}},
			}
			plan, err := mysqlspace.PlanReclaim(t.Context(), mysqlspace.PlanOptions{Options: mysqlspace.Options{Snapshot: snap}, Replicas: c.asked})
			if err != nil || len(plan.Steps) != 1 {
				t.Fatal(plan, err)
			}
			step := plan.Steps[0]
			if got := strings.Join(step.Blockers, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("blocked by %q, not %q", got, c.want)
			}
			if got, want := step.Commands[0].Text, "PURGE BINARY LOGS TO '"+c.purge+"';"; got != want {
				t.Errorf("%s, not %s", got, want)
			}
		})
	}
}
