// Package durable writes files that survive a power cut: after a call returns
// without error the bytes are on the disk under their name, and at no moment
// does a reader or a crash see half of them.
//
// The system calls, in order (Linux; the same through Go elsewhere):
//
//	WriteFile   open(O_CREAT|O_EXCL) of a temporary name in the same folder, write, fchmod,
//	            fsync, close, rename over the name, open folder, fsync folder, close
//	OpenLog     open(O_RDWR|O_CREAT), flock, read of the end, ftruncate of a torn line, fsync,
//	            open folder, fsync folder, close
//	AppendLine  write at the end, fsync
//	OpenTail    open(O_RDWR|O_CREAT), flock, read, open folder, fsync folder, close
//	Append      write at the end, fsync; Cut: ftruncate, fsync
//
// The rename is what makes the new file whole: before it the name holds the old
// file, after it the new one. The fsync of the file comes first, or the rename
// could reach the disk before the bytes. The fsync of the folder comes last, or
// the rename itself could be lost.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// WriteFile puts data under path, whole or not at all. A file that was there is
// replaced, whatever its permissions; perm are the new file's, not narrowed by
// the umask. A crash can leave a file named ".<name>.*.new" behind, never a torn path.
func WriteFile(path string, data []byte, perm fs.FileMode) (err error) {
	folder, name := filepath.Split(path)
	if folder == "" {
		folder = "."
	}
	file, err := os.CreateTemp(folder, "."+name+".*.new")
	if err != nil {
		return fmt.Errorf("durable: write %q: %w", path, err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
			err = fmt.Errorf("durable: write %q: %w", path, err)
		}
	}()
	if _, err = file.Write(data); err != nil {
		return err
	}
	if err = file.Chmod(perm); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	if err = file.Close(); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the names in folder durable. Windows has no such call and
// orders its journal itself.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
