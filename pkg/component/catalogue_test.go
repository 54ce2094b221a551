package component_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/opsctl/opsctl/pkg/component"
	"github.com/opsctl/opsctl/templates"
)

func TestTheCatalogueIsWhole(t *testing.T) {
	c, err := component.Load(templates.Components, "components")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Names()) < 5 {
		t.Errorf("only %q", c.Names())
	}
	ports := map[int]string{}
	for _, name := range c.Names() {
		each, err := c.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if other := ports[each.Port]; other != "" {
			t.Errorf("%s and %s share port %d", name, other, each.Port)
		}
		ports[each.Port] = name
		if file := each.File("1.2.3", "linux", "arm64"); !strings.Contains(file, "1.2.3") || !strings.Contains(file, "arm64") || strings.Contains(file, "{") {
			t.Errorf("%s: archive %s", name, file)
		}
	}
	if _, err := c.Get("nothing"); !errors.Is(err, component.ErrUnknown) || !strings.Contains(err.Error(), "node_exporter") {
		t.Errorf("%v", err)
	}
}

func TestBadEntriesAreRefused(t *testing.T) {
	good := "name: x\nsummary: s\nrepository: a/b\nversion: 1.2.3\narchive: x-{version}.tar.gz\nbinary: x\nport: 1\nhealth: {path: /}\n"
	if _, err := component.Load(fstest.MapFS{"x.yaml": {Data: []byte(good)}}, "."); err != nil {
		t.Fatal(err)
	}
	for why, text := range map[string]string{
		"a field that nobody knows": good + "pots: 3\n",
		"a path as its name":        strings.Replace(good, "name: x", "name: ../x", 1),
		"a version of two parts":    strings.Replace(good, "1.2.3", "1.2", 1),
		"a program outside":         strings.Replace(good, "binary: x", "binary: ../x", 1),
		"a repository of one part":  strings.Replace(good, "a/b", "ab", 1),
		"a port too large":          strings.Replace(good, "port: 1", "port: 65536", 1),
		"no health":                 strings.Replace(good, "{path: /}", "{}", 1),
		"a configuration elsewhere": good + "config: {file: a/b, text: x}\n",
		"another name":              strings.Replace(good, "name: x", "name: z", 1),
		"no YAML":                   "\t",
	} {
		if _, err := component.Load(fstest.MapFS{"x.yaml": {Data: []byte(text)}}, "."); err == nil || !strings.Contains(err.Error(), "x.yaml") {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestVersions(t *testing.T) {
	for text, want := range map[string]string{"1.2.3": "1.2.3", "v1.2.3": "1.2.3", "1.2.3-rc.1": "1.2.3-rc.1", "1.2": "", "latest": "", "": "", "1.2.3/..": "", "1.2.3\n": ""} {
		got, err := component.ParseVersion(text)
		if got != want || (want == "") != errors.Is(err, component.ErrVersion) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
