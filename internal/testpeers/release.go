package testpeers

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// ExporterPackages are Debian's builds of what `opsctl install` knows, for a [Recipe]: programs that nobody here wrote.
func ExporterPackages() Recipe {
	return Recipe{Suite: "bookworm", Packages: []string{
		"prometheus", "prometheus-node-exporter", "prometheus-mysqld-exporter", "prometheus-alertmanager", "prometheus-pushgateway",
		"prometheus-blackbox-exporter", "prometheus-process-exporter", "prometheus-redis-exporter", "prometheus-postgres-exporter",
		"prometheus-nginx-exporter",
	}, Omit: []string{"perl", "libperl", "usrmerge", "libfile-find", "libtext-glob", "libnumber-compare", "fonts-", "libjs-", "python", "libpython"}}
}

// Release is an archive as a project publishes it.
type Release struct {
	Path string
	Sum  string // sha256, in hexadecimal
}

// Pack makes dir/NAME.tar.gz with one top folder NAME, which holds files: names inside it, and where each comes from.
func Pack(dir, name string, files map[string]string) (*Release, error) {
	file := filepath.Join(dir, name+".tar.gz")
	if err := packTar(file, name, "", files); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("summing: %w", err)
	}
	sum := sha256.Sum256(data)
	return &Release{file, hex.EncodeToString(sum[:])}, nil
}

// packTar writes a packed tar of programs below the folder top, "" for none, beside a licence unless that is "".
func packTar(file, top, licence string, programs map[string]string) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zw, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(zw)
	if top != "" {
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: top + "/", Mode: 0o755}); err != nil {
			return err
		}
	}
	add := func(name string, mode int64, data []byte) error {
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path.Join(top, name), Mode: mode, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err := tw.Write(data)
		return err
	}
	if licence != "" {
		if err := add("LICENSE", 0o644, []byte(licence)); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		data, err := os.ReadFile(programs[name])
		if err != nil {
			return err
		}
		if err := add(name, 0o755, data); err != nil {
			return err
		}
	}
	return errors.Join(tw.Close(), zw.Close())
}
