package component

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/opsctl/opsctl/pkg/atomicfile"
	"github.com/opsctl/opsctl/pkg/health"
)

// loaded says which configuration a run of a service has read: what opsctl knows because it started or reloaded it.
type loaded struct {
	Invocation string `json:"invocation"` // systemd's id of the run
	SHA256     string `json:"sha256"`     // of the configuration file
}

// sumOf is the SHA-256 of a configuration file; "" where there is none.
func (in *Installer) sumOf(name string) (string, error) {
	data, err := in.Host.ReadFile(name, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}

// stale tells whether the running service has read another configuration than the file holds now. Where opsctl did not start
// it, the times say so: of the file, of the start, and of the last reload by the service's own metric.
func (in *Installer) stale(ctx context.Context, c *Component, s *Settings, have *state) (bool, error) {
	name := c.configFile(s)
	if name == "" || have.live == nil || have.live.Active != "active" {
		return false, nil
	}
	sum, err := in.sumOf(name)
	if err != nil || sum == "" {
		return false, err
	}
	var known loaded
	if text, err := in.Host.ReadFile(c.loadedFile(), maxSettings); err == nil && json.Unmarshal(text, &known) == nil && known.Invocation == have.live.InvokedBy {
		return known.SHA256 != sum, nil
	}
	info, err := in.Host.Stat(name)
	if err != nil {
		return false, err
	}
	read := have.live.Started
	if c.Reload != nil && c.Reload.At != "" {
		if at, found, err := health.Value(ctx, in.Client, c.url(s, c.Health.Metrics), c.Reload.At); err == nil && found {
			if reloaded := time.UnixMicro(int64(at * 1e6)); reloaded.After(read) {
				read = reloaded
			}
		}
	}
	return info.ModTime().After(read), nil
}

// remember records which configuration the service has read: that with the sum.
func (in *Installer) remember(ctx context.Context, c *Component, sum string) error {
	if sum == "" {
		return nil
	}
	u, err := in.Manager.Unit(ctx, c.service())
	if err != nil {
		return err
	}
	text, err := json.Marshal(loaded{u.InvokedBy, sum})
	if err != nil {
		return err
	}
	file := in.path(c.loadedFile())
	if err := atomicfile.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(file, append(text, '\n'), 0o644)
}
