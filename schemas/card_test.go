package schemas

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"aidpass/internal/cbor"
)

func TestPlainPartOfAnAidCard(t *testing.T) {
	elig := ByName("eligibility")
	photo := bytes.Repeat([]byte{0xAB}, 16)
	values := map[string]any{
		"programme": "P7Q2", "round": 3, "size_band": "4-5", "collector_rule": "holder_or_alternate", "photo_hash": photo, "assurance": "document",
		"collect_from": "2026-11-01", "collect_to": "2026-11-14", "site": "AF1115",
		// Sealed: passed over here.
		"kind": "cash", "entitlement": "120.00 JOD", "name": "مريم",
	}
	got, err := elig.EncodePlain(values)
	if err != nil {
		t.Fatal(err)
	}
	const want = "a9" + "01" + "6450375132" + "02" + "03" + "03" + "03" + "04" + "02" + "05" + "50abababababababababababababababab" + "06" + "03" +
		"08" + "195116" + "09" + "195123" + "0a" + "66414631313135"
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
	if err := elig.CheckPlain(got); err != nil {
		t.Error(err)
	}
	named, err := elig.NamePlain(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kind", "entitlement", "name"} {
		delete(values, name)
	}
	values["round"] = int64(3)
	if !reflect.DeepEqual(named, values) {
		t.Errorf("got  %v\nwant %v", named, values)
	}
	if n := testing.AllocsPerRun(100, func() { _ = elig.CheckPlain(got) }); n != 0 {
		t.Errorf("CheckPlain allocates %v times", n)
	}
	r, ok := elig.Claim(elig.RoundClaim).Find(got)
	if n := r.Uint(); !ok || n != 3 {
		t.Errorf("Find round: %d, %v", n, ok)
	}
	if _, ok := elig.Claim("rounds").Find(got); ok {
		t.Error("found rounds on a card without them")
	}
	if n := testing.AllocsPerRun(100, func() { elig.Claim("site").Find(got) }); n != 0 {
		t.Errorf("Find allocates %v times", n)
	}
}

func TestSealedPartOfAnAidCard(t *testing.T) {
	elig := ByName("eligibility")
	values := map[string]any{
		"programme": "P7Q2", "round": "3", "kind": "in_kind", "entitlement": "RICE 5 kg; OIL 2.5 l", "name": "مريم", "name_latin": "Maryam",
		"valid_visits": "2", "pin_check": []byte("12345678"),
	}
	got, err := elig.EncodeSealed(values)
	if err != nil {
		t.Fatal(err)
	}
	padded := append(bytes.Clone(got), make([]byte, 64-len(got)%32)...)
	for _, part := range [][]byte{got, padded} {
		if err := elig.CheckSealed(part); err != nil {
			t.Fatal(err)
		}
		named, err := elig.NameSealed(part)
		want := map[string]any{"kind": "in_kind", "name": "مريم", "name_latin": "Maryam", "valid_visits": int64(2), "pin_check": []byte("12345678"),
			"entitlement": map[string]any{"items": []any{map[string]any{"code": "RICE", "qty": "5", "unit": "kg"}, map[string]any{"code": "OIL", "qty": "2.5", "unit": "l"}}}}
		if err != nil || !reflect.DeepEqual(named, want) {
			t.Errorf("got  %v, %v\nwant %v", named, err, want)
		}
	}
	if err := elig.CheckSealed(append(bytes.Clone(got), 0, 1)); !errors.Is(err, ErrPart) {
		t.Errorf("something after the padding: %v", err)
	}
	if got, err := elig.EncodeSealed(map[string]any{"programme": "P7Q2"}); got != nil || err != nil {
		t.Errorf("no sealed claims: %x, %v", got, err)
	}
}

// secret is planted in values; no error may repeat it.
const secret = "Zaynab-4711"

func TestValuesThatDoNotFit(t *testing.T) {
	good := map[string]map[string]any{
		"eligibility":  {"programme": "P7Q2", "round": 1},
		"referral":     {"case_code": "R-1234"},
		"delegation":   {"for": "AAAAAAAAAAAAAAAA", "scope_programmes": []string{"P7Q2"}},
		"receipt":      {"receipt_no": "000123"},
		"registration": {},
	}
	for name, values := range good {
		if _, err := ByName(name).EncodePlain(values); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		typ, claim string
		value      any
		want       string
	}{
		{"eligibility", "programme", nil, "missing"},
		{"eligibility", "programme", "", "missing"},
		{"eligibility", "programme", secret + "!", "longer than 8"},
		{"eligibility", "programme", "Zay nab!", "not a code"},
		{"eligibility", "programme", "WOMEN1", "random letters"},
		{"eligibility", "programme", "p-hiv-2", "random letters"},
		{"eligibility", "programme", 3.5, "not text"},
		{"eligibility", "round", secret, "not a whole number"},
		{"eligibility", "round", 0, "not from 1 to 9999"},
		{"eligibility", "round", "10000", "not from 1 to 9999"},
		{"eligibility", "round", 1.5, "not a whole number"},
		{"eligibility", "round", uint64(1 << 60), "not a whole number"},
		{"eligibility", "round", nil, "exactly one of round, rounds"},
		{"eligibility", "rounds", "3-5", "exactly one of round, rounds"},
		{"eligibility", "rounds", "5-3", "ends before it starts"},
		{"eligibility", "rounds", "3", "not a range"},
		{"eligibility", "size_band", secret, "not one of 1, 2-3, 4-5, 6+"},
		{"eligibility", "size_band", 0, "not one of"},
		{"eligibility", "collect_from", "01/11/2026", "not a date"},
		{"eligibility", "collect_from", "2026-02-30", "not a date"},
		{"eligibility", "collect_from", "1969-12-31", "not a date"},
		{"eligibility", "collect_from", "9999-12-31", "not a date"},
		{"eligibility", "photo_hash", "AAAA", "bytes"},
		{"eligibility", "photo_hash", []byte(secret), "bytes"},
		{"eligibility", "photo_hash", secret, "bytes"},
		{"eligibility", "collector_rule", true, "not one of"},
		{"eligibility", "surname", secret, "not a claim"},
		{"eligibility", secret, 1, "not a claim"},
		{"eligibility", "entitlement", "120,00 JOD", "amount is not decimal"},
		{"eligibility", "entitlement", "007 JOD", "amount is not decimal"},
		{"eligibility", "entitlement", map[string]any{"amount": 120.0, "currency": "JOD"}, "amount is not decimal"},
		{"eligibility", "entitlement", map[string]any{"amount": "1"}, "stand together"},
		{"eligibility", "entitlement", map[string]any{"amount": "1", "currency": "dinar"}, "three capital letters"},
		{"eligibility", "entitlement", map[string]any{"note": secret}, "only amount"},
		{"eligibility", "entitlement", map[string]any{}, "not a benefit"},
		{"eligibility", "entitlement", map[string]any{"items": []any{map[string]any{"code": secret}}}, "an item"},
		{"eligibility", "entitlement", map[string]any{"items": make([]any, 99)}, "items are not"},
		{"eligibility", "entitlement", "0 visits", "visits"},
		{"eligibility", "entitlement", secret, "not a benefit"},
		{"eligibility", "entitlement", 120, "not a benefit"},
		{"eligibility", "name", strings.Repeat("é", 81), "longer than 80"},
		{"eligibility", "name", secret + "\x00", "control"},
		{"eligibility", "name", secret + "\xff", "UTF-8"},
		{"eligibility", "valid_visits", "many", "not a whole number"},
		{"referral", "service", "sgbv", "no card carries"},
		{"referral", "service", "mhpss", "no card carries"},
		{"referral", "service", "child_protection", "no card carries"},
		{"referral", "service", "legal", "no card carries"},
		{"referral", "service", secret, "not one of"},
		{"delegation", "for", "short", "shorter than 16"},
		{"delegation", "single_use", "perhaps", "not true or false"},
		{"delegation", "scope_programmes", []any{"P1", 7}, "not a list of codes"},
		{"delegation", "scope_programmes", "SGBV01", "random letters"},
		{"delegation", "scope_rounds", "1,two", "not whole numbers"},
		{"delegation", "scope_rounds", []int{1, 10000}, "not from 0 to 9999"},
		{"delegation", "scope_rounds", make([]int64, 13), "1 to 12"},
		{"receipt", "complaint_channel", strings.Repeat("x", 33), "longer than 32"},
	} {
		typ := ByName(c.typ)
		values := map[string]any{}
		for k, v := range good[c.typ] {
			values[k] = v
		}
		values[c.claim] = c.value
		if c.claim == "rounds" && c.want != "exactly one of round, rounds" {
			delete(values, "round")
		}
		_, err := typ.EncodePlain(values)
		if err == nil {
			_, err = typ.EncodeSealed(values)
		}
		var wrong *ValueError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v, want %q", c.typ, c.claim, err, c.want)
			continue
		}
		if c.claim != secret && strings.Contains(strings.ToLower(err.Error()), "zay") {
			t.Errorf("%s %s: error repeats the value: %v", c.typ, c.claim, err)
		}
	}
	// A case that no card may carry stops the plain part as well.
	if _, err := ByName("referral").EncodePlain(map[string]any{"case_code": "R1", "service": "sgbv"}); err == nil {
		t.Error("the plain part of a referral for a service that never travels on a card was written")
	}
}

func TestSheetsAndJSONGiveTheSameCard(t *testing.T) {
	del := ByName("delegation")
	fromJSON, err := del.EncodePlain(map[string]any{"for": "AAAAAAAAAAAAAAAA", "scope_programmes": []any{"P1"}, "scope_rounds": []any{float64(1), 2}, "single_use": true})
	if err != nil {
		t.Fatal(err)
	}
	fromSheet, err := del.EncodePlain(map[string]any{"for": " AAAAAAAAAAAAAAAA ", "scope_programmes": "P1", "scope_rounds": "1, 2", "single_use": "Yes", "relation": ""})
	if err != nil || !bytes.Equal(fromJSON, fromSheet) {
		t.Errorf("sheet %x, %v\nJSON  %x", fromSheet, err, fromJSON)
	}
	band := ByName("eligibility").Claim("size_band")
	for size, want := range map[any]string{"1": "1", 2: "2-3", "3": "2-3", 5: "4-5", int64(6): "6+", "11": "6+"} {
		if got, err := band.Parse(size); got != want || err != nil {
			t.Errorf("size %v: %v, %v, want %q", size, got, err, want)
		}
	}
	if v, err := ByName("receipt").Claim("receipt_no").Parse(float64(4711)); v != "4711" || err != nil {
		t.Errorf("a number in a sheet as code: %v, %v", v, err)
	}
}

func TestPartsOfCardsThatDoNotFit(t *testing.T) {
	elig := ByName("eligibility")
	for name, in := range map[string]string{
		"not a map":                "80",
		"truncated":                "a2016450",
		"trailing byte":            "a2016250310201" + "00",
		"text key":                 "a161616150",
		"negative key":             "a2200101625031",
		"unknown key":              "a301625031020113" + "01",
		"a key of the sealed part": "a30162503102011401",
		"a huge key":               "a30162503102011b7fffffffffffffff01",
		"programme missing":        "a10201",
		"programme as bytes":       "a201425031" + "0201",
		"programme too long":       "a201" + "69" + "505050505050505050" + "0201",
		"programme with a space":   "a201" + "635020" + "50" + "0201",
		"round missing":            "a101625031",
		"round and rounds":         "a3016250310201" + "07820102",
		"rounds turned round":      "a2016250" + "31" + "07820201",
		"rounds of three":          "a201625031" + "0783010203",
		"round zero":               "a2016250310200",
		"round past int64":         "a20162503102" + "1bffffffffffffffff",
		"round as text":            "a2016250310261" + "31",
		"round as float":           "a20162503102f93c00",
		"round null":               "a20162503102f6",
		"size band zero":           "a301625031020103" + "00",
		"size band five":           "a301625031020103" + "05",
		"photo hash of 15 bytes":   "a301625031020105" + "4f" + strings.Repeat("ab", 15),
		"date past 2199":           "a301625031020108" + "1a00014826",
		"keys not in order":        "a2" + "0201" + "01625031",
		"key twice":                "a3" + "01625031" + "01625032" + "0201",
		"number not minimal":       "a2016250310218" + "01",
		"indefinite map":           "bf" + "01625031" + "0201" + "ff",
		"collector rule as bool":   "a301625031020104" + "f5",
		"array of 2^40":            "a201625031" + "07" + "9b0000010000000000",
		"text that is not UTF-8":   "a20162ff31" + "0201",
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := elig.CheckPlain(b); !errors.Is(err, ErrPart) {
			t.Errorf("%s: %v, want ErrPart", name, err)
		}
		if m, err := elig.NamePlain(b); err == nil {
			t.Errorf("%s: named %v", name, m)
		}
	}
	if err := elig.CheckPlain(nil); !errors.Is(err, ErrPart) {
		t.Errorf("no plain part where a programme is required: %v", err)
	}
	if err := ByName("registration").CheckPlain(nil); err != nil {
		t.Errorf("no plain part where nothing is required: %v", err)
	}
}

// FuzzParts: what a type takes as a part of a card names itself, and the names
// write the same bytes again. Nothing of any other type comes out.
func FuzzParts(f *testing.F) {
	for i, typ := range Embedded() {
		f.Add(byte(i), []byte{0xa0})
		if b, err := typ.EncodePlain(map[string]any{"programme": "P1", "rounds": "1-4"}); err == nil {
			f.Add(byte(i), b)
		}
	}
	elig, _ := hex.DecodeString("a9016450375132020303030402055" + "0abababababababababababababababab060308195116091951230a66414631313135")
	f.Add(byte(1), elig)
	sealed, _ := ByName("eligibility").EncodeSealed(map[string]any{"kind": "cash", "entitlement": "1.50 EUR; OIL 2 l; 3 visits", "name": "م", "pin_check": "AAAAAAAAAAA"})
	f.Add(byte(1), sealed)
	del, _ := ByName("delegation").EncodePlain(map[string]any{"for": "AAAAAAAAAAAAAAAA", "scope_programmes": "P1", "scope_rounds": "1,2", "single_use": true})
	f.Add(byte(3), del)
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		typ := Embedded()[int(which)%5]
		for _, part := range []struct {
			check  func([]byte) error
			name   func([]byte) (map[string]any, error)
			encode func(map[string]any) ([]byte, error)
		}{{typ.CheckPlain, typ.NamePlain, typ.EncodePlain}, {typ.CheckSealed, typ.NameSealed, typ.EncodeSealed}} {
			values, err := part.name(b)
			if (err == nil) != (part.check(b) == nil) {
				t.Fatalf("check %v, name %v", part.check(b), err)
			}
			if err != nil || len(values) == 0 {
				continue
			}
			again, err := part.encode(values)
			var wrong *ValueError
			if errors.As(err, &wrong) {
				// Reading takes what was printed once: a speaking programme code,
				// control characters and blanks around a text. Writing does not.
				continue
			}
			n, _, _ := cbor.Scan(b, cbor.DefaultLimits)
			if err != nil || !bytes.Equal(again, b[:n]) && !hasBlank(values) {
				t.Fatalf("%s: %v: got %x, want %x (%v)", typ.Name, values, again, b[:n], err)
			}
		}
	})
}

func hasBlank(values map[string]any) bool {
	for _, v := range values {
		if s, ok := v.(string); ok && s != strings.TrimSpace(s) {
			return true
		}
	}
	return false
}

func ExampleType_EncodePlain() {
	elig := ByName("eligibility")
	plain, err := elig.EncodePlain(map[string]any{"programme": "P7Q2", "round": "3", "size_band": 5})
	fmt.Printf("%x %v\n", plain, err)
	_, err = elig.EncodePlain(map[string]any{"programme": "P7Q2", "round": "third"})
	fmt.Println(err)
	// Output:
	// a301645037513202030303 <nil>
	// schemas: claim "round": not a whole number
}

func BenchmarkCheckPlain(b *testing.B) {
	elig := ByName("eligibility")
	plain, err := elig.EncodePlain(map[string]any{"programme": "P7Q2", "round": 3, "size_band": "4-5", "collector_rule": "holder_only", "photo_hash": make([]byte, 16), "site": "AF1115"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := elig.CheckPlain(plain); err != nil {
			b.Fatal(err)
		}
	}
}
