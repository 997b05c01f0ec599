package cose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// wgKey is a key of the COSE working group's example files.
type wgKey struct {
	Kty, Crv string
	X, Y     string
	XHex     string `json:"x_hex"`
	YHex     string `json:"y_hex"`
}

type wgExample struct {
	Title string
	Fail  bool
	Input struct {
		Sign0 *struct {
			Key      wgKey
			External string
		}
		Sign *struct {
			Signers []struct{ Key wgKey }
		}
	}
	Intermediates struct {
		ToBeSign string `json:"ToBeSign_hex"`
		Signers  []struct {
			ToBeSign string `json:"ToBeSign_hex"`
		}
	}
	Output struct{ CBOR string }
}

func readExample(t *testing.T, path string) (x wgExample, msg []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &x); err != nil {
		t.Fatal(err)
	}
	return x, unhex(t, x.Output.CBOR)
}

func (k wgKey) bytes(t *testing.T, plain, hexed string) []byte {
	if hexed != "" {
		return unhex(t, hexed)
	}
	b, err := base64.RawURLEncoding.DecodeString(plain)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// key returns nil for the curves we do not take.
func (k wgKey) key(t *testing.T) *Key {
	x, y := k.bytes(t, k.X, k.XHex), k.bytes(t, k.Y, k.YHex)
	switch k.Crv {
	case "P-256":
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			t.Fatal(err)
		}
		return mustKey(t, pub)
	case "Ed25519":
		return mustKey(t, ed25519.PublicKey(x))
	}
	return nil
}

func TestCOSEWorkingGroupSign1(t *testing.T) {
	dir := sharedVectors(t, "cose-wg")
	want := map[string]error{
		"sign-fail-01.json": ErrMalformed,     // tag 998
		"sign-fail-02.json": ErrSignature,     // payload changed
		"sign-fail-03.json": ErrAlgNotAllowed, // alg -999
		"sign-fail-04.json": ErrAlgNotAllowed, // alg "unknown"
		"sign-fail-06.json": ErrSignature,     // protected header added
		"sign-fail-07.json": ErrSignature,     // protected header removed
		"sign-pass-01.json": ErrAlgMissing,    // signed without an algorithm: ours to refuse
		"sign-pass-02.json": nil,
		"sign-pass-03.json": nil,
		"ecdsa-sig-01.json": nil,
		"ecdsa-sig-02.json": ErrAlgNotAllowed, // ES384
		"ecdsa-sig-03.json": ErrAlgNotAllowed, // ES512
		"ecdsa-sig-04.json": ErrAlgNotAllowed, // ES512 on P-256
		"eddsa-sig-01.json": nil,
		"eddsa-sig-02.json": nil, // Ed448: an allowed number, but no key of ours
		"A_3.json":          nil, // RFC 8392
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	cwt, _ := filepath.Glob(filepath.Join(sharedVectors(t, "cwt-rfc8392"), "A_3.json"))
	seen := 0
	for _, path := range append(files, cwt...) {
		name := filepath.Base(path)
		wantErr, ok := want[name]
		if !ok {
			continue
		}
		seen++
		x, b := readExample(t, path)
		k := x.Input.Sign0.Key.key(t)
		aad := unhex(t, x.Input.Sign0.External)
		m, err := ParseSign1(b)
		switch {
		case err != nil:
		case k == nil: // Ed448: its signature is too long for any key of ours
			_, k := newEd25519Signer(t)
			if err := m.Verify(k, nil, aad, false); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: got %v", name, err)
			}
		default:
			err = m.Verify(k, nil, aad, false)
		}
		if !errors.Is(err, wantErr) {
			t.Errorf("%s (%s): got %v, want %v", name, x.Title, err, wantErr)
		}
		if err == nil && !x.Fail {
			if got, want := m.AppendToBeSigned(nil, aad), unhex(t, x.Intermediates.ToBeSign); !bytes.Equal(got, want) {
				t.Errorf("%s: to be signed %x, want %x", name, got, want)
			}
			if err := m.Strict(); err == nil {
				t.Errorf("%s: passed for one of our cards", name)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("saw %d of %d examples", seen, len(want))
	}
}

// sign-pass-01 sends the empty protected header as h'A0' and signs it as h”.
// The message itself is refused for want of an algorithm; the bytes to be
// signed must still be right.
func TestEmptyProtectedHeaderIsSignedAsNothing(t *testing.T) {
	x, b := readExample(t, filepath.Join(sharedVectors(t, "cose-wg"), "sign1-tests", "sign-pass-01.json"))
	var tag cbor.RawTag
	var parts [4]cbor.RawMessage
	var protected, payload, sig []byte
	for _, step := range []error{
		cbor.Unmarshal(b, &tag), cbor.Unmarshal(tag.Content, &parts), cbor.Unmarshal(parts[0], &protected),
		cbor.Unmarshal(parts[2], &payload), cbor.Unmarshal(parts[3], &sig),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	m := Sign1{ProtectedRaw: protected, Payload: payload, Signature: sig}
	tbs := m.AppendToBeSigned(nil, nil)
	if want := unhex(t, x.Intermediates.ToBeSign); !bytes.Equal(tbs, want) {
		t.Errorf("got %x, want %x", tbs, want)
	}
	if err := x.Input.Sign0.Key.key(t).Verify(ES256, tbs, sig, false); err != nil {
		t.Error(err)
	}
}

// The examples of COSE_Sign put key ids in the unprotected header, so ParseMulti
// refuses them; their signatures check the bytes each signer signs.
func TestCOSEWorkingGroupSign(t *testing.T) {
	dir := sharedVectors(t, "cose-wg")
	for _, name := range []string{"ecdsa-examples/ecdsa-01.json", "eddsa-examples/eddsa-01.json"} {
		x, b := readExample(t, filepath.Join(dir, name))
		if _, err := ParseMulti(b, 8); err == nil {
			t.Errorf("%s: passed for a message of ours", name)
		}
		var tag struct {
			_           struct{} `cbor:",toarray"`
			Protected   []byte
			Unprotected map[any]any
			Payload     []byte
			Signatures  []struct {
				_           struct{} `cbor:",toarray"`
				Protected   []byte
				Unprotected map[any]any
				Signature   []byte
			}
		}
		var raw cbor.RawTag
		if err := cbor.Unmarshal(b, &raw); err != nil {
			t.Fatal(err)
		}
		if err := cbor.Unmarshal(raw.Content, &tag); err != nil {
			t.Fatal(err)
		}
		k := x.Input.Sign.Signers[0].Key.key(t)
		s := tag.Signatures[0]
		tbs := appendMultiStructure(nil, tag.Protected, s.Protected, tag.Payload)
		if want := x.Intermediates.Signers[0].ToBeSign; hex.EncodeToString(tbs) != string(bytes.ToLower([]byte(want))) {
			t.Errorf("%s: to be signed %x, want %s", name, tbs, want)
		}
		if err := k.Verify(k.Alg(), tbs, s.Signature, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherCWTExamplesAreNoSignatures(t *testing.T) {
	dir := sharedVectors(t, "cwt-rfc8392")
	for _, name := range []string{"A_4.json", "A_5.json", "A_6.json", "A_7.json"} {
		_, b := readExample(t, filepath.Join(dir, name))
		if _, err := ParseSign1(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v, want ErrMalformed", name, err)
		}
	}
}
