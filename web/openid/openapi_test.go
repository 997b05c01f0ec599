package openid_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"aidpass/issuer/offer"
	"aidpass/schemas"
)

// page is docs/openapi.yaml.
type page struct {
	Paths map[string]map[string]struct {
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
}

// Each route for wallets stands on the page, each kind of answer is asked for once,
// and is what the page says of it.
func TestRoutesAndAnswersAreThoseOfThePage(t *testing.T) {
	text, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p page
	var raw any
	if err := yaml.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	others := map[string]bool{}
	for path, operations := range p.Paths {
		for method, o := range operations {
			if slices.Contains(o.Tags, "wallets") {
				want = append(want, strings.ToUpper(method)+" "+path)
			} else {
				others[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	w, provider, _ := newSignIn(t, nil)
	names := strings.NewReplacer(":reference", "{reference}", ":handle", "{handle}", ":id", "{id}", ":session", "{session}", ":kid", "{kid}",
		"/scanner/*", "/scanner/{file}", "/wallet/*", "/wallet/{file}", "/*", "/{document}")
	for _, r := range w.server.Routes() {
		method, path, _ := strings.Cut(r, " ")
		path = names.Replace(path)
		for _, ty := range schemas.Embedded() {
			if u, _ := url.Parse(ty.VCT); u != nil && u.Path == path {
				path = "/{type}"
			}
		}
		path = strings.TrimSuffix(strings.TrimPrefix(path, "/org"), "/org")
		if r = method + " " + path; method != "HEAD" && !others[r] && !slices.Contains(got, r) {
			got = append(got, r)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("routes\n%s\nthe page has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	compiler := jsonschema.NewCompiler()
	b, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("page.json", resource); err != nil {
		t.Fatal(err)
	}
	later, slow := newWorld(t), newWorld(t)
	later.desk.later = true
	slow.desk.err = &offer.Error{Code: offer.SlowDown, Description: "too many requests", Status: 429}
	r := w.ask(t, inClear)
	request, response, result := pathOf(t, r.RequestURI()), pathOf(t, r.ResponseURI()), pathOf(t, r.ResultURI())
	bearer := []string{"Authorization", "Bearer " + r.Session}
	entered := w.do("GET", result+"/for/"+r.Session, "")
	mine := []string{"Cookie", strings.Split(entered.Header().Get("Set-Cookie"), ";")[0]}
	to, cookie := w.begin(t)
	for _, c := range []struct {
		route  string
		answer *httptest.ResponseRecorder
	}{
		{"get /.well-known/openid-credential-issuer", w.do("GET", "/.well-known/openid-credential-issuer/org", "")},
		{"get /.well-known/oauth-authorization-server", w.do("GET", "/.well-known/oauth-authorization-server/org", "")},
		{"get /{type}", w.do("GET", "/elig", "")},
		{"get /offer/{reference}", w.do("GET", "/org/offer/"+reference, "")},
		{"get /offer/{reference}", w.do("GET", "/org/offer/x", "")},
		{"get /offer/{reference}/page", w.do("GET", "/org/offer/"+reference+"/page", "")},
		{"get /offer/{reference}/page", w.do("GET", "/org/offer/x/page", "")},
		{"get /authorize", w.do("GET", "/org/authorize?"+wish.Encode(), "")},
		{"get /authorize", w.do("GET", "/org/authorize", "")},
		{"get /callback", w.do("GET", provider.signIn(to), "", "Cookie", cookie)},
		{"get /callback", w.do("GET", "/org/callback", "")},
		{"post /token", w.token("a=b")},
		{"post /token", w.token("a=b&a=b")},
		{"post /token", slow.token("a=b")},
		{"post /nonce", w.do("POST", "/org/nonce", "")},
		{"post /credential", w.credential("{}")},
		{"post /credential", later.credential("{}")},
		{"post /credential", w.do("POST", "/org/credential", "{}", "Content-Type", isJSON)},
		{"post /deferred", w.do("POST", "/org/deferred", "{}", "Content-Type", isJSON, "Authorization", "Bearer "+good)},
		{"post /notification", w.do("POST", "/org/notification", "{}", "Content-Type", isJSON, "Authorization", "Bearer "+good)},
		{"get /request/{handle}", w.do("GET", request, "")},
		{"get /request/{handle}", w.do("GET", request+"x", "")},
		{"post /request/{handle}", w.do("POST", request, "wallet_nonce=a", "Content-Type", isForm)},
		{"get /result/{id}/json", w.do("GET", result+"/json", "", bearer...)},
		{"get /result/{id}/json", w.do("GET", result+"/json", "")},
		{"get /result/{id}/json", w.do("GET", result+"/json?wait=x", "", bearer...)},
		{"post /response/{handle}", w.post(t, r, url.Values{"error": {"access_denied"}, "state": {"x"}})},
		{"post /response/{handle}", w.post(t, r, url.Values{"error": {"access_denied"}, "state": {r.State}})},
		{"post /response/{handle}", w.do("POST", response, "error=invalid_scope&state="+r.State, "Content-Type", isForm)},
		{"get /request/{handle}", w.do("GET", request, "")},
		{"get /result/{id}/json", w.do("GET", result+"/json", "", bearer...)},
		{"get /result/{id}", w.do("GET", result, "", mine...)},
		{"get /result/{id}", w.do("GET", result, "")},
		{"get /result/{id}/for/{session}", entered},
		{"get /result/{id}/for/{session}", w.do("GET", result+"/for/x", "")},
	} {
		method, path, _ := strings.Cut(c.route, " ")
		what := c.route + ": " + strconv.Itoa(c.answer.Code)
		said, ok := p.Paths[path][method].Responses[strconv.Itoa(c.answer.Code)]
		if !ok {
			t.Errorf("%s is not on the page: %s", what, c.answer.Body)
			continue
		}
		name := strings.TrimPrefix(said.Ref, "#/components/responses/")
		for mime, content := range said.Content {
			if have, _, _ := strings.Cut(c.answer.Header().Get("Content-Type"), ";"); have != mime {
				t.Errorf("%s: Content-Type %q, want %q", what, have, mime)
			}
			name = strings.TrimPrefix(content.Schema.Ref, "#/components/schemas/")
		}
		if name == "" {
			continue
		}
		schema, err := compiler.Compile("page.json#/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		body, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.answer.Body.Bytes()))
		if err == nil {
			err = schema.Validate(body)
		}
		if err != nil {
			t.Errorf("%s: %s: %v", what, c.answer.Body, err)
		}
	}
}
