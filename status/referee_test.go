//go:build !js

package status_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/internal/referee"
	"aidpass/status"
	"aidpass/words"
)

// Our lists are read by @sd-jwt/jwt-status-list 0.19.0 and their signature by jose;
// and we read theirs, in every width.
func TestRefereeAndWeReadEachOther(t *testing.T) {
	signer := p256Key(t)
	k := coseKey(t, signer)
	r := register(t, 4096)
	want := make([]int, 4096)
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		i, v := random.Uint64N(4096), status.Value(1+random.IntN(2))
		if status.Value(want[i]) == status.Invalid { // for good
			continue
		}
		want[i] = int(v)
		if err := r.Set(i, v); err != nil {
			t.Fatal(err)
		}
	}
	p, err := status.PrepareJWT(k, r, iat, iat+day, 60)
	ours := string(signed(t, signer, p, err))
	jobs := []referee.Job{
		{"op": "jwt", "text": ours, "issuer": referee.PublicJWK(k), "typ": "statuslist+jwt", "now": iat},
		{"op": "entries", "text": ours},
	}
	widths := []int{1, 2, 4, 8}
	theirs := make([][]int, len(widths))
	for n, bits := range widths {
		for i := range 1000 {
			theirs[n] = append(theirs[n], (i*i+n)%(1<<bits))
		}
		jobs = append(jobs, referee.Job{"op": "list", "key": referee.PrivateJWK(t, signer), "kid": "k1", "bits": bits, "entries": theirs[n],
			"claims": referee.Job{"iss": "https://s.example", "sub": testURI, "iat": iat, "exp": iat + day, "ttl": 60}})
	}
	out := referee.SDJWT(t, jobs...)
	for _, o := range out {
		if o.Error != "" {
			t.Fatal(o.Error)
		}
	}
	if out[0].Payload["sub"] != status.URIOfJWT(testURI) || out[0].Payload["ttl"] != 60.0 || out[0].Header["kid"] != jose.KeyID(k) {
		t.Errorf("jose reads %v, %v", out[0].Header, out[0].Payload["sub"])
	}
	if out[1].Bits != 2 || !slices.Equal(out[1].Entries, want) {
		t.Errorf("%d bits, %d entries, or others than we set", out[1].Bits, len(out[1].Entries))
	}
	for n, bits := range widths {
		list, err := status.OpenJWT([]byte(out[2+n].Text), func(kid string) *cose.Key {
			if kid != "k1" {
				return nil
			}
			return k
		})
		if err != nil {
			t.Fatalf("%d bits: %v", bits, err)
		}
		if list.Size != 1000 {
			t.Errorf("%d bits: %d entries", bits, list.Size)
		}
		for i, entry := range theirs[n] {
			// What the standard leaves to applications is suspended with us.
			if v, ok := list.Look(uint64(i)); !ok || int(v) != min(entry, int(status.Suspended)) {
				t.Fatalf("%d bits: entry %d is %d, we read %v", bits, i, entry, v)
			}
		}
		if _, err := status.OpenJWT([]byte(out[2+n].Text), func(string) *cose.Key { return strangerKey(t) }); reason(err) != string(words.BadSignature) {
			t.Errorf("%d bits: under another key: %v", bits, err)
		}
	}
}

func strangerKey(t *testing.T) *cose.Key {
	t.Helper()
	return coseKey(t, p256Key(t))
}
