package durable

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// A Log is a file of lines that is only ever added to. It holds the file's lock:
// a second OpenLog of the same path, here or in another process, is refused
// (where the system has flock). Its methods may be called from several goroutines.
type Log struct {
	mu   sync.Mutex
	file *os.File
	size int64 // where the next line goes; all before it is on the disk
	err  error // after a failed write the file's end is unknown: every later append gets this
}

// ErrLocked: another Log has the file open.
var ErrLocked = errors.New("the file is open elsewhere")

// OpenLog opens the log at path for appending, and makes it with perm when it is
// not there. A last line without its line end was being written when the power
// went: its AppendLine never returned, so it is cut off.
func OpenLog(path string, perm fs.FileMode) (_ *Log, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, perm)
	if err != nil {
		return nil, fmt.Errorf("durable: open log %q: %w", path, err)
	}
	defer func() {
		if err != nil {
			file.Close()
			err = fmt.Errorf("durable: open log %q: %w", path, err)
		}
	}()
	if err = lock(file); err != nil {
		return nil, err
	}
	size, err := endOfLastLine(file)
	if err != nil {
		return nil, err
	}
	if err = file.Truncate(size); err != nil {
		return nil, err
	}
	if err = errors.Join(file.Sync(), syncFolder(filepath.Dir(path))); err != nil {
		return nil, err
	}
	return &Log{file: file, size: size}, nil
}

// endOfLastLine returns the offset after the last line end of file; 0 when there is none.
func endOfLastLine(file *os.File) (int64, error) {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	block := make([]byte, 4096)
	for end > 0 {
		start := max(0, end-int64(len(block)))
		part := block[:end-start]
		if _, err := file.ReadAt(part, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// AppendLine adds line and a line end. When it returns nil both are on the disk.
// After an error the line may or may not be there, and the log refuses more until
// it is opened anew. line must not hold a line end itself.
func (l *Log) AppendLine(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("durable: append to %q: the line holds a line end", l.file.Name())
	}
	_, err := l.file.WriteAt(append(bytes.Clone(line), '\n'), l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		// A kernel may drop the unwritten pages after a failed fsync and answer the
		// next one with success, so trying again would prove nothing.
		l.err = fmt.Errorf("durable: append to %q: %w", l.file.Name(), err)
		return l.err
	}
	l.size += int64(len(line)) + 1
	return nil
}

// Lines calls yield with each line, oldest first, without its line end, until
// yield returns an error, which Lines returns as it is. The bytes are yield's to
// keep. Lines added meanwhile are not among them.
func (l *Log) Lines(yield func(line []byte) error) error {
	l.mu.Lock()
	size := l.size
	l.mu.Unlock()
	r := bufio.NewReader(io.NewSectionReader(l.file, 0, size))
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return nil // size stands behind a line end, so nothing is left over
		} else if err != nil {
			return fmt.Errorf("durable: read log %q: %w", l.file.Name(), err)
		}
		if err := yield(line[:len(line)-1]); err != nil {
			return err
		}
	}
}

// Close gives the lock back. It writes nothing: every line already is on the disk.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = fmt.Errorf("durable: append to %q: %w", l.file.Name(), fs.ErrClosed)
	return l.file.Close()
}

// AppendLine opens the log at path, adds one line as [Log.AppendLine] does, and closes it.
func AppendLine(path string, line []byte, perm fs.FileMode) error {
	l, err := OpenLog(path, perm)
	if err != nil {
		return err
	}
	return errors.Join(l.AppendLine(line), l.Close())
}
