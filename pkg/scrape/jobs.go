package scrape

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Listed is a job of a configuration as Prometheus would run it, aliases and merge keys resolved.
type Listed struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Path and Scheme are Prometheus's defaults where the file holds none.
	Path        string `json:"metricsPath"`
	Scheme      string `json:"scheme"`
	HonorLabels bool   `json:"honorLabels"`
	// Discovery are the ways to targets, such as static, file, kubernetes, in the order of the file.
	Discovery []string `json:"discovery"`
	Groups    []Group  `json:"groups"`
}

// Group are static targets with the same labels.
type Group struct {
	Line    int               `json:"line"`
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// maxTargets bounds what aliases of aliases can blow a list up to.
const maxTargets = 1 << 20

// Jobs lists the jobs of a configuration. name is the file's name, for errors and for the result.
func Jobs(name string, data []byte) ([]Listed, error) {
	f, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	jobs, budget := []Listed{}, maxTargets
	for _, item := range f.jobNodes() {
		n := follow(item)
		if n == nil || n.Kind != yaml.MappingNode {
			return nil, f.fault(item, "an item of %s is no mapping", keyJobs)
		}
		job := Listed{
			Name: text(get(n, keyName)), File: name, Line: item.Line,
			Path: orElse(text(get(n, keyPath)), "/metrics"), Scheme: orElse(text(get(n, keyScheme)), "http"),
			HonorLabels: get(n, keyHonor) != nil && isTrue(get(n, keyHonor)),
			Discovery:   []string{}, Groups: []Group{},
		}
		if get(n, keyStatic) != nil {
			job.Discovery = append(job.Discovery, "static")
		}
		for _, kind := range discoveries(n) {
			job.Discovery = append(job.Discovery, strings.TrimSuffix(kind, discoverySuffix))
		}
		for _, group := range list(get(n, keyStatic)) {
			g := Group{Line: group.Line, Targets: []string{}, Labels: map[string]string{}}
			for _, target := range list(get(group, keyTargets)) {
				g.Targets = append(g.Targets, text(target))
			}
			maps.Copy(g.Labels, labelsOf(group))
			if budget -= 1 + len(g.Targets) + len(g.Labels); budget < 0 {
				return nil, f.fault(item, "more than %d targets, or aliases that multiply them", maxTargets)
			}
			job.Groups = append(job.Groups, g)
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

const discoverySuffix = "_sd_configs"

// discoveries are the keys of a job that find targets by other means than static_configs.
func discoveries(job *yaml.Node) []string {
	var kinds []string
	collectKeys(job, visited{}, func(key string) {
		if strings.HasSuffix(key, discoverySuffix) && !slices.Contains(kinds, key) {
			kinds = append(kinds, key)
		}
	})
	return kinds
}

// collectKeys visits the keys of a mapping and of those that it merges.
func collectKeys(n *yaml.Node, seen visited, visit func(string)) {
	if n = follow(n); n == nil || seen.again(n) {
		return
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			collectKeys(item, seen, visit)
		}
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := follow(n.Content[i]); key != nil && key.ShortTag() == "!!merge" {
			collectKeys(n.Content[i+1], seen, visit)
		} else if key != nil && key.Kind == yaml.ScalarNode {
			visit(key.Value)
		}
	}
}
