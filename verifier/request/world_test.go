package request_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential/sdjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/verifier"
	"aidpass/verifier/request"
	"aidpass/verifier/request/requesttest"
	"aidpass/verifier/token"
	vt "aidpass/verifier/verifiertest"
)

var (
	w         = vt.New()
	asker     = access.Actor{ID: "sara", Role: access.Verifier}
	vct       = schemas.ByName("eligibility").VCT
	signer, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	pack      = sync.OnceValue(func() *verifier.Pack {
		p, _, err := verifier.OpenPack(w.TokenPack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
		if err != nil {
			panic(err)
		}
		return p
	})
)

const base = "https://relief-b.example/vp"

// made is v, unless there was an error.
func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// desk is a service with a clock that stands, and the store under it.
type desk struct {
	*request.Service
	store *requesttest.Memory
	now   time.Time
}

func newDesk() *desk {
	d := &desk{store: &requesttest.Memory{}, now: vt.Now.Std()}
	d.Service = &request.Service{Store: d.store, Now: func() time.Time { return d.now },
		Inputs: func(context.Context) (verifier.Inputs, error) {
			return verifier.Inputs{Pack: pack(), Tokens: token.Reader{}}, nil
		},
		// A stand-in for JWE: the kid, then what is inside.
		Decrypt: func(jwe string, key *ecdh.PrivateKey, kid string) ([]byte, error) {
			inside, ok := strings.CutPrefix(jwe, kid+".")
			if !ok || key == nil {
				return nil, errors.New("encrypted to another key")
			}
			return []byte(inside), nil
		}}
	return d
}

func policy(edit func(*request.Policy)) request.Policy {
	p := request.Policy{
		Wanted:  []request.Wanted{{ID: "eligibility", VCT: vct, Claims: []string{"programme", "round"}}},
		Purpose: map[string]string{"en": "To see whether you are due blankets", "fr": "Pour voir si des couvertures vous sont dues"},
		Client:  request.Client{Scheme: request.DID, DID: "did:web:relief-b.example", Name: map[string]string{"en": "Relief B", "fr": "Secours B"}},
		Base:    base, Mode: request.DirectPost,
	}
	if edit != nil {
		edit(&p)
	}
	return p
}

func (d *desk) ask(t testing.TB, edit func(*request.Policy)) *request.Started {
	t.Helper()
	tr, err := d.New(t.Context(), asker, policy(edit))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// sign is what a holder sends: of a credential the claims named, signed for a request.
func sign(holder vt.Signer, text, audience, nonce string, names ...string) string {
	p := made(sdjwt.PrepareBinding(holder.Key, w.Show(text, names...), audience, nonce, vt.Now))
	return made(p.Attach(made(cose.SignRaw(holder, p.ToBeSigned()))))
}

// form is an answer in the clear: ids and credentials by turns.
func form(state string, shown ...string) map[string][]string {
	v := jose.ObjectOf()
	for i := 0; i < len(shown); i += 2 {
		v.Members = append(v.Members, jose.Member{Name: shown[i], Value: jose.ArrayOf(jose.StringOf(shown[i+1]))})
	}
	return map[string][]string{"vp_token": {string(v.Append(nil))}, "state": {state}}
}

// reason is why a wallet was refused, "" if it was not.
func reason(t testing.TB, err error) string {
	t.Helper()
	var e *request.Error
	if err != nil && (!errors.As(err, &e) || e.Status < 400 || e.Code == "") {
		t.Fatal("not a refusal:", err)
	}
	if e == nil {
		return ""
	}
	return e.Reason
}
