package apart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/issuer/registry/apart"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// TestMain makes the test's own program the worker.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		in := map[string]io.Reader{"read": os.Stdin, "reach": &reaching{}}[os.Args[1]]
		if in != nil {
			if err := apart.Serve(in, os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// beyond tries what only some systems have, and says what it came to; "" for nothing.
var beyond = func() string { return "" }

// reaching is a worker that was taken over: with the first byte of the file it tries to
// get out.
type reaching struct{ read int }

func (r *reaching) Read(b []byte) (int, error) {
	if r.read++; r.read == 4 {
		if f, err := os.Open("/etc/passwd"); err == nil || f != nil {
			fmt.Fprintln(os.Stderr, "a file was opened")
			os.Exit(3)
		}
		if f, err := os.Create(filepath.Join(os.TempDir(), "aidpass-reaching")); err == nil || f != nil {
			fmt.Fprintln(os.Stderr, "a file was made")
			os.Exit(3)
		}
		if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil || l != nil {
			fmt.Fprintln(os.Stderr, "a socket was opened")
			os.Exit(3)
		}
		if err := exec.Command("/bin/true").Run(); err == nil {
			fmt.Fprintln(os.Stderr, "a program was started")
			os.Exit(3)
		}
		if what := beyond(); what != "" {
			fmt.Fprintln(os.Stderr, what)
			os.Exit(3)
		}
	}
	return os.Stdin.Read(b)
}

func worker(t testing.TB, as string) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{exe, as}
}

// rows are all that a file says, or the error that ends it.
func rows(f *roster.File) (list []roster.RawRow, err error) {
	for _, t := range f.Tables() {
		in, err := f.Rows(t.Name)
		if err != nil {
			return list, err
		}
		for {
			row, err := in.Next()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return list, err
			}
			list = append(list, roster.Raw(&row))
		}
	}
	return list, nil
}

// same reports whether two errors say the same.
func same(a, b error) bool {
	var x, y *roster.FileError
	if errors.As(a, &x) && errors.As(b, &y) {
		return *x == *y
	}
	return a == nil && b == nil
}

// Every hostile file says here what it says without a process of its own, row for row, and
// none needs more of the machine than a list does.
func TestHostileFiles(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/hostile-files/*")
	if len(files) == 0 {
		t.Skip("SKIPPED: ../shared/hostile-files is not beside the project")
	}
	var mu sync.Mutex
	var peak int64
	var cpu time.Duration
	r := &apart.Reader{Command: worker(t, "read"), Ended: func(u apart.Use, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Error(err)
		}
		peak, cpu = max(peak, u.Peak), max(cpu, u.CPU)
	}}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		here, errHere := roster.Read(name, b, roster.Options{})
		there, errThere := r.Read(t.Context(), "amina", name, b, roster.Options{})
		if !same(errHere, errThere) {
			t.Errorf("%s: %v, in a process of its own %v", name, errHere, errThere)
		}
		if errHere != nil || errThere != nil {
			continue
		}
		a, errA := rows(here)
		c, errC := rows(there)
		if !same(errA, errC) || !reflect.DeepEqual(a, c) || here.Digest() != there.Digest() || fmt.Sprint(here.Tables(), here.Skipped(), here.Warnings()) != fmt.Sprint(there.Tables(), there.Skipped(), there.Warnings()) {
			t.Errorf("%s: %d rows, %v; in a process of its own %d, %v", name, len(a), errA, len(c), errC)
		}
		if err := there.Close(); err != nil {
			t.Error(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	t.Logf("%d files: at most %d MB and %v of the processor for one", len(files), peak>>20, cpu)
	if runtime.GOOS == "linux" && (peak == 0 || peak > 400<<20) || cpu > 30*time.Second {
		t.Errorf("a file took %d MB and %v of the processor", peak>>20, cpu)
	}
}

func list(n int) []byte {
	var b bytes.Buffer
	b.WriteString("individual_id,full_name,sex\n")
	for i := range n {
		fmt.Fprintf(&b, "P-%07d,Zuhura %s,f\n", i, strings.Repeat("na", 20))
	}
	return b.Bytes()
}

// A worker that is given up on, killed, or runs into its limits is an error that says so,
// and leaves room for the next.
func TestLimits(t *testing.T) {
	big := list(400_000)
	for name, c := range map[string]struct {
		command []string
		limits  apart.Limits
		only    string
	}{
		"memory":       {worker(t, "read"), apart.Limits{Memory: 20 << 20, CPU: time.Minute, Wait: time.Minute}, "linux"},
		"processor":    {worker(t, "read"), apart.Limits{Memory: 1 << 30, CPU: time.Second, Wait: time.Minute}, "linux"},
		"clock":        {[]string{"sleep", "60"}, apart.Limits{Wait: 100 * time.Millisecond}, ""},
		"ends at once": {[]string{"false"}, apart.Limits{Wait: time.Minute}, ""},
		"says else":    {[]string{"yes"}, apart.Limits{Wait: 500 * time.Millisecond}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.only != "" && (c.only != runtime.GOOS || name == "memory" && raced) {
				t.Skip("SKIPPED: " + runtime.GOOS + " does not hold a process to this")
			}
			c.limits.Workers = 1
			ended := 0
			r := &apart.Reader{Command: c.command, Limits: c.limits, Ended: func(_ apart.Use, err error) {
				var end *apart.EndError
				if ended++; !errors.As(err, &end) {
					t.Errorf("it ended in order, or by %v", err)
				}
			}}
			for range 2 { // the second waits for the first
				f, err := r.Read(t.Context(), "amina", "list.csv", big, roster.Options{})
				for err == nil {
					_, err = rows(f)
				}
				if f != nil {
					f.Close()
				}
				var refused *roster.FileError
				if !errors.As(err, &refused) || refused.Code != roster.TooMuch {
					t.Fatalf("%v", err)
				}
			}
			if ended != 2 {
				t.Errorf("%d workers ended", ended)
			}
		})
	}
}

// Who comes while as many are read as can be waits among few and not for long, and is told.
func TestTheRoomIsBounded(t *testing.T) {
	l := apart.DefaultLimits
	l.Workers, l.Waiting, l.Queue = 1, 1, time.Hour
	r := &apart.Reader{Command: worker(t, "read"), Limits: l}
	first, err := r.Read(t.Context(), "amina", "list.csv", list(3), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, 2)
	for range 2 { // one waits, and one finds no place to wait
		go func() {
			f, err := r.Read(t.Context(), "amina", "list.csv", list(3), roster.Options{})
			if err == nil {
				err = f.Close()
			}
			answers <- err
		}()
	}
	if err := <-answers; !errors.Is(err, apart.ErrBusy) {
		t.Errorf("without a place to wait: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answers; err != nil {
		t.Errorf("who waited: %v", err)
	}
	l.Queue = time.Nanosecond
	r = &apart.Reader{Command: worker(t, "read"), Limits: l}
	if first, err = r.Read(t.Context(), "amina", "list.csv", list(3), roster.Options{}); err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := r.Read(t.Context(), "amina", "list.csv", list(3), roster.Options{}); !errors.Is(err, apart.ErrBusy) {
		t.Errorf("for too long: %v", err)
	}
}

// One account does not hold every worker, and who waits goes with her request.
func TestNobodyHoldsTheRoomAlone(t *testing.T) {
	l := apart.DefaultLimits
	l.Workers, l.Each, l.Queue = 2, 1, time.Hour
	r := &apart.Reader{Command: worker(t, "read"), Limits: l}
	first, err := r.Read(t.Context(), "amina", "list.csv", list(3), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	if _, err := r.Read(left, "amina", "list.csv", list(3), roster.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the second of one account, who left: %v", err)
	}
	other, err := r.Read(t.Context(), "bilal", "list.csv", list(3), roster.Options{})
	if err != nil {
		t.Fatalf("another account's: %v", err)
	}
	if err := errors.Join(first.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	again, err := r.Read(t.Context(), "amina", "list.csv", list(3), roster.Options{})
	if err != nil {
		t.Fatalf("after the first was closed: %v", err)
	}
	again.Close()
}

// What runs in the worker reaches no file, socket or program.
func TestNothingIsReached(t *testing.T) {
	if why := apart.Lacks(); why != "" {
		t.Skip("SKIPPED: " + why)
	}
	r := &apart.Reader{Command: worker(t, "reach")}
	f, err := r.Read(t.Context(), "amina", "list.csv", list(3), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := rows(f); err != nil || len(got) != 3 {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

// Several tables at once, mends, other options and the rejected rows of a workbook and of
// a form are as without a process of its own.
func TestAsHere(t *testing.T) {
	var book bytes.Buffer
	w := intake.NewWorkbook(&book)
	for _, sheet := range []string{"People", "Others"} {
		err := w.Sheet(sheet)
		for _, row := range [][]string{{"individual_id", "full_name", "sex"}, {"P-1", "Zuhura Bakari", "f"}, {"P-2", "Halima Juma", "q"}} {
			if err == nil {
				err = w.Row(row...)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	form := []byte(`[{"_id":1,"full_name":"Zuhura Bakari","sex":"q","kids":[{"kids/name":"Asha"},{"kids/name":"Juma"}]},{"_id":2,"full_name":"Halima Juma","sex":"f"}]`)
	r := &apart.Reader{Command: worker(t, "read")}
	for name, b := range map[string][]byte{"list.xlsx": book.Bytes(), "form.json": form, "list.csv": list(3)} {
		here, err := roster.Read(name, b, roster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		there, err := r.Read(t.Context(), "amina", name, b, roster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer there.Close()
		first := here.Tables()[0]
		number := first.FirstRow
		if name == "form.json" {
			number = 1
		}
		mends := []roster.Mend{{Table: first.Name, Row: number, Column: "full_name", Value: "Somebody Else"}}
		report := &intake.Report{Findings: []intake.Finding{{Table: first.Name, Row: number, Column: "sex", Severity: intake.Reject, Code: intake.SexUnknown, What: "no sex", Fix: "write f or m"}}}
		var got [2]string
		for i, f := range []*roster.File{here, there} {
			if err := f.Mend(mends); err != nil {
				t.Fatal(err)
			}
			a, err := rows(f)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := apart.WriteRejects(&out, report, f, mends); err != nil {
				t.Fatal(err)
			}
			rejected, err := roster.Read("r"+intake.RejectsExt(f.Format()), out.Bytes(), roster.Options{})
			if err != nil {
				t.Fatal(err)
			}
			c, err := rows(rejected)
			if err != nil {
				t.Fatal(err)
			}
			got[i] = fmt.Sprintf("%+v\n%+v", a, c)
		}
		if got[0] != got[1] || !strings.Contains(got[0], "Somebody Else") {
			t.Errorf("%s:\n%s\nin a process of its own:\n%s", name, got[0], got[1])
		}
		if name != "list.xlsx" {
			continue
		}
		one, err := there.Again(roster.Options{Sheet: "Others"})
		if err != nil || len(one.Tables()) != 1 || one.Tables()[0].Name != "Others" {
			t.Fatalf("one sheet alone: %v", err)
		}
		a, err := one.Rows("Others")
		if err != nil {
			t.Fatal(err)
		}
		b, err := there.Rows("People")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for range 2 {
			for _, in := range []*roster.Rows{a, b} {
				row, err := in.Next()
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, row.Cell("full_name"))
			}
		}
		if want := []string{"Zuhura Bakari", "Somebody Else", "Halima Juma", "Halima Juma"}; !slices.Equal(names, want) {
			t.Errorf("two streams at once: %q", names)
		}
	}
}
