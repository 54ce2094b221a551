package systemd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/opsctl/opsctl/pkg/host"
)

// ErrNotUnit says that a file is none that systemd would read as a unit.
var ErrNotUnit = errors.New("not a unit file")

// maxUnit bounds what is read of one file, in bytes.
const maxUnit = 4 << 20

// Report is what LintFiles found.
type Report struct {
	// Files are all unit files and drop-ins that were read.
	Files []string `json:"files"`
	// SystemdVersion is the version that the units were judged by, 0 when none was known.
	SystemdVersion int       `json:"systemdVersion"`
	Items          []Finding `json:"items"`
}

// FilesOptions say what to read. Host is required.
type FilesOptions struct {
	LintOptions
	// Stdin is read for the name -, as a service.
	Stdin io.Reader
	// Exposure adds a finding with the figure of systemd-analyze security, which must be there, for each service.
	Exposure bool
}

// LintFiles judges unit files of this machine, each together with the drop-ins in its folder FILE.d. Of a folder it takes
// the units; without any name the host's own in /etc/systemd/system. The report holds what could be read; the error joins
// the rest, and then the report is nil only when nothing was read.
func LintFiles(ctx context.Context, names []string, opts FilesOptions) (*Report, error) {
	r := &fileReader{opts: opts, here: host.Local(), report: Report{Files: []string{}, Items: []Finding{}, SystemdVersion: opts.Version}}
	if len(names) == 0 {
		r.here, names = opts.Host, []string{"/etc/systemd/system"}
	}
	for _, name := range names {
		if err := r.argument(ctx, name); err != nil {
			r.errs = append(r.errs, err)
		}
	}
	err := errors.Join(r.errs...)
	if len(r.report.Files) == 0 && err != nil {
		return nil, err
	}
	return &r.report, err
}

type fileReader struct {
	opts   FilesOptions
	here   *host.Host // where the names are looked up
	report Report
	errs   []error
}

func (r *fileReader) argument(ctx context.Context, name string) error {
	if name == "-" {
		data, err := io.ReadAll(io.LimitReader(r.opts.Stdin, maxUnit))
		if err != nil {
			return fmt.Errorf("reading standard input: %w", err)
		}
		return r.unit(ctx, "-", "stdin.service", data)
	}
	full := name
	if r.here.Live() {
		var err error
		if full, err = filepath.Abs(name); err != nil {
			return err
		}
	}
	info, err := r.here.Stat(full)
	if err != nil {
		return fmt.Errorf("reading a unit: %w", err)
	}
	if !info.IsDir() {
		return r.file(ctx, name, full)
	}
	return r.folder(ctx, name, full)
}

// folder takes the units of a folder, and drop-ins there for units of other folders. Links are passed over: they enable
// or mask what lies elsewhere.
func (r *fileReader) folder(ctx context.Context, name, full string) error {
	entries, err := r.here.ReadDir(full)
	if err != nil {
		return fmt.Errorf("reading units: %w", err)
	}
	for _, e := range entries {
		shown, below := path.Join(name, e.Name()), path.Join(full, e.Name())
		switch {
		case e.Type().IsRegular() && unitKind(e.Name()) != "":
			if err := r.file(ctx, shown, below); err != nil {
				r.errs = append(r.errs, err)
			}
		case e.IsDir() && strings.HasSuffix(e.Name(), ".d") && !contains(entries, strings.TrimSuffix(e.Name(), ".d")):
			r.dropIns(ctx, shown, below)
		}
	}
	return nil
}

func contains(entries []fs.DirEntry, name string) bool {
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name && e.Type().IsRegular() })
}

// dropIns judges drop-ins whose unit lies elsewhere, each by itself.
func (r *fileReader) dropIns(ctx context.Context, shown, full string) {
	entries, err := r.here.ReadDir(full)
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".conf") {
			continue
		}
		if err := r.file(ctx, path.Join(shown, e.Name()), path.Join(full, e.Name())); err != nil {
			r.errs = append(r.errs, err)
		}
	}
}

func (r *fileReader) file(ctx context.Context, shown, full string) error {
	if !IsUnitName(full) {
		return fmt.Errorf("%s: %w: its name ends in no kind of unit, such as .service", shown, ErrNotUnit)
	}
	data, err := r.here.ReadFile(full, maxUnit)
	if err != nil {
		return fmt.Errorf("reading a unit: %w", err)
	}
	return r.unit(ctx, shown, full, data)
}

// unit judges one unit. full is its absolute name; shown is the name that findings carry.
func (r *fileReader) unit(ctx context.Context, shown, full string, data []byte) error {
	if bytes.IndexByte(data, 0) >= 0 {
		return fmt.Errorf("%s: %w: it holds NUL bytes", shown, ErrNotUnit)
	}
	u := Parse(shown, data)
	if unitKind(full) == "" && !hasSection(u) {
		return fmt.Errorf("%s: %w: it has no section that a unit has", shown, ErrNotUnit)
	}
	r.report.Files = append(r.report.Files, shown)
	if shown != "-" && unitKind(full) != "" && !strings.HasSuffix(full, ".conf") {
		r.appendDropIns(u, shown, full)
	}
	r.report.Items = append(r.report.Items, Lint(full, u, r.opts.LintOptions)...)
	if r.opts.Exposure && shown != "-" && path.Ext(full) == ".service" && !slices.Contains(r.opts.Ignore, "exposure") {
		return r.exposure(ctx, shown, full)
	}
	return nil
}

// hasSection tells a drop-in from the many other files whose names end in .conf.
func hasSection(u *Unit) bool {
	sections := NewDirectives().sections
	return slices.ContainsFunc(u.Headers, func(h Header) bool { return slices.Contains(sections, h.Section) })
}

// appendDropIns reads FILE.d/*.conf in the order of their names, as systemd does.
func (r *fileReader) appendDropIns(u *Unit, shown, full string) {
	entries, err := r.here.ReadDir(full + ".d")
	if err != nil {
		return // there are none
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".conf") {
			continue
		}
		data, err := r.here.ReadFile(path.Join(full+".d", e.Name()), maxUnit)
		if err != nil {
			r.errs = append(r.errs, fmt.Errorf("reading a drop-in: %w", err))
			continue
		}
		name := path.Join(shown+".d", e.Name())
		r.report.Files = append(r.report.Files, name)
		u.Append(Parse(name, data))
	}
}

func (r *fileReader) exposure(ctx context.Context, shown, full string) error {
	value, word, err := Exposure(ctx, r.here.Path(full))
	if err != nil {
		return err
	}
	r.report.Items = append(r.report.Items, Finding{
		File: shown, ID: "exposure", Severity: severityOf("exposure"),
		Message: fmt.Sprintf("exposure %.1f (%s); 10 is a service that may do everything", value, strings.ToLower(word)),
		Fix:     "systemd-analyze security --offline=true " + shown + " lists what could be closed",
	})
	return nil
}

// Exposure is what systemd-analyze security gives a unit file of this machine, from 0 to 10, and its word for that. It asks
// no running systemd; systemd-analyze must be of 250 or newer.
func Exposure(ctx context.Context, file string) (value float64, word string, err error) {
	out, err := host.Local().Run(ctx, "systemd-analyze", "security", "--offline=true", "--no-pager", file)
	if err != nil {
		return 0, "", fmt.Errorf("measuring the exposure of %s: %w", file, err)
	}
	m := regexp.MustCompile(`Overall exposure level for .*: (\d+\.\d+) (\w+)`).FindSubmatch(out)
	if m == nil {
		return 0, "", fmt.Errorf("measuring the exposure of %s: systemd-analyze gave no level", file)
	}
	value, err = strconv.ParseFloat(string(m[1]), 64)
	return value, string(m[2]), err
}

// HostVersion is the version of the host's systemd, told by the name of its shared library; 0 when there is none to tell
// by (before 231 there was no such library).
func HostVersion(h *host.Host) int {
	newest := 0
	for _, pattern := range []string{"/usr/lib/systemd/libsystemd-shared-*.so", "/lib/systemd/libsystemd-shared-*.so", "/usr/lib/*/systemd/libsystemd-shared-*.so", "/usr/lib64/systemd/libsystemd-shared-*.so"} {
		names, err := h.Glob(pattern)
		if err != nil {
			continue // a folder that cannot be read tells nothing
		}
		for _, name := range names {
			m := regexp.MustCompile(`shared-(\d+)`).FindStringSubmatch(name)
			if m == nil {
				continue
			}
			if n, err := strconv.Atoi(m[1]); err == nil {
				newest = max(newest, n)
			}
		}
	}
	return newest
}
