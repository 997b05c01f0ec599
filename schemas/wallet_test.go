package schemas_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"aidpass/internal/jose"
	"aidpass/schemas"
)

func object(t *testing.T, s string) jose.Value {
	t.Helper()
	v, err := jose.ParseJSON([]byte(s), jose.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What a wallet credential says must be written in the one way, and what is left
// out may have been issued all the same.
func TestWhatAWalletSays(t *testing.T) {
	const always = `"programme":"K7Q2","round":3`
	for _, c := range []struct{ name, claims, refused string }{
		{"what always stands there", `{` + always + `}`, ""},
		{"everything else hidden, other claims beside", `{` + always + `,"iss":"https://a.example","__proto__":{"x":1}}`, ""},
		{"a claim no wallet has is not taken from one", `{` + always + `,"pin_check":"x"}`, ""},
		{"a required claim that is never hidden", `{"round":3}`, "programme"},
		{"neither round nor rounds", `{"programme":"K7Q2"}`, "round"},
		{"both round and rounds", `{` + always + `,"rounds":[3,5]}`, "round"},
		{"a number as text", `{"programme":"K7Q2","round":"3"}`, "round"},
		{"a fraction", `{"programme":"K7Q2","round":3.0}`, "round"},
		{"text as a number", `{"programme":72,"round":3}`, "programme"},
		{"text with a space", `{"programme":" K7Q2","round":3}`, "programme"},
		{"null", `{"programme":null,"round":3}`, "programme"},
		{"a size where the band is written", `{` + always + `,"size_band":5}`, "size_band"},
		{"an enum of its own", `{` + always + `,"kind":"bread"}`, "kind"},
		{"bytes with padding", `{` + always + `,"photo_hash":"AAAAAAAAAAAAAAAAAAAAAA=="}`, "photo_hash"},
		{"a benefit in words", `{` + always + `,"entitlement":"120.00 JOD"}`, "entitlement"},
		{"a benefit with a float", `{` + always + `,"entitlement":{"amount":120.5,"currency":"JOD"}}`, "entitlement"},
		{"a benefit with more", `{` + always + `,"entitlement":{"visits":1,"x":1}}`, "entitlement"},
		{"a short pseudonym", `{` + always + `,"ledger_id":"abc"}`, "ledger_id"},
		{"a pseudonym that is none", `{` + always + `,"ledger_id":["0123456789abcdef"]}`, "ledger_id"},
		{"a pseudonym that is a number", `{` + always + `,"ledger_id":1234567890123456}`, "ledger_id"},
		{"a pseudonym and whom it stands for", `{` + always + `,"ledger_id":"0123456789abcdef.` + strings.Repeat("A", 27) + `"}`, ""},
		{"whom it stands for a byte short", `{` + always + `,"ledger_id":"0123456789abcdef.` + strings.Repeat("A", 26) + `"}`, "ledger_id"},
		{"it stands for nobody", `{` + always + `,"ledger_id":"0123456789abcdef."}`, "ledger_id"},
		{"it stands for two", `{` + always + `,"ledger_id":"0123456789abcdef.` + strings.Repeat("A", 27) + `.` + strings.Repeat("A", 27) + `"}`, "ledger_id"},
	} {
		got, err := schemas.ByName("eligibility").DecodeWallet(object(t, c.claims))
		refused := ""
		if bad, ok := errors.AsType[*schemas.ValueError](err); ok {
			refused = bad.Claim
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if refused != c.refused {
			t.Errorf("%s: refused %q (%v), want %q", c.name, refused, err, c.refused)
		}
		if err == nil && len(got.Named) != 2 {
			t.Errorf("%s: takes %v", c.name, got.Named)
		}
	}
	// A claim no card carries is named, and stands in neither part.
	got, err := schemas.ByName("registration").DecodeWallet(object(t, `{"assurance":"document","birth":"1990"}`))
	if err != nil || got.Named["birth"] != "1990" || got.Sealed != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := schemas.ByName("registration").EncodeWallet(map[string]any{}, "short"); err == nil {
		t.Error("a pseudonym of five characters is written")
	}
}

func TestMetadataOfTheEmbeddedTypes(t *testing.T) {
	for _, typ := range schemas.Embedded() {
		doc, err := typ.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := typ.Metadata(); !bytes.Equal(doc, again) {
			t.Errorf("%s: two documents of one type", typ.Name)
		}
		var got struct {
			VCT, Name, Description string
			Extends                *string
			Display                []struct{ Locale, Name, Description string }
			Claims                 []struct {
				Path      []string
				Mandatory bool
				SD        string
				Display   []struct{ Locale, Label, Description string }
			}
		}
		if err := json.Unmarshal(doc, &got); err != nil {
			t.Fatal(err)
		}
		if got.VCT != typ.VCT || got.Name == "" || got.Description == "" || got.Extends != nil || len(got.Display) != 5 {
			t.Errorf("%s: %s", typ.Name, doc)
		}
		ledger := false
		for _, c := range got.Claims {
			if len(c.Path) != 1 || len(c.Display) != 5 || c.Display[0].Label == "" || c.Display[0].Description == "" {
				t.Errorf("%s: %+v", typ.Name, c)
				continue
			}
			if c.Path[0] == schemas.LedgerClaim {
				ledger = c.SD == "always" && !c.Mandatory
				continue
			}
			claim := typ.Claim(c.Path[0])
			want := map[schemas.Disclosure]string{schemas.DiscloseAlways: "never", schemas.DiscloseAllowed: "always"}[claim.Disclosure]
			if c.SD != want || c.Mandatory != claim.Required {
				t.Errorf("%s: %s is %s, want %s", typ.Name, claim.Name, c.SD, want)
			}
		}
		if !ledger || strings.Contains(string(doc), "pin_check") {
			t.Errorf("%s: the ledger's claim is not there, or one no wallet has is", typ.Name)
		}
		if _, err := typ.WithoutLabels().Metadata(); err == nil {
			t.Errorf("%s: a document without words", typ.Name)
		}
	}
}

// Whatever a token says: what is taken of it are the parts of a card of the type.
func FuzzDecodeWallet(f *testing.F) {
	f.Add(`{"programme":"K7Q2","round":3,"entitlement":{"amount":"1","currency":"KES"},"ledger_id":"0123456789abcdef"}`)
	f.Add(`{"for":"0123456789abcdef","scope_programmes":["K7Q2"],"scope_rounds":[1,2],"single_use":true}`)
	f.Add(`{"receipt_no":"R-1","when":"2026-11-21","assurance":"document"}`)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := jose.ParseJSON([]byte(s), jose.DefaultLimits)
		if err != nil {
			return
		}
		for _, typ := range schemas.Embedded() {
			got, err := typ.DecodeWallet(v)
			if err != nil {
				continue
			}
			plain, err := typ.NamePlain(got.Plain)
			if err != nil {
				t.Fatalf("%s: %v", typ.Name, err)
			}
			sealed, err := typ.NameSealed(got.Sealed)
			if err != nil {
				t.Fatalf("%s: %v", typ.Name, err)
			}
			if len(plain)+len(sealed) > len(got.Named) {
				t.Errorf("%s: names %v", typ.Name, got.Named)
			}
		}
	})
}
