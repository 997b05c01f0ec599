package dcql_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aidpass/credential/dcql"
	"aidpass/internal/jose"
	"aidpass/internal/publicvectors"
)

func parse(t testing.TB, text string) *dcql.Query {
	t.Helper()
	q, err := dcql.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return q
}

func claims(t testing.TB, text string) jose.Value {
	t.Helper()
	v, err := jose.ParseJSON([]byte(text), jose.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const pid = "https://credentials.example.com/identity_credential"

func held(t testing.TB, vct, text string) dcql.Held {
	return dcql.Held{Format: dcql.FormatSDJWT, Types: []string{vct}, Claims: claims(t, text), Bound: true}
}

// one is a query for one credential of type pid with the members given.
func one(members string) string {
	return `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["` + pid + `"]}` + members + `}]}`
}

func TestThePublishedQueriesAreReadAndWrittenBack(t *testing.T) {
	files, err := filepath.Glob(publicvectors.Path(t, "openid4vp/examples/query_lang") + "/*.json")
	if err != nil || len(files) < 6 {
		t.Fatal(len(files), err)
	}
	files = append(files, publicvectors.Path(t, "openid4vp/examples/request/dcql_jwt_vc.json"), publicvectors.Path(t, "openid4vp/examples/request/dcql_ldp_vc.json"))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		q := parse(t, string(raw))
		written, err := q.Encode()
		if err != nil {
			t.Error(file, err)
			continue
		}
		// What other formats say in meta is theirs and not kept.
		again, want := claims(t, string(written)).Sorted(), claims(t, string(raw)).Sorted()
		ours := !slices.ContainsFunc(q.Credentials, func(c dcql.Credential) bool { return c.Format == "mso_mdoc" || c.Format == "ldp_vc" })
		if ours && string(again.Append(nil)) != string(want.Append(nil)) {
			t.Errorf("%s: written back as %s", file, written)
		}
	}
}

func TestWhatIsNoQueryIsRefused(t *testing.T) {
	long := strings.Repeat("x", dcql.MaxID+1)
	for name, text := range map[string]string{
		"nothing":              ``,
		"an array":             `[]`,
		"a member twice":       `{"credentials":[],"credentials":[]}`,
		"no credentials":       `{}`,
		"empty credentials":    `{"credentials":[]}`,
		"too many":             `{"credentials":[` + strings.Repeat(`{},`, 16) + `{}]}`,
		"no id":                `{"credentials":[{"format":"dc+sd-jwt","meta":{}}]}`,
		"an empty id":          `{"credentials":[{"id":"","format":"dc+sd-jwt","meta":{}}]}`,
		"a long id":            `{"credentials":[{"id":"` + long + `","format":"dc+sd-jwt","meta":{}}]}`,
		"an id with a dot":     `{"credentials":[{"id":"a.b","format":"dc+sd-jwt","meta":{}}]}`,
		"one id twice":         `{"credentials":[{"id":"a","format":"x","meta":{}},{"id":"a","format":"x","meta":{}}]}`,
		"no format":            `{"credentials":[{"id":"a","meta":{}}]}`,
		"no meta":              `{"credentials":[{"id":"a","format":"dc+sd-jwt"}]}`,
		"vct_values a text":    `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":"x"}}]}`,
		"type_values flat":     `{"credentials":[{"id":"a","format":"jwt_vc_json","meta":{"type_values":["x"]}}]}`,
		"multiple a text":      one(`,"multiple":"true"`),
		"binding a number":     one(`,"require_cryptographic_holder_binding":0`),
		"claims empty":         one(`,"claims":[]`),
		"a claim no object":    one(`,"claims":["a"]`),
		"no path":              one(`,"claims":[{}]`),
		"an empty path":        one(`,"claims":[{"path":[]}]`),
		"a negative index":     one(`,"claims":[{"path":["a",-1]}]`),
		"a broken index":       one(`,"claims":[{"path":["a",1.5]}]`),
		"an index of millions": one(`,"claims":[{"path":["a",1000000]}]`),
		"an object in a path":  one(`,"claims":[{"path":[{}]}]`),
		"a deep path":          one(`,"claims":[{"path":["1","2","3","4","5","6","7","8","9"]}]`),
		"a claim's id twice":   one(`,"claims":[{"id":"x","path":["a"]},{"id":"x","path":["b"]}]`),
		"values empty":         one(`,"claims":[{"path":["a"],"values":[]}]`),
		"values of null":       one(`,"claims":[{"path":["a"],"values":[null]}]`),
		"values of fractions":  one(`,"claims":[{"path":["a"],"values":[1.5]}]`),
		"claim_sets alone":     one(`,"claim_sets":[["a"]]`),
		"claim_sets unknown":   one(`,"claims":[{"id":"x","path":["a"]}],"claim_sets":[["y"]]`),
		"claim_sets empty":     one(`,"claims":[{"id":"x","path":["a"]}],"claim_sets":[[]]`),
		"authority valueless":  one(`,"trusted_authorities":[{"type":"aki"}]`),
		"authority no object":  one(`,"trusted_authorities":["aki"]`),
		"a set of strangers":   strings.TrimSuffix(one(``), "}") + `,"credential_sets":[{"options":[["b"]]}]}`,
		"a set without any":    strings.TrimSuffix(one(``), "}") + `,"credential_sets":[{}]}`,
		"a set as text":        strings.TrimSuffix(one(``), "}") + `,"credential_sets":["a"]}`,
		"required as text":     strings.TrimSuffix(one(``), "}") + `,"credential_sets":[{"options":[["a"]],"required":"no"}]}`,
	} {
		if q, err := dcql.Parse([]byte(text)); !errors.Is(err, dcql.ErrQuery) {
			t.Errorf("%s: %v, %v", name, q, err)
		}
	}
	if _, err := dcql.Parse(make([]byte, dcql.MaxBytes+1)); !errors.Is(err, dcql.ErrQuery) {
		t.Error("a query of any length:", err)
	}
	// Unknown members are ignored everywhere.
	parse(t, `{"new":1,"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"new":{}},"new":[],"claims":[{"path":["a"],"new":0}]}]}`)
	twice := parse(t, one(`,"claims":[{"path":["a"]},{"path":["a"]}]`))
	if _, err := twice.Encode(); !errors.Is(err, dcql.ErrQuery) {
		t.Error("a verifier asked for one claim twice:", err)
	}
}

// The credential and the paths of OpenID4VP 1.0 7.3.
const arthur = `{"name":"Arthur Dent","address":{"street_address":"42 Market Street","locality":"Milliways","postal_code":"12345"},
	"degrees":[{"type":"Bachelor of Science","university":"University of Betelgeuse"},{"type":"Master of Science","university":"University of Betelgeuse"}],
	"nationalities":["British","Betelgeusian"],"empty":[],"nothing":null}`

func TestPathsLeadWhereTheStandardSays(t *testing.T) {
	for path, want := range map[string]string{
		`["name"]`:                      "name",
		`["address"]`:                   "address",
		`["address","street_address"]`:  "address.street_address",
		`["degrees",null,"type"]`:       "degrees[0].type degrees[1].type",
		`["nationalities",1]`:           "nationalities[1]",
		`["nationalities",null]`:        "nationalities[0] nationalities[1]",
		`["nothing"]`:                   "nothing",
		`["nationalities",2]`:           "",
		`["nationalities","0"]`:         "",
		`["address",0]`:                 "",
		`["address",null]`:              "",
		`["name","first"]`:              "",
		`["empty",null]`:                "",
		`["Name"]`:                      "",
		`["degrees",null,"type","x"]`:   "",
		`["degrees",null,"university"]`: "degrees[0].university degrees[1].university",
	} {
		q := parse(t, one(`,"claims":[{"path":`+path+`}]`))
		found := q.Search([]dcql.Held{held(t, pid, arthur)})
		var got []string
		if answer, ok := found.Least(); ok {
			for _, p := range answer[0].Claims {
				got = append(got, p.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestAWalletChoosesByTheQuery(t *testing.T) {
	wallet := []dcql.Held{
		held(t, "https://other.example/x", `{"family_name":"Doe"}`),
		held(t, pid, `{"family_name":"Doe","locality":"L","region":"R","date_of_birth":"1990-01-01","age":30,"ok":true}`),
		held(t, pid, `{"family_name":"Roe","postal_code":"90210","date_of_birth":"1990-01-01","age":"30"}`),
		{Format: dcql.FormatVCJWT, Types: []string{"VerifiableCredential", "https://a.example/elig"}, Claims: claims(t, `{"credentialSubject":{"round":3}}`), Bound: true},
		{Format: dcql.FormatSDJWT, Types: []string{pid}, Claims: claims(t, `{"ticket":1}`),
			Authorities: []dcql.Authority{{Type: "aki", Values: []string{"s9tI"}}}},
	}
	for name, c := range map[string]struct{ query, want string }{
		"no claims named shows none":       {one(``), "1 2"},
		"a claim that both have":           {one(`,"claims":[{"path":["family_name"]}]`), "1:family_name 2:family_name"},
		"a value":                          {one(`,"claims":[{"path":["family_name"],"values":["Poe","Roe"]}]`), "2:family_name"},
		"a value of another type":          {one(`,"claims":[{"path":["age"],"values":[30]}]`), "1:age"},
		"a truth value":                    {one(`,"claims":[{"path":["ok"],"values":[true]}]`), "1:ok"},
		"a text for a truth value":         {one(`,"claims":[{"path":["ok"],"values":["true"]}]`), ""},
		"the first set that can be met":    {one(`,"claims":[{"id":"p","path":["postal_code"]},{"id":"l","path":["locality"]},{"id":"r","path":["region"]}],"claim_sets":[["p"],["l","r"]]`), "1:locality,region 2:postal_code"},
		"a claim that nobody has":          {one(`,"claims":[{"path":["family_name"]},{"path":["shoe_size"]}]`), ""},
		"without the holder's signature":   {one(`,"require_cryptographic_holder_binding":false,"claims":[{"path":["ticket"]}]`), "4:ticket"},
		"the same where it is asked for":   {one(`,"claims":[{"path":["ticket"]}]`), ""},
		"an authority":                     {one(`,"require_cryptographic_holder_binding":false,"trusted_authorities":[{"type":"aki","values":["x","s9tI"]}]`), "4"},
		"an authority of another kind":     {one(`,"require_cryptographic_holder_binding":false,"trusted_authorities":[{"type":"etsi_tl","values":["s9tI"]}]`), ""},
		"any type":                         {`{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{},"claims":[{"path":["family_name"]}]}]}`, "0:family_name 1:family_name 2:family_name"},
		"a W3C type":                       {`{"credentials":[{"id":"a","format":"jwt_vc_json","meta":{"type_values":[["x"],["https://www.w3.org/2018/credentials#VerifiableCredential","https://a.example/elig"]]},"claims":[{"path":["credentialSubject","round"]}]}]}`, "3:credentialSubject.round"},
		"a W3C type by its media type":     {`{"credentials":[{"id":"a","format":"vc+jwt","meta":{"type_values":[["https://a.example/elig"]]}}]}`, "3"},
		"a W3C type that is another":       {`{"credentials":[{"id":"a","format":"vc+jwt","meta":{"type_values":[["https://a.example/elig","more"]]}}]}`, ""},
		"a format that is not spoken here": {`{"credentials":[{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"x"}}]}`, ""},
	} {
		found := parse(t, c.query).Search(wallet)
		var got []string
		for _, m := range found.Matches[0] {
			s := fmt.Sprint(m.Held)
			for i, p := range m.Claims {
				s += map[bool]string{true: ":", false: ","}[i == 0] + p.String()
			}
			if m.Whole != (m.Held == 3) {
				t.Errorf("%s: whole is %v", name, m.Whole)
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if answer, ok := found.Least(); ok != (c.want != "") || len(answer) > 1 {
			t.Errorf("%s: the least is %v, %v", name, answer, ok)
		}
	}
}

// The published query of alternatives: nothing is shown unless one required
// combination is whole, and what is optional is not shown unasked.
func TestCombinationsAreWholeOrNothing(t *testing.T) {
	raw, err := os.ReadFile(publicvectors.Path(t, "openid4vp/examples/query_lang/credentials_alternatives.json"))
	if err != nil {
		t.Fatal(err)
	}
	q := parse(t, string(raw))
	named := `{"given_name":"A","family_name":"B","address":{"street_address":"C"}}`
	full := held(t, pid, named)
	other := held(t, "https://othercredentials.example/pid", named)
	reduced := held(t, "https://credentials.example.com/reduced_identity_credential", `{"family_name":"B","given_name":"A"}`)
	residence := held(t, "https://cred.example/residence_credential", `{"postal_code":"1","locality":"L","region":"R"}`)
	rewards := held(t, "https://company.example/company_rewards", `{"rewards_number":7}`)
	for _, c := range []struct {
		held []dcql.Held
		want string
	}{
		{[]dcql.Held{rewards, full}, "pid"},
		{[]dcql.Held{other, full}, "pid"},
		{[]dcql.Held{other}, "other_pid"},
		{[]dcql.Held{reduced, residence}, "pid_reduced_cred_1 pid_reduced_cred_2"},
		{[]dcql.Held{reduced}, ""},
		{[]dcql.Held{rewards}, ""},
		{nil, ""},
	} {
		found := q.Search(c.held)
		answer, ok := found.Least()
		var ids []string
		var entries []dcql.Entry
		for _, m := range answer {
			ids = append(ids, m.Query.ID)
			entries = append(entries, dcql.Entry{ID: m.Query.ID, Shown: []dcql.Held{c.held[m.Held]}})
		}
		if strings.Join(ids, " ") != c.want || ok != (c.want != "") {
			t.Errorf("%q, %v, want %q", ids, ok, c.want)
		}
		if err := q.Check(entries); (err == nil) != ok {
			t.Errorf("%q: the verifier says %v", ids, err)
		}
	}
	found := q.Search([]dcql.Held{rewards, full})
	if got := found.Options(1); len(got) != 1 || !slices.Equal(got[0], []string{"nice_to_have"}) {
		t.Error("what may be shown besides:", got)
	}
}

func TestRow34AVerifierTakesNothingElseThanItAskedFor(t *testing.T) {
	q := parse(t, `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["`+pid+`"]},"claims":[{"path":["name"]},{"path":["nationalities",1]}]},
		{"id":"b","format":"dc+sd-jwt","meta":{},"multiple":true}]}`)
	good, bare := held(t, pid, `{"name":"x","nationalities":["B"]}`), held(t, "https://x.example", `{}`)
	unbound := good
	unbound.Bound = false
	for name, c := range map[string]struct {
		entries []dcql.Entry
		good    bool
	}{
		"what was asked for":         {[]dcql.Entry{{"a", []dcql.Held{good}}, {"b", []dcql.Held{bare}}}, true},
		"several where several may":  {[]dcql.Entry{{"b", []dcql.Held{bare, good}}, {"a", []dcql.Held{good}}}, true},
		"nothing":                    {nil, false},
		"half of it":                 {[]dcql.Entry{{"a", []dcql.Held{good}}}, false},
		"something besides":          {[]dcql.Entry{{"a", []dcql.Held{good}}, {"b", []dcql.Held{bare}}, {"c", []dcql.Held{bare}}}, false},
		"one entry twice":            {[]dcql.Entry{{"a", []dcql.Held{good}}, {"b", []dcql.Held{bare}}, {"b", []dcql.Held{bare}}}, false},
		"an empty entry":             {[]dcql.Entry{{"a", nil}, {"b", []dcql.Held{bare}}}, false},
		"several where one may":      {[]dcql.Entry{{"a", []dcql.Held{good, good}}, {"b", []dcql.Held{bare}}}, false},
		"another type":               {[]dcql.Entry{{"a", []dcql.Held{bare}}, {"b", []dcql.Held{bare}}}, false},
		"no signature of its holder": {[]dcql.Entry{{"a", []dcql.Held{unbound}}, {"b", []dcql.Held{bare}}}, false},
		"a claim missing":            {[]dcql.Entry{{"a", []dcql.Held{held(t, pid, `{"name":"x","nationalities":[]}`)}}, {"b", []dcql.Held{bare}}}, false},
		"the W3C form for the other": {[]dcql.Entry{{"a", []dcql.Held{{Format: dcql.FormatVCJWT, Types: good.Types, Claims: good.Claims, Bound: true}}}, {"b", []dcql.Held{bare}}}, false},
	} {
		if err := q.Check(c.entries); (err == nil) != c.good || err != nil && !errors.Is(err, dcql.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRow35OnlyWhatWasAskedForIsKept(t *testing.T) {
	for members, want := range map[string]string{
		``:                              `{}`,
		`,"claims":[{"path":["name"]}]`: `{"name":"Arthur Dent"}`,
		`,"claims":[{"path":["address","locality"]},{"path":["name"]}]`: `{"name":"Arthur Dent","address":{"locality":"Milliways"}}`,
		`,"claims":[{"path":["degrees",null,"type"]}]`:                  `{"degrees":[{"type":"Bachelor of Science"},{"type":"Master of Science"}]}`,
		`,"claims":[{"path":["shoe_size"]}]`:                            `{}`,
		`,"claims":[{"id":"x","path":["shoe_size"]},{"id":"y","path":["name"]},{"id":"z","path":["address"]}],"claim_sets":[["x"],["y"],["z"]]`: `{"name":"Arthur Dent"}`,
	} {
		q := parse(t, one(members))
		kept := q.Credentials[0].Keep(claims(t, arthur))
		if got := string(kept.Append(nil)); got != want {
			t.Errorf("%s keeps %s, want %s", members, got, want)
		}
	}
}

// What a match shows is what it was asked for and the way to it, and no other disclosure.
func TestDisclosuresShownAreTheLeast(t *testing.T) {
	q := parse(t, one(`,"claims":[{"path":["address","locality"]},{"path":["nationalities",1]},{"path":["degrees",null,"type"]}]`))
	found := q.Search([]dcql.Held{held(t, pid, arthur)})
	m := found.Matches[0][0]
	for _, c := range []struct {
		names   []string
		indexes []int
		want    bool
	}{
		{[]string{"address"}, []int{-1}, true}, // the town lies in it
		{[]string{"address", "locality"}, []int{-1, -1}, true},
		{[]string{"address", "locality", "map"}, []int{-1, -1, -1}, true},
		{[]string{"address", "postal_code"}, []int{-1, -1}, false},
		{[]string{"name"}, []int{-1}, false},
		{[]string{"nationalities", ""}, []int{-1, 1}, true},
		{[]string{"nationalities", ""}, []int{-1, 0}, false},
		{[]string{"degrees", "", "type"}, []int{-1, 1, -1}, true},
		{[]string{"degrees", "", "university"}, []int{-1, 1, -1}, false},
	} {
		if got := m.Shows(c.names, c.indexes); got != c.want {
			t.Errorf("%q %v: %v", c.names, c.indexes, got)
		}
	}
}

// Whatever a wallet chooses as the least, the verifier with the same query takes, and
// keeps the same from it as from the whole.
func TestPropertyWhatIsChosenIsTaken(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c"}
	paths := []string{`["a"]`, `["b"]`, `["c"]`, `["l",null]`, `["o","a"]`, `["o","b"]`}
	values := []string{`"a":1,`, `"b":"x",`, `"c":true,`, `"l":["p","q"],`, `"o":{"a":1},`}
	taken := 0
	for range 3000 {
		var credentials, sets []string
		for _, id := range names {
			var asked []string
			for _, i := range r.Perm(len(paths))[:1+r.IntN(3)] {
				asked = append(asked, `{"id":"i`+fmt.Sprint(i)+`","path":`+paths[i]+`}`)
			}
			more := ""
			if r.IntN(3) == 0 {
				more = `,"claim_sets":[["` + asked[0][7:9] + `"]]`
			}
			credentials = append(credentials, `{"id":"`+id+`","format":"dc+sd-jwt","meta":{"vct_values":["`+names[r.IntN(3)]+`"]},"claims":[`+strings.Join(asked, ",")+`]`+more+`}`)
		}
		text := `{"credentials":[` + strings.Join(credentials, ",") + `]`
		for range r.IntN(3) {
			sets = append(sets, `{"required":`+fmt.Sprint(r.IntN(2) == 0)+`,"options":[["`+names[r.IntN(3)]+`","`+names[r.IntN(3)]+`"],["`+names[r.IntN(3)]+`"]]}`)
		}
		if sets != nil {
			text += `,"credential_sets":[` + strings.Join(sets, ",") + `]`
		}
		q := parse(t, text+`}`)
		var wallet []dcql.Held
		for range r.IntN(5) {
			c := "{"
			for _, i := range r.Perm(len(values))[:1+r.IntN(len(values))] {
				c += values[i]
			}
			wallet = append(wallet, held(t, names[r.IntN(3)], strings.TrimSuffix(c, ",")+"}"))
		}
		found := q.Search(wallet)
		answer, ok := found.Least()
		var entries []dcql.Entry
		for _, m := range answer {
			entries = append(entries, dcql.Entry{ID: m.Query.ID, Shown: []dcql.Held{wallet[m.Held]}})
			whole := wallet[m.Held].Claims
			kept := m.Query.Keep(whole)
			if again := m.Query.Keep(kept); string(again.Append(nil)) != string(kept.Append(nil)) {
				t.Fatalf("%s: of %s kept, %s", text, kept.Append(nil), again.Append(nil))
			}
		}
		if !ok {
			continue
		}
		taken++
		if err := q.Check(entries); err != nil && len(entries) > 0 {
			t.Fatalf("%v: %s", err, text)
		}
	}
	if taken < 300 {
		t.Error("hardly anything was chosen:", taken)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(one(`,"claims":[{"id":"x","path":["a",null,1],"values":["v",1,true]}],"claim_sets":[["x"]],"trusted_authorities":[{"type":"aki","values":["k"]}]`)), []byte(arthur))
	f.Add([]byte(strings.TrimSuffix(one(``), "}")+`,"credential_sets":[{"options":[["a"]],"required":false}]}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, query, shown []byte) {
		q, err := dcql.Parse(query)
		if err != nil {
			if !errors.Is(err, dcql.ErrQuery) {
				t.Fatal(err)
			}
			return
		}
		written := q.Value().Append(nil)
		again, err := dcql.Parse(written)
		if err != nil || string(again.Value().Append(nil)) != string(written) {
			t.Fatalf("%v: %s, then %s", err, written, again.Value().Append(nil))
		}
		v, err := jose.ParseJSON(shown, jose.DefaultLimits)
		if err != nil {
			return
		}
		wallet := []dcql.Held{{Format: dcql.FormatSDJWT, Types: []string{pid}, Claims: v, Bound: true}, {Format: dcql.FormatJWTVC, Claims: v}}
		found := q.Search(wallet)
		answer, _ := found.Least()
		var entries []dcql.Entry
		for _, m := range answer {
			m.Query.Keep(v)
			entries = append(entries, dcql.Entry{ID: m.Query.ID, Shown: []dcql.Held{wallet[m.Held]}})
		}
		q.Check(entries)
	})
}
