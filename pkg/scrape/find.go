package scrape

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// parseUnique parses a configuration and refuses one in which two jobs have the same name, as Prometheus does.
func parseUnique(name string, data []byte) (*file, error) {
	f, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	seen := map[string]int{}
	for _, job := range f.jobNodes() {
		named := text(get(job, keyName))
		if first, twice := seen[named]; twice && named != "" {
			return nil, &Error{
				File: name, Line: job.Line, Reason: fmt.Sprintf("a second job is called %q, the first stands in line %d", named, first),
				Hint: "Prometheus refuses such a file: rename one of them",
			}
		}
		seen[named] = job.Line
	}
	return f, nil
}

// jobNodes are the items of scrape_configs.
func (f *file) jobNodes() []*yaml.Node {
	if f.root == nil {
		return nil
	}
	return list(get(f.root, keyJobs))
}

// findJob finds a job by its name. Only a job that can be edited in its place is returned.
func (f *file) findJob(name string) (place, bool, error) {
	if f.root == nil {
		return place{}, false, nil
	}
	jobs, found, err := f.child(f.rootPlace(), keyJobs)
	if err != nil {
		return place{}, false, err
	}
	i := slices.IndexFunc(f.jobNodes(), func(n *yaml.Node) bool { return text(get(n, keyName)) == name })
	if i < 0 {
		return place{}, false, nil
	}
	if !found || jobs.node.Kind != yaml.SequenceNode {
		return place{}, false, f.fault(f.root, "%s is shared by an alias or a merge key", keyJobs)
	}
	job, err := f.item(jobs, i)
	if err != nil {
		return place{}, false, err
	}
	return job, true, f.wantKind(job, yaml.MappingNode)
}

// labelsOf are the labels of a group; nil without any.
func labelsOf(group *yaml.Node) map[string]string {
	n := get(group, keyLabels)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	labels := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := follow(n.Content[i]); key != nil && key.ShortTag() != "!!merge" {
			labels[key.Value] = text(n.Content[i+1])
		}
	}
	return labels
}

// hasTargets says whether a job has any target of its own.
func hasTargets(job *yaml.Node) bool {
	return slices.ContainsFunc(list(get(job, keyStatic)), func(group *yaml.Node) bool { return len(list(get(group, keyTargets))) > 0 })
}

// hasTarget says whether a job has a target with these labels. The same target with others is an error, unless labels ask
// for it: it would be scraped twice.
func (f *file) hasTarget(job *yaml.Node, target string, labels map[string]string) (bool, error) {
	var other *yaml.Node
	for _, group := range list(get(job, keyStatic)) {
		for _, n := range list(get(group, keyTargets)) {
			switch {
			case text(n) != target:
			case maps.Equal(labelsOf(group), labels):
				return true, nil
			default:
				other = n
			}
		}
	}
	if other == nil || len(labels) > 0 {
		return false, nil
	}
	fault := f.fault(other, "target %s is there with labels: without them it would be scraped twice", target)
	fault.Hint = "leave it as it is, or take it out first with opsctl scrape rm"
	return false, fault
}

// agrees refuses fields that an existing job has otherwise.
func (f *file) agrees(job *yaml.Node, want Job) error {
	honor := get(job, keyHonor)
	for _, field := range []struct{ key, want, std string }{{keyPath, want.MetricsPath, "/metrics"}, {keyScheme, want.Scheme, "http"}} {
		have := text(get(job, field.key))
		if have == "" {
			have = field.std
		}
		if field.want != "" && have != field.want {
			return f.fault(job, "job %q is there with %s %s, not %s", want.Name, field.key, have, field.want)
		}
	}
	if want.HonorLabels && (honor == nil || !isTrue(honor)) {
		return f.fault(job, "job %q is there without %s", want.Name, keyHonor)
	}
	var files []string
	for _, sd := range list(get(job, keyFileSD)) {
		for _, n := range list(get(sd, "files")) {
			files = append(files, text(n))
		}
	}
	for _, name := range want.FileSD {
		if !slices.Contains(files, name) {
			return f.fault(job, "job %q is there without %s of %s", want.Name, keyFileSD, name)
		}
	}
	return nil
}

func isTrue(n *yaml.Node) bool {
	var v bool
	return n.Decode(&v) == nil && v
}
