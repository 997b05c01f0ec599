package console_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/web/api"
	"aidpass/web/console"
)

// findingCodes reads the tables of codes in the sources of packages registry and intake:
// the codes by the names of their constants.
func findingCodes(t *testing.T) map[string]string {
	t.Helper()
	codes := texts(t, "../../issuer/registry/issues.go")
	maps.Copy(codes, texts(t, "../../issuer/registry/intake/finding.go"))
	return codes
}

// texts are the constants of a source that are texts without a type, by name.
func texts(t *testing.T, path string) map[string]string {
	t.Helper()
	codes := map[string]string{}
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
	if len(codes) == 0 {
		t.Fatalf("%s has no table of codes", path)
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
		said := catalogue(t, lang)
		for name, code := range codes {
			for _, key := range []string{"imports.code_" + code, "imports.mend_" + code} {
				if strings.TrimSpace(said[key]) == "" {
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

// Who reads Arabic reads what is wrong with a row in Arabic. Of a row that cannot be read
// there is more to say than the catalogues have: that stands in English, and says so.
func TestFindingsInTheWordsOfTheReader(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	file := "individual_id,full_name,sex,birth_date,consent\nP-1,Zuhura Bakari,f,31/31/1990,yes\nP-2,Halima Abdi,f,1988,yes,more\n"
	page := b.follow(b.load("/imports", "list.csv", []byte(file), nil))
	all, err := w.imports[own].List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	at := "/imports/" + all[0].ID
	form := fill(t, page, "/desk"+at+"/columns")
	form["role"], form["field"] = []string{"people"}, []string{"person_id", "full_name", "sex", "birth_date", "consent"}
	b.follow(b.post(at+"/columns", form))
	b.post("/language", url.Values{"lang": {"ar"}, "next": {"/desk/"}})
	page = b.get(at + "/findings").Body.String()
	said := catalogue(t, "ar")
	for _, want := range []string{said["imports.code_birth_impossible"] + ". " + said["imports.mend_birth_impossible"],
		said["imports.mend_row_unreadable"] + ` <bdi lang="en">it has 6 cells, the header has 5: `} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	_, page, _ = strings.Cut(page, "<main") // behind the switch of languages
	if strings.Contains(page, `lang="en"><bdi>`) || strings.Count(page, `<bdi lang="en">`) != 1 {
		t.Errorf("more of it is in English:\n%s", page)
	}
}

// Why a card cannot be changed is said in every language.
func TestWordsOfCardsThatCannotBeChanged(t *testing.T) {
	count := 0
	for name, why := range texts(t, "../../issuer/bulk.go") {
		if !strings.HasPrefix(name, "Cannot") {
			continue
		}
		count++
		for _, lang := range api.Languages {
			if word := console.CannotWord(why); catalogue(t, lang)[word] == "" {
				t.Errorf("%s: %s is not said", lang, name)
			}
		}
	}
	if count == 0 {
		t.Error("there is no reason to say")
	}
	ast.Inspect(source(t, "../../issuer/bulk.go"), func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "cannotBe" {
			ast.Inspect(f, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Value != `""` {
					t.Errorf("cannotBe says %s, which is none of the reasons", text.Value)
				}
				return true
			})
		}
		return true
	})
}

// What keeps a record from a card is said in the reader's language; what only a run of
// cards says, in English.
func TestWordsOfTheGate(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Issuer)
	id := w.issuing.batch(own, issuer.Prepared)
	b.post("/language", url.Values{"lang": {"fr"}, "next": {"/desk/"}})
	page := b.get("/batches/of/" + id + "/mend").Body.String()
	for _, want := range []string{"Manque : Date de naissance. Demandez", "Au dossier : Pas de nom. Écrivez", `<bdi lang="en">no such round</bdi>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "is missing: ask") {
		t.Error("what there are words for is in English")
	}
}

// Why no card is made is said in every language, for each code of package issuer. Those of
// the gate have words of their own.
func TestWordsOfCardsThatAreNotMade(t *testing.T) {
	codes := texts(t, "../../issuer/batch.go")
	maps.Copy(codes, texts(t, "../../issuer/candidates.go"))
	count := 0
	for name, code := range codes {
		if !strings.HasPrefix(name, "Refused") && !strings.HasPrefix(name, "Skipped") {
			continue
		}
		count++
		for _, lang := range api.Languages {
			if word := console.HeldWord(code); catalogue(t, lang)[word] == "" {
				t.Errorf("%s: %s is not said", lang, name)
			}
		}
	}
	if count < 20 {
		t.Errorf("%d reasons were found", count)
	}
}
