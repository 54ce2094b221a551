package raftsim

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// programs are words of programs, which tell nothing to those who write a file.
var programs = regexp.MustCompile(`raftsim|traceFile|YAML\b|!!|json:|yaml:|[Gg]o (value|struct)|uint|float|unmarshal`)

func TestTracesAreRefusedWithTheirPlace(t *testing.T) {
	c := Default()
	var b bytes.Buffer
	if err := (&Trace{Config: c, Hash: "x"}).Write(&b); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	if _, err := ReadTrace(strings.NewReader(good + " \r\n\t\n")); err != nil {
		t.Errorf("spaces behind a trace: %v", err)
	}
	change := func(old, now string) string {
		if strings.Count(good, old) != 1 {
			t.Fatalf("%q is not once in a trace", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	lines := strings.Count(good, "\n")
	cut, _, _ := strings.Cut(good, "RaftTrace")
	for want, text := range map[string]string{
		"it is empty":               " \n",
		"line 3: it ends in the":    cut,
		"line 2: invalid char":      strings.Replace(good, "apiVersion\"", "apiVersion\";", 1),
		"there is no field \"sed\"": change(`"seed"`, `"sed"`),
		"line 6: seed: a text is not what is meant here: write a whole number":        change(`"seed": 1`, `"seed": "a"`),
		"line 6: seed: number -1 is not":                                              change(`"seed": 1`, `"seed": -1`),
		"line 7: duration: number is not what is meant here: write a time such as \"": change(`"duration": "1m0s"`, `"duration": 60`),
		"\"soon\" is no time such as 100ms":                                           change(`"duration": "1m0s"`, `"duration": "soon"`),
		"preVote: a list is not what is meant here: write true or false":              change(`"preVote": true`, `"preVote": []`),
		"faults: a map is not what is meant here: write a list":                       change(`"faults": []`, `"faults": {}`),
		"faults[0]: \"kil leader @1s\": ":                                             change(`"faults": []`, `"faults": ["kil leader @1s"]`),
		"line 1: a list is not what is meant here: write a map":                       "[]",
		"longer than 16777216 bytes":                                                  strings.Repeat(" ", maxTrace+1),
	} {
		_, err := ReadTrace(strings.NewReader(text))
		refusedAs(t, err, want)
	}
	for _, more := range []string{"}", "x", "\x00", good, `""`} {
		_, err := ReadTrace(strings.NewReader(good + "\n" + more))
		if err == nil || !strings.Contains(err.Error(), "there is more behind its end") || !strings.Contains(err.Error(), fmt.Sprintf("line %d:", lines+2)) {
			t.Errorf("%.9q behind %d lines: %v", more, lines, err)
		}
	}
}

func TestTopologiesAreRefusedInWords(t *testing.T) {
	const good = "zones: [{name: x, rtt: 1ms}]\nnodes: [{name: a, zone: x}]\n"
	for _, end := range []string{"", "...\n", "# the end\n"} {
		if _, err := ReadTopology(strings.NewReader(good+end), "it"); err != nil {
			t.Errorf("%q behind a topology: %v", end, err)
		}
	}
	for text, want := range map[string]string{
		good + "---\n":                          "line 3: there is more behind its first document",
		good + "---\nzones: []\n":               "line 3: there is more behind its first document",
		good + "---\n{[\n":                      "there is more behind its first document, which is no YAML",
		good + "rtt: {x: {y: [1]}}":             "line 3: a list is no time such as 500us",
		good + "rtt: {x: {y: {z: 1}}}":          "line 3: a map is no time such as 500us",
		good + "rtt: {x: {y: soon}}":            "line 3: \"soon\" is no time such as 500us",
		good + "rtt: [1]":                       "line 3: a list is not what is meant here: write rtt as",
		good + "loss: [1]":                      "line 3: a list is no share such as 10%",
		good + "reorder: perhaps":               "line 3: \"perhaps\" is not what is meant here: write true or false",
		good + "\"a\\nb\": 1":                   "line 3: there is no key \"a\\nb\": a topology has zones, rtt",
		good + "zones: []":                      "line 3: mapping key \"zones\" already defined at line 1",
		"zones: [{name: [x]}]":                  "line 1: a list is not what is meant here: write a name",
		"\nnodes: [a]":                          "line 2: \"a\" is not what is meant here: nodes are a list such as",
		"\nzones: [{named: x}]":                 "line 2: there is no key \"named\": zones are a list such as",
		"a: b: c":                               "mapping values are not allowed",
		"5":                                     "line 1: \"5\" is not what is meant here: a topology has zones",
		strings.Repeat("#", maxTopology) + "\n": "longer than 1048576 bytes",
		"":                                      "it is empty",
	} {
		_, err := ReadTopology(strings.NewReader(text), "it")
		refusedAs(t, err, want)
		if err != nil && !strings.HasPrefix(err.Error(), "it: ") {
			t.Errorf("%v names no file", err)
		}
	}
}

// refusedAs wants an error in the words of those who write files.
func refusedAs(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, and not %q", err, want)
		return
	}
	if word := programs.FindString(strings.ReplaceAll(err.Error(), "no YAML", "")); word != "" {
		t.Errorf("%v: %q is a word of programs", err, word)
	}
}
