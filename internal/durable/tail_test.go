package durable

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
)

func TestTailKeepsRecordsAndCutsATornOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	tail, content, err := OpenTail(path, 0o600, 100)
	if err != nil || len(content) != 0 {
		t.Fatalf("new file: %q, %v", content, err)
	}
	if _, _, err := OpenTail(path, 0o600, 100); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v, want ErrLocked", err)
	}
	for _, r := range []string{"one\n", "two", "thr"} {
		if err := tail.Append([]byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	tail.Close()
	tail, content, err = OpenTail(path, 0o600, 100)
	if err != nil || string(content) != "one\ntwothr" {
		t.Fatalf("reopened: %q, %v", content, err)
	}
	if err := errors.Join(tail.Cut(7), tail.Append([]byte("3")), tail.Close()); err != nil {
		t.Fatal(err)
	}
	if _, content, _ = OpenTail(path, 0o600, 100); !bytes.Equal(content, []byte("one\ntwo3")) {
		t.Errorf("after the cut: %q", content)
	}
	if err := tail.Append([]byte("x")); err == nil {
		t.Error("a closed tail took a record")
	}
	if _, _, err := OpenTail(filepath.Join(t.TempDir(), "x"), 0o600, 0); err != nil {
		t.Error(err)
	}
}

func TestTailRefusesAFileOverItsLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	if err := WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenTail(path, 0o600, 4); err == nil {
		t.Error("opened a file over the limit")
	}
}
