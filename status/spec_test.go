package status_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
	gocose "github.com/veraison/go-cose"

	"aidpass/internal/cose"
	"aidpass/internal/publicvectors"
	"aidpass/status"
)

// The test vectors of draft-ietf-oauth-status-list, appendix and examples.
func TestVectorSpecification(t *testing.T) {
	file, err := os.ReadFile(publicvectors.Path(t, "token-status-list/vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Encoding []struct {
			Name    string
			Bits    int
			Entries uint64
			Status  map[uint64]int
			Lst     string
			CBORHex string `json:"cbor_hex"`
		}
		Tokens struct {
			JWK struct{ X, Y string }
			Iat int64
			Exp int64
			TTL int64
			JWT string `json:"status_list_jwt"`
			CWT string `json:"status_list_cwt_hex"`
		}
	}
	if err := json.Unmarshal(file, &spec); err != nil {
		t.Fatal(err)
	}

	// The lists come without a token: put them into ours.
	k := coseKey(t, testKey())
	id := k.ID()
	header := pairs(num(1), num(-8), num(4), bstr(id[:]), num(16), txt("application/statuslist+cwt"))
	for _, e := range spec.Encoding {
		list, err := hex.DecodeString(e.CBORHex)
		if err != nil {
			t.Fatal(err)
		}
		v := vector{Form: "cwt", List: sign("18", header, pairs(), pairs(num(2), txt(testURI), num(6), num(iat), num(65533), list))}
		l, err := v.open(t, nil)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		if l.Size != e.Entries {
			t.Errorf("%s: %d entries, want %d", e.Name, l.Size, e.Entries)
		}
		for i := range l.Size {
			want := status.Value(min(e.Status[i], int(status.Suspended)))
			if got, ok := l.Look(i); got != want || !ok {
				t.Fatalf("%s: entry %d is %v, want %v (%d in the list)", e.Name, i, got, want, e.Status[i])
			}
		}
	}
	if len(spec.Encoding) != 4 {
		t.Errorf("%d lists, expected 4", len(spec.Encoding))
	}

	key := func() *cose.Key {
		point := []byte{4}
		for _, c := range []string{spec.Tokens.JWK.X, spec.Tokens.JWK.Y} {
			b, err := base64.RawURLEncoding.DecodeString(c)
			if err != nil {
				t.Fatal(err)
			}
			point = append(point, b...)
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			t.Fatal(err)
		}
		k, err := cose.NewKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}()
	raw, err := hex.DecodeString(spec.Tokens.CWT)
	if err != nil {
		t.Fatal(err)
	}
	cwt, err1 := status.OpenCWT(raw, func(kid []byte) *cose.Key {
		if string(kid) == "12" {
			return key
		}
		return nil
	})
	jwt, err2 := status.OpenJWT([]byte(spec.Tokens.JWT), func(kid string) *cose.Key {
		if kid == "12" {
			return key
		}
		return nil
	})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for _, l := range []*status.List{cwt, jwt} {
		if l.URI != "https://example.com/statuslists/1" || int64(l.IssuedAt) != spec.Tokens.Iat || int64(l.ExpiresAt) != spec.Tokens.Exp ||
			int64(l.NextUpdate) != spec.Tokens.Iat+spec.Tokens.TTL || l.Size != 16 || string(l.KeyID) != "12" {
			t.Errorf("%s: got %+v", l.Source, *l)
		}
		for i, want := range []status.Value{1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1} {
			if got, _ := l.Look(uint64(i)); got != want {
				t.Errorf("%s: entry %d is %v, want %v", l.Source, i, got, want)
			}
		}
	}
}

// Others' libraries read what we publish: go-cose and fxamacker/cbor the CWT
// and the snapshot, jwx the JWT.
func TestDifferentialReaders(t *testing.T) {
	signer := p256Key(t)
	k := coseKey(t, signer)
	r := register(t, 64)
	for _, i := range []uint64{1, 63} {
		if err := r.Set(i, status.Invalid); err != nil {
			t.Fatal(err)
		}
	}
	cp, err := status.PrepareCWT(k, r, iat, iat+day, 60)
	cwt := signed(t, signer, cp, err)
	sp, err := status.PrepareSnapshot(k, r, iat, iat+day)
	snapshot := signed(t, signer, sp, err)
	verifier, err := gocose.NewVerifier(gocose.AlgorithmES256, signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	for typ, raw := range map[string][]byte{"application/statuslist+cwt": cwt, "application/aidpass-snapshot+cose": snapshot} {
		var m gocose.Sign1Message
		if err := m.UnmarshalCBOR(raw); err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if err := m.Verify(nil, verifier); err != nil {
			t.Errorf("%s: go-cose: %v", typ, err)
		}
		if got := m.Headers.Protected[int64(16)]; got != typ {
			t.Errorf("%s: typ %v", typ, got)
		}
		var claims map[int]any
		if err := cbor.Unmarshal(m.Payload, &claims); err != nil {
			t.Fatal(err)
		}
		mode, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := mode.Marshal(claims); err != nil || !bytes.Equal(again, m.Payload) {
			t.Errorf("%s: fxamacker writes it as %x, %v, we as %x", typ, again, err, m.Payload)
		}
		if typ == "application/statuslist+cwt" {
			list, _ := claims[65533].(map[any]any)
			if claims[2] != testURI || claims[6] != uint64(iat) || claims[4] != uint64(iat+day) || claims[65534] != uint64(60) || list["bits"] != uint64(2) {
				t.Errorf("claims %v", claims)
			}
		}
	}
	jp, err := status.PrepareJWT(k, r, iat, iat+day, 60)
	payload, err := jws.Verify(signed(t, signer, jp, err), jws.WithKey(jwa.ES256(), signer.Public()))
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Sub           string
		Iat, Exp, TTL int64
		List          struct {
			Bits int
			Lst  string
		} `json:"status_list"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Sub != status.URIOfJWT(testURI) || claims.Iat != iat || claims.Exp != iat+day || claims.TTL != 60 || claims.List.Bits != 2 {
		t.Errorf("jwx and encoding/json read %+v, %v", claims, err)
	}
}
