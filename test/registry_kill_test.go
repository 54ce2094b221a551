package test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/opsctl/opsctl/internal/testpeers"
	"github.com/opsctl/opsctl/pkg/quarantine"
	"github.com/opsctl/opsctl/pkg/registry/layout"
)

// killRig has stores as they are before a collection and after one, to be copied, and a registry that a copy is shown to.
type killRig struct {
	t       *testing.T
	r       *realRegistry
	program string
	work    string
	// stores by name, and what they consist of beside the quarantine.
	stores map[string]string
	trees  map[string]map[string]string
	tags   []name.Reference // that live
}

// opsctlProgram is the one that OPSCTL_BIN names, else it is built.
func opsctlProgram(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("OPSCTL_BIN"); bin != "" {
		return bin
	}
	return buildTagged(t, filepath.Join(t.TempDir(), "opsctl"), "")
}

func collectNow(more ...string) []string {
	return append([]string{"gc", "--delete-untagged", "--grace", "0s", "--settle", "0s", "--yes"}, more...)
}

func newKillRig(t *testing.T) *killRig {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("gives files to others: only root can")
	}
	testpeers.RequireProgram(t, "strace")
	r := startRegistry(t)
	k := &killRig{t: t, r: r, program: opsctlProgram(t), work: filepath.Join(filepath.Dir(r.root), "work"), stores: map[string]string{}, trees: map[string]map[string]string{}}
	r.fill()
	k.owners(r.root)
	k.keep("before", r.root)
	for after, args := range map[string][]string{"collected": collectNow(), "collected and cleared": collectNow("--stopped")} {
		k.lay("before")
		if code, out := k.opsctl(args...); code != 0 {
			t.Fatalf("exit %d: %s", code, out)
		}
		k.keep(after, k.work)
		if len(k.trees[after]) >= len(k.trees["before"]) {
			t.Fatal("nothing was collected")
		}
	}
	k.live()
	return k
}

// owners gives parts of a store to others.
func (k *killRig) owners(root string) {
	rng := rand.New(rand.NewPCG(4, 2))
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		mode := []os.FileMode{0o640, 0o600, 0o644, 0o664}[rng.IntN(4)]
		if entry.IsDir() {
			mode = []os.FileMode{0o755, 0o750, 0o700 | os.ModeSetgid, 0o775 | os.ModeSetgid, 0o777 | os.ModeSticky}[rng.IntN(5)]
		}
		return errors.Join(os.Lchown(name, rng.IntN(3)*1000, rng.IntN(4)*100), os.Chmod(name, mode))
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// keep takes a store away, to be laid down again and again.
func (k *killRig) keep(store, dir string) {
	k.t.Helper()
	to := filepath.Join(filepath.Dir(k.work), store)
	if err := os.Rename(dir, to); err != nil {
		k.t.Fatal(err)
	}
	k.stores[store], k.trees[store] = to, tree(k.t, to)
	// A copy has the same files by another name, which the lock must not have.
	if err := os.Remove(k.lock(to)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.t.Fatal(err)
	}
}

func (k *killRig) yard(root string) string { return filepath.Join(layout.Dir(root), quarantine.Folder) }
func (k *killRig) lock(root string) string { return filepath.Join(k.yard(root), "lock") }

// lay makes the working store a copy.
func (k *killRig) lay(store string) {
	k.t.Helper()
	if err := os.RemoveAll(k.work); err != nil {
		k.t.Fatal(err)
	}
	if out, err := exec.CommandContext(k.t.Context(), "cp", "-al", k.stores[store], k.work).CombinedOutput(); err != nil {
		k.t.Fatalf("%v: %s", err, out)
	}
}

func (k *killRig) command(args []string, before ...string) *exec.Cmd {
	all := append(append(before, k.program, "registry"), args...)
	cmd := exec.CommandContext(k.t.Context(), all[0], append(all[1:], "--root", k.work)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1") // few threads: strace counts calls by thread
	return cmd
}

func (k *killRig) opsctl(args ...string) (code int, out string) {
	k.t.Helper()
	cmd := k.command(args)
	text, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		k.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// shown has the registry serve the working store meanwhile.
func (k *killRig) shown(look func()) {
	k.t.Helper()
	if err := os.Rename(k.work, k.r.root); err != nil {
		k.t.Fatal(err)
	}
	look()
	if err := os.Rename(k.r.root, k.work); err != nil {
		k.t.Fatal(err)
	}
}

// live finds the tags that a collected store has.
func (k *killRig) live() {
	k.t.Helper()
	k.lay("collected")
	k.shown(func() {
		for _, repository := range k.r.catalog() {
			tags, err := remote.List(must[name.Repository](k.t)(name.NewRepository(k.r.addr + "/" + repository)))
			if err != nil {
				continue // it never had a tag
			}
			for _, tag := range tags {
				if !strings.HasPrefix(tag, "sha256-") && repository != "a/dev" { // whose index has lost its children
					k.tags = append(k.tags, k.r.ref(repository+":"+tag))
				}
			}
		}
	})
	if len(k.tags) < 5 {
		k.t.Fatalf("%d tags live", len(k.tags))
	}
}

// pulls has a client pull and check all that lives.
func (k *killRig) pulls(when string) {
	k.t.Helper()
	k.shown(func() {
		for _, tag := range k.tags {
			if err := valid(tag); err != nil {
				k.t.Errorf("%s: %v: %v", when, tag, err)
			}
		}
	})
}

// sets are the folders in the quarantine, the oldest first.
func (k *killRig) sets() (names []string) {
	k.t.Helper()
	entries, err := os.ReadDir(k.yard(k.work))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// killed is one command that is killed, and what the same command makes of it when nobody does.
type killed struct {
	from string
	args []string
	to   string
}

func killedCommands() []killed {
	return []killed{
		{"before", collectNow(), "collected"},
		{"before", collectNow("--stopped"), "collected and cleared"},
		{"collected", []string{"undo", "--yes"}, "before"},
		{"collected and cleared", []string{"undo", "--yes"}, "before"},
		{"collected", []string{"purge", "--older-than", "0s", "--yes"}, "collected"},
	}
}

// point is where a command is killed: as it begins its nth call of a name, in any of its threads.
type point struct {
	killed
	call string
	n    int
}

func (p *point) String() string {
	return fmt.Sprintf("%s, killed at %s %d", strings.Join(p.args, " "), p.call, p.n)
}

const killingCalls = "renameat,renameat2,mkdirat,unlinkat,fchmodat,fchmod,fchownat,fsync,syncfs,ftruncate,pwrite64"

// points are the places at which a command can be killed, by the name of the call.
func (k *killRig) points(c killed) (all [][]point) {
	k.t.Helper()
	k.lay(c.from)
	log := filepath.Join(filepath.Dir(k.work), "strace")
	if out, err := k.command(c.args, "strace", "-f", "-qq", "-e", "signal=none", "-o", log, "-e", "trace="+killingCalls).CombinedOutput(); err != nil {
		k.t.Fatalf("%v: %s", err, out)
	}
	text := must[[]byte](k.t)(os.ReadFile(log))
	counts, most := map[string]int{}, map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^(\d+) +(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
		counts[m[0]]++
		most[m[2]] = max(most[m[2]], counts[m[0]])
	}
	for _, call := range slices.Sorted(maps.Keys(most)) {
		var some []point
		for i := range most[call] {
			some = append(some, point{c, call, i + 1})
		}
		all = append(all, some)
	}
	return all
}

// kill runs a command to a point; it is false when the command came to its end before.
func (k *killRig) kill(p *point) bool {
	k.t.Helper()
	k.lay(p.from)
	cmd := k.command(p.args, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+p.call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", p.call, p.n))
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "opsctl:") {
		k.t.Fatalf("%v: %s", p, out)
	}
	return err != nil
}

// again runs the command once more, and looks at what it makes of a store at which the first run was killed.
func (k *killRig) again(p *point) {
	k.t.Helper()
	args := p.args
	if args[0] == "undo" {
		sets := slices.DeleteFunc(k.sets(), func(name string) bool { return strings.HasPrefix(name, "purge-") })
		if len(sets) > 0 {
			args = []string{"undo", sets[0], "--yes"}
		} else { // it was over
			args = []string{"gc", "--dry-run"}
		}
	}
	if code, out := k.opsctl(args...); code != 0 {
		k.t.Errorf("%v: once more: exit %d: %s", p, code, out)
	}
	sameTree(k.t, tree(k.t, k.work), k.trees[p.to])
	if args[0] == "purge" && len(k.sets()) > 0 {
		k.t.Errorf("%v: left %v", p, k.sets())
	}
	if args[0] == "gc" && p.args[0] == "gc" {
		if code, out := k.opsctl("undo", k.sets()[0], "--yes"); code != 0 || len(k.sets()) > 0 {
			k.t.Errorf("%v: undoing all: exit %d: %s, left %v", p, code, out, k.sets())
		}
		sameTree(k.t, tree(k.t, k.work), k.trees["before"])
	}
}

// TestKilledRunsLoseNothing kills collections, undoings and purges at random calls that change something: what lives can be
// pulled at once, the same command once more ends where one that nobody killed ends, and undoing all brings the same tree.
func TestKilledRunsLoseNothing(t *testing.T) {
	k := newKillRig(t)
	k.lay("before")
	k.pulls("before")
	k.lay("collected")
	k.pulls("collected")
	want := 30
	switch os.Getenv("OPSCTL_TORTURE") {
	case "":
	case "short":
		want = 100
	default:
		want = 500
	}
	var points [][]point
	for _, c := range killedCommands() {
		points = append(points, k.points(c)...)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	count, tries, calls := 0, 0, map[string]int{}
	for ; count < want && tries < 3*want; tries++ {
		// Each name of a call as often as the others: a run has hundreds of renames and one fsync of a kind.
		some := points[(int(seed%1000)+tries)%len(points)]
		p := &some[rng.IntN(len(some))]
		if !k.kill(p) {
			continue // the calls were spread over other threads
		}
		count++
		calls[p.args[0]+" "+p.call]++
		if want <= 100 || count%10 == 0 {
			k.pulls(p.String())
		}
		k.again(p)
		if t.Failed() {
			t.Fatalf("%v", p)
		}
	}
	t.Logf("%d killed of %d: %v", count, tries, calls)
	if count < want {
		t.Error("too few points to mean anything")
	}
}

// TestOneCollectionAtATime: while somebody holds the lock, every command that changes the store is refused, and changes nothing.
func TestOneCollectionAtATime(t *testing.T) {
	k := newKillRig(t)
	k.lay("collected")
	holder := exec.CommandContext(t.Context(), "flock", k.lock(k.work), "sh", "-c", "echo held; cat")
	in, out := must[io.WriteCloser](t)(holder.StdinPipe()), must[io.ReadCloser](t)(holder.StdoutPipe())
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	_ = must[string](t)(bufio.NewReader(out).ReadString('\n'))
	for _, args := range [][]string{collectNow(), {"undo", "--yes"}, {"purge", "--older-than", "0s", "--yes"}} {
		if code, out := k.opsctl(args...); code != 6 || !strings.Contains(out, k.lock(k.work)) {
			t.Errorf("%v: exit %d: %s", args, code, out)
		}
	}
	sameTree(t, tree(t, k.work), k.trees["collected"])
	_ = in.Close()
	_ = holder.Wait()
	if code, out := k.opsctl("undo", "--yes"); code != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
	sameTree(t, tree(t, k.work), k.trees["before"])
}
