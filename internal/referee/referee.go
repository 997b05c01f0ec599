// Package referee runs the programs of testdata/npm, which ask libraries written
// by others for a second opinion, and gives a test what they say.
//
// The libraries are pinned by testdata/npm/package-lock.json and installed by
// `make setup`. Where they are absent a test says so and is skipped; where CI is
// set it fails.
package referee

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Ask runs one program of testdata/npm: in goes to it as JSON, and out is filled
// with the JSON it answers.
//
// program is a file's name; packages are those it imports, so that what is missing
// can be told from what is broken. A program that fails fails the test.
func Ask(t testing.TB, program string, packages []string, in, out any) {
	t.Helper()
	cmd := Command(t, program, packages)
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &stderr)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s: %v in %.500q", program, err, answer)
	}
}

// Command is a program of testdata/npm made ready to run, for tests that talk with
// it while it runs. It ends with the test at the latest.
func Command(t testing.TB, program string, packages []string) *exec.Cmd {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		if dir == filepath.Dir(dir) {
			t.Fatal("referee: no go.mod above this test")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "testdata", "npm")
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	for _, name := range packages {
		if !exists(filepath.Join(dir, "node_modules", name, "package.json")) {
			missing(t, name)
		}
	}
	return exec.CommandContext(t.Context(), node, filepath.Join(dir, program))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing: make setup installs it", what)
	}
	t.Skipf("SKIPPED: %s is missing: make setup installs it", what)
}
