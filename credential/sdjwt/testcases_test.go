package sdjwt_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"

	"aidpass/credential/sdjwt"
	"aidpass/internal/jose"
	"aidpass/internal/publicvectors"
)

// The published test cases of sd-jwt-python say in YAML which claims are disclosable
// (!sd), which of them are shown, and what a verifier must then see. yamlIssuer makes
// the payload and the disclosures of one.
type yamlIssuer struct {
	t     *testing.T
	salts int
	shown []string
}

// disclose makes a disclosure and returns its digest.
func (y *yamlIssuer) disclose(shown bool, parts ...jose.Value) jose.Value {
	y.salts++
	text := enc(string(jose.ArrayOf(append([]jose.Value{jose.StringOf(fmt.Sprint("salt ", y.salts))}, parts...)...).Append(nil)))
	if shown {
		y.shown = append(y.shown, text)
	}
	return jose.StringOf(digest(text))
}

// value turns a node into JSON; want is what is shown of it, and nothing where the
// parent is not shown either.
func (y *yamlIssuer) value(n *yaml.Node, want any, visible bool) (v jose.Value) {
	switch n.Kind {
	case yaml.MappingNode:
		v = jose.ObjectOf()
		sd := jose.ArrayOf()
		wants, _ := want.(map[string]any)
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			w := wants[key.Value]
			if key.Tag != "!sd" {
				v.Members = append(v.Members, jose.Member{Name: key.Value, Value: y.value(value, w, visible)})
				continue
			}
			show := visible && w != nil && w != false
			sd.Items = append(sd.Items, y.disclose(show, jose.StringOf(key.Value), y.value(value, w, show)))
		}
		if len(sd.Items) > 0 {
			v.Members = append(v.Members, jose.Member{Name: "_sd", Value: sd})
		}
		return v
	case yaml.SequenceNode:
		v = jose.ArrayOf()
		wants, _ := want.([]any)
		for i, item := range n.Content {
			var w any = false
			if i < len(wants) {
				w = wants[i]
			}
			if item.Tag != "!sd" {
				v.Items = append(v.Items, y.value(item, w, visible))
				continue
			}
			show := visible && w != false
			v.Items = append(v.Items, jose.ObjectOf(jose.Member{Name: "...", Value: y.disclose(show, y.value(item, w, show))}))
		}
		return v
	}
	plain := *n
	if plain.Tag == "!sd" {
		plain.Tag, plain.Style = "", plain.Style&^yaml.TaggedStyle
	}
	var x any
	if err := plain.Decode(&x); err != nil {
		y.t.Fatal(err)
	}
	return parsed(string(made(json.Marshal(x))))
}

func TestPublishedTestCases(t *testing.T) {
	files := made(filepath.Glob(publicvectors.Path(t, "sd-jwt-rfc9901/sd-jwt-python-testcases") + "/*/specification.yml"))
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			var spec struct {
				Claims yaml.Node `yaml:"user_claims"`
				Shown  any       `yaml:"holder_disclosed_claims"`
				Want   any       `yaml:"expect_verified_user_claims"`
			}
			if err := yaml.Unmarshal(made(os.ReadFile(file)), &spec); err != nil {
				t.Fatal(err)
			}
			y := yamlIssuer{t: t}
			payload := y.value(&spec.Claims, spec.Shown, true)
			claims, shown, err := sdjwt.Process(payload, y.shown)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(claims.Append(nil), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(made(json.Marshal(spec.Want)), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) || len(shown) != len(y.shown) {
				t.Errorf("got %v\nwant %v", got, want)
			}
			checkNoDigests(t, claims)
		})
	}
	if len(files) != 17 {
		t.Errorf("%d cases, want 17", len(files))
	}
}
