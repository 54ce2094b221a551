package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// What is simulated, and the cluster that a bare loop steps beside it.
const (
	raftNodes    = 5
	raftRate     = 300 // operations a second, half of them reads
	raftSeconds  = 600
	raftIdle     = 20_000 // seconds of a cluster without clients
	raftTicks    = 10     // a second
	raftElection = 10     // ticks
)

// measureRaft measures how much virtual time a simulation gets through, beside a loop that does nothing but step the same core through
// as many operations: no network, no disk, no clients, no checks.
func measureRaft(ctx context.Context, bin string, rounds int) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	sim := func(seconds int, args ...string) []string {
		return append([]string{bin, "raft", "sim", "--workers", "1", "--nodes", strconv.Itoa(raftNodes), "--duration", strconv.Itoa(seconds) + "s", "-q", "-o", "json"}, args...)
	}
	loaded := []string{"--clients", "10", "--rate", strconv.Itoa(raftRate)}
	all := []*contender{
		{name: "idle", argv: sim(raftIdle, "--clients", "0"), keep: true},
		{name: "loaded, checked", argv: sim(raftSeconds, loaded...), keep: true},
		{name: "with faults", argv: sim(raftSeconds, append(slices.Clone(loaded), "--nemesis", "default")...), keep: true},
		{name: "bare RawNode loop", argv: []string{os.Args[0], "-raft-loop", strconv.Itoa(raftSeconds)}, keep: true},
	}
	for round := range rounds + 1 {
		for _, c := range all {
			if err := c.run(ctx, round > 0); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\nraft: %d nodes, %d operations a second; %d rounds in turns, one worker\n", raftNodes, raftRate, rounds)
	fmt.Printf("%-20s %8s %8s %9s %16s %10s %12s %14s\n", "RUN", "WALL s", "CPU s", "PEAK MiB", "SIMULATED s/WALL", "EVENTS/s", "MESSAGES/s", "CPU s/MESSAGE")
	for _, c := range all {
		if err := c.raftRow(); err != nil {
			return err
		}
	}
	return nil
}

// simulated is what a run says of itself.
type simulated struct {
	DurationSeconds  float64
	Events, Messages float64
}

func (c *contender) raftRow() error {
	var doc struct{ Items []simulated }
	if err := json.Unmarshal(c.said, &doc); err != nil || len(doc.Items) != 1 {
		return fmt.Errorf("%s: reading %.80q: %w", c.name, c.said, err)
	}
	r := doc.Items[0]
	wall := middle(c.runs, func(m measured) float64 { return m.wall.Seconds() })
	cpu := middle(c.runs, func(m measured) float64 { return m.cpu.Seconds() })
	rss := middle(c.runs, func(m measured) float64 { return float64(m.rss) / (1 << 20) })
	fmt.Printf("%-20s %8.3f %8.3f %9.1f %16.0f %10.0f %12.0f %11.2f us\n", c.name, wall, cpu, rss, r.DurationSeconds/wall, r.Events/wall, r.Messages/wall, 1e6*cpu/max(r.Messages, 1))
	return nil
}

// bareLoop is the bare loop: nodes, and the messages between them in the order in which they were sent.
type bareLoop struct {
	nodes    []*raft.RawNode
	storage  []*raft.MemoryStorage
	messages []*pb.Message
	stepped  int
}

// stepRaft runs the bare loop for so many seconds' worth of ticks and operations, and says how many messages it stepped.
func stepRaft(seconds int) error {
	l := &bareLoop{}
	voters := make([]uint64, raftNodes)
	for i := range voters {
		voters[i] = uint64(i + 1)
	}
	for _, id := range voters {
		s := raft.NewMemoryStorage()
		one := uint64(1)
		if err := s.ApplySnapshot(&pb.Snapshot{Metadata: &pb.SnapshotMetadata{Index: &one, Term: &one, ConfState: &pb.ConfState{Voters: voters}}}); err != nil {
			return err
		}
		n, err := raft.NewRawNode(&raft.Config{
			ID: id, ElectionTick: raftElection, HeartbeatTick: 1, Storage: s, Applied: 1, MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 512, CheckQuorum: true, PreVote: true, Logger: silent{},
		})
		if err != nil {
			return err
		}
		l.nodes, l.storage = append(l.nodes, n), append(l.storage, s)
	}
	if err := l.nodes[0].Campaign(); err != nil {
		return err
	}
	if err := l.settle(); err != nil {
		return err
	}
	if err := l.load(seconds); err != nil {
		return err
	}
	fmt.Printf(`{"items":[{"durationSeconds":%d,"events":%d,"messages":%d}]}`, seconds, l.stepped, l.stepped)
	return nil
}

func (l *bareLoop) load(seconds int) error {
	data := make([]byte, 40)
	for tick := range seconds * raftTicks {
		for op := range raftRate / raftTicks {
			binary.LittleEndian.PutUint64(data, uint64(tick*raftRate+op))
			if op%2 == 0 {
				l.nodes[0].ReadIndex(slices.Clone(data[:8]))
			} else if err := l.nodes[0].Propose(slices.Clone(data)); err != nil {
				return err
			}
			if err := l.settle(); err != nil {
				return err
			}
		}
		for i, n := range l.nodes {
			n.Tick()
			if err := l.settle(); err != nil {
				return err
			}
			if s := l.storage[i]; tick%100 == 99 {
				if last, err := s.LastIndex(); err == nil && last > 5000 {
					_ = s.Compact(last - 1000) // where that is compacted already, nothing is to be done
				}
			}
		}
	}
	return nil
}

// settle does what the nodes want done until they want nothing more.
func (l *bareLoop) settle() error {
	for {
		for i, n := range l.nodes {
			for n.HasReady() {
				r := n.Ready()
				if !raft.IsEmptyHardState(r.HardState) {
					if err := l.storage[i].SetHardState(r.HardState); err != nil {
						return err
					}
				}
				if err := l.storage[i].Append(r.Entries); err != nil {
					return err
				}
				l.messages = append(l.messages, r.Messages...)
				n.Advance(r)
			}
		}
		if len(l.messages) == 0 {
			return nil
		}
		messages := l.messages
		l.messages = nil
		for _, m := range messages {
			l.stepped++
			if err := l.nodes[m.GetTo()-1].Step(m); err != nil {
				return err
			}
		}
	}
}

// silent is a logger of the core that says nothing.
type silent struct{}

func (silent) Debug(...any)              {}
func (silent) Debugf(string, ...any)     {}
func (silent) Error(...any)              {}
func (silent) Errorf(string, ...any)     {}
func (silent) Info(...any)               {}
func (silent) Infof(string, ...any)      {}
func (silent) Warning(...any)            {}
func (silent) Warningf(string, ...any)   {}
func (silent) Fatal(v ...any)            { panic(fmt.Sprint(v...)) }
func (silent) Fatalf(f string, v ...any) { panic(fmt.Sprintf(f, v...)) }
func (silent) Panic(v ...any)            { panic(fmt.Sprint(v...)) }
func (silent) Panicf(f string, v ...any) { panic(fmt.Sprintf(f, v...)) }
