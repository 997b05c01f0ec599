package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"aidpass/credential"
	"aidpass/internal/durable"
)

// readFile returns a whole file of at most max bytes.
func readFile(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > max {
		return nil, usagef("%s is larger than %d bytes, which no such file is", path, max).
			hint("is it the right file?")
	}
	return b, nil
}

// writeFile puts a result under path, whole or not at all.
func writeFile(path string, b []byte) error { return durable.WriteFile(path, b, 0o644) }

// writeNew is writeFile for what must not replace a file: keys and signatures.
func writeNew(path string, b []byte, perm fs.FileMode) error {
	if err := mustNotExist(path); err != nil {
		return err
	}
	return durable.WriteFile(path, b, perm)
}

func mustNotExist(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return usagef("%s is there already", path).hint("choose another name, or move the file away")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// slug is an issuer URI as a file name: https://relief-a.example/i1 becomes
// relief-a.example-i1.
func slug(id string) string {
	_, rest, ok := strings.Cut(id, "://")
	if !ok {
		rest = id
	}
	s := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, rest)
	return strings.Trim(s, "-.")
}

// print writes one result: v as a JSON line with --json, else the text.
func (a *app) print(v any, text func(w io.Writer)) error {
	if !a.JSON {
		text(a.Stdout)
		return nil
	}
	return printJSON(a.Stdout, v)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// say tells the person at the terminal something beside the result.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.Stderr, "aidpass: "+format+"\n", args...)
}

func (a *app) now() credential.Time { return credential.FromStd(a.Now()) }

// timePtr is t for JSON: null when it is not known.
func timePtr(t credential.Time) *string {
	if t == 0 {
		return nil
	}
	s := t.String()
	return &s
}

func textPtr(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// parseAt reads --at: RFC 3339, or a day, which begins at 00:00 UTC.
func parseAt(s string) (credential.Time, error) {
	if t, err := credential.ParseTime(s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, usagef("%q is not a time", s).hint("times are written 2026-11-21T09:00:00Z, days 2026-11-21")
	}
	return credential.FromStd(t), nil
}

// parseLastDay is parseAt for an end: a day counts to its last second.
func parseLastDay(s string) (credential.Time, error) {
	t, err := parseAt(s)
	if err == nil && len(s) == len(time.DateOnly) {
		t += day - 1
	}
	return t, err
}

// at is the time given by a flag, or the clock.
func (a *app) at(flag string) (credential.Time, error) {
	if flag == "" {
		return a.now(), nil
	}
	return parseAt(flag)
}

// progress tells how far long work has come: on a terminal on one line that is
// written over, else every few seconds on a line of its own.
type progress struct {
	a        *app
	what     string
	terminal bool
	last     time.Time
}

func (a *app) progress(what string) *progress {
	f, ok := a.Stderr.(*os.File)
	return &progress{a: a, what: what, terminal: ok && term.IsTerminal(int(f.Fd())), last: time.Now()}
}

func (p *progress) step(done, total int) {
	every := 5 * time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if now := time.Now(); now.Sub(p.last) >= every {
		p.last = now
		if p.terminal {
			fmt.Fprintf(p.a.Stderr, "\r%s: %d of %d", p.what, done, total)
		} else {
			p.a.say("%s: %d of %d", p.what, done, total)
		}
	}
}

func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.a.Stderr, "\r\x1b[K")
	}
}

// makeParent makes the folder a file goes to.
func makeParent(path string) error { return os.MkdirAll(filepath.Dir(path), 0o755) }

// placeFor makes the folder an output goes to, before anything is signed for it, and
// refuses what can be no file.
func placeFor(what, path string) error {
	if path == "" {
		return nil
	}
	if err := makeParent(path); err != nil {
		return usagef("%s: %w", what, err).hint("another folder for it")
	}
	if i, err := os.Stat(path); err == nil && i.IsDir() {
		return usagef("%s: %s is a folder", what, path).hint("a name for the file in it")
	}
	return nil
}

// lockWait is how long a command waits for another one that writes the same file.
const lockWait = 30 * time.Second

// waitForLock opens a log, and waits for whoever has it open.
func waitForLock(path string) (*durable.Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(lockWait); ; {
		l, err := durable.OpenLog(path, 0o600)
		if !isLocked(err) || time.Now().After(deadline) {
			return l, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func isLocked(err error) bool { return errors.Is(err, durable.ErrLocked) }

// named is a file a command reads or writes, and what it is for.
type named struct{ what, path string }

// distinct refuses two names for one file: what is read would be written over.
func distinct(files ...named) error {
	for i, x := range files {
		for _, y := range files[:i] {
			if x.path != "" && y.path != "" && sameFile(x.path, y.path) {
				return usagef("%s and %s are the same file, %s", y.what, x.what, x.path).hint("give each a file of its own")
			}
		}
	}
	return nil
}

// sameFile sees through links, and through two ways to write one path.
func sameFile(x, y string) bool {
	a, errA := os.Stat(x)
	b, errB := os.Stat(y)
	if errA == nil && errB == nil {
		return os.SameFile(a, b)
	}
	return errA != nil && errB != nil && place(x) == place(y)
}

// place is the absolute path of a file that may not be there yet.
func place(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	return path
}
