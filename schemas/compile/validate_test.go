package compile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aidpass/schemas"
)

func TestEveryProblemIsFoundAtOnce(t *testing.T) {
	names, files := schemas.Files()
	v, err := NewValidator(files[slices.Index(names, "eligibility")])
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]any{"programme": "P7Q2", "round": "3", "size_band": "5", "entitlement": "120.00 JOD; RICE 5 kg", "photo_hash": make([]byte, 16),
		"name": "مريم", "collect_from": "2026-11-01", "valid_visits": 3, "pin_check": []byte("12345678"), "kind": "health"}
	if err := v.Check(good); err != nil {
		t.Errorf("good values: %v", err)
	}
	const secret = "Zaynab-4711"
	err = v.Check(map[string]any{"round": "x", "rounds": "2-1", "size_band": secret, "site": "not a code!", "collect_to": "2026-02-30", "name": strings.Repeat(secret, 20),
		"surname": secret, "entitlement": map[string]any{"amount": secret}})
	var invalid *Invalid
	if !errors.As(err, &invalid) {
		t.Fatalf("%v", err)
	}
	var claims []string
	for _, p := range invalid.Problems {
		claims = append(claims, p.Claim)
	}
	want := []string{"collect_to", "entitlement", "name", "programme", "round", "rounds", "site", "size_band", "surname"}
	slices.Sort(claims)
	if claims = slices.Compact(claims); !slices.Equal(slices.DeleteFunc(claims, func(s string) bool { return s == "" }), want) {
		t.Errorf("claims %q, want %q", claims, want)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error repeats a value: %v", err)
	}
}

func TestWhatOnlyTheSchemaKnows(t *testing.T) {
	v, err := NewValidator(own(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		values map[string]any
		want   string
	}{
		"pattern":      {map[string]any{"programme": "W1", "round": 1, "tap": "B7"}, `claim "tap": not written as the type says`},
		"missing":      {map[string]any{"programme": "W1"}, `claim "round": missing`},
		"empty":        {map[string]any{"programme": "W1", "round": ""}, `claim "round": missing`},
		"all of it":    {nil, `claim "programme": missing; claim "round": missing`},
		"unknown":      {map[string]any{"programme": "W1", "round": 1, "lane": 1}, `claim "lane": not a claim`},
		"out of range": {map[string]any{"programme": "W1", "round": 100}, `claim "round": not from 1 to 99`},
	} {
		if err := v.Check(c.values); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	// A value no card carries may be said in other forms.
	if err := v.Check(map[string]any{"programme": "W1", "round": 1, "container": "pram"}); err != nil {
		t.Error(err)
	}
	if err := Validate(v.Type, own(t), map[string]any{"programme": "W1", "round": 1}); err != nil {
		t.Error(err)
	}
	if err := Validate(schemas.ByName("receipt"), own(t), nil); err == nil {
		t.Error("a file of another type was taken")
	}
}

func TestChoicesOfTheEligibilityType(t *testing.T) {
	names, files := schemas.Files()
	v, err := NewValidator(files[slices.Index(names, "eligibility")])
	if err != nil {
		t.Fatal(err)
	}
	for want, values := range map[string]map[string]any{
		"want one of round, rounds": {"programme": "P1"},
		"want exactly one":          {"programme": "P1", "round": 1, "rounds": "1-2"},
	} {
		if err := v.Check(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
