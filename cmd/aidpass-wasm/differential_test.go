//go:build !js

// Package wasm_test asks the browser binaries what Go is asked.
package wasm_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"aidpass/cmd/aidpass-wasm/bridge"
	"aidpass/verifier/verifiertest"
)

const verdicts = "../../testdata/vectors/verdicts.json"

// limits of the binaries in bytes after gzip -9: a phone on a weak network fetches
// one once before a round. scripts/wasm.sh holds what it builds to the same.
var limits = map[string]int{"scanner": 1468006, "wallet": 1887436} // 1.4 and 1.8 MiB

// build makes a browser binary as scripts/wasm.sh does.
func build(t *testing.T, name string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(goroot(t), "lib/wasm/wasm_exec.js")); err != nil {
		t.Skipf("SKIPPED: %v: this Go has no wasm_exec.js", err)
	}
	tool := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", args[0], err, out)
		}
		return string(out)
	}
	// go test keeps a result until a file that the test looked at changes: look at
	// what only the browser builds hold.
	const files = `{{$dir := .Dir}}{{if not .Standard}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}`
	for file := range strings.Lines(tool("list", "-deps", "-f", files, "./"+name)) {
		if file = strings.TrimSpace(file); file != "" {
			if _, err := os.Stat(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	out := filepath.Join(t.TempDir(), name+".wasm")
	args := []string{"build", "-trimpath", "-ldflags=-s -w"}
	for _, calls := range []string{"aidpass/...", "bytes", "fmt", "internal/fmtsort", "internal/sync", "reflect", "runtime", "slices", "strconv", "strings", "sync", "syscall/js", "time"} {
		args = append(args, "-gcflags="+calls+"=-l")
	}
	tool(append(args, "-o", out, "./"+name)...)
	return out
}

func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestBinariesAreSmall(t *testing.T) {
	for name, limit := range limits {
		raw, err := os.ReadFile(build(t, name))
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(raw); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if packed.Len() > limit {
			t.Errorf("%s.wasm: %d bytes after gzip, at most %d", name, packed.Len(), limit)
		}
	}
}

// TestDifferential judges every stored case in Go and in both browser binaries:
// the whole reply must be the same, to the last claim.
func TestDifferential(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("node is missing: the browser binaries cannot be asked")
		}
		t.Skip("SKIPPED: node is missing: the browser binaries are not asked")
	}
	const script = "testdata/judge.mjs"
	if _, err := os.Stat(script); err != nil {
		t.Fatal(err)
	}
	w := verifiertest.New()
	cases, err := verifiertest.Load(verdicts)
	if err != nil {
		t.Fatal(err)
	}
	for name := range limits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judge := w.Judge
			if name == "scanner" {
				judge = w.JudgeCards // it carries no reader of wallet credentials
			}
			want := make([]map[string]any, len(cases))
			for i := range cases {
				r := judge(&cases[i])
				want[i] = bridge.Flat(&r)
				want[i]["case"] = cases[i].Name
			}
			cmd := exec.Command(node, script, filepath.Join(goroot(t), "lib/wasm/wasm_exec.js"), build(t, name), verdicts)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("node: %v\n%s", err, &stderr)
			}
			lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
			if len(lines) != len(want) {
				t.Fatalf("%d replies to %d cases\n%s", len(lines), len(want), &stderr)
			}
			for i, line := range lines {
				if got := decode(t, line); !reflect.DeepEqual(got, decode(t, encode(t, want[i]))) {
					t.Errorf("case %q: the browser says\n%s\nGo says\n%s", cases[i].Name, encode(t, got), encode(t, want[i]))
				}
			}
		})
	}
}

func encode(t *testing.T, m map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t *testing.T, b []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return m
}
