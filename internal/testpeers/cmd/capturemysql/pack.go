package main

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/opsctl/opsctl/internal/testpeers/samples"
)

// pack writes what the patterns name below dir as a packed archive, in the order of names and without owners.
func pack(dir string, patterns []string, file string) error {
	return samples.Gzip(file, func(w io.Writer) error {
		archive := tar.NewWriter(w)
		for _, pattern := range patterns {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				return err
			}
			for _, path := range found {
				if err := filepath.WalkDir(path, adder(archive, dir)); err != nil {
					return err
				}
			}
		}
		return archive.Close()
	})
}

// captured is the time of every file: equal files give equal archives.
func captured() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

func adder(archive *tar.Writer, dir string) fs.WalkDirFunc {
	return func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		head := &tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755, ModTime: captured()}
		if e.IsDir() {
			return archive.WriteHeader(head)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		head = &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: 0o644, ModTime: captured()}
		if err := archive.WriteHeader(head); err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(archive, f)
		return errors.Join(err, f.Close())
	}
}
