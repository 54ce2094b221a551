package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/opsctl/opsctl/pkg/registry/layout"
	"github.com/opsctl/opsctl/pkg/registry/mark"
)

// workers is how many repositories opsctl reads at a time.
func workers() int { return 2 * runtime.GOMAXPROCS(0) }

// markStore marks a store and prints how many digests are live.
func markStore(ctx context.Context, root string) error {
	store, err := layout.Open(root)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	result, err := mark.Store(ctx, store, mark.Options{Roots: mark.Roots{DeleteUntagged: true}, Workers: workers()})
	if err != nil {
		return err
	}
	fmt.Println(result.Live.Len())
	return result.Live.Close()
}

// readStore is the least that marking can do: it reads the folders of repositories, tags and revisions, each link in them and
// each manifest once, with the standard library's calls, and does nothing with what it has read.
func readStore(root string) error {
	v2 := layout.Dir(root)
	names := make(chan string)
	var wg sync.WaitGroup
	for range workers() {
		wg.Go(func() {
			for dir := range names {
				readRepository(v2, dir)
			}
		})
	}
	findRepositories(filepath.Join(v2, "repositories"), names)
	close(names)
	wg.Wait()
	return nil
}

func findRepositories(dir string, names chan<- string) {
	entries, _ := os.ReadDir(dir)
	found := false
	for _, entry := range entries {
		switch {
		case !strings.HasPrefix(entry.Name(), "_"):
			findRepositories(filepath.Join(dir, entry.Name()), names)
		case !found:
			names <- dir
			found = true
		}
	}
}

func readRepository(v2, dir string) {
	tags := filepath.Join(dir, "_manifests/tags")
	entries, _ := os.ReadDir(tags)
	for _, tag := range entries {
		_, _ = os.ReadFile(filepath.Join(tags, tag.Name(), "current/link"))
	}
	revisions := filepath.Join(dir, "_manifests/revisions/sha256")
	entries, _ = os.ReadDir(revisions)
	for _, entry := range entries {
		digits := entry.Name()
		if _, err := os.ReadFile(filepath.Join(revisions, digits, "link")); err == nil {
			_, _ = os.ReadFile(filepath.Join(v2, "blobs/sha256", digits[:2], digits, "data"))
		}
	}
}
