package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"net"

	"github.com/opsctl/opsctl/pkg/engine"
)

const (
	// Label is on everything that Up makes; its value is the registry's name.
	Label = "io.opsctl.registry"
	// RoleLabel tells a registry's container from that of its user interface.
	RoleLabel = "io.opsctl.role"
	// RoleRegistry is the value of RoleLabel on a registry.
	RoleRegistry = "registry"

	roleUI = "ui"
	// filesLabel holds the sum of the files that were written into the container.
	filesLabel = "io.opsctl.files"

	// dataDir is where the official images have their volume, and port where they listen.
	dataDir = "/var/lib/registry"
	port    = 5000
	uiPort  = 80

	configDir = "/etc/opsctl-registry/"
	restart   = "unless-stopped"
)

// container is one that is to be, with the files to write into it.
type container struct {
	engine.Container
	files []engine.File
}

// registry is the container that the options describe. The environment overrides the image's configuration file
// (distribution's configuration reference, "Override specific configuration options").
func (o *Options) registry(f files) container {
	env := map[string]string{
		"REGISTRY_HTTP_ADDR":                        ":5000",
		"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": dataDir,
		"REGISTRY_STORAGE_DELETE_ENABLED":           "true",
	}
	c := container{Container: engine.Container{
		Name: o.Name, Image: o.Image, Env: env, Binds: map[string]string{dataDir: o.data()}, Network: o.Name, Restart: restart,
		Publish: []engine.Published{{On: o.Listen, Port: port}},
	}}
	if f.htpasswd != nil {
		env["REGISTRY_AUTH"] = "htpasswd"
		env["REGISTRY_AUTH_HTPASSWD_REALM"] = "registry"
		env["REGISTRY_AUTH_HTPASSWD_PATH"] = configDir + "htpasswd"
		c.files = append(c.files, engine.File{Name: configDir + "htpasswd", Content: f.htpasswd, Mode: 0o600})
	}
	if f.pair != nil {
		env["REGISTRY_HTTP_TLS_CERTIFICATE"] = configDir + "tls.crt"
		env["REGISTRY_HTTP_TLS_KEY"] = configDir + "tls.key"
		c.files = append(
			c.files, engine.File{Name: configDir + "tls.crt", Content: f.cert, Mode: 0o644},
			engine.File{Name: configDir + "tls.key", Content: f.key, Mode: 0o600},
		)
	}
	c.Labels = map[string]string{Label: o.Name, RoleLabel: RoleRegistry, filesLabel: sum(c.files)}
	return c
}

// ui is the user interface's container: its server passes on what is below /v2 to the registry, so that deleting needs no
// permission of the browser's (README of docker-registry-ui).
func (o *Options) ui(f files) container {
	scheme := "http"
	if f.pair != nil {
		scheme = "https"
	}
	return container{Container: engine.Container{
		Name: o.uiName(), Image: o.UIImage, Network: o.Name, Restart: restart,
		Publish: []engine.Published{{On: o.UIListen, Port: uiPort}},
		Env: map[string]string{
			"NGINX_PROXY_PASS_URL": scheme + "://" + net.JoinHostPort(o.Name, "5000"),
			"NGINX_RESOLVER":       "127.0.0.11", // the engine's own: the registry may get another address
			"SINGLE_REGISTRY":      "true",
			"DELETE_IMAGES":        "true",
			"SHOW_CONTENT_DIGEST":  "true",
			"REGISTRY_TITLE":       o.Name,
			"PULL_URL":             o.Listen.String(),
		},
		Labels: map[string]string{Label: o.Name, RoleLabel: roleUI, filesLabel: ""},
	}}
}

func (o *Options) uiName() string { return o.Name + "-ui" }

// data is the volume or folder of the data.
func (o *Options) data() string {
	if o.Dir != "" {
		return o.Dir
	}
	return o.Volume
}

// sum identifies the contents of files, "" for none.
func sum(all []engine.File) string {
	if len(all) == 0 {
		return ""
	}
	h := sha256.New()
	for _, f := range all {
		content := sha256.Sum256(f.Content)
		h.Write(content[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
