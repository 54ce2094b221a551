//go:debug rsa1024min=0

// Package test judges opsctl by real programs: the predictions of pkg/authkeys by sshd's decisions, the reading of logs by
// what the clients know that they did. Package testpeers says what a machine needs for it.
package test
