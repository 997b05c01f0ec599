package console_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"aidpass/web/api"
)

// findingCodes reads the tables of codes in the sources of packages registry and intake:
// the codes by the names of their constants.
func findingCodes(t *testing.T) map[string]string {
	t.Helper()
	codes := map[string]string{}
	for _, path := range []string{"../../issuer/registry/issues.go", "../../issuer/registry/intake/finding.go"} {
		before := len(codes)
		for _, decl := range source(t, path).Decls {
			table, ok := decl.(*ast.GenDecl)
			if !ok || table.Tok != token.CONST {
				continue
			}
			for _, spec := range table.Specs {
				c := spec.(*ast.ValueSpec)
				if c.Type != nil || len(c.Values) != 1 { // severities have a type
					continue
				}
				text, ok := c.Values[0].(*ast.BasicLit)
				if !ok || text.Kind != token.STRING {
					continue
				}
				code, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				codes[c.Names[0].Name] = code
			}
		}
		if len(codes) == before {
			t.Fatalf("%s has no table of codes", path)
		}
	}
	return codes
}

func source(t *testing.T, path string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What is wrong with a row, and what to do about it, is said in every language: for each
// code of the tables, and no finding is made with a code that stands in neither.
func TestWordsOfEveryFinding(t *testing.T) {
	codes := findingCodes(t)
	for _, lang := range api.Languages {
		texts := catalogue(t, lang)
		for name, code := range codes {
			for _, key := range []string{"imports.code_" + code, "imports.mend_" + code} {
				if strings.TrimSpace(texts[key]) == "" {
					t.Errorf("%s: %q, of %s, is not said", lang, key, name)
				}
			}
		}
	}
	made := 0
	for _, dir := range []string{"../../issuer/registry", "../../issuer/registry/intake"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			ast.Inspect(source(t, path), func(n ast.Node) bool {
				if code := codeIn(n); code != nil {
					name, literal := constant(code)
					if made++; literal || name != "" && codes[name] == "" {
						t.Errorf("%s makes a finding with the code %s, which is in no table", path, name)
					}
				}
				return true
			})
		}
	}
	if made < len(codes) {
		t.Errorf("%d places that make findings were found, for %d codes", made, len(codes))
	}
}

// codeIn is the code of a finding or an issue that n makes; nil where it makes none.
func codeIn(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 1 && (f.Name == "block" || f.Name == "note" || f.Name == "fault") {
			return n.Args[0]
		}
	case *ast.CompositeLit:
		what, _ := constant(n.Type)
		for _, e := range n.Elts {
			pair, ok := e.(*ast.KeyValueExpr)
			if !ok || what != "Finding" && what != "Issue" {
				continue
			}
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Code" {
				return pair.Value
			}
		}
	}
	return nil
}

// constant is the exported name that an expression is, "" for a variable; or its text,
// where it is spelled out.
func constant(e ast.Expr) (name string, literal bool) {
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); !ok || of.Name != "registry" {
			return "", false
		}
		name = e.Sel.Name
	case *ast.BasicLit:
		return e.Value, true
	}
	if !ast.IsExported(name) {
		name = ""
	}
	return name, false
}
