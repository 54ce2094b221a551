// Package deploy runs a registry in a Docker engine: what its containers, volume and network are to be, what there is, and
// the plan that leads from one to the other. Its containers carry labels; what has a name of theirs without
// the label is somebody else's and stays as it is. The data are never touched.
package deploy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrOptions says that the options do not go together, or that a file they name is not what it should be.
var ErrOptions = errors.New("these options are not possible")

// ErrExposed says that a registry would be open to the network without protection.
var ErrExposed = errors.New("others reach this address: it wants TLS and authentication")

// Options are what a registry is to be.
type Options struct {
	Name   string // of the container; that of the user interface and others begin with it
	Volume string // keeps the data; "" with Dir, else Name
	Dir    string // keeps the data instead, a folder of the engine's machine
	Image  string
	Listen netip.AddrPort

	Htpasswd        string // a file: who may do anything at all; "" for everybody
	TLSCert, TLSKey string // files; "" for HTTP

	UI       bool
	UIImage  string
	UIListen netip.AddrPort

	Insecure bool // listen without TLS and authentication where others reach it
}

// files are the contents of the files that the options name.
type files struct {
	htpasswd, cert, key []byte
	pair                *tls.Certificate // of cert and key, nil for none
}

// Check completes the options, and refuses what cannot work or would be open to everybody.
func (o *Options) Check() error {
	switch {
	case !regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`).MatchString(o.Name):
		return fmt.Errorf("%w: the name %q: two letters, digits or _.- at least, a letter or digit first", ErrOptions, o.Name)
	case o.Volume != "" && o.Dir != "":
		return fmt.Errorf("%w: the data are in a volume or in a folder, not in both", ErrOptions)
	case strings.Contains(o.Dir, ":") || strings.ContainsAny(o.Volume, ":/"):
		return fmt.Errorf("%w: a volume's name has no colon and no slash, a folder's no colon", ErrOptions)
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return fmt.Errorf("%w: a certificate and its key go together", ErrOptions)
	}
	if o.Dir != "" {
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			return err
		}
		o.Dir = dir
	} else if o.Volume == "" {
		o.Volume = o.Name
	}
	return o.checkListen()
}

func (o *Options) checkListen() error {
	closed := o.TLSCert != "" && o.Htpasswd != ""
	switch {
	case o.Listen.Port() == 0 || o.UI && o.UIListen.Port() == 0:
		return fmt.Errorf("%w: port 0", ErrOptions)
	case o.UI && o.Listen.Port() == o.UIListen.Port():
		return fmt.Errorf("%w: the registry and its user interface have the same port", ErrOptions)
	case o.Insecure:
	case !o.Listen.Addr().IsLoopback() && !closed:
		return fmt.Errorf("%s: %w", o.Listen, ErrExposed)
	case o.UI && !o.UIListen.Addr().IsLoopback():
		return fmt.Errorf("%s: %w, which the user interface does not have", o.UIListen, ErrExposed)
	}
	return nil
}

// read reads the files that the options name, and looks whether they are what the registry takes.
func (o *Options) read() (files, error) {
	var f files
	for path, to := range map[string]*[]byte{o.Htpasswd: &f.htpasswd, o.TLSCert: &f.cert, o.TLSKey: &f.key} {
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return f, fmt.Errorf("%w: %w", ErrOptions, err)
		}
		*to = text
	}
	if o.Htpasswd != "" {
		if err := checkHtpasswd(f.htpasswd); err != nil {
			return f, fmt.Errorf("%w: %s: %w", ErrOptions, o.Htpasswd, err)
		}
	}
	if o.TLSCert != "" {
		pair, err := tls.X509KeyPair(f.cert, f.key)
		if err != nil {
			return f, fmt.Errorf("%w: %s and %s: %w", ErrOptions, o.TLSCert, o.TLSKey, err)
		}
		f.pair = &pair
	}
	return f, nil
}

// checkHtpasswd looks for what makes logins fail: the registry takes bcrypt alone (distribution, registry/auth/htpasswd).
func checkHtpasswd(text []byte) error {
	users, line := 0, 0
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line++
		entry := strings.TrimSpace(lines.Text())
		if entry == "" || strings.HasPrefix(entry, "#") {
			continue
		}
		user, hash, _ := strings.Cut(entry, ":")
		if user == "" || !strings.HasPrefix(hash, "$2") {
			return fmt.Errorf("line %d: not NAME:HASH with a bcrypt hash, the only one that registries take (htpasswd -B)", line)
		}
		users++
	}
	if users == 0 {
		return errors.New("it has no users")
	}
	return nil
}
