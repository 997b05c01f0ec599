package apart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// Serve is the worker: it takes one file from in, confines itself, and answers what is
// asked of it to out until in ends.
func Serve(in io.Reader, out io.Writer) error {
	op, b, err := readFrame(in)
	var h hello
	if err == nil && op == opHello {
		err = json.Unmarshal(b, &h)
	}
	if err != nil || op != opHello {
		return errors.Join(errors.New("apart: this reads lists for another process of aidpass, and is not started by hand"), err)
	}
	runtime.GOMAXPROCS(2)
	if h.Memory > 0 {
		debug.SetMemoryLimit(h.Memory / 4 * 3) // the collector works harder before the kernel ends it
	}
	if err := confine(h.Memory, h.CPU); err != nil {
		return err
	}
	op, b, err = readFrame(in)
	if err != nil || op != opFile {
		return errors.Join(errors.New("apart: no file came"), err)
	}
	s := &server{name: h.Name, bytes: b}
	if err := writeFrame(out, opAnswer, nil); err != nil {
		return err
	}
	for {
		op, b, err := readFrame(in)
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answer, err := s.answer(op, b)
		if op = opAnswer; err != nil {
			op, answer = opError, tellError(err)
		}
		if err := writeFrame(out, op, answer); err != nil {
			return err
		}
	}
}

// server is what a worker has open.
type server struct {
	name    string
	bytes   []byte
	files   []*roster.File
	streams []*roster.Rows
}

func (s *server) answer(op byte, b []byte) ([]byte, error) {
	switch op {
	case opOpen:
		var opt roster.Options
		if err := json.Unmarshal(b, &opt); err != nil {
			return nil, err
		}
		f, err := roster.Read(s.name, s.bytes, opt)
		if err != nil {
			return nil, err
		}
		if s.files = append(s.files, f); len(s.files) > maxFiles {
			return nil, errors.New("the file was opened too often")
		}
		return json.Marshal(opened{len(s.files) - 1, f.Reading()})
	case opRows:
		var o rowsOf
		if err := json.Unmarshal(b, &o); err != nil {
			return nil, err
		}
		if o.File < 0 || o.File >= len(s.files) || o.Table < 0 || o.Table >= len(s.files[o.File].Tables()) || len(s.streams) == maxStreams {
			return nil, fmt.Errorf("no table %d of file %d", o.Table, o.File)
		}
		f := s.files[o.File]
		rows, err := f.Rows(f.Tables()[o.Table].Name)
		if err != nil {
			return nil, err
		}
		s.streams = append(s.streams, rows)
		return json.Marshal(len(s.streams) - 1)
	case opNext:
		var id int
		if err := json.Unmarshal(b, &id); err != nil || id < 0 || id >= len(s.streams) || s.streams[id] == nil {
			return nil, errors.Join(errors.New("no such stream"), err)
		}
		return s.batch(id)
	case opRejects:
		return s.rejects(b)
	}
	return nil, errors.New("nothing that can be asked")
}

// batch is the next rows of a stream. An error comes back where its row would stand.
func (s *server) batch(id int) (b []byte, err error) {
	for len(b) < batchBytes {
		row, err := s.streams[id].Next()
		if err != nil {
			if len(b) > 0 {
				return b, nil // Rows says it again
			}
			s.streams[id] = nil
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return nil, err
		}
		raw := roster.Raw(&row)
		b = appendRow(b, &raw)
	}
	return b, nil
}

func (s *server) rejects(b []byte) ([]byte, error) {
	var ask rejectsOf
	if err := json.Unmarshal(b, &ask); err != nil {
		return nil, err
	}
	if len(s.files) == 0 {
		return nil, errors.New("no file is open")
	}
	f := s.files[0]
	if err := f.Mend(ask.Mends); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err := (&intake.Report{Findings: ask.Findings}).WriteRejects(&out, f)
	return out.Bytes(), errors.Join(err, f.Mend(nil))
}
