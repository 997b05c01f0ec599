package jose_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aidpass/internal/jose"
)

func TestJSONIsReadAsWritten(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"null", " null ", "null"},
		{"true", "true", "true"},
		{"false", "\tfalse\r\n", "false"},
		{"zero", "0", "0"},
		{"minus zero keeps its text", "-0", "-0"},
		{"digits are not lost", "123456789012345678901234567890", "123456789012345678901234567890"},
		{"fraction and exponent", "-1.50e+09", "-1.50e+09"},
		{"empty array", "[ ]", "[]"},
		{"empty object", "{\n}", "{}"},
		{"order kept", `{"b":[1, "x",null ] ,"a":{"c":true}}`, `{"b":[1,"x",null],"a":{"c":true}}`},
		{"escapes shortest", `"\u0041\/\"\\\b\f\n\r\t\u001f\u007f"`, `"A/\"\\\b\f\n\r\t\u001f` + "\x7f" + `"`},
		{"two halves of a character", `"\ud83d\uDE00"`, `"😀"`},
		{"NUL as escape", `"a\u0000"`, `"a\u0000"`},
		{"names apart by case", `{"EXP":1,"exp":2}`, `{"EXP":1,"exp":2}`},
		{"proto", `{"__proto__":1}`, `{"__proto__":1}`},
	} {
		v, err := jose.ParseJSON([]byte(c.in), jose.DefaultLimits)
		if got := string(v.Append(nil)); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestJSONRefusals(t *testing.T) {
	many := strings.Repeat("1,", 256) + "1"
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", "bad_jose"},
		{"white space", "  ", "bad_jose"},
		{"NUL", "\x00", "bad_jose"},
		{"two values", "1 2", "bad_jose"},
		{"byte order mark", "\ufeff1", "bad_jose"},
		{"other white space", "\u00a01", "bad_jose"},
		{"comment", "/**/1", "bad_jose"},
		{"word in capitals", "True", "bad_jose"},
		{"word cut", "nul", "bad_jose"},
		{"NaN", "NaN", "bad_jose"},
		{"leading zero", "01", "bad_jose"},
		{"leading plus", "+1", "bad_jose"},
		{"leading point", ".5", "bad_jose"},
		{"trailing point", "1.", "bad_jose"},
		{"empty exponent", "1e", "bad_jose"},
		{"signed empty exponent", "1e+", "bad_jose"},
		{"minus alone", "-", "bad_jose"},
		{"hexadecimal", "0x10", "bad_jose"},
		{"open array", "[1", "bad_jose"},
		{"open object", `{"a":1`, "bad_jose"},
		{"comma at the end", "[1,]", "bad_jose"},
		{"comma at the start", "[,1]", "bad_jose"},
		{"comma at the end of an object", `{"a":1,}`, "bad_jose"},
		{"no comma", "[1 2]", "bad_jose"},
		{"no colon", `{"a" 1}`, "bad_jose"},
		{"no value", `{"a":}`, "bad_jose"},
		{"name without quotes", `{a:1}`, "bad_jose"},
		{"number as name", `{1:1}`, "bad_jose"},
		{"brackets crossed", `[{]}`, "bad_jose"},
		{"open string", `"a`, "bad_jose"},
		{"string ends in a backslash", `"a\`, "bad_jose"},
		{"escape cut", `"\u12`, "bad_jose"},
		{"unknown escape", `"\x41"`, "bad_jose"},
		{"bad digit", `"\u12g4"`, "bad_jose"},
		{"single quotes", `'a'`, "bad_jose"},
		{"raw line break", "\"a\nb\"", "bad_jose"},
		{"raw tab after an escape", "\"\\n\tb\"", "bad_jose"},
		{"not UTF-8", "\"\xff\"", "bad_jose"},
		{"overlong", "\"\xc0\xaf\"", "bad_jose"},
		{"half a character in UTF-8", "\"\xed\xa0\x80\"", "bad_jose"},
		{"not UTF-8 after an escape", "\"\\n\xff\"", "bad_jose"},
		{"half a character", `"\ud83d"`, "bad_jose"},
		{"half a character then text", `"\ud83dxx"`, "bad_jose"},
		{"two first halves", `"\ud83d\ud83d"`, "bad_jose"},
		{"second half first", `"\ude00\ud83d"`, "bad_jose"},
		{"name twice", `{"a":1,"a":1}`, "duplicate_key"},
		{"name twice once escaped", `{"a":1,"\u0061":1}`, "duplicate_key"},
		{"empty name twice", `{"":1,"":1}`, "duplicate_key"},
		{"name twice inside", `[{"x":{"b":1,"b":2}}]`, "duplicate_key"},
		{"name twice in a large object", `{` + numbered(40) + `"17":0}`, "duplicate_key"},
		{"malformed outranks twice", `[{"a":1,"a":1},`, "bad_jose"},
		{"16 deep is taken, 17 is not", strings.Repeat("[", 17) + strings.Repeat("]", 17), "bad_jose"},
		{"a million deep", strings.Repeat("[", 1e6), "bad_jose"},
		{"257 entries", "[" + many + "]", "too_large"},
		{"257 entries, the last malformed", "[" + many + "x]", "bad_jose"},
		{"too many values in all", "[" + strings.TrimSuffix(strings.Repeat("["+many[2:]+"],", 17), ",") + "]", "too_large"},
	} {
		if v, err := jose.ParseJSON([]byte(c.in), jose.DefaultLimits); reason(err) != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.name, v, err, c.want)
		}
	}
	if _, err := jose.ParseJSON([]byte(strings.Repeat("[", 16)+strings.Repeat("]", 16)), jose.DefaultLimits); err != nil {
		t.Errorf("16 deep: %v", err)
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"` + strconv.Itoa(i) + `":0,`)
	}
	return b.String()
}

func TestIntegersAreReadStrictly(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "-1": -1, "1700000000": 1700000000,
		"9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63} {
		if v, _ := jose.ParseJSON([]byte(in), jose.DefaultLimits); v.Kind != jose.Number {
			t.Errorf("%s is not a number", in)
		} else if got, ok := v.Int(); !ok || got != want {
			t.Errorf("%s: got %d, %v", in, got, ok)
		}
	}
	for _, in := range []string{"1.0", "1e3", "-0", "9223372036854775808", `"1"`, "true", "null", "[1]"} {
		v, err := jose.ParseJSON([]byte(in), jose.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := v.Int(); ok {
			t.Errorf("%s: read as the integer %d", in, n)
		}
	}
}

func TestGetTellsMissingFromNull(t *testing.T) {
	v := jose.ObjectOf(jose.Member{Name: "n", Value: jose.Value{Kind: jose.Null}}, jose.Member{Name: "b", Value: jose.BoolOf(true)})
	if k := v.Get("n").Kind; k != jose.Null {
		t.Errorf("n: kind %d", k)
	}
	if k := v.Get("N").Kind; k != jose.Missing {
		t.Errorf("N: kind %d", k)
	}
	if b, ok := v.Get("b").Bool(); !b || !ok {
		t.Errorf("b: %v, %v", b, ok)
	}
	if k := jose.ArrayOf().Get("0").Kind; k != jose.Missing {
		t.Errorf("member of an array: kind %d", k)
	}
}

func TestSortedPutsEveryObjectInOrder(t *testing.T) {
	v, err := jose.ParseJSON([]byte(`{"b":[{"z":1,"a":2}],"a":{"y":0,"x":0},"B":3}`), jose.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"B":3,"a":{"x":0,"y":0},"b":[{"a":2,"z":1}]}`
	if got := string(v.Sorted().Append(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := v.Members[0].Name; got != "b" {
		t.Errorf("Sorted changed the value it was called on: first member %q", got)
	}
}

func TestPropertyStringsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		b := jose.StringOf(s).Append(nil)
		v, err := jose.ParseJSON(b, jose.DefaultLimits)
		if err != nil || v.Text != s {
			t.Fatalf("%q: got %q, %v", s, v.Text, err)
		}
		var theirs string
		if err := json.Unmarshal(b, &theirs); err != nil || theirs != s {
			t.Fatalf("%q: encoding/json reads %q, %v", s, theirs, err)
		}
	})
}

func TestPropertyBase64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		s := jose.EncodeBase64(b)
		if want := base64.RawURLEncoding.EncodeToString(b); s != want {
			t.Fatalf("got %q, want %q", s, want)
		}
		if got, err := jose.DecodeBase64(s); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%q: got %x, %v", s, got, err)
		}
	})
}

func FuzzDecodeBase64(f *testing.F) {
	for _, s := range []string{"", "A", "AA", "AB", "AAA", "AAB", "AAAA", "AA==", "A A", "+/", "-_", "AAAA\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := jose.DecodeBase64(s)
		theirs, theirErr := base64.RawURLEncoding.Strict().DecodeString(s)
		if strings.ContainsAny(s, "\r\n") { // the standard library skips line breaks
			theirErr = errors.New("line break")
		}
		if (err == nil) != (theirErr == nil) || err == nil && !bytes.Equal(got, theirs) {
			t.Errorf("%q: got %x, %v; the standard library %x, %v", s, got, err, theirs, theirErr)
		}
		if err == nil && jose.EncodeBase64(got) != s {
			t.Errorf("%q is written again as %q", s, jose.EncodeBase64(got))
		}
	})
}

// What we take, encoding/json takes and means the same; what we write of it,
// we read again as the same.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,"\u00e9\ud83d\ude00",null,true]}`, `{"a":1,"a":2}`, ` [ ] `, `"\ud800"`, "1 2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := jose.ParseJSON(b, jose.DefaultLimits)
		if err != nil {
			if r := reason(err); r == "" || strings.Contains(r, "+") {
				t.Errorf("fault without one reason: %v", err)
			}
			return
		}
		out := v.Append(nil)
		again, err := jose.ParseJSON(out, jose.DefaultLimits)
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("%q: written as %q, read as %v, %v", b, out, again, err)
		}
		if plain(t, b) != plain(t, out) {
			t.Errorf("%q and %q mean different things to encoding/json", b, out)
		}
	})
}

func plain(t *testing.T, b []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Errorf("%q: encoding/json: %v", b, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	return string(out)
}
