package schemas

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"aidpass/internal/cbor"
)

func TestEmbeddedTypes(t *testing.T) {
	const day = 86400
	for i, want := range []struct {
		name, vct          string
		validity, fresh    int64
		known, oneRound    bool
		programme, roundIn string
	}{
		{"registration", "https://aidpass.example/reg", 730 * day, 30 * day, true, false, "", ""},
		{"eligibility", "https://aidpass.example/elig", 180 * day, 7 * day, false, false, "programme", "round"},
		{"referral", "https://aidpass.example/ref", 30 * day, 7 * day, false, false, "", ""},
		{"delegation", "https://aidpass.example/del", 31 * day, 3 * day, false, true, "scope_programmes", "scope_rounds"},
		{"receipt", "https://aidpass.example/rcpt", 90 * day, 0, true, false, "", ""},
	} {
		types := Embedded()
		if len(types) != 5 {
			t.Fatalf("%d types", len(types))
		}
		got := types[i]
		if got.Name != want.name || got.VCT != want.vct || got.Validity != want.validity || got.Freshness != want.fresh || got.IsRegistration != want.known ||
			got.OneRound != want.oneRound || got.ProgrammeClaim != want.programme || got.RoundClaim != want.roundIn || got.GraceDays != 0 || got.Live != "" {
			t.Errorf("%s: %+v", want.name, got)
		}
		if ByName(want.name) != got {
			t.Errorf("ByName(%q)", want.name)
		}
	}
	// DESIGN 4: never plain, whatever else changes.
	for _, typ := range Embedded() {
		for _, c := range typ.Claims {
			if c.Placement == Plain && (c.Sensitivity > 1 || slices.Contains([]string{"kind", "urgency", "service", "amount", "entitlement", "name", "due"}, c.Name)) {
				t.Errorf("%s: %q is plain", typ.Name, c.Name)
			}
		}
	}
}

func TestOneTypeHasOneCompiledForm(t *testing.T) {
	types, err := Decode(typesCBOR)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(Append(nil, types), typesCBOR) {
		t.Error("written again, the types differ")
	}
	if err := cbor.CheckDeterministic(typesCBOR, cbor.DefaultLimits); err != nil {
		t.Error(err)
	}
}

func TestBytesThatAreNotTypes(t *testing.T) {
	head := cbor.AppendText(cbor.AppendArray(nil, 2), compiledForm)
	with := func(change func(*Type)) []byte {
		typ := *ByName("receipt")
		typ.Claims = slices.Clone(typ.Claims)
		change(&typ)
		return Append(nil, []*Type{&typ})
	}
	if _, err := Decode(with(func(*Type) {})); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty":                     nil,
		"empty array":               {0x80},
		"another form":              cbor.AppendText([]byte{0x81}, "aidpass-types-2"),
		"a text for a type":         append(bytes.Clone(head), 0x60),
		"an empty type":             append(bytes.Clone(head), 0xa0),
		"a zero that stands there":  append(append(bytes.Clone(head), 0xa1, 0x05), 0x00),
		"an unknown member":         append(append(bytes.Clone(head), 0xa1, 0x18, 0x63), 0x01),
		"too large":                 make([]byte, MaxCompiledBytes+1),
		"truncated":                 typesCBOR[:len(typesCBOR)-1],
		"trailing":                  append(bytes.Clone(typesCBOR), 0),
		"no claims list":            append(append(bytes.Clone(head), 0xa1, 0x01), 0x61, 'x'),
		"http vct":                  with(func(t *Type) { t.VCT = "http://aidpass.example/rcpt" }),
		"long vct":                  with(func(t *Type) { t.VCT = "https://" + strings.Repeat("a", 40) }),
		"no name":                   with(func(t *Type) { t.Name = "" }),
		"capital name":              with(func(t *Type) { t.Name = "Receipt" }),
		"forever":                   with(func(t *Type) { t.MaxValidity = MaxValidity + 1 }),
		"validity over its longest": with(func(t *Type) { t.Validity = t.MaxValidity + 1 }),
		"long freshness":            with(func(t *Type) { t.Freshness = MaxFreshness + 1 }),
		"long grace":                with(func(t *Type) { t.GraceDays = 31 }),
		"live somehow":              with(func(t *Type) { t.Live = "maybe" }),
		"claims out of order":       with(func(t *Type) { t.Claims[0], t.Claims[1] = t.Claims[1], t.Claims[0] }),
		"key twice":                 with(func(t *Type) { t.Claims[1].Key = t.Claims[0].Key }),
		"name twice":                with(func(t *Type) { t.Claims[1].Name = t.Claims[0].Name }),
		"plain key for sealed":      with(func(t *Type) { t.Claims[2].Key = 19 }),
		"sealed key for plain":      with(func(t *Type) { t.Claims[1].Key = 20 }),
		"sensitivity 2 plain":       with(func(t *Type) { t.Claims[0].Sensitivity = 2 }),
		"sensitivity 3 sealed":      with(func(t *Type) { t.Claims[2].Sensitivity = 3 }),
		"placement unknown":         with(func(t *Type) { t.Claims[0].Placement = 7 }),
		"kind unknown":              with(func(t *Type) { t.Claims[0].Kind = 99 }),
		"long plain text":           with(func(t *Type) { t.Claims[1].Max = 33 }),
		"benefit on the plain part": with(func(t *Type) { t.Claims[1].Kind, t.Claims[1].Max, t.Claims[1].Min = KindBenefit, 0, 0 }),
		"no purpose":                with(func(t *Type) { t.Claims[0].Purpose = "" }),
		"no English label":          with(func(t *Type) { t.Claims[0].Labels = map[string]string{"fr": "Reçu"} }),
		"role without a claim":      with(func(t *Type) { t.ProgrammeClaim = "programme" }),
		"role of another kind":      with(func(t *Type) { t.ProgrammeClaim = "complaint_channel" }),
		"gate without a claim":      with(func(t *Type) { t.Gate = []string{"name"} }),
		"held by anybody":           with(func(t *Type) { t.HeldBy = []string{"anybody"} }),
		"one of what is sealed":     with(func(t *Type) { t.OneOf = []string{"complaint_channel", "org"} }),
	} {
		if types, err := Decode(b); !errors.Is(err, ErrCompiled) {
			t.Errorf("%s: %v, %v, want ErrCompiled", name, types, err)
		}
	}
}

func TestSet(t *testing.T) {
	set, err := NewSet(append(Embedded(), Embedded()...)...)
	if err != nil || len(set.All()) != 5 {
		t.Fatalf("the same types twice: %v", err)
	}
	vct := []byte("https://aidpass.example/elig")
	if set.ByVCT(vct) != ByName("eligibility") || set.ByName("referral") != ByName("referral") || set.ByVCT([]byte("https://other")) != nil {
		t.Error("look-up")
	}
	if n := testing.AllocsPerRun(100, func() { set.ByVCT(vct) }); n != 0 {
		t.Errorf("ByVCT allocates %v times", n)
	}
	changed := *ByName("eligibility")
	changed.Freshness *= 2
	if _, err := NewSet(append(Embedded(), &changed)...); err == nil || !strings.Contains(err.Error(), "new vct") {
		t.Errorf("same vct, other content: %v", err)
	}
	changed.VCT = "https://org.example/elig2"
	if _, err := NewSet(append(Embedded(), &changed)...); err == nil || !strings.Contains(err.Error(), "name is taken") {
		t.Errorf("same name, other vct: %v", err)
	}
	changed.Name = "eligibility2"
	if _, err := NewSet(append(Embedded(), &changed)...); err != nil {
		t.Error(err)
	}
	if _, err := NewSet(nil); err == nil {
		t.Error("nil type accepted")
	}
	if got := ByName("eligibility").Label("ar"); got != "بطاقة مساعدات" {
		t.Errorf("label %q", got)
	}
	if got := ByName("eligibility").Label("my"); got != "Aid card" {
		t.Errorf("label without a language %q", got)
	}
	if got := ByName("eligibility").Claim("size_band").ValueLabel("fr", "2-3"); got != "2 à 3" {
		t.Errorf("value label %q", got)
	}
}

// FuzzDecode: what is read as types has one compiled form, and its types can be
// put in a set and used.
func FuzzDecode(f *testing.F) {
	for _, typ := range Embedded() {
		slim := *typ
		slim.Claims = slices.Clone(typ.Claims[:2])
		for i := range slim.Claims {
			slim.Claims[i].Descriptions, slim.Claims[i].ValueLabels = nil, nil
			slim.Claims[i].Labels = map[string]string{"en": "x"}
		}
		slim.Gate, slim.OneOf, slim.Descriptions = nil, nil, nil
		slim.ProgrammeClaim, slim.RoundClaim, slim.RoundsClaim, slim.SiteClaim, slim.SizeBandClaim, slim.FromClaim, slim.ToClaim = "", "", "", "", "", "", ""
		f.Add(Append(nil, []*Type{&slim}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		types, err := Decode(b)
		if err != nil {
			return
		}
		if again := Append(nil, types); !bytes.Equal(again, b) {
			t.Fatalf("got %x, want %x", again, b)
		}
		for _, typ := range types {
			if _, err := NewSet(typ); err != nil {
				t.Fatal(err)
			}
			_ = typ.CheckPlain(b)
			_, _ = typ.NameSealed(b)
			for i := range typ.Claims {
				_, _ = typ.Claims[i].Parse("1")
			}
		}
	})
}
