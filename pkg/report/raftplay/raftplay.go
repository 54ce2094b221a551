// Package raftplay shows what happened in a simulated run of a Raft cluster, from a recording of it: as text for a terminal and
// as a page that plays it. It also plots distributions. It knows recordings alone, not what made them; their names and texts are
// foreign, and stay text.
package raftplay
