// Package apart reads the files of strangers in a process of their own (THREATS T15).
//
// The program starts itself once for each file that is open (Reader.Read), hands the
// bytes over its standard input and gets tables and rows back over its standard output,
// in frames of bounded size: see wire.go. The worker (Serve) has no environment, opens no
// file and sends nothing anywhere. Where the system can, it is held to a size of memory
// and a time of the processor, and refused new sockets, files and programs by the kernel;
// Lacks says what a system cannot. Whatever becomes of the worker, who reads gets an error
// that says so, and goes on.
package apart

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// Limits of one worker.
type Limits struct {
	Memory  int64         // bytes of data; the file and all that is unpacked of it
	CPU     time.Duration // of the processor, for as long as the file is open
	Wait    time.Duration // for one answer by the clock
	Workers int           // that work at once; who comes later waits
	Each    int           // of them at most that read for one account, so that nobody holds them all; 0: Workers
	Queue   time.Duration // for how long, at most
	Waiting int           // how many at most; who comes then is told at once
}

// DefaultLimits are above what the largest file needs that package roster reads: 32 MB of
// XLSX with 256 MB of text in it.
var DefaultLimits = Limits{Memory: 1 << 30, CPU: 5 * time.Minute, Wait: time.Minute, Workers: 4, Each: 3, Queue: 10 * time.Second, Waiting: 8}

// A Reader opens files in workers. It may be used by several goroutines.
type Reader struct {
	Command []string // that runs Serve, with its arguments
	Limits  Limits   // zero: DefaultLimits
	// Ended is told what each worker used, and how it ended: nil after its file was closed.
	// It may be nil, and is called by several goroutines.
	Ended func(Use, error)

	once  sync.Once
	free  chan struct{} // a token for each worker that may be started
	queue chan struct{} // one for each that waits
	mu    sync.Mutex
	own   map[string]chan struct{} // the same as free of each account that reads or waits, by its id
	users map[string]int           // how many read or wait for it
}

// Use is what a worker took of the machine.
type Use struct {
	Peak int64         // bytes of memory at most; at least those of the program that started it
	CPU  time.Duration // of the processor
}

// An EndError is a worker that ended before its time, as Ended is told.
type EndError struct {
	How string // as the system tells it
}

func (e *EndError) Error() string { return "apart: the process that reads a file ended: " + e.How }

// ErrBusy: as many files are read as can be at once, and others wait: again in a minute.
var ErrBusy = errors.New("apart: as many lists are being read as can be at once: try again in a minute")

// enter waits for a worker that may be started for an account, among few and not for long,
// and no longer than its request. It returns what gives the place back.
func (r *Reader) enter(ctx context.Context, who string) (leave func(), err error) {
	r.mu.Lock()
	own := r.own[who]
	if own == nil {
		own = make(chan struct{}, r.Limits.Each)
		r.own[who] = own
	}
	r.users[who]++
	r.mu.Unlock()
	gone := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.users[who]--; r.users[who] == 0 {
			delete(r.users, who)
			delete(r.own, who)
		}
	}
	leave = func() { <-r.free; <-own; gone() }
	now := func() bool {
		select {
		case own <- struct{}{}:
		default:
			return false
		}
		select {
		case r.free <- struct{}{}:
			return true
		default:
			<-own
			return false
		}
	}
	if now() {
		return leave, nil
	}
	defer func() {
		if err != nil {
			gone()
		}
	}()
	select {
	case r.queue <- struct{}{}:
		defer func() { <-r.queue }()
	default:
		return nil, ErrBusy
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.Limits.Queue, ErrBusy)
	defer cancel()
	select {
	case own <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case r.free <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		<-own
		return nil, context.Cause(ctx)
	}
}

// Read is roster.Read in a worker, which lives until the File is closed, for the account of
// an id. One that runs into its limits is a *roster.FileError of the code TooMuch, here or at
// a row; ErrBusy where none is free in time. Who waits waits no longer than ctx.
func (r *Reader) Read(ctx context.Context, who, name string, b []byte, opt roster.Options) (*roster.File, error) {
	r.once.Do(func() {
		if r.Limits == (Limits{}) {
			r.Limits = DefaultLimits
		}
		if r.Limits.Each == 0 {
			r.Limits.Each = r.Limits.Workers
		}
		r.free, r.queue = make(chan struct{}, r.Limits.Workers), make(chan struct{}, r.Limits.Waiting)
		r.own, r.users = map[string]chan struct{}{}, map[string]int{}
	})
	leave, err := r.enter(ctx, who)
	if err != nil {
		return nil, err
	}
	w, err := r.start(name, b, leave)
	if err != nil {
		return nil, err
	}
	f, err := w.open(opt)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return f, nil
}

// worker is a process and the one file it has.
type worker struct {
	*bytes.Reader
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   io.ReadCloser
	wait  time.Duration
	said  tail
	over  func(error) // is called once it is dead
	mu    sync.Mutex
	ended error // set once it is dead
}

func (r *Reader) start(name string, b []byte, leave func()) (_ *worker, err error) {
	w := &worker{Reader: bytes.NewReader(b), name: filepath.Base(name), wait: r.Limits.Wait}
	w.cmd = exec.Command(r.Command[0], r.Command[1:]...)
	w.cmd.Env, w.cmd.Dir, w.cmd.Stderr = []string{}, os.TempDir(), &w.said
	if w.in, err = w.cmd.StdinPipe(); err == nil {
		w.out, err = w.cmd.StdoutPipe()
	}
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		leave()
		return nil, fmt.Errorf("apart: %w", err)
	}
	w.over = func(err error) {
		leave()
		if r.Ended != nil {
			r.Ended(used(w.cmd.ProcessState), err)
		}
	}
	head, err := json.Marshal(hello{Name: w.name, Memory: r.Limits.Memory, CPU: r.Limits.CPU})
	if err == nil {
		_, err = w.ask(func() error { return errors.Join(writeFrame(w.in, opHello, head), writeFrame(w.in, opFile, b)) })
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// tail keeps the end of what a worker says.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b = append(t.b, p...); len(t.b) > 4096 {
		t.b = t.b[:4096] // a panic begins with its reason
	}
	return len(p), nil
}

// ask sends something and returns the answer. Whatever goes wrong is the worker's end.
func (w *worker) ask(send func() error) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended != nil {
		return nil, w.ended
	}
	late := time.AfterFunc(w.wait, func() { w.cmd.Process.Kill() })
	err := send()
	var op byte
	var b []byte
	if err == nil {
		op, b, err = readFrame(w.out)
	}
	if !late.Stop() {
		err = errors.Join(err, errors.New("it took too long"))
	}
	switch {
	case err != nil:
		w.ended = w.end(err)
		return nil, w.ended
	case op == opError:
		return nil, toldError(b)
	case op != opAnswer:
		w.ended = w.end(errors.New("its answer is none"))
		return nil, w.ended
	}
	return b, nil
}

// end ends the process and says what became of it.
func (w *worker) end(err error) error {
	w.cmd.Process.Kill()
	w.in.Close()
	w.out.Close()
	ended := w.cmd.Wait()
	e := &EndError{How: fmt.Sprint(err)}
	if ended != nil {
		e.How += ", " + ended.Error()
	}
	if bytes.Contains(w.said.b, []byte("out of memory")) {
		e.How += ", out of memory"
	}
	w.over(e)
	refused := &roster.FileError{Path: w.name, Code: roster.TooMuch, What: "needs more memory or time to be read than a list has", Fix: "split it, or save it as CSV UTF-8"}
	return errors.Join(refused, e)
}

// Close implements io.Closer: the process is gone afterwards.
func (w *worker) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended != nil {
		return nil
	}
	w.ended = errors.New("apart: the file is closed")
	w.in.Close() // it ends by itself
	late := time.AfterFunc(time.Second, func() { w.cmd.Process.Kill() })
	defer late.Stop()
	w.out.Close()
	w.cmd.Wait() // how it ended is nobody's concern any more
	w.over(nil)
	return nil
}

func (w *worker) call(op byte, with any) ([]byte, error) {
	b, err := json.Marshal(with)
	if err != nil {
		return nil, err
	}
	return w.ask(func() error { return writeFrame(w.in, op, b) })
}

func (w *worker) open(opt roster.Options) (*roster.File, error) {
	b, err := w.call(opOpen, opt)
	if err != nil {
		return nil, err
	}
	var o opened
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, fmt.Errorf("apart: %w", err)
	}
	whole := make([]byte, w.Size())
	if _, err := w.ReadAt(whole, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if o.Reading.Digest = sha256.Sum256(whole); o.File != 0 {
		return roster.From(w.name, o.Reading, again{w, o.File})
	}
	return roster.From(w.name, o.Reading, w)
}

// Rows implements roster.Source.
func (w *worker) Rows(table int) (roster.RowSource, error) { return w.rows(0, table) }

// Again implements roster.Source.
func (w *worker) Again(opt roster.Options) (*roster.File, error) { return w.open(opt) }

// again is the same file read with other options, closed by who opened it first.
type again struct {
	*worker
	file int
}

func (a again) Rows(table int) (roster.RowSource, error) { return a.rows(a.file, table) }
func (a again) Close() error                             { return nil }

func (w *worker) rows(file, table int) (roster.RowSource, error) {
	b, err := w.call(opRows, rowsOf{file, table})
	if err != nil {
		return nil, err
	}
	s := &rowStream{w: w}
	return s, json.Unmarshal(b, &s.id)
}

// rowStream gets the rows of a table, several at once.
type rowStream struct {
	w    *worker
	id   int
	left []roster.RawRow
	err  error // after those that are left
}

func (s *rowStream) Next() (roster.RawRow, error) {
	if len(s.left) == 0 && s.err == nil {
		b, err := s.w.call(opNext, s.id)
		if err != nil {
			s.err = err
		} else if s.left, s.err = readRows(b); s.err == nil && len(s.left) == 0 {
			s.err = io.EOF
		}
	}
	if len(s.left) == 0 {
		return roster.RawRow{}, s.err
	}
	row := s.left[0]
	s.left = s.left[1:]
	return row, nil
}

// WriteRejects is intake.Report.WriteRejects, done where the file was read: forms come back
// as they were, and so are read a second time.
func WriteRejects(out io.Writer, r *intake.Report, f *roster.File, mends []roster.Mend) error {
	w, ok := f.Elsewhere().(*worker)
	if !ok {
		return r.WriteRejects(out, f)
	}
	ask := rejectsOf{Mends: mends}
	for _, x := range r.Findings {
		if x.Severity == intake.Reject {
			x.Value = "" // it stands in the file
			ask.Findings = append(ask.Findings, x)
		}
	}
	b, err := w.call(opRejects, ask)
	if err == nil {
		_, err = out.Write(b)
	}
	return err
}
