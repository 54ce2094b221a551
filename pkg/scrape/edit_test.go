package scrape_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opsctl/opsctl/pkg/scrape"
)

func TestRemoveByHandWritten(t *testing.T) {
	for _, c := range []struct{ name, before, job, targets, want string }{
		{
			"the first of a block list, comments above it stay",
			"scrape_configs:\n# one\n- job_name: a\n  # inside\n\n# two\n- job_name: b\n", "a", "", "scrape_configs:\n# one\n\n# two\n- job_name: b\n",
		},
		{
			"the last one leaves its key", "x: 1\nscrape_configs:\n  - job_name: a\n\n# end\n", "a", "", "x: 1\nscrape_configs:\n\n# end\n",
		},
		{
			"in brackets, between strings that hold brackets and quotes",
			"scrape_configs: [{job_name: 'it''s ]'}, {job_name: a}, {job_name: \"\\\"}\"}] # ]\n", "a", "",
			"scrape_configs: [{job_name: 'it''s ]'}, {job_name: \"\\\"}\"}] # ]\n",
		},
		{
			"in brackets, behind a comment that holds brackets",
			"scrape_configs: [ # ]}\n  {job_name: x#y}, # [\n  {job_name: a} # {\n  ]\n", "a", "",
			"scrape_configs: [ # ]}\n  {job_name: x#y} # [\n  ]\n",
		},
		{
			"the only one in brackets, with a comma behind it", "scrape_configs: [ {job_name: a} , ]\n", "a", "", "scrape_configs: [  ]\n",
		},
		{
			"in brackets, the first of two on lines of their own",
			"scrape_configs: [\n  {job_name: a}, # it\n  {job_name: b},\n]\n", "a", "", "scrape_configs: [\n  {job_name: b},\n]\n",
		},
		{
			"a target of a plain scalar with a quote in it", "scrape_configs:\n- job_name: a\n  static_configs: [targets: [it's, a:1, b's]]\n", "a", "a:1",
			"scrape_configs:\n- job_name: a\n  static_configs: [targets: [it's, b's]]\n",
		},
		{
			"a target wherever it stands, and the group it leaves empty",
			"scrape_configs:\n- job_name: a\n  static_configs:\n  - targets: [x:1, y:2]\n  - targets: [x:1]\n    labels: {l: v}\n", "a", "x:1",
			"scrape_configs:\n- job_name: a\n  static_configs:\n  - targets: [y:2]\n",
		},
		{
			"by an alias of a tagged value", "a: &n !!str a\nscrape_configs: [{job_name: *n}, {job_name: b}]\n", "a", "",
			"a: &n !!str a\nscrape_configs: [{job_name: b}]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := scrape.Remove("f", []byte(c.before), c.job, strings.Fields(c.targets)...)
			if diff := cmp.Diff(c.want, string(got)); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestRefusedFiles(t *testing.T) {
	job := scrape.Job{Name: "new", Targets: []string{"a:1"}}
	for text, want := range map[string]string{
		"scrape_configs: null\n":              "f:1: scrape_configs is written as null",
		"x: 1\nscrape_configs: {}\n":          "f:2: scrape_configs is no list",
		"scrape_configs: a\n":                 "f:1: scrape_configs is no list",
		"scrape_configs:\nscrape_configs:\n":  "f:2: scrape_configs stands twice, first in line 1",
		"? scrape_configs\n: - job_name: a\n": "f:2: the list shares its line",
		"- a\n":                               "f:1: the configuration is no mapping",
		"a: [\n":                              "f: yaml: ",
		"a: b\xff\n":                          "f:1: byte 0xff: the file is no UTF-8 text",
		"a: 1\nb: \x00\n":                     "f:2: byte 0x00",
		"\xff\xfea\x00":                       "f: the file is UTF-16",
		"a: 1\n\ufeffb: 1\n":                  "f:2: a byte order mark inside the file",
		"  scrape_configs:\n- job_name: a\n":  "f: lines behind the end of the configuration are not read",
		"scrape_configs: &j []\nother: *j\n":  "f:1: this is shared by its anchor &j with line 2",
		"scrape_configs:\n- job_name: a\n\n- {job_name: 'a'}\n": "f:4: a second job is called \"a\", the first stands in line 2",
		"{scrape_configs: }\n": "f:1: scrape_configs is written as null",
	} {
		got, err := scrape.Add("f", []byte(text), job)
		if _, ok := errors.AsType[*scrape.Error](err); !ok || !strings.HasPrefix(err.Error(), want) || got != nil {
			t.Errorf("%q: %v, %q", text, err, got)
		}
	}
}

func TestJobsThatAreNotValid(t *testing.T) {
	labelled := func(name, value string) scrape.Job {
		return scrape.Job{Name: "a", Targets: []string{"a:1"}, Labels: map[string]string{name: value}}
	}
	jobs := []scrape.Job{
		{Name: "a"},
		{Targets: []string{"a:1"}},
		{Name: "a\x1b", Targets: []string{"a:1"}},
		{Name: "\xff", Targets: []string{"a:1"}},
		{Name: "a", FileSD: []string{"a.txt"}},
		labelled("", "x"), labelled("1a", "x"), labelled("é", "x"), labelled("a-b", "x"), labelled("a", "\xff"),
	}
	for _, target := range []string{
		"", "a", "a:", ":1", "a:0", "a:65536", "a:+1", "a:http", "::1:9100", "[::1]", "[::1]:", "[1.2.3.4]:1", "[a]:1", "http://a:1", "a:1/metrics",
		"u@a:1", "a b:1", "a\n:1", "a,b:1", "a{b:1", "'a:1", "{{x}}:1", "\u202ea:1",
	} {
		jobs = append(jobs, scrape.Job{Name: "a", Targets: []string{target}})
	}
	for _, job := range jobs {
		if got, err := scrape.Add("f", nil, job); !errors.Is(err, scrape.ErrInvalid) || got != nil {
			t.Errorf("%+v: %v, %q", job, err, got)
		}
	}
	for _, target := range []string{"a:1", "a_b.example:65535", "[::1]:9100", "[fe80::1%eth0]:1", "库.example:1", "10.0.0.1:9100"} {
		if err := scrape.CheckTarget(target); err != nil {
			t.Error(err)
		}
	}
}
