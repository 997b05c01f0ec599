package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A Tail is a file of records that is only ever added to, like a Log, for records
// that are not lines: where one ends is for the caller to know. It holds the
// file's lock. Not for concurrent use.
type Tail struct {
	file *os.File
	size int64
	err  error // as in Log
}

// OpenTail opens the file at path for appending, makes it with perm when it is
// not there, and returns what it holds, at most max bytes. The caller finds the
// last whole record in it and calls Cut when a power cut left part of another.
func OpenTail(path string, perm fs.FileMode, max int64) (_ *Tail, content []byte, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, perm)
	if err != nil {
		return nil, nil, fmt.Errorf("durable: open %q: %w", path, err)
	}
	defer func() {
		if err != nil {
			file.Close()
			err = fmt.Errorf("durable: open %q: %w", path, err)
		}
	}()
	if err = lock(file); err != nil {
		return nil, nil, err
	}
	if content, err = io.ReadAll(io.LimitReader(file, max+1)); err != nil {
		return nil, nil, err
	}
	if int64(len(content)) > max {
		return nil, nil, fmt.Errorf("larger than %d bytes", max)
	}
	if err = syncFolder(filepath.Dir(path)); err != nil {
		return nil, nil, err
	}
	return &Tail{file: file, size: int64(len(content))}, content, nil
}

// Cut drops everything after the first size bytes.
func (t *Tail) Cut(size int64) error {
	if t.err != nil {
		return t.err
	}
	if err := errors.Join(t.file.Truncate(size), t.file.Sync()); err != nil {
		return t.fail(err)
	}
	t.size = size
	return nil
}

// Append adds record. When it returns nil the record is on the disk. After an
// error it may or may not be there, and the Tail refuses more.
func (t *Tail) Append(record []byte) error {
	if t.err != nil {
		return t.err
	}
	if _, err := t.file.WriteAt(record, t.size); err != nil {
		return t.fail(err)
	}
	if err := t.file.Sync(); err != nil {
		return t.fail(err)
	}
	t.size += int64(len(record))
	return nil
}

func (t *Tail) fail(err error) error {
	t.err = fmt.Errorf("durable: append to %q: %w", t.file.Name(), err)
	return t.err
}

// Close gives the lock back. It writes nothing.
func (t *Tail) Close() error { return t.file.Close() }
