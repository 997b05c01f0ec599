package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"aidpass/access"
	"aidpass/web/api"
)

// page is docs/openapi.yaml.
type page struct {
	Paths      map[string]map[string]operation
	Components struct {
		Schemas map[string]any
	}
}

type operation struct {
	Tags      []string
	Responses map[string]struct {
		Ref     string `yaml:"$ref"`
		Content map[string]struct {
			Schema struct {
				Ref string `yaml:"$ref"`
			}
		}
	}
}

func readPage(t *testing.T) (p page, raw any) {
	t.Helper()
	text, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	return p, raw
}

func TestEveryRouteIsOnThePage(t *testing.T) {
	w := newWorld(t)
	p, _ := readPage(t)
	var want, got []string
	for path, operations := range p.Paths {
		for method, o := range operations {
			if slices.Contains(o.Tags, "wallets") {
				continue // of package web/openid, beside which they are tested
			}
			want = append(want, strings.ToUpper(method)+" "+path)
		}
	}
	names := strings.NewReplacer(":kid", "{kid}", "/scanner/*", "/scanner/{file}", "/wallet/*", "/wallet/{file}", "/*", "/{document}")
	for _, r := range w.server.Routes() {
		if !strings.HasPrefix(r, "HEAD ") {
			got = append(got, names.Replace(r))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("routes\n%s\nthe page has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Each kind of answer is asked for once, and is what the page says of it.
func TestAnswersAreThoseOfThePage(t *testing.T) {
	p, raw := readPage(t)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("page.json", asJSON(raw)); err != nil {
		t.Fatal(err)
	}
	schema := func(name string) *jsonschema.Schema {
		t.Helper()
		s, err := compiler.Compile("page.json#/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w := newWorld(t)
	known := w.confirmed(t, "tab-1")
	state := func(name string, s access.DeviceState) string {
		path := w.confirmed(t, name)
		r := phone(t, name)
		w.devices[r.Key.ID()].State = s
		return path
	}
	pending, withdrawn := state("tab-2", access.DevicePending), state("tab-3", access.DeviceWithdrawn)
	seq := "application/cbor-seq"
	broken := newWorld(t)
	brokenPath := broken.confirmed(t, "tab-1")
	broken.behave(api.ErrBusy, 0)
	for _, c := range []struct {
		route  string
		answer *httptest.ResponseRecorder
	}{
		{"post /api/v1/enrol", w.enrol(t, "K7Q2M4XD", phone(t, "tab-9"))},
		{"post /api/v1/enrol", w.enrol(t, "00000000", phone(t, "tab-9"))},
		{"post /api/v1/enrol", w.do("POST", "/api/v1/enrol", []byte("{}"), "Content-Type", "application/json")},
		{"post /api/v1/enrol", w.do("POST", "/api/v1/enrol", []byte("x"), "Content-Type", "text/plain")},
		{"post /api/v1/enrol", w.do("POST", "/api/v1/enrol", make([]byte, 5000), "Content-Type", "application/json")},
		{"post /api/v1/enrol", broken.enrol(t, "K7Q2M4XD", phone(t, "tab-9"))},
		{"get /api/v1/devices/{kid}", w.do("GET", known, nil)},
		{"get /api/v1/devices/{kid}", w.do("GET", pending, nil)},
		{"get /api/v1/devices/{kid}", w.do("GET", "/api/v1/devices/0000000000000000", nil)},
		{"get /api/v1/devices/{kid}/pack", w.do("GET", known+"/pack", nil)},
		{"get /api/v1/devices/{kid}/pack", w.do("GET", known+"/pack", nil, "Range", "bytes=0-9")},
		{"get /api/v1/devices/{kid}/pack", w.do("GET", known+"/pack", nil, "If-None-Match", "*")},
		{"get /api/v1/devices/{kid}/pack", w.do("GET", pending+"/pack", nil)},
		{"get /api/v1/devices/{kid}/pack", w.do("GET", withdrawn+"/pack", nil)},
		{"get /api/v1/devices/{kid}/pack", broken.do("GET", brokenPath+"/pack", nil)},
		{"post /api/v1/devices/{kid}/journal", w.do("POST", known+"/journal", append(record(1, "a"), record(666, "x")...), "Content-Type", seq)},
		{"post /api/v1/devices/{kid}/journal", w.do("POST", known+"/journal", []byte("<html>"), "Content-Type", seq)},
		{"post /api/v1/devices/{kid}/journal", w.do("POST", pending+"/journal", record(1, "a"), "Content-Type", seq)},
		{"post /api/v1/devices/{kid}/journal", w.do("POST", known+"/journal", make([]byte, 2<<20), "Content-Type", seq)},
		{"post /api/v1/devices/{kid}/journal", broken.do("POST", brokenPath+"/journal", record(1, "a"), "Content-Type", seq)},
		{"get /api/v1/time", w.do("GET", "/api/v1/time", nil)},
		{"post /api/v1/csp-report", w.do("POST", "/api/v1/csp-report", []byte("{}"))},
		{"get /api/v1/csp-report", w.do("GET", "/api/v1/csp-report", nil)},
		{"get /healthz", w.do("GET", "/healthz", nil)},
		{"get /", w.do("GET", "/", nil)},
		{"get /setup.css", w.do("GET", "/setup.css", nil)},
		{"get /scanner/{file}", w.do("GET", "/scanner/app.js", nil)},
		{"get /scanner/{file}", w.do("GET", "/scanner/nothing", nil)},
		{"get /wallet/{file}", w.do("GET", "/wallet/app.js", nil)},
		{"get /wallet/{file}", w.do("GET", "/wallet/nothing", nil)},
		{"get /{document}", w.do("GET", "/s/1", nil)},
	} {
		method, path, _ := strings.Cut(c.route, " ")
		what := fmt.Sprintf("%s: %d", c.route, c.answer.Code)
		said, ok := p.Paths[path][method].Responses[strconv.Itoa(c.answer.Code)]
		if !ok {
			t.Errorf("%s is not on the page: %s", what, c.answer.Body)
			continue
		}
		name := ""
		if said.Ref == "#/components/responses/Problem" {
			name = "Problem"
		}
		for mime, content := range said.Content {
			if got, _, _ := strings.Cut(c.answer.Header().Get("Content-Type"), ";"); got != mime {
				t.Errorf("%s: Content-Type %q, want %q", what, got, mime)
			}
			name = strings.TrimPrefix(content.Schema.Ref, "#/components/schemas/")
		}
		if name == "" {
			continue
		}
		body, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.answer.Body.Bytes()))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if err := schema(name).Validate(body); err != nil {
			t.Errorf("%s: %s: %v", what, c.answer.Body, err)
		}
	}
}

// asJSON gives YAML's values the types that the schema compiler knows.
func asJSON(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		panic(err)
	}
	return out
}
