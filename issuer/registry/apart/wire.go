package apart

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// Between the two processes go frames: one byte that says what it is, the length in four
// (big endian), and that many bytes. Each frame to the worker but opHello has one answer,
// opAnswer or opError. All are JSON but the file, rows and rejected rows.
const (
	opHello   byte = 'H' // hello; the file follows
	opFile    byte = 'F' // its bytes
	opOpen    byte = 'O' // roster.Options; answer: opened
	opRows    byte = 'R' // rowsOf; answer: the number of a stream
	opNext    byte = 'N' // the number of a stream; answer: rows, none at the end
	opRejects byte = 'J' // rejectsOf; answer: a file
	opAnswer  byte = 'A'
	opError   byte = 'E' // wireError
)

// Bounds of what goes between them.
const (
	maxFrame   = 80 << 20 // the largest file, and the largest row in its largest dress
	batchBytes = 256 << 10
	maxStreams = 10_000 // of one file, over its life
	maxFiles   = 100
)

type hello struct {
	Name   string        `json:"name"`
	Memory int64         `json:"memory"`
	CPU    time.Duration `json:"cpu"`
}

type opened struct {
	File    int            `json:"file"` // 0: the first
	Reading roster.Reading `json:"reading"`
}

type rowsOf struct {
	File  int `json:"file"`
	Table int `json:"table"`
}

type rejectsOf struct {
	Mends    []roster.Mend    `json:"mends"`
	Findings []intake.Finding `json:"findings"`
}

// wireError is an error of the worker's: one about the file, or a fault.
type wireError struct {
	File  *roster.FileError `json:"file,omitempty"`
	Fault string            `json:"fault,omitempty"`
}

func toldError(b []byte) error {
	var e wireError
	if err := json.Unmarshal(b, &e); err != nil {
		return fmt.Errorf("apart: %w", err)
	}
	if e.File != nil {
		return e.File
	}
	return errors.New("apart: " + e.Fault)
}

func tellError(err error) []byte {
	var e wireError
	if !errors.As(err, &e.File) {
		e.Fault = err.Error()
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts alone
	}
	return b
}

func writeFrame(w io.Writer, op byte, b []byte) error {
	if len(b) > maxFrame {
		return errors.New("apart: a frame over its bound")
	}
	head := binary.BigEndian.AppendUint32([]byte{op}, uint32(len(b)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

func readFrame(r io.Reader) (op byte, b []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, errors.New("apart: a frame over its bound")
	}
	b = make([]byte, n)
	_, err = io.ReadFull(r, b)
	return head[0], b, err
}

// appendRow writes a row: numbers as uvarints, texts with their lengths before them.
func appendRow(b []byte, r *roster.RawRow) []byte {
	number := func(n int) { b = binary.AppendUvarint(b, uint64(n)) }
	text := func(s string) {
		number(len(s))
		b = append(b, s...)
	}
	number(r.Number)
	for _, s := range []string{r.Path, r.Index, r.Parent, r.Version} {
		text(s)
	}
	number(len(r.Problems))
	for _, p := range r.Problems {
		number(p.Row)
		for _, s := range []string{p.Path, p.Column, p.What, p.Fix} {
			text(s)
		}
	}
	number(len(r.Cells))
	for _, s := range r.Cells {
		text(s)
	}
	return b
}

var errRow = errors.New("apart: what came is no row")

// readRows reads rows up to the end of b.
func readRows(b []byte) (list []roster.RawRow, err error) {
	number := func() int {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > roster.MaxTextBytes {
			err, b = errRow, nil
			return 0
		}
		b = b[size:]
		return int(n)
	}
	text := func() string {
		n := number()
		if n > len(b) {
			err, b = errRow, nil
			return ""
		}
		s := string(b[:n])
		b = b[n:]
		return s
	}
	for len(b) > 0 {
		r := roster.RawRow{Number: number()}
		for _, s := range []*string{&r.Path, &r.Index, &r.Parent, &r.Version} {
			*s = text()
		}
		for n := number(); n > 0 && err == nil; n-- {
			p := roster.Problem{Row: number()}
			for _, s := range []*string{&p.Path, &p.Column, &p.What, &p.Fix} {
				*s = text()
			}
			r.Problems = append(r.Problems, p)
		}
		for n := number(); n > 0 && err == nil; n-- {
			r.Cells = append(r.Cells, text())
		}
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, err
}
