package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aidpass/credential/cwt"
	"aidpass/internal/qrcode"
)

// TestMain makes aidpass a command of the scripts: the program as it is, but for
// cheap key files, small status lists and a clock that a script sets in NOW.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == readListVerb {
		os.Exit(readListMain())
	}
	testscript.Main(m, map[string]func(){"aidpass": func() {
		main := &Main{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.LookupEnv,
			Now: scriptClock, WorkFactor: 4, ListSize: 4096}
		os.Exit(main.Run(context.Background(), os.Args[1:]))
	}})
}

func scriptClock() time.Time {
	if t, err := time.Parse(time.RFC3339, os.Getenv("NOW")); err == nil {
		return t
	}
	return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			pass := filepath.Join(env.WorkDir, "passphrase")
			env.Setenv("AIDPASS_PASSPHRASE_FILE", pass)
			device := filepath.Join(env.WorkDir, "device-passphrase")
			env.Setenv("AIDPASS_DEVICE_PASSPHRASE_FILE", device)
			if err := os.WriteFile(device, []byte("battery staple\n"), 0o600); err != nil {
				return err
			}
			if shared := findShared(); shared != "" {
				env.Setenv("SHARED", shared)
			}
			// testscript puts the commands of TestMain first: a PATH with nothing else.
			env.Setenv("OWN", filepath.SplitList(env.Getenv("PATH"))[0])
			blank := image.NewGray(image.Rect(0, 0, 64, 64))
			var b bytes.Buffer
			if err := png.Encode(&b, blank); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(env.WorkDir, "blank.png"), b.Bytes(), 0o600); err != nil {
				return err
			}
			return os.WriteFile(pass, []byte("correct horse\n"), 0o600)
		},
		Condition: func(cond string) (bool, error) {
			if cond == "shared" {
				return findShared() != "", nil
			}
			return false, errors.New("unknown condition " + cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":       exits,
			"field":       field,
			"grouped":     grouped,
			"nth":         nth,
			"flip":        flip,
			"answer":      answer,
			"same":        same,
			"tear":        tear,
			"long":        long,
			"pinof":       pinOf,
			"count":       count,
			"adds":        adds,
			"jpeg":        toJPEG,
			"pdf":         toPDF,
			"cmpline":     cmpLine,
			"copydir":     copyDir,
			"shred":       shred,
			"pinfor":      pinFor,
			"phone":       phone,
			"unseal":      openAnswer,
			"slip":        slipOf,
			"journal":     journalOf,
			"await":       await,
			"arrivals":    arrivals,
			"fetch":       fetch,
			"certificate": certificate,
			"await_pack":  awaitPack,
		},
	})
}

// findShared returns the folder of shared test inputs beside the repository, "".
func findShared() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		shared := filepath.Join(filepath.Dir(dir), "shared")
		if _, err := os.Stat(filepath.Join(shared, "inputs")); err == nil {
			return shared
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

// grouped VARIABLE NUMBER sets it to a card number as people are shown it.
func grouped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: grouped VARIABLE NUMBER")
	}
	ts.Setenv(args[0], cwt.GroupCardNumber(args[1]))
}

// exits CODE COMMAND ARGS... runs a command that must exit with CODE.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%q exits %d, want %d", args[1:], got, want)
	}
}

// answer REASON WORD: the answers on stdout (JSON lines) all have them.
func answer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answer REASON WORD")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	for i, line := range lines {
		var a struct{ Reason, Word string }
		ts.Check(json.Unmarshal([]byte(line), &a))
		if a.Reason != args[0] || a.Word != args[1] {
			ts.Fatalf("answer %d is %s %q, want %s %q", i+1, a.Reason, a.Word, args[0], args[1])
		}
	}
}

// same A B: two values are equal.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same A B")
	}
	if (args[0] == args[1]) == neg {
		ts.Fatalf("%q and %q", args[0], args[1])
	}
}

// field NAME LINE MEMBER FILE sets NAME to a member of one line of a JSON lines
// file (stdout for the last output); MEMBER may be a path as status.uri.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: field NAME LINE MEMBER FILE")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[3])), "\n")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	if n < 1 || n > len(lines) {
		ts.Fatalf("%s has %d lines", args[3], len(lines))
	}
	var v any
	ts.Check(json.Unmarshal([]byte(lines[n-1]), &v))
	for _, name := range strings.Split(args[2], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i, err := strconv.Atoi(name)
			ts.Check(err)
			v = x[i]
		default:
			ts.Fatalf("no %q in %T", args[2], v)
		}
	}
	s, ok := v.(string)
	if !ok {
		b, err := json.Marshal(v)
		ts.Check(err)
		s = string(b)
	}
	ts.Setenv(args[0], s)
}

// nth NAME LINE FILE sets NAME to one line of a file.
func nth(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: nth NAME LINE FILE")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	lines := strings.Split(ts.ReadFile(args[2]), "\n")
	ts.Setenv(args[0], strings.TrimSpace(lines[n-1]))
}

// flip FILE TEXT changes one byte of the first place TEXT stands in FILE.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE TEXT")
	}
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	i := bytes.Index(b, []byte(args[1]))
	if i < 0 {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	b[i] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

// tear FILE N cuts N bytes off the end of FILE, as a power cut may.
func tear(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, b[:len(b)-n], 0o600))
}

// long FILE N writes one line of N characters.
func long(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("NCF"+strings.Repeat("A", n-3)+"\n"), 0o600))
}

// pinOf FILE PINS N writes the N-th PIN of a PIN file to FILE.
func pinOf(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	line := strings.Split(ts.ReadFile(args[1]), "\n")[n]
	_, pin, _ := strings.Cut(line, ",")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(pin+"\n"), 0o600))
}

// count FILE N: the file has N lines.
func count(ts *testscript.TestScript, neg bool, args []string) {
	if got := strings.Count(ts.ReadFile(args[0]), "\n"); strconv.Itoa(got) != args[1] {
		ts.Fatalf("%s has %d lines, want %s", args[0], got, args[1])
	}
}

// adds FILE SUM PART...: in the JSON object of FILE the parts add up to the sum,
// and refused is the number of refusals.
func adds(ts *testscript.TestScript, neg bool, args []string) {
	var o map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &o))
	sum := 0.0
	for _, name := range args[2:] {
		sum += o[name].(float64)
	}
	refusals, _ := o["refusals"].([]any)
	if o[args[1]] != sum || float64(len(refusals)) != o["refused"] {
		ts.Fatalf("%v rows, the parts make %v, %d refusals: %v", o[args[1]], sum, len(refusals), o)
	}
}

// toJPEG PNG JPEG saves a picture as phones do.
func toJPEG(ts *testscript.TestScript, neg bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	img, err := png.Decode(bytes.NewReader(b))
	ts.Check(err)
	var out bytes.Buffer
	ts.Check(jpeg.Encode(&out, img, &jpeg.Options{Quality: 70}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o600))
}

// toPDF FILE TEXT draws one code on an A4 page: the least a reader of PDF takes.
func toPDF(ts *testscript.TestScript, neg bool, args []string) {
	matrix, err := qrcode.Matrix(args[1], qrcode.M)
	ts.Check(err)
	var draw bytes.Buffer
	for y, row := range matrix {
		for x, dark := range row {
			if dark {
				fmt.Fprintf(&draw, "%d %d 2 2 re\n", 100+2*x, 700-2*y)
			}
		}
	}
	draw.WriteString("f\n")
	page := fmt.Sprintf("%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"+
		"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>\nendobj\n"+
		"4 0 obj\n<</Length %d>>stream\n%sendstream\nendobj\ntrailer<</Root 1 0 R/Size 5>>\n%%%%EOF\n", draw.Len(), draw.String())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(page), 0o600))
}

// cmpLine FILE TEXT: the file is that one line.
func cmpLine(ts *testscript.TestScript, neg bool, args []string) {
	if got := strings.TrimSuffix(ts.ReadFile(args[0]), "\n"); got != args[1] {
		ts.Fatalf("%q, want %q", got, args[1])
	}
}

// copyDir FROM TO copies the files of a folder over those of another.
func copyDir(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.MkdirAll(ts.MkAbs(args[1]), 0o700))
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*"))
	ts.Check(err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[1]), filepath.Base(f)), b, 0o600))
	}
}

// shred DIR EXTENSION fills the files of a folder with nothing.
func shred(ts *testscript.TestScript, neg bool, args []string) {
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*"+args[1]))
	ts.Check(err)
	for _, f := range files {
		ts.Check(os.WriteFile(f, []byte("nothing"), 0o600))
	}
}

// pinFor FILE PINS NUMBER writes the PIN of a card number to FILE.
func pinFor(ts *testscript.TestScript, neg bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if pin, ok := strings.CutPrefix(line, args[2]+","); ok {
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(pin), 0o600))
			return
		}
	}
	ts.Fatalf("%s has no PIN of %s", args[1], args[2])
}
