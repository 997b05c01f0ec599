package compile

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aidpass/internal/patience"
	"aidpass/schemas"
)

func own(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/own.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOwnTypeLoadsAtRunTime(t *testing.T) {
	typ, err := File("testdata/own.json")
	if err != nil {
		t.Fatal(err)
	}
	set, err := schemas.NewSet(append(schemas.Embedded(), typ)...)
	if err != nil {
		t.Fatal(err)
	}
	water := set.ByVCT([]byte("https://water.example/ration"))
	if water == nil || water.Validity != 90*86400 || water.MaxValidity != water.Validity || water.Freshness != 14*86400 || water.GraceDays != 3 || water.SiteClaim != "tap" {
		t.Fatalf("%+v", water)
	}
	plain, err := water.EncodePlain(map[string]any{"programme": "W1", "round": 2, "tap": "T7", "container": "bucket", "litres": 20})
	if err != nil {
		t.Fatal(err)
	}
	// The compiled form travels: a device that never saw the file reads the card.
	there, err := schemas.Decode(schemas.Append(nil, []*schemas.Type{typ}))
	if err != nil {
		t.Fatal(err)
	}
	if named, err := there[0].NamePlain(plain); err != nil || named["container"] != "bucket" || named["tap"] != "T7" {
		t.Errorf("%v, %v", named, err)
	}
	if _, err := water.EncodePlain(map[string]any{"programme": "W1", "round": 2, "container": "pram"}); err == nil {
		t.Error("a value listed under never_on_card was written")
	}
	if _, err := File(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// change returns the own type with one thing changed: at is a path of members,
// the value replaces what is there or is new; nil takes it away.
func change(t testing.TB, value any, at ...string) []byte {
	var doc map[string]any
	if err := json.Unmarshal(own(t), &doc); err != nil {
		t.Fatal(err)
	}
	m := doc
	for _, name := range at[:len(at)-1] {
		next, ok := m[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[name] = next
		}
		m = next
	}
	if value == nil {
		delete(m, at[len(at)-1])
	} else {
		m[at[len(at)-1]] = value
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// claim returns a property of its own for a card.
func claim(card string, key, sensitivity int, label string, schema string) map[string]any {
	p := map[string]any{}
	if err := json.Unmarshal([]byte(schema), &p); err != nil {
		panic(err)
	}
	kind := map[any]string{"string": "code", "integer": "int", "boolean": "bool"}[p["type"]]
	if p["enum"] != nil {
		kind = "enum"
	}
	if p["format"] == "date" {
		kind = "date"
	}
	if k, ok := p["kind"].(string); ok {
		kind = k
		delete(p, "kind")
	}
	p["x-aidpass"] = map[string]any{"kind": kind, "card": card, "key": key, "sensitivity": sensitivity, "disclosure": "allowed",
		"purpose": "collection", "retention": "round", "label": map[string]any{"en": label}, "description": map[string]any{"en": "x"}}
	return p
}

const (
	aCode = `{"type": "string", "maxLength": 16}`
	aText = `{"type": "string", "maxLength": 30, "kind": "text"}`
	aBool = `{"type": "boolean"}`
	anInt = `{"type": "integer", "maximum": 100}`
)

func TestTypesThatMayNotExist(t *testing.T) {
	props := func(name string) []string { return []string{"properties", name} }
	note := func(name, member string) []string { return []string{"properties", name, "x-aidpass", member} }
	add := func(name, card string, key int, schema string) []byte {
		return change(t, claim(card, key, 1, name, schema), "properties", name)
	}
	for _, c := range []struct {
		name  string
		file  []byte
		claim string
		rule  string
	}{
		// DOMAIN 8.1, sealed or plain.
		{"religion", add("religion", "sealed", 50+1, aCode), "religion", "religion"},
		{"faith", add("faith_group", "plain", 11, aCode), "faith_group", "religion"},
		{"ethnicity", add("ethnic_group", "sealed", 51, aCode), "ethnic_group", "ethnicity"},
		{"tribe", add("tribe", "sealed", 51, aCode), "tribe", "tribe"},
		{"nationality", add("nationality", "sealed", 51, aCode), "nationality", "nationality"},
		{"origin", add("country_of_origin", "sealed", 51, aCode), "country_of_origin", "nationality or origin"},
		{"asylum", add("asylum_status", "sealed", 51, aCode), "asylum_status", "asylum"},
		{"refugee", add("refugee", "plain", 11, aBool), "refugee", "asylum"},
		{"UNHCR number", add("unhcr_no", "sealed", 51, aCode), "unhcr_no", "UNHCR"},
		{"proGres number", add("progres_id", "sealed", 51, aCode), "progres_id", "UNHCR"},
		{"case number", add("case_number", "plain", 11, aCode), "case_number", "case number"},
		{"passport", add("passport", "sealed", 51, aCode), "passport", "document"},
		{"needs", add("specific_needs", "sealed", 51, aCode), "specific_needs", "specific needs"},
		{"vulnerability", add("vulnerability", "sealed", 51, anInt), "vulnerability", "vulnerability"},
		{"score", add("pmt_score", "sealed", 51, anInt), "pmt_score", "vulnerability"},
		{"criteria", add("criteria", "sealed", 51, aCode), "criteria", "criteria"},
		{"disability", add("disabled", "sealed", 51, aBool), "disabled", "disability"},
		{"pregnancy", add("is_pregnant", "plain", 11, aBool), "is_pregnant", "pregnancy"},
		{"health", add("health_state", "sealed", 51, aCode), "health_state", "health"},
		{"HIV", add("hiv", "sealed", 51, aBool), "hiv", "health"},
		{"violence", add("sgbv_survivor", "sealed", 51, aBool), "sgbv_survivor", "violence"},
		{"unaccompanied", add("unaccompanied", "sealed", 51, aBool), "unaccompanied", "child protection"},
		{"address", add("home_address", "sealed", 51, aCode), "home_address", "address"},
		{"GPS", add("gps", "sealed", 51, aCode), "gps", "address"},
		{"shelter number", add("shelter_no", "plain", 11, aCode), "shelter_no", "address"},
		{"phone", add("phone", "sealed", 51, aCode), "phone", "phone"},
		{"phone in one word", add("myphonenumber", "sealed", 51, aCode), "myphonenumber", "phone"},
		{"e-mail", add("e_mail", "sealed", 51, aCode), "e_mail", "e-mail"},
		{"bank", add("iban", "sealed", 51, aCode), "iban", "bank"},
		{"mobile wallet", add("wallet_no", "sealed", 51, aCode), "wallet_no", "bank or wallet"},
		{"biometric", add("fingerprint", "sealed", 51, aCode), "fingerprint", "biometric"},
		{"family", add("mother_name", "sealed", 51, aText), "mother_name", "family"},
		{"sanctions", add("sanction_result", "sealed", 51, aCode), "sanction_result", "sanction"},
		{"party", add("political_party", "sealed", 51, aCode), "political_party", "political"},
		{"by its label alone", change(t, claim("sealed", 51, 1, "Religion", aCode), "properties", "c1"), "c1", "religion"},
		{"by a French label", change(t, "Adresse", "properties", "litres", "x-aidpass", "label", "fr"), "litres", "address"},
		{"by a Spanish label", change(t, "Teléfono", "properties", "litres", "x-aidpass", "label", "es"), "litres", "phone"},
		{"by an Arabic label", change(t, "الديانة", "properties", "litres", "x-aidpass", "label", "ar"), "litres", "religion"},
		{"by a Swahili label", change(t, "Kabila", "properties", "litres", "x-aidpass", "label", "sw"), "litres", "ethnicity"},
		{"exact birth date", add("birth_date", "sealed", 51, `{"type": "string", "format": "date"}`), "birth_date", "exact birth date"},
		{"exact birth date as a number", add("birth", "sealed", 51, `{"type": "integer", "maximum": 20991231}`), "birth", "exact birth date"},
		{"exact birth date as text", add("dob", "sealed", 51, aCode), "dob", "exact birth date"},
		{"a value that tells", add("route", "sealed", 51, `{"type": "string", "enum": ["a", "sgbv_case"]}`), "route", "never be on a card"},
		{"the type's name", change(t, "women_at_risk", "x-aidpass", "name"), "", "who its people are"},

		// DESIGN 4: the plain part is neutral.
		{"kind", add("kind", "plain", 11, `{"type": "string", "enum": ["a", "b"]}`), "kind", "neutral"},
		{"kind by its values", add("lane", "plain", 11, `{"type": "string", "enum": ["cash", "voucher"]}`), "lane", "in this place"},
		{"urgency", add("urgency", "plain", 11, anInt), "urgency", "neutral"},
		{"service", add("service", "plain", 11, aCode), "service", "neutral"},
		{"amount", add("amount", "plain", 11, anInt), "amount", "neutral"},
		{"name", add("name", "plain", 11, aText), "name", "neutral"},
		{"sex", add("sex", "plain", 11, aCode), "sex", "neutral"},
		{"language", add("language", "plain", 11, aCode), "language", "neutral"},
		{"programme by name", change(t, claim("plain", 1, 1, "Programme", `{"type": "string", "maxLength": 30, "kind": "text"}`), "properties", "programme"), "programme", "opaque code"},
		{"long programme code", change(t, 12, "properties", "programme", "maxLength"), "programme", "at most 8"},
		{"second programme claim", add("programme_title", "plain", 11, aCode), "programme_title", "opaque code"},
		{"long free text", change(t, claim("plain", 11, 0, "Hint", `{"type": "string", "maxLength": 60, "kind": "text"}`), "properties", "hint"), "hint", "0 to 32"},

		// Sensitivity and annotations.
		{"sensitivity 3 sealed", change(t, 3, note("litres", "sensitivity")...), "litres", "sensitivity 3"},
		{"sensitivity 3 in the wallet", change(t, "allowed", note("note", "disclosure")...), "note", "sealed store"},
		{"sensitivity 2 plain", change(t, 2, note("tap", "sensitivity")...), "tap", "sensitivity 2"},
		{"sensitivity missing", change(t, nil, note("tap", "sensitivity")...), "tap", "sensitivity"},
		{"sensitivity 4", change(t, 4, note("note", "sensitivity")...), "note", "sensitivity"},
		{"purpose missing", change(t, nil, note("tap", "purpose")...), "tap", "purpose is missing"},
		{"purpose other", change(t, "other", note("tap", "purpose")...), "tap", "purpose is none of"},
		{"retention missing", change(t, nil, note("tap", "retention")...), "tap", "retention is missing"},
		{"retention for ever", change(t, "forever", note("tap", "retention")...), "tap", "retention is none of"},
		{"label missing", change(t, nil, note("tap", "label")...), "tap", "label"},
		{"description missing", change(t, nil, note("tap", "description")...), "tap", "description"},
		{"card missing", change(t, nil, note("tap", "card")...), "tap", "card must be"},
		{"disclosure missing", change(t, nil, note("tap", "disclosure")...), "tap", "disclosure must be"},
		{"kind missing", change(t, nil, note("tap", "kind")...), "tap", "kind is none of"},
		{"a round that can be hidden", change(t, "allowed", note("round", "disclosure")...), "round", "always"},
		{"a site that can be hidden", change(t, "allowed", note("tap", "disclosure")...), "tap", "always"},
		{"a site that no wallet says", change(t, "never", note("tap", "disclosure")...), "tap", "always"},
		{"kind that does not fit", change(t, "int", note("tap", "kind")...), "tap", "does not fit"},
		{"no upper limit", change(t, nil, "properties", "tap", "maxLength"), "tap", "limit"},
		{"misspelt annotation", change(t, 1, note("tap", "sensitvity")...), "tap", "sensitvity"},
		{"annotation in capitals", change(t, 1, note("tap", "Key")...), "tap", "Key"},
		{"note missing", change(t, nil, note("tap", "x")[:3]...), "tap", "x-aidpass"},
		{"property is no object", change(t, true, props("tap")...), "tap", "not an object"},
		{"values without an enum", change(t, map[string]any{"en": map[string]any{"a": "b"}}, note("tap", "values")...), "tap", "bytes and enum"},
		{"value label for nothing", change(t, map[string]any{"en": map[string]any{"barrel": "b"}}, note("container", "values")...), "container", "not in enum"},
		{"value label missing", change(t, map[string]any{"en": map[string]any{"bucket": "b"}}, note("container", "values")...), "container", "no label"},
		{"barred value that is none", change(t, []string{"barrel"}, note("container", "never_on_card")...), "container", "not in enum"},

		// Keys.
		{"key missing", change(t, nil, note("tap", "key")...), "tap", "key is not 1 to 19"},
		{"plain key out of range", change(t, 20, note("tap", "key")...), "tap", "key is not 1 to 19"},
		{"sealed key out of range", change(t, 60, note("litres", "key")...), "litres", "key is not 20 to 59"},
		{"key twice", change(t, 1, note("tap", "key")...), "tap", "stands twice"},
		{"key of a shared name", change(t, 9, note("programme", "key")...), "programme", "its key is 1"},
		{"key where there is no card", change(t, 5, note("note", "key")...), "note", "key"},
		{"the ledger's name", add(schemas.LedgerClaim, "plain", 11, anInt), schemas.LedgerClaim, "taken"},
		{"reserved name", add("exp", "plain", 11, anInt), "exp", "taken"},
		{"name in capitals", add("Tap2", "plain", 11, anInt), "Tap2", "lower case"},

		// The type as a whole.
		{"http vct", change(t, "http://water.example/r", "$id"), "", "https"},
		{"long vct", change(t, "https://water.example/"+strings.Repeat("r", 20), "$id"), "", "40"},
		{"no vct", change(t, nil, "$id"), "", "https"},
		{"valid for ever", change(t, 4000, "x-aidpass", "valid_days"), "", "valid_days"},
		{"validity past every number", change(t, 1<<50, "x-aidpass", "valid_days"), "", "valid_days"},
		{"no validity", change(t, nil, "x-aidpass", "valid_days"), "", "valid_days"},
		{"fresh for ever", change(t, 400, "x-aidpass", "fresh_days"), "", "fresh_days"},
		{"long grace", change(t, 60, "x-aidpass", "grace_days"), "", "grace"},
		{"answers yes", change(t, "yes", "x-aidpass", "answers"), "", "answers"},
		{"held by nobody", change(t, nil, "x-aidpass", "held_by"), "", "held_by"},
		{"held by the world", change(t, []string{"world"}, "x-aidpass", "held_by"), "", "held by"},
		{"gate without a claim", change(t, []string{"name"}, "x-aidpass", "gate"), "name", "gate"},
		{"role without a claim", change(t, "lane", "x-aidpass", "roles", "site"), "lane", "site"},
		{"role misspelt", change(t, "tap", "x-aidpass", "roles", "place"), "", "place"},
		{"required without a claim", change(t, []string{"lane"}, "required"), "lane", "required"},
		{"open to more", change(t, nil, "additionalProperties"), "", "additionalProperties"},
		{"not an object", change(t, "array", "type"), "", "object"},
		{"other draft", change(t, "http://json-schema.org/draft-07/schema#", "$schema"), "", "$schema"},
		{"no notes", change(t, nil, "x-aidpass"), "", "x-aidpass"},
		{"no properties", change(t, nil, "properties"), "", "properties"},
		{"version missing", change(t, nil, "x-aidpass", "version"), "", "version"},
		{"wrong Go type", change(t, "one", "x-aidpass", "version"), "", "version"},
		{"choice that is more than one claim", change(t, []any{map[string]any{"required": []string{"tap", "round"}}}, "oneOf"), "", "oneOf"},
	} {
		typ, err := Compile(c.file)
		var refusal *Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("%s: %v, %v, want a refusal", c.name, typ != nil, err)
			continue
		}
		if refusal.Claim != c.claim || !strings.Contains(refusal.Rule, c.rule) {
			t.Errorf("%s: got %q: %s\nwant %q: ...%s...", c.name, refusal.Claim, refusal.Rule, c.claim, c.rule)
		}
	}
}

func TestHarmlessWordsAreNotRefused(t *testing.T) {
	for _, name := range []string{"raced_lane", "trace", "international_tap", "plotter_no", "needle_count", "latitude2"} {
		_, err := Compile(change(t, claim("plain", 11, 1, "Lane", aCode), "properties", name))
		if refused := name == "latitude2"; (err != nil) != refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Compile(change(t, claim("sealed", 51, 1, "Year of birth", `{"type": "integer", "maximum": 2200}`), "properties", "year_of_birth")); err != nil {
		t.Error(err)
	}
}

// TestHostileFiles: each is refused, soon, and nothing is fetched.
func TestHostileFiles(t *testing.T) {
	ref := func(target string) []byte {
		return change(t, map[string]any{"$ref": target, "x-aidpass": claim("plain", 11, 1, "Lane", aCode)["x-aidpass"]}, "properties", "lane")
	}
	for name, file := range map[string][]byte{
		"nothing":                   nil,
		"not JSON":                  []byte("{"),
		"not UTF-8":                 []byte("{\"\xff\": 1}"),
		"an array":                  []byte("[]"),
		"null":                      []byte("null"),
		"two values":                append(own(t), own(t)...),
		"10 MB of spaces":           []byte(strings.Repeat(" ", 10<<20)),
		"10 MB of a label":          change(t, strings.Repeat("x", 10<<20), "x-aidpass", "label", "en"),
		"a label of 5 KB":           change(t, strings.Repeat("x", 5000), "x-aidpass", "label", "en"),
		"100,000 nested arrays":     []byte(strings.Repeat("[", 100000)),
		"100,000 nested objects":    []byte(strings.Repeat(`{"a":`, 40000)),
		"a member twice":            []byte(strings.Replace(string(own(t)), `"key": 10,`, `"key": 10, "key": 11,`, 1)),
		"$ref to a server":          ref("https://169.254.169.254/latest/meta-data"),
		"$ref to a file":            ref("file:///etc/passwd"),
		"$ref to itself":            ref("#"),
		"$dynamicRef":               change(t, "#x", "properties", "tap", "$dynamicRef"),
		"$schema of a stranger":     change(t, "https://evil.example/schema", "$schema"),
		"$vocabulary":               change(t, map[string]any{"https://evil.example/v": true}, "$vocabulary"),
		"$id inside":                change(t, "https://evil.example/x", "properties", "tap", "$id"),
		"$ref inside items":         change(t, map[string]any{"$ref": "https://evil.example/x"}, "properties", "tap", "items"),
		"$ref inside a choice":      change(t, []any{map[string]any{"$ref": "https://evil.example/x"}}, "anyOf"),
		"a pattern of 300 bytes":    change(t, strings.Repeat("a", 300), "properties", "tap", "pattern"),
		"a pattern that is none":    change(t, "(", "properties", "tap", "pattern"),
		"a pattern that multiplies": change(t, "((a{999}){999}){999}", "properties", "tap", "pattern"),
		"a number of 10^1000000":    []byte(strings.Replace(string(own(t)), `"maximum": 500`, `"maximum": 1e1000000`, 1)),
		"a number of 1,000 digits":  []byte(strings.Replace(string(own(t)), `"maximum": 500`, `"maximum": `+strings.Repeat("9", 1000), 1)),
		"a thousand claims":         thousand(t),
		"a type for a keyword":      change(t, 7, "properties", "tap", "pattern"),
		"required that is no list":  change(t, "programme", "required"),
	} {
		start := time.Now()
		_, err := Compile(file)
		var refusal *Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
		if err != nil && len(err.Error()) > 600 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
		if d := time.Since(start); d > patience.Limit {
			t.Errorf("%s: took %v", name, d)
		}
	}
}

func thousand(t *testing.T) []byte {
	many := map[string]any{}
	for i := range 1000 {
		many[fmt.Sprintf("lane%d", i)] = claim("plain", 11, 1, "Lane", aCode)
	}
	return change(t, many, "properties")
}

// FuzzCompile: what compiles has a compiled form that reads back to the same,
// and keeps the two rules no file may break.
func FuzzCompile(f *testing.F) {
	f.Add(own(f))
	f.Add(change(f, nil, "properties", "note"))
	f.Add([]byte(`{"$schema": "https://json-schema.org/draft/2020-12/schema"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, err := Compile(b)
		if err != nil {
			var refusal *Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		form := schemas.Append(nil, []*schemas.Type{typ})
		if _, err := schemas.Decode(form); err != nil {
			t.Fatalf("compiled form does not read back: %v", err)
		}
		for _, c := range typ.Claims {
			if c.Placement == schemas.Plain && c.Sensitivity > 1 || c.Placement != schemas.Never && c.Sensitivity > 2 {
				t.Fatalf("%+v", c)
			}
		}
	})
}
