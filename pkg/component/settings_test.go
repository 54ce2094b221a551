package component

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func shipped(t *testing.T, name string) *Component {
	t.Helper()
	catalogue, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalogue.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatWasChosenStays(t *testing.T) {
	c := shipped(t, "prometheus")
	first, err := c.choose(nil, &Options{Set: map[string]string{"retention": "90d"}, Data: "/srv/tsdb", Args: []string{"--web.enable-admin-api"}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.choose(first, &Options{Listen: "127.0.0.1:9090"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/opt/prometheus/current/prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/srv/tsdb",
		"--storage.tsdb.retention.time=90d", "--web.listen-address=127.0.0.1:9090", "--web.enable-lifecycle", "--web.enable-admin-api",
	}
	if got := c.argv(again); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	back, err := c.choose(again, &Options{Set: map[string]string{"retention": ""}, Data: "/var/lib/prometheus", Args: []string{}})
	if err != nil || len(back.Set) != 0 || back.Data != "" || len(back.Args) != 0 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestAnArgumentReplacesTheComponentsOwn(t *testing.T) {
	c := shipped(t, "alertmanager")
	s, err := c.choose(nil, &Options{Args: []string{"--cluster.listen-address=:9094"}})
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Join(c.argv(s), " ")
	if strings.Count(line, "cluster.listen-address") != 1 || !strings.Contains(line, "--cluster.listen-address=:9094") {
		t.Error(line)
	}
}

func TestValuesThatCannotBe(t *testing.T) {
	for name, o := range map[string]*Options{
		"an option that is none":       {Set: map[string]string{"retentoin": "1d"}},
		"a retention without its unit": {Set: map[string]string{"retention": "90"}},
		"a value of two lines":         {Set: map[string]string{"retention": "90d\n--x"}},
		"a relative data folder":       {Data: "srv"},
		"a data folder with ..":        {Data: "/srv/../etc"},
		"the root":                     {Data: "/"},
		"everybody's folder":           {Data: "/var/lib"},
		"a folder of the system's":     {Data: "/usr/share/tsdb"},
		"an argument said otherwise":   {Args: []string{"--web.listen-address=:1"}},
		"an option said as argument":   {Args: []string{"--storage.tsdb.retention.time=1d"}},
		"a word without a dash":        {Args: []string{"x"}},
		"a secret of another":          {Secrets: map[string][]byte{"my.cnf": []byte("x")}},
		"a way that is none":           {Scrape: new("maybe")},
	} {
		if _, err := shipped(t, "prometheus").choose(nil, o); !errors.Is(err, ErrSetting) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := shipped(t, "node_exporter").choose(nil, &Options{Data: "/srv/x"}); !errors.Is(err, ErrSetting) {
		t.Errorf("data of a component without: %v", err)
	}
}

func TestASecretIsAskedFor(t *testing.T) {
	c := shipped(t, "mysqld_exporter")
	s, err := c.choose(nil, &Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.missingSecret(s); !errors.Is(err, ErrSecretMissing) || !strings.Contains(err.Error(), "[client]") {
		t.Errorf("%v", err)
	}
	s, err = c.choose(s, &Options{Secrets: map[string][]byte{"my.cnf": []byte("[client]\n")}})
	if err != nil || c.missingSecret(s) != nil {
		t.Errorf("%v, %v", err, c.missingSecret(s))
	}
}

func TestFormatsOfData(t *testing.T) {
	for name, c := range map[string]struct {
		before, want, written string
		refused               bool
	}{
		"newer":                     {"2.42.0", "3.1.0", "", false},
		"back within a format":      {"3.1.0", "3.0.1", "3.1.0", false},
		"back to one that reads":    {"3.1.0", "2.55.0", "3.1.0", false},
		"back to one that does not": {"3.1.0", "2.54.1", "3.1.0", true},
		"older formats":             {"2.54.0", "2.42.0", "2.54.0", false},
	} {
		target := &target{c: shipped(t, "prometheus"), want: &Settings{Version: c.want, Listen: ":1"}, have: &state{current: c.before}}
		err := target.formats(&Settings{Version: c.before})
		if errors.Is(err, ErrFormat) != c.refused || target.want.Written != c.written {
			t.Errorf("%s: %v, written %q", name, err, target.want.Written)
		}
	}
}
