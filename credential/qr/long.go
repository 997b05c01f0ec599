//go:build !js

package qr

import (
	"bytes"
	"compress/flate"
	"sync"
)

// appender is an io.Writer into memory.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

var flateWriters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// deflateLong appends raw, longer than blockSize, as a deflate stream.
//
// compress/flate has two habits to mend: it ends every stream with an empty
// stored block, and it stores what it cannot compress. The first is cut off and
// the block before it marked as final. Where it stored anything, raw is written
// again in blocks of our own.
func (d *deflater) deflateLong(dst, raw []byte) []byte {
	to := appender{d.long[:0]}
	w := flateWriters.Get().(*flate.Writer)
	defer flateWriters.Put(w)
	w.Reset(&to)
	// Neither can fail: the appender does not.
	_, _ = w.Write(raw)
	_ = w.Close()
	d.long = to.b

	if body, ok := withoutTail(d.long, raw); ok {
		return append(dst, body...)
	}
	return d.deflate(dst, raw)
}

// withoutTail takes the empty stored block off the end of body, in place. ok
// tells that the result is a whole stream for raw without any stored block.
func withoutTail(body, raw []byte) (_ []byte, ok bool) {
	d := inflaters.Get().(*inflater)
	defer inflaters.Put(d)
	out, used, err := d.deflated(nil, body, len(raw))
	if err != nil || used != len(body) || d.stored || !bytes.Equal(out, raw) {
		return nil, false
	}
	last, tail := d.begins[0], d.begins[1]
	// Final and stored: bits 1, 0, 0. With nothing stored it is the empty one.
	if tail == 0 || bitAt(body, tail) != 1 || bitAt(body, tail+1) != 0 || bitAt(body, tail+2) != 0 {
		return nil, false
	}
	body[last/8] |= 1 << (last % 8)
	body = body[:(tail+7)/8]
	if tail%8 != 0 {
		body[len(body)-1] &= 1<<(tail%8) - 1
	}
	return body, true
}

func bitAt(b []byte, i int) byte { return b[i/8] >> (i % 8) & 1 }
