package floorplan

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "aidpass"

// root is the module's folder; tests run in the package's own.
const root = "../.."

// listed is one package as go list -json prints it.
type listed struct {
	ImportPath, Dir         string
	Imports, Deps           []string
	GoFiles, IgnoredGoFiles []string
	Module                  *struct{ Path string }
}

// list runs go list -deps on patterns, as it would build for a machine.
func list(t *testing.T, machine []string, patterns ...string) []listed {
	t.Helper()
	args := append([]string{"list", "-deps", "-json=ImportPath,Dir,Imports,Deps,GoFiles,IgnoredGoFiles,Module"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), machine...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	var packages []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// house turns go list's answer into what Faults reads.
func house(packages []listed) []Package {
	var all []Package
	for _, p := range packages {
		q := Package{Path: p.ImportPath, Imports: p.Imports, Deps: p.Deps}
		if p.Module != nil {
			q.Module = p.Module.Path
		}
		all = append(all, q)
	}
	return all
}

func TestEveryPackageStandsOnItsFloor(t *testing.T) {
	packages := list(t, nil, "./...")
	for _, fault := range Faults(module, house(packages)) {
		t.Error(fault)
	}
	for _, p := range packages {
		if name, ours := strings.CutPrefix(p.ImportPath, module+"/"); ours {
			if floor := find(name).floor; floor > 0 && floor <= pureFloors {
				for _, file := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
					checkSource(t, name, filepath.Join(p.Dir, file))
				}
			}
		}
	}
}

// The same code with the files that only a browser build has.
func TestTheBrowserBinariesHoldTheCoreAlone(t *testing.T) {
	if _, err := os.Stat(filepath.Join(root, "cmd", "aidpass-wasm")); err != nil {
		t.Skip("SKIPPED: cmd/aidpass-wasm does not exist")
	}
	packages := list(t, []string{"GOOS=js", "GOARCH=wasm"}, "./cmd/aidpass-wasm/...")
	for _, fault := range Faults(module, house(packages)) {
		t.Error(fault)
	}
}

// checkSource reads one file of the pure core, which fmt's reach of os would
// otherwise excuse from asking for a file or the time.
func checkSource(t *testing.T, name, path string) {
	t.Helper()
	if strings.HasSuffix(path, "_test.go") {
		return
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Error(err)
		return
	}
	clock := ""
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if slices.Contains(notInSource, imported) {
			t.Errorf("%s: %s imports %s: the pure core takes bytes, times and lists as arguments",
				set.Position(spec.Pos()), name, imported)
		}
		if imported == "time" {
			if clock = "time"; spec.Name != nil {
				clock = spec.Name.Name
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && clock != "" && id.Name == clock && slices.Contains(clocks, sel.Sel.Name) {
			t.Errorf("%s: %s uses time.%s: the pure core is told the time",
				set.Position(sel.Pos()), name, sel.Sel.Name)
		}
		return true
	})
}

// A test that cannot fail protects nothing: each house here has one fault.
func TestFaultsAreFound(t *testing.T) {
	pkg := func(path, imports, deps string) Package {
		return Package{Path: module + "/" + path, Module: module, Imports: strings.Fields(imports), Deps: strings.Fields(deps)}
	}
	tests := []struct {
		name  string
		house []Package
		want  string // the start of the one sentence; "" for none
	}{
		{"an arrow down is fine", []Package{pkg("trust", "aidpass/internal/cose", "aidpass/internal/cose fmt os")}, ""},
		{"an arrow to the left is fine", []Package{pkg("status", "aidpass/trust", "aidpass/trust")}, ""},
		{"an arrow to the right", []Package{pkg("trust", "aidpass/status", "aidpass/status")}, "trust imports status, which stands above it"},
		{"an arrow up", []Package{pkg("credential", "aidpass/issuer", "aidpass/issuer")}, "credential imports issuer, which stands above it"},
		{"a package without a floor", []Package{pkg("helpers", "", "")}, "helpers stands on no floor"},
		{"the core reaches the network through another", []Package{pkg("wallet", "x", "x net/http")}, "wallet reaches net/http"},
		{"the core links another's module", []Package{
			pkg("schemas", "example.org/x", "example.org/x"), {Path: "example.org/x", Module: "example.org/x"},
		}, "schemas reaches example.org/x"},
		{"a desk may link it", []Package{
			pkg("issuer", "example.org/x", "example.org/x"), {Path: "example.org/x", Module: "example.org/x"},
		}, ""},
		{"the web reaches storage through a desk", []Package{pkg("web/console", "aidpass/issuer", "aidpass/issuer aidpass/storage")}, "web/console reaches storage"},
		{"storage reaches the web", []Package{pkg("storage/keystore", "", "aidpass/web/api")}, "storage/keystore reaches web/api"},
		{"a browser binary links a desk", []Package{pkg("cmd/aidpass-wasm/scanner", "aidpass/issuer", "aidpass/issuer")}, "cmd/aidpass-wasm/scanner reaches issuer"},
		{"a browser binary parses JSON", []Package{pkg("cmd/aidpass-wasm/wallet", "encoding/json", "encoding/json")}, "cmd/aidpass-wasm/wallet reaches encoding/json"},
		{"a stranger calls something proven", []Package{pkg("trust", "aidpass/credential/internal/proven", "aidpass/credential/internal/proven")}, "trust imports credential/internal/proven"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Faults(module, tt.house)
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("got %q, want no fault", got)
			case tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tt.want)):
				t.Errorf("got %q, want one fault that starts %q", got, tt.want)
			}
		})
	}
}
