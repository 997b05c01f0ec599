package openid_test

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"aidpass/internal/jose"
	"aidpass/web/openid"
)

func newPrivate(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func text(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seal writes a JWE by hand, with a header of the caller's: ECDH-ES with A128GCM
// under it, whatever the header says (RFC 7518 4.6.2).
func seal(t testing.TB, k *openid.Key, header func(epk string) string, plain []byte) string {
	t.Helper()
	mine, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	jwk := k.JWK()
	x, _ := jose.DecodeBase64(jwk.Get("x").Text)
	y, _ := jose.DecodeBase64(jwk.Get("y").Text)
	theirs, err := ecdh.P256().NewPublicKey(append(append([]byte{4}, x...), y...))
	if err != nil {
		t.Fatal(err)
	}
	shared, err := mine.ECDH(theirs)
	if err != nil {
		t.Fatal(err)
	}
	field := func(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }
	info := append(append(append(field([]byte("A128GCM")), field(nil)...), field(nil)...), 0, 0, 0, 128)
	sum := sha256.Sum256(append(append([]byte{0, 0, 0, 1}, shared...), info...))
	block, err := aes.NewCipher(sum[:16])
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	p := mine.PublicKey().Bytes()
	epk := `{"kty":"EC","crv":"P-256","x":"` + b64(p[1:33]) + `","y":"` + b64(p[33:]) + `"}`
	h := b64([]byte(header(epk)))
	iv := make([]byte, 12)
	rand.Read(iv)
	sealed := gcm.Seal(nil, iv, plain, []byte(h))
	return h + ".." + b64(iv) + "." + b64(sealed[:len(sealed)-16]) + "." + b64(sealed[len(sealed)-16:])
}

// THREATS 4.4, row 37.
func TestEncryptedMessagesAreReadInOneFormOnly(t *testing.T) {
	k, err := openid.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	kid := `"kid":"` + k.ID() + `"`
	plain := []byte(`{"vp_token":{}}`)
	sound := func(epk string) string { return `{"alg":"ECDH-ES","enc":"A128GCM",` + kid + `,"epk":` + epk + `}` }
	message := seal(t, k, sound, plain)
	if got, err := k.Open(message, 1<<20); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("a sound message: %q, %v", got, err)
	}
	if _, err := k.Open(message, len(message)-1); !errors.Is(err, openid.ErrEncrypted) {
		t.Errorf("longer than allowed: %v", err)
	}
	var bomb bytes.Buffer
	z, _ := flate.NewWriter(&bomb, flate.BestCompression)
	z.Write(make([]byte, 10<<20))
	z.Close()
	off := `{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}`
	replace := func(from, to string) func(string) string {
		return func(epk string) string { return strings.Replace(sound(epk), from, to, 1) }
	}
	for _, c := range []struct {
		what   string
		header func(epk string) string
		plain  []byte
	}{
		{"dir", replace("ECDH-ES", "dir"), plain},
		{"key wrapping", replace("ECDH-ES", "ECDH-ES+A128KW"), plain},
		{"a password", replace("ECDH-ES", "PBES2-HS256+A128KW"), plain},
		{"no alg", replace(`"alg":"ECDH-ES",`, ""), plain},
		{"an alg that is not text", replace(`"ECDH-ES"`, "1"), plain},
		{"another enc", replace("A128GCM", "A128CBC-HS256"), plain},
		{"no enc", replace(`"enc":"A128GCM",`, ""), plain},
		{"a zip bomb", replace("{", `{"zip":"DEF",`), bomb.Bytes()},
		{"a zip of null", replace("{", `{"zip":null,`), plain},
		{"crit", replace("{", `{"crit":["exp"],`), plain},
		{"another kid", replace(kid, `"kid":"other"`), plain},
		{"no kid", replace(kid+",", ""), plain},
		{"a member twice", replace("{", `{"alg":"ECDH-ES",`), plain},
		{"a member twice, once in escapes", replace("{", `{"\u0061lg":"dir",`), plain},
		{"no epk", func(string) string { return sound("null") }, plain},
		{"an epk off the curve", func(string) string { return sound(off) }, plain},
		{"an epk on another curve", func(epk string) string { return sound(strings.Replace(epk, "P-256", "P-384", 1)) }, plain},
		{"an epk with its private half", func(epk string) string { return sound(strings.Replace(epk, "{", `{"d":"AA",`, 1)) }, plain},
		{"an epk for signatures", func(epk string) string { return sound(strings.Replace(epk, "{", `{"use":"sig",`, 1)) }, plain},
		{"a large header", replace("{", `{"x":"`+strings.Repeat("a", 3000)+`",`), plain},
		{"a party's name that was not agreed with", replace("{", `{"apu":"QQ",`), plain},
	} {
		if got, err := k.Open(seal(t, k, c.header, c.plain), 1<<20); !errors.Is(err, openid.ErrEncrypted) {
			t.Errorf("%s: %d bytes, %v", c.what, len(got), err)
		}
	}
	parts := strings.Split(message, ".")
	for what, broken := range map[string]string{
		"an encrypted key": strings.Join([]string{parts[0], "AAAA", parts[2], parts[3], parts[4]}, "."),
		"a short tag":      strings.Join([]string{parts[0], "", parts[2], parts[3], parts[4][:16]}, "."),
		"padding":          message + "==",
		"six parts":        message + ".",
		"another tag":      strings.Join([]string{parts[0], "", parts[2], parts[3], strings.Repeat("A", 22)}, "."),
		"JSON form":        `{"ciphertext":"AA"}`,
		"nothing":          "",
	} {
		if _, err := k.Open(broken, 1<<20); !errors.Is(err, openid.ErrEncrypted) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if other, _ := openid.NewKey(); other != nil {
		if _, err := other.Open(message, 1<<20); !errors.Is(err, openid.ErrEncrypted) {
			t.Errorf("for another key: %v", err)
		}
	}
}

// What opens was sealed to this key: nothing a fuzzer makes does.
func FuzzOpen(f *testing.F) {
	k, err := openid.NewKey()
	if err != nil {
		f.Fatal(err)
	}
	sound := seal(f, k, func(epk string) string {
		return `{"alg":"ECDH-ES","enc":"A128GCM","kid":"` + k.ID() + `","epk":` + epk + `}`
	}, []byte("{}"))
	f.Add(sound)
	f.Add("....")
	f.Fuzz(func(t *testing.T, s string) {
		if plain, err := k.Open(s, 64<<10); err == nil && string(plain) != "{}" {
			t.Errorf("%q opened %q", s, plain)
		}
	})
}
