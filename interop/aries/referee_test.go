package aries_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/aries-framework-go/pkg/doc/verifiable"
	"github.com/hyperledger/aries-framework-go/pkg/vdr"
	ariesdidkey "github.com/hyperledger/aries-framework-go/pkg/vdr/key"

	"aidpass/credential"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/words"
)

// party is a key with its did:key.
type party struct {
	signer crypto.Signer
	key    *cose.Key
	did    string
}

func newParty(t testing.TB, alg string) party {
	t.Helper()
	var s crypto.Signer
	var err error
	if alg == "Ed25519" {
		_, s, err = ed25519.GenerateKey(rand.Reader)
	} else {
		s, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	must(t, err)
	k, err := cose.NewKey(s.Public())
	must(t, err)
	return party{s, k, did.OfKey(k)}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// kid is the address of the party's one key: Aries takes no other kind of key id.
func (p party) kid(t testing.TB) string {
	t.Helper()
	_, kid, err := did.KeyOf(p.did)
	must(t, err)
	return kid
}

// draft is an eligibility credential by p for holder.
func (p party) draft(t testing.TB, holder *cose.Key, from, to time.Time) vcjwt.Draft {
	t.Helper()
	return vcjwt.Draft{
		Issuer: p.did, Type: "https://aidpass.example/elig", ID: "urn:uuid:6f1c2a0e-2a75-4a0e-9a0c-3f3b2f6f8a11", KeyID: p.kid(t),
		IssuedAt: credential.FromStd(from), ExpiresAt: credential.FromStd(to),
		StatusURI: "https://relief-a.example/s/7k2p4x.jwt", StatusIndex: 4711, HolderKey: holder,
		Claims: jose.ObjectOf(
			jose.Member{Name: "collector_rule", Value: jose.StringOf("holder_only")},
			jose.Member{Name: "programme", Value: jose.StringOf("K7Q2")},
			jose.Member{Name: "round", Value: jose.IntOf(3)}),
	}
}

// sign finishes what was prepared.
func (p party) sign(t testing.TB, prepared *vcjwt.Prepared, err error) string {
	t.Helper()
	must(t, err)
	sig, err := cose.SignRaw(p.signer, prepared.ToBeSigned())
	must(t, err)
	text, err := prepared.Attach(sig)
	must(t, err)
	return string(text)
}

// ask has Aries read a credential, with keys from did:key identifiers. Its check of
// a JSON-LD credential's shape is off, as it is anyway for every signed JWT: the
// proof is what it is asked about.
func ask(text string) (*verifiable.Credential, error) {
	resolver := verifiable.NewVDRKeyResolver(vdr.New(vdr.WithVDR(ariesdidkey.New())))
	return verifiable.ParseCredential([]byte(text), verifiable.WithPublicKeyFetcher(resolver.PublicKeyFetcher()),
		verifiable.WithCredDisableValidation())
}

func TestAriesReadsOurVersion11(t *testing.T) {
	for _, alg := range []string{"P-256", "Ed25519"} {
		t.Run(alg, func(t *testing.T) {
			p, holder := newParty(t, alg), newParty(t, "P-256")
			now := time.Now().Truncate(time.Second)
			d := p.draft(t, holder.key, now, now.Add(time.Hour))
			prepared, err := vcjwt.PrepareV11(p.key, d)
			text := p.sign(t, prepared, err)
			vc, err := ask(text)
			must(t, err)
			subject := vc.Subject.([]verifiable.Subject)[0]
			if vc.Issuer.ID != p.did || vc.ID != d.ID || subject.ID != holder.did || vc.Types[1] != d.Type ||
				!vc.Issued.Time.Equal(now) || !vc.Expired.Time.Equal(now.Add(time.Hour)) {
				t.Errorf("Aries reads issuer %q, id %q, subject %q, types %q, %v to %v", vc.Issuer.ID, vc.ID, subject.ID, vc.Types, vc.Issued, vc.Expired)
			}
			// The same claims as in the form of our own readers.
			prepared, err = vcjwt.Prepare(p.key, d)
			e, err := vcjwt.Parse(p.sign(t, prepared, err))
			must(t, err)
			ours, err := vcjwt.Open(e, p.key)
			must(t, err)
			for _, m := range ours.Claims.Members {
				var want any = string(m.Value.Text)
				if m.Value.Kind == jose.Number {
					n, _ := m.Value.Int()
					want = float64(n)
				}
				if got := subject.CustomFields[m.Name]; got != want {
					t.Errorf("claim %s: Aries reads %v, we read %v", m.Name, got, want)
				}
			}

			// It tells a wrong key from the right one.
			thief := newParty(t, alg)
			prepared, err = vcjwt.PrepareV11(thief.key, d)
			if _, err := ask(thief.sign(t, prepared, err)); err == nil {
				t.Error("Aries takes another's signature")
			}
		})
	}
}

// What Aries wrongly takes and we refuse: each row is a reason why nothing it says
// is believed here.
func TestWhatAriesTakesAndWeRefuse(t *testing.T) {
	p, holder := newParty(t, "P-256"), newParty(t, "P-256")
	now := time.Now().Truncate(time.Second)
	d := p.draft(t, holder.key, now.Add(-2*time.Hour), now.Add(-time.Hour))
	prepared, err := vcjwt.PrepareV11(p.key, d)
	expired := p.sign(t, prepared, err)
	claims := strings.Split(expired, ".")[1]
	unsigned := jose.EncodeBase64([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + claims + "."
	for name, c := range map[string]struct {
		text string
		want words.Reason
	}{
		"unsigned": {unsigned, words.AlgNotAllowed},
		"expired":  {expired, words.WrongTyp}, // its typ JWT tells it from no other token
	} {
		if _, err := ask(c.text); err != nil {
			t.Errorf("%s: Aries refuses it by now (%v): this row has had its day", name, err)
		}
		_, err := vcjwt.Parse(c.text)
		if err == nil || vcjwt.ReasonOf(err) != c.want {
			t.Errorf("%s: we answer %v, want %s", name, err, c.want)
		}
	}
	// The same dates in our own form open, and show that they are past.
	prepared, err = vcjwt.Prepare(p.key, d)
	e, err := vcjwt.Parse(p.sign(t, prepared, err))
	must(t, err)
	c, err := vcjwt.Open(e, p.key)
	must(t, err)
	if c.ExpiresAt.Std().After(now) {
		t.Error("the end of the credential is not what was written")
	}
}

// TestAriesRefusesVCJWT records that it does not know version 2: a wallet on Aries
// gets version 1.1 or nothing.
func TestAriesRefusesVCJWT(t *testing.T) {
	p, holder := newParty(t, "P-256"), newParty(t, "P-256")
	now := time.Now()
	prepared, err := vcjwt.Prepare(p.key, p.draft(t, holder.key, now, now.Add(time.Hour)))
	text := p.sign(t, prepared, err)
	if vc, err := ask(text); err == nil {
		t.Errorf("Aries reads vc+jwt by now: types %q, issuer %q", vc.Types, vc.Issuer.ID)
	} else {
		t.Log("Aries:", err)
	}
}
