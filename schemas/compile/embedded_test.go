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

var update = flag.Bool("update", false, "write ../types.cbor and ../types_unlabelled.cbor from the type files")

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
	var bare []*schemas.Type
	for _, typ := range types {
		bare = append(bare, typ.WithoutLabels())
	}
	for name, got := range map[string][]byte{"types.cbor": schemas.Append(nil, types), "types_unlabelled.cbor": schemas.Append(nil, bare)} {
		if *update {
			if err := os.WriteFile("../"+name, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not the compile of the type files: run go generate ./schemas", name)
		}
		if _, err := schemas.Decode(want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
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
