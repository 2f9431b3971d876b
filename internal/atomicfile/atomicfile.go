// Package atomicfile replaces files as a whole: a reader sees the old content
// or the new, and a full disk or a crash costs neither.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Write fills a temporary file beside path, brings it to the disk, and renames
// it to path. On any error the file that was there before is unchanged and the
// temporary one is removed.
func Write(path string, fill func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w%s", path, err, advice(err))
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // may be closed already; the first error is the one that counts
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil { // CreateTemp's 0600 is for secrets; reports are to be shared
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the rename itself survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// advice is what a person can do about the error.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "; what was there before is unchanged: free some space, or choose another folder"
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return "; choose a folder that may be written"
	case errors.Is(err, os.ErrNotExist):
		return "; make the folder first"
	}
	return ""
}
