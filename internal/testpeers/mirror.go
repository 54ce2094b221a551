package testpeers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path"
	"path/filepath"
)

// Mirror serves releases as GitHub does: each archive beside its sha256sums.txt.
type Mirror struct{ files map[string]http.HandlerFunc }

// Add publishes a release of a project such as "prometheus/node_exporter" under its archive's name.
func (m *Mirror) Add(project, version string, r *Release) {
	if m.files == nil {
		m.files = map[string]http.HandlerFunc{}
	}
	at, name := path.Join("/", project, "releases/download/v"+version), filepath.Base(r.Path)
	m.files[path.Join(at, name)] = func(w http.ResponseWriter, req *http.Request) { http.ServeFile(w, req, r.Path) }
	m.files[path.Join(at, "sha256sums.txt")] = func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, "%s  %s\n", r.Sum, name) }
}

// ServeHTTP implements http.Handler.
func (m *Mirror) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if serve := m.files[req.URL.Path]; serve != nil {
		serve(w, req)
		return
	}
	http.NotFound(w, req)
}

// Listen listens on the machine's own loopback, at a port of its kernel's choice: its programs reach this process there. The
// caller closes it.
func (m *Machine) Listen(ctx context.Context) (net.Listener, error) {
	t, err := newNetThread(m.leader)
	if err != nil {
		return nil, fmt.Errorf("entering the machine's network: %w", err)
	}
	defer t.close()
	var l net.Listener
	t.do(func() {
		var lc net.ListenConfig
		l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0")
	})
	return l, err
}
