package raftsim

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// inWords is an error of the YAML library in the words of a topology: it has the types of a program in it.
func inWords(err error) error {
	wrong, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	unknown := regexp.MustCompile(`(?s)^(line \d+: )field (.*) not found in type (\S+)$`)
	mistaken := regexp.MustCompile("(?s)^(line \\d+: )cannot unmarshal (!!\\w+)(?: `(.*)`)? into (.*)$")
	var all []string
	for _, text := range wrong.Errors {
		if m := unknown.FindStringSubmatch(text); m != nil {
			text = fmt.Sprintf("%sthere is no key %q: %s", m[1], m[2], wantedAs(m[3]))
		} else if m := mistaken.FindStringSubmatch(text); m != nil {
			text = fmt.Sprintf("%s%s is not what is meant here: %s", m[1], given(m[2], m[3]), wantedAs(m[4]))
		}
		all = append(all, text)
	}
	return errors.New(strings.Join(all, "; "))
}

// given is a value by its short tag, and its text where it has one.
func given(tag, value string) string {
	switch tag {
	case "!!seq":
		return "a list"
	case "!!map":
		return "a map"
	}
	return fmt.Sprintf("%q", value)
}

// wantedAs is what a type of [topologyFile] is written as.
func wantedAs(name string) string {
	switch name = strings.TrimPrefix(name, "[]"); name {
	case "raftsim.topologyFile":
		return "a topology has zones, rtt, nodes, jitter, loss, dup and reorder"
	case "raftsim.zoneYAML":
		return "zones are a list such as - {name: eu-1, rtt: 300us}"
	case "raftsim.nodeYAML":
		return "nodes are a list such as - {name: etcd1, zone: eu-1, fsync: 2ms, fsyncP99: 8ms}"
	case "bool":
		return "write true or false"
	case "string":
		return "write a name"
	}
	return "write rtt as eu-1: {eu-2: 10ms}"
}
