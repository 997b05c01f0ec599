package durable_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aidpass/internal/durable"
)

func TestWriteFileReplacesTheWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pack")
	for _, text := range []string{"a long first text", "short", ""} {
		if err := durable.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Fatalf("got %q, %v, want %q", got, err, text)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions are %v (%v), want 0600", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want the file alone", entries, err)
	}
}

func TestWriteFileSaysWhatFailedAndLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	target := filepath.Join(folder, "taken")
	if err := os.MkdirAll(filepath.Join(target, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := durable.WriteFile(target, []byte("x"), 0o600) // a file cannot take a folder's place
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("durable: write %q", target)) {
		t.Errorf("got %v, want an error that names the path", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want what was there before", entries, err)
	}
	if err := durable.WriteFile(filepath.Join(folder, "none", "x"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing folder gives %v, want fs.ErrNotExist", err)
	}
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	l, err := durable.OpenLog(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var lines []string
	if err := l.Lines(func(line []byte) error { lines = append(lines, string(line)); return nil }); err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestLogKeepsLinesInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	want := []string{"first", "", strings.Repeat("long ", 5000), "last"}
	for _, line := range want {
		if err := durable.AppendLine(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := readLines(t, path); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %d lines that differ from the %d written", len(got), len(want))
	}
	if err := durable.AppendLine(path, []byte("two\nlines"), 0o600); err == nil {
		t.Error("a line with a line end inside was taken")
	}
}

func TestATornLastLineIsCutOff(t *testing.T) {
	for _, torn := range []string{"t", "torn", strings.Repeat("x", 10000)} {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, []byte("whole\n"+torn), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := durable.AppendLine(path, []byte("next"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readLines(t, path); len(got) != 2 || got[0] != "whole" || got[1] != "next" {
			t.Errorf("after %d torn bytes: got %q, want whole and next", len(torn), got)
		}
	}
}

func TestALogHasOneWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	l, err := durable.OpenLog(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := durable.OpenLog(path, 0o600); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("a second opener got %v, want ErrLocked", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.AppendLine([]byte("late")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a closed log answers %v, want fs.ErrClosed", err)
	}
	if got := readLines(t, path); len(got) != 0 {
		t.Errorf("got %q, want no line", got)
	}
}

// A child process writes and appends as fast as it can and tells each finished
// round; it is killed at odd moments. What it told is there, and nothing is torn.
func TestKilledWriterLeavesNothingTorn(t *testing.T) {
	folder := os.Getenv("AIDPASS_TEST_WRITER")
	if folder != "" {
		writeUntilKilled(folder)
	}
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	folder = t.TempDir()
	promised := 0
	for i := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriterLeavesNothingTorn$")
		cmd.Env = append(os.Environ(), "AIDPASS_TEST_WRITER="+folder)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Somewhere in the write after the i-th, wherever that finds it.
		told := bufio.NewReader(out)
		finished := 0
		for range i {
			if _, err := told.ReadString('\n'); err == nil {
				finished++
			}
		}
		time.Sleep(time.Duration(i) * time.Millisecond)
		cmd.Process.Kill()
		rest, _ := io.ReadAll(told)
		finished += bytes.Count(rest, []byte("\n"))
		cmd.Wait() // it was killed: its error says only that
		promised += finished
		lines := readLines(t, filepath.Join(folder, "log"))
		if len(lines) < finished {
			t.Fatalf("round %d: %d lines were promised, %d are there", i, finished, len(lines))
		}
		for n, line := range lines {
			if line != record(n) {
				t.Fatalf("round %d: line %d is torn: %d bytes", i, n, len(line))
			}
		}
		if finished > 0 {
			text, err := os.ReadFile(filepath.Join(folder, "file"))
			var n int
			if _, scanErr := fmt.Sscanf(string(text), "record %d", &n); err != nil || scanErr != nil || string(text) != record(n) || n < finished-1 {
				t.Fatalf("round %d: the file is torn or older than promised: %d bytes, %v", i, len(text), err)
			}
		}
		os.Remove(filepath.Join(folder, "log"))
		os.Remove(filepath.Join(folder, "file"))
	}
	if promised == 0 {
		t.Error("no round got as far as one write: the test has shown nothing")
	}
}

func record(n int) string { return fmt.Sprintf("record %d %s", n, strings.Repeat("x", 20000+n)) }

func writeUntilKilled(folder string) {
	l, err := durable.OpenLog(filepath.Join(folder, "log"), 0o600)
	if err != nil {
		os.Exit(1)
	}
	for n := 0; ; n++ {
		if durable.WriteFile(filepath.Join(folder, "file"), []byte(record(n)), 0o600) != nil || l.AppendLine([]byte(record(n))) != nil {
			os.Exit(1)
		}
		fmt.Println(n)
	}
}
