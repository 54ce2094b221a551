package scrape

import (
	"go.yaml.in/yaml/v3"
)

// style is how the file is written, for new parts to look alike.
type style struct {
	// list is how far a "-" stands to the right of the key that its list belongs to: 0 or more.
	list int
	// gap is how far an item's first key stands behind its "-".
	gap int
	// step is how far a mapping's keys stand to the right of the mapping's own key.
	step int
	// name and target are the quotes of job names and of targets.
	name, target yaml.Style
	// flow says whether targets stand in brackets.
	flow yaml.Style
}

// styleOf looks at the jobs that are there, the last ones first; without any it is what Prometheus's own samples do.
func (f *file) styleOf() style {
	s := style{list: 2, gap: 2, step: 2, target: yaml.SingleQuotedStyle, flow: yaml.FlowStyle}
	if f.root == nil {
		return s
	}
	jobs := get(f.root, "scrape_configs")
	s.lists(f, f.root)
	for _, job := range list(jobs) {
		job = follow(job)
		if job == nil || job.Kind != yaml.MappingNode {
			continue
		}
		if name := own(job, "job_name"); name != nil {
			s.name = quotes(name)
		}
		s.lists(f, job)
		for _, group := range list(own(job, "static_configs")) {
			s.targets(own(group, "targets"))
		}
	}
	return s
}

// own is the value of a key that the mapping holds itself.
func own(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// lists takes the indentation from the block lists of a mapping.
func (s *style) lists(f *file, n *yaml.Node) {
	if n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle != 0 {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		v := n.Content[i+1]
		if v.Kind != yaml.SequenceNode || v.Style&yaml.FlowStyle != 0 || len(v.Content) == 0 {
			continue
		}
		first := v.Content[0]
		d, err := f.dash(first)
		if err != nil {
			continue
		}
		s.list = max(0, d.col-(n.Content[i].Column-1))
		if first.Kind == yaml.MappingNode && first.Style&yaml.FlowStyle == 0 && d.line == first.Line-1 && first.Anchor == "" {
			s.gap = max(2, first.Column-1-d.col)
		}
	}
}

func (s *style) targets(n *yaml.Node) {
	if n == nil || n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return
	}
	s.flow = n.Style & yaml.FlowStyle
	s.target = quotes(n.Content[len(n.Content)-1])
}

// quotes is the quoting of a scalar.
func quotes(n *yaml.Node) yaml.Style {
	return n.Style & (yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle)
}
