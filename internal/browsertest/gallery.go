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

// gallery is the page of all screenshots, kept in bin/screens.
var gallery shots

type shots struct {
	sync.Mutex
	names []string
}

func (s *shots) add(t *testing.T, name string, png []byte) {
	t.Helper()
	s.Lock()
	defer s.Unlock()
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
	s.names = append(s.names, name)
	if err := os.WriteFile(filepath.Join(dir, "index.html"), s.page(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// page shows one screen a row, one language a column; what was taken in one language
// alone comes after.
func (s *shots) page() []byte {
	languages := []string{"en", "ar", "fr"}
	rows, others := map[string]map[string]bool{}, []string{}
	for _, n := range s.names {
		lang, row, _ := strings.Cut(n, "-")
		if !slices.Contains(languages, lang) {
			others = append(others, n)
			continue
		}
		if rows[row] == nil {
			rows[row] = map[string]bool{}
		}
		rows[row][lang] = true
	}
	var b bytes.Buffer
	b.WriteString("<!doctype html><html lang=en><meta charset=utf-8><title>Screens of the apps</title><style>body{font:16px sans-serif;background:#ddd}figure,td{display:inline-block;margin:8px}img{width:270px;border:1px solid #888}</style>\n<h1>Screens of the apps</h1>\n")
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&b, "<h2>%s</h2>\n", strings.ReplaceAll(row, "-", " "))
		for _, lang := range languages {
			if rows[row][lang] {
				n := lang + "-" + row
				fmt.Fprintf(&b, "<figure><img src=%q alt=%q><figcaption>%s</figcaption></figure>\n", n+".png", n, lang)
			}
		}
	}
	b.WriteString("<h2>In one language</h2>\n")
	slices.Sort(others)
	for _, n := range slices.Compact(others) {
		fmt.Fprintf(&b, "<figure><img src=%q alt=%q><figcaption>%s</figcaption></figure>\n", n+".png", n, n)
	}
	return b.Bytes()
}
