package testpeers

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
func Pack(dir, name string, files map[string]string) (_ *Release, err error) {
	path := filepath.Join(dir, name+".tar.gz")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zw := gzip.NewWriter(f)
	tw := tar.NewWriter(zw)
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}); err != nil {
		return nil, err
	}
	for inside, from := range files {
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name + "/" + inside, Mode: 0o755, Size: int64(len(data))}); err != nil {
			return nil, err
		}
		if _, err := tw.Write(data); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("summing: %w", err)
	}
	sum := sha256.Sum256(data)
	return &Release{path, hex.EncodeToString(sum[:])}, nil
}
