// Package server knows the registry program that serves a store: which process it is, what its configuration says of its
// storage, its cache and its address, and how it is made to forget a blob. It reads /proc and the program's own files, and
// starts nothing.
package server

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Config is what of a registry's configuration matters to its store (distribution, docs/configuration.md).
type Config struct {
	Driver   string // "filesystem", "s3", "azure", ...; "" where none is named
	Root     string // of the filesystem driver
	Cache    string // of blob descriptors: "inmemory", "redis", "" for none
	Delete   bool   // deletion through the API is on
	ReadOnly bool   // maintenance: no pushes
	Addr     string // host:port, where it listens
	Prefix   string // of its paths, "/" at both ends
	TLS      bool
	Auth     string // "htpasswd", "token", ...; "" for none
}

// defaultRoot is the filesystem driver's own (registry/storage/driver/filesystem).
const defaultRoot = "/var/lib/registry"

type file struct {
	Storage map[string]yaml.Node `yaml:"storage"`
	Auth    map[string]yaml.Node `yaml:"auth"`
	HTTP    struct {
		Addr   string `yaml:"addr"`
		Prefix string `yaml:"prefix"`
		TLS    struct {
			Certificate string `yaml:"certificate"`
			LetsEncrypt struct {
				CacheFile string `yaml:"cachefile"`
			} `yaml:"letsencrypt"`
		} `yaml:"tls"`
	} `yaml:"http"`
}

// ParseConfig reads a configuration file and the environment that overrides it, REGISTRY_STORAGE_DELETE_ENABLED=true for
// storage.delete.enabled and so on (configuration/parser.go).
func ParseConfig(text []byte, environ []string) (*Config, error) {
	var f file
	if err := yaml.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("reading the registry's configuration: %w", err)
	}
	c := &Config{Addr: f.HTTP.Addr, Prefix: f.HTTP.Prefix, TLS: f.HTTP.TLS.Certificate != "" || f.HTTP.TLS.LetsEncrypt.CacheFile != ""}
	for name, node := range f.Storage {
		if err := c.storage(name, &node); err != nil {
			return nil, fmt.Errorf("reading the registry's configuration: storage.%s: %w", name, err)
		}
	}
	for name := range f.Auth {
		c.Auth = name
	}
	// Sorted, as the registry does it: REGISTRY_STORAGE comes before what begins with it, wherever it stood.
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		c.override(strings.ToUpper(name), value)
	}
	if c.Driver == "filesystem" && c.Root == "" {
		c.Root = defaultRoot
	}
	return c, nil
}

// storage takes a section. A switch that is no boolean is off, and no error: the registry takes it so and runs
// (registry/handlers/app.go).
func (c *Config) storage(name string, node *yaml.Node) error {
	switch name {
	case "cache":
		var v struct {
			BlobDescriptor string `yaml:"blobdescriptor"`
			LayerInfo      string `yaml:"layerinfo"` // its name before 2.1
		}
		err := node.Decode(&v)
		c.Cache = v.BlobDescriptor
		if c.Cache == "" {
			c.Cache = v.LayerInfo
		}
		return err
	case "delete":
		var v struct {
			Enabled any `yaml:"enabled"`
		}
		err := node.Decode(&v)
		c.Delete = v.Enabled == true
		return err
	case "maintenance":
		var v struct {
			ReadOnly struct {
				Enabled any `yaml:"enabled"`
			} `yaml:"readonly"`
		}
		err := node.Decode(&v)
		c.ReadOnly = v.ReadOnly.Enabled == true
		return err
	case "redirect", "tag":
		return nil
	case "filesystem":
		var v struct {
			Root string `yaml:"rootdirectory"`
		}
		err := node.Decode(&v)
		c.Driver, c.Root = name, v.Root
		return err
	}
	c.Driver = name
	return nil
}

// override takes one variable of the environment; its name is in upper case.
func (c *Config) override(name, value string) {
	on, _ := strconv.ParseBool(value)
	switch name {
	case "REGISTRY_STORAGE": // names the driver, and takes the place of all that the file says below storage
		c.Driver, c.Root, c.Cache, c.Delete, c.ReadOnly = value, "", "", false, false
	case "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY":
		c.Driver, c.Root = "filesystem", value
	case "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR":
		c.Cache = value
	case "REGISTRY_STORAGE_CACHE":
		c.Cache = ""
	case "REGISTRY_STORAGE_DELETE_ENABLED":
		c.Delete = on
	case "REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED":
		c.ReadOnly = on
	case "REGISTRY_HTTP_ADDR":
		c.Addr = value
	case "REGISTRY_HTTP_PREFIX":
		c.Prefix = value
	case "REGISTRY_HTTP_TLS_CERTIFICATE":
		c.TLS = value != ""
	case "REGISTRY_AUTH":
		c.Auth = value
	default:
		c.overrideByPrefix(name)
	}
}

// overrideByPrefix takes variables that name a driver or a way to authenticate by one of its parameters.
func (c *Config) overrideByPrefix(name string) {
	if rest, ok := strings.CutPrefix(name, "REGISTRY_AUTH_"); ok && c.Auth == "" {
		c.Auth, _, _ = strings.Cut(strings.ToLower(rest), "_")
	}
	rest, ok := strings.CutPrefix(name, "REGISTRY_STORAGE_")
	if !ok {
		return
	}
	driver, _, _ := strings.Cut(strings.ToLower(rest), "_")
	switch driver {
	case "s3", "azure", "gcs", "swift", "oss", "inmemory", "s3aws":
		c.Driver, c.Root = driver, ""
	}
}
