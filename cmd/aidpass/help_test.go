package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	a := &app{Main: &Main{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Env: func(string) (string, bool) { return "", false }, Now: time.Now}}
	return a.root()
}

func eachCommand(cmd *cobra.Command, fn func(*cobra.Command)) {
	fn(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, fn)
	}
}

// TestExamples: every command line that a help or the manual shows is one that the
// program takes: the command, its flags and the number of its arguments.
func TestExamples(t *testing.T) {
	n := 0
	eachCommand(newRoot(), func(cmd *cobra.Command) {
		if cmd.Example == "" && cmd.HasParent() && cmd.Name() != "help" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, line := range commandLines(cmd.Example) {
			n++
			if err := takes(line); err != nil {
				t.Errorf("help of %s: %s\n\t%v", cmd.CommandPath(), line, err)
			}
		}
	})
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md") {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(b), "```") {
			if i%2 == 0 {
				continue
			}
			_, part, _ = strings.Cut(part, "\n") // the language
			for _, line := range commandLines(part) {
				n++
				if err := takes(line); err != nil {
					t.Errorf("%s: %s\n\t%v", page, line, err)
				}
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d examples were found", n)
	}
}

// TestTextsNameCommands: what texts and hints call "aidpass x y" is a command.
func TestTextsNameCommands(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`aidpass((?: [a-z][a-z-]*)+)`)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(b), -1) {
			words := strings.Fields(m[1])
			cmd, rest, err := newRoot().Find(words)
			if err == nil && (!cmd.HasSubCommands() || cmd.HasParent() && len(rest) == 0) {
				continue
			}
			switch words[0] {
			case "has", "signs": // it is the subject of a sentence
				continue
			}
			if cmd.HasParent() && (rest[0] == "plans" || strings.HasPrefix(rest[0], "cards")) {
				continue // "aidpass entitle plans them"; the name of a file
			}
			t.Errorf("%s: no command: aidpass %s", path, strings.Join(words, " "))
		}
	}
}

// commandLines finds the lines that call aidpass: continued lines are one, comments
// are none.
func commandLines(text string) (lines []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		for part := range strings.SplitSeq(line, ";") {
			part = strings.TrimSpace(part)
			if name, _, _ := strings.Cut(part, " "); name == "aidpass" || strings.HasSuffix(name, "/aidpass") {
				lines = append(lines, part)
			}
		}
	}
	return lines
}

// takes parses a command line as the program does, and runs nothing.
func takes(line string) error {
	words := slices.DeleteFunc(shellWords(line)[1:], func(w string) bool { return w == "..." }) // and so on
	cmd, rest, err := newRoot().Find(words)
	if err != nil {
		return err
	}
	cmd.SetContext(context.Background())
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// shellWords splits a line as a shell does, as far as examples need it: quotes, and
// a comment, pipe or redirection that ends it.
func shellWords(line string) (words []string) {
	var word strings.Builder
	quote, in := rune(0), false
	end := func() {
		if in {
			words = append(words, word.String())
		}
		word.Reset()
		in = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, in = r, true
		case r == ' ' || r == '\t':
			end()
		case !in && (r == '#' || r == '|' || r == '>' || r == '<' || r == '&'):
			return words
		default:
			in = true
			word.WriteRune(r)
		}
	}
	end()
	return words
}
