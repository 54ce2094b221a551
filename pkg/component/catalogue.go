// Package component installs programs that come as one release archive and run as one
// service: what there is (a catalogue of data), what a host has of it, and the plan that
// leads from the one to the other.
package component

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Catalogue is all components, by name.
type Catalogue struct{ byName map[string]*Component }

// ErrUnknown is in the error about a name that the catalogue does not have.
var ErrUnknown = errors.New("no such component")

// Load reads every *.yaml of a folder. A file that says what no field takes, or that lacks what each needs, is an error.
func Load(files fs.FS, dir string) (*Catalogue, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	c := &Catalogue{byName: map[string]*Component{}}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		component, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if path.Base(name) != component.Name+".yaml" {
			return nil, fmt.Errorf("%s: describes %s", name, component.Name)
		}
		c.byName[component.Name] = component
	}
	return c, nil
}

func parse(data []byte) (*Component, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var c Component
	if err := d.Decode(&c); err != nil {
		return nil, err
	}
	return &c, c.check()
}

// Names lists the components, sorted.
func (c *Catalogue) Names() []string {
	names := []string{}
	for name := range c.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Get finds a component.
func (c *Catalogue) Get(name string) (*Component, error) {
	found, ok := c.byName[name]
	if !ok {
		return nil, fmt.Errorf("%w: %q; there are %s", ErrUnknown, name, strings.Join(c.Names(), ", "))
	}
	return found, nil
}
