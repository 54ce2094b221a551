package component

import (
	"context"
	"net/http"
	"path/filepath"

	"github.com/opsctl/opsctl/pkg/host"
	"github.com/opsctl/opsctl/pkg/systemd/manager"
	"github.com/opsctl/opsctl/templates"
)

// Shipped is the catalogue that opsctl brings along.
func Shipped() (*Catalogue, error) { return Load(templates.Components, "components") }

// Connect makes an Installer for this machine, whose systemd it asks. The caller calls done. Without a systemd the error wraps
// manager.ErrNone.
func Connect(ctx context.Context) (in *Installer, done func(), err error) {
	catalogue, err := Shipped()
	if err != nil {
		return nil, nil, err
	}
	m, err := manager.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	version, err := m.Version()
	if err != nil {
		m.Close()
		return nil, nil, err
	}
	// Past any proxy: what is asked is on this machine.
	client := &http.Client{Transport: &http.Transport{}}
	return &Installer{Catalogue: catalogue, Host: host.Local(), Dir: "/", Manager: m, Systemd: version, Client: client}, m.Close, nil
}

// Image makes an Installer for a host that does not run and whose "/" is dir. Its units are written for that version of
// systemd.
func Image(dir string, version int) (*Installer, error) {
	catalogue, err := Shipped()
	if err != nil {
		return nil, err
	}
	h, err := host.Root(dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil { // useradd(8) takes no other
		return nil, err
	}
	return &Installer{Catalogue: catalogue, Host: h, Dir: dir, Systemd: version}, nil
}
