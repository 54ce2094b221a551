//go:build onethread

package main

import "runtime"

// Built with this tag, a run's own goroutine keeps to one thread, so that strace, which counts calls by thread, meets each of
// its calls: for tests that kill it at every one of them.
func init() { runtime.LockOSThread() }
