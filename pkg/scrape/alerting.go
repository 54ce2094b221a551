package scrape

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// AddAlertmanager returns the configuration with an alertmanager under alerting, as an entry of its own: entries that are
// there may have other paths or credentials. If one of them names the target, it returns data itself.
// [RemoveAlertmanager] takes the result back to data.
func AddAlertmanager(name string, data []byte, target string) ([]byte, error) {
	if err := CheckTarget(target); err != nil {
		return nil, err
	}
	f, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	if _, group := f.alertmanager(target); group >= 0 {
		return data, nil
	}
	s := f.styleOf()
	item := mapping(str(keyStatic, 0), seq(0, s.group([]string{target}, nil)))
	undo := func(g *file) ([]byte, error) { return RemoveAlertmanager(name, g.data, target) }
	return f.addItem([]string{keyAlerting, keyManagers}, s, item, undo)
}

// RemoveAlertmanager returns the configuration without an alertmanager. What had no other goes too: its group, its entry.
// If it is not there, it returns data itself.
func RemoveAlertmanager(name string, data []byte, target string) ([]byte, error) {
	f, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	i, g := f.alertmanager(target)
	if g < 0 {
		return data, nil
	}
	p, err := f.descend(f.rootPlace(), keyAlerting, keyManagers)
	if err != nil {
		return nil, err
	}
	entry, err := f.item(p, i)
	if err != nil {
		return nil, err
	}
	groups := list(get(entry.node, keyStatic))
	targets := list(get(groups[g], keyTargets))
	if len(groups) == 1 && len(targets) == 1 && len(discoveries(entry.node)) == 0 {
		return f.removeItem([]string{keyAlerting, keyManagers}, i)
	}
	static, err := f.descend(entry, keyStatic)
	if err != nil {
		return nil, err
	}
	if len(targets) == 1 {
		changes, err := f.deleteItem(static, g)
		return f.commitAll(groups[g], changes, err, nil)
	}
	group, err := f.item(static, g)
	if err != nil {
		return nil, err
	}
	hosts, err := f.descend(group, keyTargets)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(targets, func(n *yaml.Node) bool { return text(n) == target })
	changes, err := f.deleteItem(hosts, at)
	return f.commitAll(targets[at], changes, err, nil)
}

// alertmanager finds a target: the entry and the group that name it, -1 for none.
func (f *file) alertmanager(target string) (entry, group int) {
	if f.root == nil {
		return -1, -1
	}
	for i, manager := range list(get(get(f.root, keyAlerting), keyManagers)) {
		for g, n := range list(get(manager, keyStatic)) {
			if slices.ContainsFunc(list(get(n, keyTargets)), func(n *yaml.Node) bool { return text(n) == target }) {
				return i, g
			}
		}
	}
	return -1, -1
}

// descend follows keys to a list that can be edited in its place.
func (f *file) descend(p place, keys ...string) (place, error) {
	for i, key := range keys {
		if err := f.wantKind(p, yaml.MappingNode); err != nil {
			return place{}, err
		}
		next, found, err := f.child(p, key)
		if err != nil {
			return place{}, err
		}
		if !found {
			return place{}, f.fault(p.node, "%s is shared by a merge key (<<)", key)
		}
		if i == len(keys)-1 {
			if err := f.wantKind(next, yaml.SequenceNode); err != nil {
				return place{}, err
			}
		}
		p = next
	}
	return p, f.shared(p.path)
}
