package browsertest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var keeping sync.Mutex

// keep puts a picture into bin/screens, and makes its page anew: of all that lie there,
// since each package's tests are a process of their own.
func keep(t *testing.T, name string, png []byte) {
	t.Helper()
	keeping.Lock()
	defer keeping.Unlock()
	module, err := root()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(module, "bin", "screens")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range names {
		names[i] = strings.TrimSuffix(filepath.Base(n), ".png")
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), gallery(names), 0o644); err != nil {
		t.Fatal(err)
	}
}

// gallery is the page of pictures: one screen a row, and in it one language and form of
// the screen a column. What was taken in one language alone comes after.
func gallery(names []string) []byte {
	columns := []struct{ says, begins, ends string }{{"English, phone", "en-", ""}, {"Arabic, phone", "ar-", ""}, {"French, phone", "fr-", ""}, {"English, laptop", "en-", "-laptop"}, {"Arabic, laptop", "ar-", "-laptop"}}
	rows, others := map[string]bool{}, []string{}
	for _, n := range names {
		lang, row, ok := strings.Cut(n, "-")
		if !ok || !slices.Contains([]string{"en", "ar", "fr"}, lang) {
			others = append(others, n)
			continue
		}
		rows[strings.TrimSuffix(row, "-laptop")] = true
	}
	var b bytes.Buffer
	picture := func(name, says, class string) {
		fmt.Fprintf(&b, "<figure><a href=\"%[1]s.png\"><img loading=lazy class=%[2]s src=\"%[1]s.png\" alt=\"%[1]s\"></a><figcaption>%[3]s</figcaption></figure>\n", name, class, says)
	}
	b.WriteString("<!doctype html><html lang=en><meta charset=utf-8><title>Screens</title><style>body{font:16px sans-serif;background:#ddd}figure{display:inline-block;vertical-align:top;margin:8px}img{border:1px solid #888}.phone{width:270px}.laptop{width:640px}</style>\n<h1>Screens</h1>\n")
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&b, "<h2 id=%q>%s</h2>\n", row, strings.ReplaceAll(row, "-", " "))
		for _, c := range columns {
			if n := c.begins + row + c.ends; slices.Contains(names, n) {
				class := "phone"
				if c.ends != "" {
					class = "laptop"
				}
				picture(n, c.says, class)
			}
		}
	}
	b.WriteString("<h2>In one language</h2>\n")
	slices.Sort(others)
	for _, n := range others {
		picture(n, n, "phone")
	}
	return b.Bytes()
}
