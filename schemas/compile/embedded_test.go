package compile

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"testing"

	"aidpass/schemas"
	"aidpass/words"
)

var update = flag.Bool("update", false, "write ../types.cbor from the type files")

func TestEmbeddedTypesAreTheCompiledFiles(t *testing.T) {
	names, files := schemas.Files()
	var types []*schemas.Type
	for i, file := range files {
		typ, err := Compile(file)
		if err != nil {
			t.Fatalf("%s.json: %v", names[i], err)
		}
		if typ.Name != names[i] {
			t.Errorf("%s.json is called %q", names[i], typ.Name)
		}
		types = append(types, typ)
	}
	got := schemas.Append(nil, types)
	if *update {
		if err := os.WriteFile("../types.cbor", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("../types.cbor")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("types.cbor is not the compile of the type files: run go generate ./schemas")
	}
}

func TestEmbeddedTypesSpeakEveryLanguage(t *testing.T) {
	want := words.Tags()
	slices.Sort(want)
	check := func(what string, tags []string) {
		slices.Sort(tags)
		if !slices.Equal(tags, want) {
			t.Errorf("%s in %q, want %q", what, tags, want)
		}
	}
	for _, typ := range schemas.Embedded() {
		check(typ.Name, keys(typ.Labels))
		check(typ.Name+" description", keys(typ.Descriptions))
		for _, c := range typ.Claims {
			check(typ.Name+" "+c.Name, keys(c.Labels))
			check(typ.Name+" "+c.Name+" description", keys(c.Descriptions))
			if c.Kind == schemas.KindEnum {
				check(typ.Name+" "+c.Name+" values", keys(c.ValueLabels))
			}
		}
	}
}

func keys[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}
