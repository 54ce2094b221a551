package scrape

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrInvalid is the cause of a job that is not fit to be written.
var ErrInvalid = errors.New("is not valid")

// Check refuses what Prometheus would refuse, and what would only fail later. Its errors wrap [ErrInvalid].
func (j Job) Check() error {
	if err := checkText("job name", j.Name); err != nil {
		return err
	}
	for _, target := range j.Targets {
		if err := CheckTarget(target); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(j.Labels)) {
		if err := checkLabel(name, j.Labels[name]); err != nil {
			return err
		}
	}
	if j.MetricsPath != "" && !strings.HasPrefix(j.MetricsPath, "/") {
		return fmt.Errorf("metrics path %q %w: it begins with /", j.MetricsPath, ErrInvalid)
	}
	if j.Scheme != "" && j.Scheme != "http" && j.Scheme != "https" {
		return fmt.Errorf("scheme %q %w: it is http or https", j.Scheme, ErrInvalid)
	}
	for _, name := range j.FileSD {
		// discovery/file/file.go of Prometheus: ^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$
		if !slices.Contains([]string{".json", ".yml", ".yaml"}, path.Ext(name)) || strings.Contains(path.Dir(name), "*") {
			return fmt.Errorf("file of targets %q %w: it ends in .json, .yml or .yaml, with * in the last part only", name, ErrInvalid)
		}
	}
	if len(j.Targets) == 0 && len(j.FileSD) == 0 {
		return fmt.Errorf("job %q %w: it has no target", j.Name, ErrInvalid)
	}
	return nil
}

// checkText refuses names that are empty, no UTF-8, or hold control characters.
func checkText(what, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%s %q %w: it is empty", what, s, ErrInvalid)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s %q %w: it is no UTF-8", what, s, ErrInvalid)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%s %q %w: it holds a control character", what, s, ErrInvalid)
	}
	return nil
}

// CheckTarget refuses what is not HOST:PORT. Prometheus itself takes a target without a port and scrapes port 80 or 443;
// here that is taken for an omission.
func CheckTarget(target string) error {
	if err := checkText("target", target); err != nil {
		return err
	}
	if _, rest, found := strings.Cut(target, "://"); found {
		return fmt.Errorf("target %q %w: it is HOST:PORT, without a scheme (%s)", target, ErrInvalid, rest)
	}
	if strings.ContainsAny(target, "/?#@") {
		return fmt.Errorf("target %q %w: it is HOST:PORT, without a path or a user", target, ErrInvalid)
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return fmt.Errorf("target %q %w: it is HOST:PORT, with brackets around an IPv6 address", target, ErrInvalid)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("target %q %w: its port is no number from 1 to 65535", target, ErrInvalid)
	}
	if strings.HasPrefix(target, "[") {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is6() {
			return fmt.Errorf("target %q %w: in the brackets stands no IPv6 address", target, ErrInvalid)
		}
		return nil
	}
	if host == "" || strings.ContainsFunc(host, notHost) {
		return fmt.Errorf("target %q %w: %q is no host name", target, ErrInvalid, host)
	}
	return nil
}

func notHost(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '-' && r != '.' && r != '_'
}

// checkLabel holds a label against model.LabelName of prometheus/common, in the form that all versions take: Prometheus 3
// takes any UTF-8 name.
func checkLabel(name, value string) error {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return fmt.Errorf("label name %q %w: it is made of letters, digits and _ (Prometheus 3 alone takes others)", name, ErrInvalid)
		}
	}
	switch {
	case name == "":
		return fmt.Errorf("label name %q %w: it is empty", name, ErrInvalid)
	case !utf8.ValidString(value):
		return fmt.Errorf("value %q of label %s %w: it is no UTF-8", value, name, ErrInvalid)
	}
	return nil
}
