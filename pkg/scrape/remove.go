package scrape

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrDiscovery is the cause of refusing to take the last static target out of a job that finds others by itself.
var ErrDiscovery = errors.New("the job would be left with its other discovery alone")

// Remove returns the configuration without the job, or, with targets, without these targets of the job, whatever their
// labels. A group that loses its last target goes too, and so does the job, unless it finds targets by other means:
// [ErrDiscovery]. Comments above a job stay. What [Add] had to write for the job to stand in goes as well. If nothing of
// it is there, it returns data itself.
func Remove(name string, data []byte, job string, targets ...string) ([]byte, error) {
	f, err := parseUnique(name, data)
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return f.removeJob(job)
	}
	return f.removeTargets(job, targets)
}

func (f *file) removeJob(name string) ([]byte, error) {
	_, found, err := f.findJob(name)
	if err != nil || !found {
		return f.data, err
	}
	i := slices.IndexFunc(f.jobNodes(), func(n *yaml.Node) bool { return text(get(n, keyName)) == name })
	return f.removeItem([]string{keyJobs}, i)
}

// removeItem takes item i out of the list to which the keys lead from the root. If that leaves a key empty that Add wrote,
// the key goes.
func (f *file) removeItem(keys []string, i int) ([]byte, error) {
	places := []place{f.rootPlace()}
	for _, key := range keys {
		p, found, err := f.child(places[len(places)-1], key)
		if err != nil || !found {
			return nil, errors.Join(err, f.fault(f.root, "%s is shared by a merge key", key))
		}
		places = append(places, p)
	}
	p := places[len(places)-1]
	if err := f.shared(p.path); err != nil {
		return nil, err
	}
	if len(p.node.Content) == 1 {
		for k := 1; k < len(places); k++ {
			alone := true
			for _, below := range places[k:] {
				alone = alone && len(below.node.Content) <= 2
			}
			if alone && f.made(places[k]) {
				changes, err := f.deleteKey(places[k-1], places[k])
				return f.commitAll(places[k].key, changes, err, nil)
			}
		}
	}
	changes, err := f.deleteItem(p, i)
	return f.commitAll(p.node.Content[i], changes, err, nil)
}

// made says whether Add wrote the key of a value.
func (f *file) made(p place) bool {
	// Behind a "-" the remark is about the item.
	if _, own := f.ownLine(f.offset(p.key)); own && f.marked(p.key.Line-1) {
		return true
	}
	if !p.isFlow() {
		return false
	}
	found, err := f.flow(p.node)
	if err != nil || len(found.elements) == 0 {
		return false
	}
	first, last := found.elements[0], found.elements[len(found.elements)-1]
	return !found.trailing && first.start == found.open+2 && last.end == found.closed-1
}

// removeTargets takes targets out of a job, and with the last one what held it.
func (f *file) removeTargets(name string, targets []string) ([]byte, error) {
	job, found, err := f.findJob(name)
	if err != nil || !found {
		return f.data, err
	}
	static, found, err := f.staticOf(job)
	if err != nil {
		return nil, err
	}
	if !found || !f.hasAny(static, targets) {
		return f.data, nil
	}
	if err := f.wantKind(static, yaml.SequenceNode); err != nil {
		return nil, err
	}
	if f.leaves(static, targets) {
		return f.removeSome(name, static, targets)
	}
	if f.made(static) {
		changes, err := f.deleteKey(job, static)
		return f.commitAll(static.key, changes, err, nil)
	}
	if f.markedBelow(static) {
		return f.removeSome(name, static, targets)
	}
	if other := discoveries(job.node); len(other) > 0 {
		return nil, &Error{
			File: f.name, Line: job.node.Line, Err: ErrDiscovery,
			Reason: "job \"" + name + "\" has no other target, but " + strings.Join(other, ", "),
			Hint:   "without targets named, rm takes the whole job",
		}
	}
	return f.removeJob(name)
}

// hasAny says whether one of the targets is in a group.
func (f *file) hasAny(static place, targets []string) bool {
	return slices.ContainsFunc(list(static.node), func(group *yaml.Node) bool {
		return slices.ContainsFunc(list(get(group, keyTargets)), func(n *yaml.Node) bool { return slices.Contains(targets, text(n)) })
	})
}

// leaves says whether another target stays.
func (f *file) leaves(static place, targets []string) bool {
	return slices.ContainsFunc(static.node.Content, func(group *yaml.Node) bool {
		return slices.ContainsFunc(list(get(group, keyTargets)), func(n *yaml.Node) bool { return !slices.Contains(targets, text(n)) })
	})
}

// markedBelow says whether Add wrote the first target into groups that were there without any.
func (f *file) markedBelow(static place) bool {
	if static.isFlow() {
		return false
	}
	marked := false
	walk(static.node, func(n *yaml.Node) { marked = marked || f.marked(n.Line-1) })
	return marked
}

// removeSome takes targets out, one or one group at a time, until none of them is left.
func (f *file) removeSome(name string, static place, targets []string) ([]byte, error) {
	for i, n := range static.node.Content {
		items := list(get(n, keyTargets))
		gone := func(n *yaml.Node) bool { return slices.Contains(targets, text(n)) }
		// From the last one backwards, since the first may carry the remark.
		at := len(items) - 1
		for at >= 0 && !gone(items[at]) {
			at--
		}
		if at < 0 {
			continue
		}
		group, err := f.item(static, i)
		if err != nil {
			return nil, err
		}
		if err := f.wantKind(group, yaml.MappingNode); err != nil {
			return nil, err
		}
		data, err := f.removeFrom(static, group, i, at, !slices.ContainsFunc(items, func(n *yaml.Node) bool { return !gone(n) }))
		if err != nil {
			return nil, err
		}
		g, err := parse(f.name, data)
		if err != nil {
			return nil, err
		}
		return g.removeRest(name, targets)
	}
	return f.data, nil
}

// removeRest goes on with removeSome after a step.
func (f *file) removeRest(name string, targets []string) ([]byte, error) {
	job, _, err := f.findJob(name)
	if err != nil {
		return nil, err
	}
	static, found, err := f.child(job, keyStatic)
	if err != nil || !found || static.node.Kind != yaml.SequenceNode {
		return f.data, err
	}
	return f.removeSome(name, static, targets)
}

// removeFrom takes a target out of a group, or the whole group i, unless Add wrote the targets into an empty one.
func (f *file) removeFrom(static, group place, i, at int, whole bool) ([]byte, error) {
	targets, found, err := f.child(group, keyTargets)
	if err != nil {
		return nil, err
	}
	if found && whole && f.made(targets) {
		changes, err := f.deleteKey(group, targets)
		return f.commitAll(targets.key, changes, err, nil)
	}
	filled := found && !targets.isFlow() && targets.node.Kind == yaml.SequenceNode && f.marked(targets.node.Content[0].Line-1) && targets.key.Line != targets.node.Content[0].Line
	if whole && !filled {
		changes, err := f.deleteItem(static, i)
		return f.commitAll(group.node, changes, err, nil)
	}
	if !found {
		return nil, f.fault(group.node, "the group takes its targets from a merge key (<<)")
	}
	if err := f.shared(targets.path); err != nil {
		return nil, err
	}
	if err := f.wantKind(targets, yaml.SequenceNode); err != nil {
		return nil, err
	}
	changes, err := f.deleteItem(targets, at)
	return f.commitAll(targets.node, changes, err, nil)
}
