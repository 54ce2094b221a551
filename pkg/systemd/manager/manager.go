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

// Manager is a connection to systemd, made anew when systemd has ended it (systemctl daemon-reexec, an upgrade of systemd). It
// is not for several goroutines at once. The caller closes it.
type Manager struct{ conn *dbus.Conn }

// ErrNone means that no systemd runs this machine, or that it cannot be reached.
var ErrNone = errors.New("no systemd can be reached")

// Connect connects to systemd: as root to its private socket, which needs no D-Bus daemon, else over the system bus.
func Connect(ctx context.Context) (*Manager, error) {
	conn, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Manager{conn}, nil
}

func connect(ctx context.Context) (*dbus.Conn, error) {
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		var busErr error
		if conn, busErr = dbus.NewSystemConnectionContext(ctx); busErr != nil {
			return nil, fmt.Errorf("%w: %w", ErrNone, errors.Join(err, busErr))
		}
	}
	return conn, nil
}

// reconnecting is how long a systemd that replaces itself may take until it listens again.
const reconnecting = 30 * time.Second

// do calls f, and once more on a new connection when systemd has ended the one that there was: all that is asked of it here
// may be asked twice.
func (m *Manager) do(ctx context.Context, f func(*dbus.Conn) error) error {
	if m.conn.Connected() {
		if err := f(m.conn); err == nil || m.conn.Connected() {
			return err
		}
	}
	end := time.Now().Add(reconnecting)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := connect(ctx)
		if err == nil {
			m.conn.Close()
			m.conn = conn
			return f(conn)
		}
		if time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
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
	var p map[string]any
	err := m.do(ctx, func(c *dbus.Conn) (err error) {
		p, err = c.GetAllPropertiesContext(ctx, name)
		return err
	})
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
	var files []dbus.UnitFile
	err := m.do(ctx, func(c *dbus.Conn) (err error) {
		files, err = c.ListUnitFilesByPatternsContext(ctx, nil, []string{name})
		return err
	})
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
	if err := m.do(ctx, func(c *dbus.Conn) error { return c.ReloadContext(ctx) }); err != nil {
		return fmt.Errorf("systemctl daemon-reload: %w", err)
	}
	return nil
}

// Enable makes a unit start at boot. It is no error that it does so already.
func (m *Manager) Enable(ctx context.Context, name string) error {
	err := m.do(ctx, func(c *dbus.Conn) error {
		_, _, err := c.EnableUnitFilesContext(ctx, []string{name}, false, false)
		return err
	})
	if err != nil {
		return fmt.Errorf("systemctl enable %s: %w", name, err)
	}
	return nil
}

// Disable undoes Enable.
func (m *Manager) Disable(ctx context.Context, name string) error {
	err := m.do(ctx, func(c *dbus.Conn) error {
		_, err := c.DisableUnitFilesContext(ctx, []string{name}, false)
		return err
	})
	if err != nil {
		return fmt.Errorf("systemctl disable %s: %w", name, err)
	}
	return nil
}

// Restart starts a unit, or restarts it, and waits for the job's end. A service of Type=exec has by then begun to run.
func (m *Manager) Restart(ctx context.Context, name string) error {
	return m.job(ctx, "restart", name, (*dbus.Conn).RestartUnitContext)
}

// ReloadUnit has a service read its configuration anew (systemctl reload), and waits for the end of its ExecReload=, which
// need not be the end of reading.
func (m *Manager) ReloadUnit(ctx context.Context, name string) error {
	return m.job(ctx, "reload", name, (*dbus.Conn).ReloadUnitContext)
}

// Stop stops a unit and waits for the job's end.
func (m *Manager) Stop(ctx context.Context, name string) error {
	return m.job(ctx, "stop", name, (*dbus.Conn).StopUnitContext)
}

type starter func(conn *dbus.Conn, ctx context.Context, name, mode string, done chan<- string) (int, error)

// errLost is of a job whose end nobody tells any more.
var errLost = errors.New("systemd ended the connection before it told the job's end")

// job queues a job in place of those that wait, and waits for its result.
func (m *Manager) job(ctx context.Context, verb, name string, start starter) error {
	done := make(chan string, 1)
	err := m.do(ctx, func(c *dbus.Conn) error {
		_, err := start(c, ctx, name, "replace", done)
		return err
	})
	if err != nil {
		return fmt.Errorf("systemctl %s %s: %w", verb, name, err)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case result := <-done:
			if result != "done" {
				return fmt.Errorf("systemctl %s %s: the job ended as %q", verb, name, result)
			}
			return nil
		case <-tick.C:
			if !m.conn.Connected() {
				return fmt.Errorf("systemctl %s %s: %w", verb, name, errLost)
			}
		case <-ctx.Done():
			return fmt.Errorf("systemctl %s %s: %w", verb, name, ctx.Err())
		}
	}
}

// ResetFailed forgets that a unit failed, and how often it was restarted. systemd forgets that by itself of a unit that it
// has not in memory: neither running, nor wanted by another, nor failed.
func (m *Manager) ResetFailed(ctx context.Context, name string) error {
	err := m.do(ctx, func(c *dbus.Conn) error { return c.ResetFailedUnitContext(ctx, name) })
	if bus, ok := errors.AsType[godbus.Error](err); ok && bus.Name == "org.freedesktop.systemd1.NoSuchUnit" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("systemctl reset-failed %s: %w", name, err)
	}
	return nil
}
