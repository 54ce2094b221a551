// Package manager talks to the systemd that runs this machine, over its own socket or
// D-Bus (org.freedesktop.systemd1(5)). Nothing here reads unit files: what it tells is what
// systemd has loaded and what runs.
package manager

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// Manager is a connection to systemd. The caller closes it.
type Manager struct{ conn *dbus.Conn }

// ErrNone means that no systemd runs this machine, or that it cannot be reached.
var ErrNone = errors.New("no systemd can be reached")

// Connect connects to systemd: as root to its private socket, which needs no D-Bus daemon, else over the system bus.
func Connect(ctx context.Context) (*Manager, error) {
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		var busErr error
		if conn, busErr = dbus.NewSystemConnectionContext(ctx); busErr != nil {
			return nil, fmt.Errorf("%w: %w", ErrNone, errors.Join(err, busErr))
		}
	}
	return &Manager{conn}, nil
}

// Close ends the connection.
func (m *Manager) Close() { m.conn.Close() }

// Version is systemd's, such as 252.
func (m *Manager) Version() (int, error) {
	text, err := m.conn.GetManagerProperty("Version")
	if err != nil {
		return 0, fmt.Errorf("asking systemd's version: %w", err)
	}
	// "252.39-1~deb12u2", "v219", quoted as a D-Bus string.
	n := 0
	if _, err := fmt.Sscanf(strings.TrimLeft(text, `"v`), "%d", &n); err != nil {
		return 0, fmt.Errorf("systemd's version %s: %w", text, err)
	}
	return n, nil
}

// Unit is what systemd knows of a unit.
type Unit struct {
	Loaded     bool   // there is such a unit
	Active     string // "active", "inactive", "failed", "activating" ...
	Sub        string // "running", "dead", "auto-restart" ...
	File       string // the file it was loaded from
	Enabled    string // "enabled", "disabled", "static" ...; "" if unknown
	NeedReload bool   // a file changed since it was loaded
	DropIns    []string
	MainPID    uint32
	Started    time.Time // of the main process; zero for none
	Restarts   uint32    // automatic ones since it was started
	Result     string    // "success", "exit-code", "timeout" ...
	InvokedBy  string    // the id of this run, in hexadecimal; the journal's _SYSTEMD_INVOCATION_ID
}

// Unit asks about a service, such as "node_exporter.service".
func (m *Manager) Unit(ctx context.Context, name string) (*Unit, error) {
	p, err := m.conn.GetAllPropertiesContext(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("asking systemd about %s: %w", name, err)
	}
	u := &Unit{Loaded: p["LoadState"] == "loaded"}
	u.Active, _ = p["ActiveState"].(string)
	u.Sub, _ = p["SubState"].(string)
	u.File, _ = p["FragmentPath"].(string)
	u.Enabled, _ = p["UnitFileState"].(string)
	if u.Enabled, err = m.enabled(ctx, name, u.Enabled); err != nil {
		return nil, err
	}
	u.NeedReload, _ = p["NeedDaemonReload"].(bool)
	u.DropIns, _ = p["DropInPaths"].([]string)
	u.MainPID, _ = p["MainPID"].(uint32)
	if at, ok := p["ExecMainStartTimestamp"].(uint64); ok && at > 0 {
		u.Started = time.UnixMicro(int64(at)) // #nosec G115 -- microseconds of now
	}
	u.Restarts, _ = p["NRestarts"].(uint32)
	u.Result, _ = p["Result"].(string)
	if id, ok := p["InvocationID"].([]byte); ok {
		u.InvokedBy = fmt.Sprintf("%x", id)
	}
	return u, nil
}

// enabled is what the files say: the property of a unit in memory is that of the last daemon-reload.
func (m *Manager) enabled(ctx context.Context, name, loaded string) (string, error) {
	files, err := m.conn.ListUnitFilesByPatternsContext(ctx, nil, []string{name})
	if bus, ok := errors.AsType[godbus.Error](err); ok && bus.Name == "org.freedesktop.DBus.Error.UnknownMethod" {
		return loaded, nil // systemd 229 and older
	}
	if err != nil {
		return "", fmt.Errorf("asking systemd about the file of %s: %w", name, err)
	}
	for _, f := range files {
		if path.Base(f.Path) == name {
			return f.Type, nil
		}
	}
	return loaded, nil
}

// Reload makes systemd read the unit files anew (systemctl daemon-reload), and returns when it has.
func (m *Manager) Reload(ctx context.Context) error {
	if err := m.conn.ReloadContext(ctx); err != nil {
		return fmt.Errorf("systemctl daemon-reload: %w", err)
	}
	return nil
}

// Enable makes a unit start at boot. It is no error that it does so already.
func (m *Manager) Enable(ctx context.Context, name string) error {
	if _, _, err := m.conn.EnableUnitFilesContext(ctx, []string{name}, false, false); err != nil {
		return fmt.Errorf("systemctl enable %s: %w", name, err)
	}
	return nil
}

// Disable undoes Enable.
func (m *Manager) Disable(ctx context.Context, name string) error {
	if _, err := m.conn.DisableUnitFilesContext(ctx, []string{name}, false); err != nil {
		return fmt.Errorf("systemctl disable %s: %w", name, err)
	}
	return nil
}

// Restart starts a unit, or restarts it, and waits for the job's end. A service of Type=exec has by then begun to run.
func (m *Manager) Restart(ctx context.Context, name string) error {
	return m.job(ctx, "restart", name, m.conn.RestartUnitContext)
}

// ReloadUnit has a service read its configuration anew (systemctl reload), and waits for the end of its ExecReload=, which
// need not be the end of reading.
func (m *Manager) ReloadUnit(ctx context.Context, name string) error {
	return m.job(ctx, "reload", name, m.conn.ReloadUnitContext)
}

// Stop stops a unit and waits for the job's end.
func (m *Manager) Stop(ctx context.Context, name string) error {
	return m.job(ctx, "stop", name, m.conn.StopUnitContext)
}

type starter func(ctx context.Context, name, mode string, done chan<- string) (int, error)

// job queues a job in place of those that wait, and waits for its result.
func (m *Manager) job(ctx context.Context, verb, name string, start starter) error {
	done := make(chan string, 1)
	if _, err := start(ctx, name, "replace", done); err != nil {
		return fmt.Errorf("systemctl %s %s: %w", verb, name, err)
	}
	select {
	case result := <-done:
		if result != "done" {
			return fmt.Errorf("systemctl %s %s: the job ended as %q", verb, name, result)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("systemctl %s %s: %w", verb, name, ctx.Err())
	}
}

// ResetFailed forgets that a unit failed, and how often it was restarted. systemd forgets that by itself of a unit that it
// has not in memory: neither running, nor wanted by another, nor failed.
func (m *Manager) ResetFailed(ctx context.Context, name string) error {
	err := m.conn.ResetFailedUnitContext(ctx, name)
	if bus, ok := errors.AsType[godbus.Error](err); ok && bus.Name == "org.freedesktop.systemd1.NoSuchUnit" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("systemctl reset-failed %s: %w", name, err)
	}
	return nil
}
