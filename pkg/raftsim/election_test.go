package raftsim

import (
	"testing"
	"time"
)

// leaderless runs trials of a leader's death.
func leaderless(t *testing.T, c Config, trials int) *FailoverReport {
	t.Helper()
	s := NewSimulator()
	defer s.Close()
	tally := Tally{Config: &c, Scenario: KillLeader}
	for job := range Trials(c, KillLeader, trials) {
		a, err := s.Do(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		tally.Add(&a)
	}
	return tally.Report()
}

// paper is the cluster of the Raft paper's section 9.3 with a latency model that makes a broadcast of 15 ms.
func paper(heartbeat, election time.Duration, choices int) Config {
	c := Default()
	c.Topology = Uniform(5, 5*time.Millisecond, 0.1)
	for i := range c.Topology.Nodes {
		c.Topology.Nodes[i].Fsync = Latency{10 * time.Millisecond, 10 * time.Millisecond}
	}
	c.Profile, c.Clients, c.PreVote, c.CheckQuorum = Async, 0, false, false
	c.HeartbeatInterval, c.ElectionTimeout, c.Tick, c.ElectionChoices = heartbeat, election, time.Millisecond, choices
	return c
}

// TestElectionsAreAsPublished holds simulated elections to the bands that the Raft paper published: without chance votes are split for
// seconds, 5 ms of it bring that to fractions of one, and 50 ms to less.
func TestElectionsAreAsPublished(t *testing.T) {
	if testing.Short() {
		t.Skip("it simulates for seconds, and for half a minute under the race detector")
	}
	const ms = time.Millisecond
	none := leaderless(t, paper(75*ms, 150*ms, 1), 30)
	some, more := leaderless(t, paper(75*ms, 150*ms, 6), 300), leaderless(t, paper(75*ms, 150*ms, 51), 300)
	if none.NotRecovered < 20 {
		t.Errorf("without chance %d of 30 elections had no end within 20 s", none.NotRecovered)
	}
	if p50 := some.Leaderless.P50.Seconds; some.NotRecovered > 0 || p50 < 0.8*0.287 || p50 > 1.2*0.287 { // published: 287 ms
		t.Errorf("with 5 ms of chance half are over after %.3f s, %d never", p50, some.NotRecovered)
	}
	if most := more.Leaderless.Max; more.NotRecovered > 0 || most > 2*0.513 || more.Leaderless.P50.Seconds > some.Leaderless.P50.Seconds { // published: 513 ms of 1000
		t.Errorf("with 50 ms of chance the longest takes %.3f s, %d never end", most, more.NotRecovered)
	}
}
