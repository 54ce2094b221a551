package scrape

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// The keys of a configuration that are read and written here.
const (
	keyJobs     = "scrape_configs"
	keyName     = "job_name"
	keyStatic   = "static_configs"
	keyTargets  = "targets"
	keyLabels   = "labels"
	keyFileSD   = "file_sd_configs"
	keyPath     = "metrics_path"
	keyScheme   = "scheme"
	keyHonor    = "honor_labels"
	keyAlerting = "alerting"
	keyManagers = "alertmanagers"
)

// Add returns the configuration with the job in it. A job that is not there comes behind the last one. To a job that is
// there its targets are added: to the first group with the same labels, else as a new group; its other fields must agree.
// If all is there already, it returns data itself. name is the file's name for errors, which are *Error.
//
// [Remove] of the same takes the result back to data, but for one case: a job in brackets that had no targets.
func Add(name string, data []byte, job Job) ([]byte, error) {
	if err := job.Check(); err != nil {
		return nil, err
	}
	f, err := parseUnique(name, data)
	if err != nil {
		return nil, err
	}
	at, found, err := f.findJob(job.Name)
	if err != nil {
		return nil, err
	}
	if found {
		return f.addTargets(at, job)
	}
	s := f.styleOf()
	undo := func(g *file) ([]byte, error) { return g.removeJob(job.Name) }
	return f.addItem([]string{keyJobs}, s, s.job(job), undo)
}

// addItem puts an item into the list to which the keys lead from the root, and makes those that are missing.
func (f *file) addItem(keys []string, s style, item *yaml.Node, undo func(*file) ([]byte, error)) ([]byte, error) {
	p := f.rootPlace()
	for i, key := range keys {
		value := seq(0, item)
		if i+1 < len(keys) {
			value = mapping(str(keys[i+1], 0), seq(0, item))
		}
		next, found := place{}, false
		if p.node != nil {
			var err error
			if next, found, err = f.child(p, key); err != nil {
				return nil, err
			}
		}
		if !found {
			changes, err := f.appendKey(p, s, key, value)
			return f.commitAll(p.node, changes, err, undo)
		}
		if err := f.shared(next.path); err != nil {
			return nil, err
		}
		if next.isEmpty() && !p.isFlow() {
			changes, err := f.fill(next, s, value, i+1 < len(keys))
			return f.commitAll(next.node, changes, err, undo)
		}
		want := yaml.SequenceNode
		if i+1 < len(keys) {
			want = yaml.MappingNode
		}
		if err := f.wantKind(next, want); err != nil {
			return nil, err
		}
		p = next
	}
	changes, err := f.appendItems(p, s, false, item)
	return f.commitAll(p.node, changes, err, undo)
}

// commitAll is commit for changes that come with an error.
func (f *file) commitAll(at *yaml.Node, changes []change, err error, undo func(*file) ([]byte, error)) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return f.commit(at, changes, undo)
}

// wantKind refuses to write into anything but a list, or a mapping, that stands there itself.
func (f *file) wantKind(p place, kind yaml.Kind) error {
	name := "this"
	if p.key != nil {
		name = p.key.Value
	}
	switch {
	case p.node.Kind == kind:
		return nil
	case p.node.Kind == yaml.AliasNode:
		return f.fault(p.node, "%s is the alias *%s: what it stands for in line %d would change too", name, p.node.Value, p.node.Alias.Line)
	case p.node.ShortTag() == "!!null":
		return f.fault(p.node, "%s is written as null: leave its value out, or write [] instead", name)
	case kind == yaml.MappingNode:
		return f.fault(p.node, "%s is no mapping", name)
	default:
		return f.fault(p.node, "%s is no list", name)
	}
}

// job is the part that is written for a new job.
func (s style) job(j Job) *yaml.Node {
	n := mapping(str(keyName, 0), str(j.Name, s.name))
	if j.HonorLabels {
		n.Content = append(n.Content, str(keyHonor, 0), yes())
	}
	if j.MetricsPath != "" {
		n.Content = append(n.Content, str(keyPath, 0), str(j.MetricsPath, 0))
	}
	if j.Scheme != "" {
		n.Content = append(n.Content, str(keyScheme, 0), str(j.Scheme, 0))
	}
	if len(j.Targets) > 0 {
		n.Content = append(n.Content, str(keyStatic, 0), seq(0, s.group(j.Targets, j.Labels)))
	}
	if len(j.FileSD) > 0 {
		files := seq(s.flow)
		for _, name := range j.FileSD {
			files.Content = append(files.Content, str(name, s.target))
		}
		n.Content = append(n.Content, str(keyFileSD, 0), seq(0, mapping(str("files", 0), files)))
	}
	return n
}

// group is the part that is written for targets with the same labels.
func (s style) group(targets []string, labels map[string]string) *yaml.Node {
	hosts := seq(s.flow)
	for _, target := range targets {
		hosts.Content = append(hosts.Content, str(target, s.target))
	}
	n := mapping(str(keyTargets, 0), hosts)
	if len(labels) > 0 {
		m := mapping()
		for _, name := range slices.Sorted(maps.Keys(labels)) {
			m.Content = append(m.Content, str(name, 0), str(labels[name], 0))
		}
		n.Content = append(n.Content, str(keyLabels, 0), m)
	}
	return n
}

// addTargets adds what is missing to a job that is there.
func (f *file) addTargets(at place, job Job) ([]byte, error) {
	if err := f.agrees(at.node, job); err != nil {
		return nil, err
	}
	var missing []string
	for _, target := range job.Targets {
		there, err := f.hasTarget(at.node, target, job.Labels)
		if err != nil {
			return nil, err
		}
		if !there && !slices.Contains(missing, target) {
			missing = append(missing, target)
		}
	}
	if len(missing) == 0 {
		return f.data, nil
	}
	job.Targets = missing
	undo := undoTargets(job)
	static, found, err := f.staticOf(at)
	if err != nil {
		return nil, err
	}
	s := f.styleOf()
	group := s.group(missing, job.Labels)
	bare := !hasTargets(at.node)
	switch {
	case !found:
		changes, err := f.appendKey(at, s, keyStatic, seq(0, group))
		return f.commitAll(at.node, changes, err, undo)
	case static.isEmpty() && !at.isFlow():
		changes, err := f.fill(static, s, seq(0, group), bare)
		return f.commitAll(static.node, changes, err, undo)
	}
	if err := f.wantKind(static, yaml.SequenceNode); err != nil {
		return nil, err
	}
	for i, n := range static.node.Content {
		if n.Kind == yaml.MappingNode && maps.Equal(labelsOf(n), job.Labels) {
			return f.addToGroup(static, i, job, s, bare)
		}
	}
	changes, err := f.appendItems(static, s, bare, group)
	return f.commitAll(static.node, changes, err, undo)
}

// maxUndone is how many targets are tried to be taken out again: that parses the file for each of them.
const maxUndone = 50

// undoTargets takes the targets of a job out again, to see whether [Remove] will.
func undoTargets(job Job) func(*file) ([]byte, error) {
	if len(job.Targets) > maxUndone {
		return nil
	}
	return func(g *file) ([]byte, error) { return g.removeTargets(job.Name, job.Targets) }
}

// addToGroup adds targets to a group that is there.
func (f *file) addToGroup(static place, i int, job Job, s style, bare bool) ([]byte, error) {
	group, err := f.item(static, i)
	if err != nil {
		return nil, err
	}
	targets, found, err := f.child(group, keyTargets)
	if err != nil {
		return nil, err
	}
	undo := undoTargets(job)
	all := s.group(job.Targets, nil).Content[1]
	if !found {
		changes, err := f.appendKey(group, s, keyTargets, all)
		return f.commitAll(group.node, changes, err, undo)
	}
	if err := f.shared(targets.path); err != nil {
		return nil, err
	}
	if targets.isEmpty() && !group.isFlow() {
		all.Style = 0
		changes, err := f.fill(targets, s, all, bare)
		return f.commitAll(targets.node, changes, err, undo)
	}
	if err := f.wantKind(targets, yaml.SequenceNode); err != nil {
		return nil, err
	}
	s = s.near(targets)
	all = s.group(job.Targets, nil).Content[1]
	changes, err := f.appendItems(targets, s, bare && !targets.isFlow(), all.Content...)
	return f.commitAll(targets.node, changes, err, undo)
}

// near is the style for a target beside those of a group.
func (s style) near(targets place) style {
	if items := targets.node.Content; len(items) > 0 {
		s.target = quotes(items[len(items)-1])
	}
	s.gap = 2
	return s
}

// staticOf finds the static_configs that a job holds itself, and refuses those that it shares.
func (f *file) staticOf(job place) (place, bool, error) {
	static, found, err := f.child(job, keyStatic)
	if err != nil {
		return place{}, false, err
	}
	if !found && get(job.node, keyStatic) != nil {
		return place{}, false, f.fault(job.node, "the job takes its %s from a merge key (<<): what it shares would be hidden", keyStatic)
	}
	if !found {
		return place{}, false, f.shared(job.path)
	}
	return static, true, f.shared(static.path)
}
