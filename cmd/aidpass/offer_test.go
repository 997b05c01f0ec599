package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/issuer/registry"
	"aidpass/schemas"
)

// What happens to a record between the offer and the wallet counts: an entitlement
// that was put on hold gives nothing, and gives again when it is let go.
func TestAnOfferIsHeldByTheRecord(t *testing.T) {
	l := newLaptop(t)
	if err := os.WriteFile(l.path("people.csv"), []byte("id,name,sex,birth_date,nationality,relationship,pcode,registration_date,consent\n"+
		"1,Amina Yusuf,F,1987-05-12,SOM,head,KE001,2026-10-01,yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.must("registry", "import", l.path("people.csv"))
	l.must("programme", "add", "K7Q2", "--modality", "cash", "--counts", "person", "--currency", "KES")
	l.must("programme", "round", "K7Q2", "1")
	l.must("entitle", "--programme", "K7Q2", "--round", "1", "--amount", "20.00")
	const base = "https://aid.example/i1"
	var made struct {
		Link string
		Tx   string `json:"tx_code"`
	}
	if err := json.Unmarshal([]byte(l.must("offer", "create", "--external", "1", "--programme", "K7Q2", "--round", "1", "--base-url", base, "--json")), &made); err != nil {
		t.Fatal(err)
	}
	uri, err := url.QueryUnescape(strings.TrimPrefix(made.Link, "openid-credential-offer://?credential_offer_uri="))
	if err != nil {
		t.Fatal(err)
	}

	a := l.app(t)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	entitle := func(to registry.EntitlementStatus) {
		o, err := a.openOrg(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer o.close()
		err = o.store.Update(t.Context(), a.actor(access.OrgAdmin), func(tx registry.Tx) error {
			unit, _, err := tx.Find(registry.KindPerson, "", "1")
			if err != nil {
				return err
			}
			e, err := tx.Entitlement(unit, "K7Q2", 1)
			if err != nil {
				return err
			}
			e.Status = to
			_, err = tx.SaveEntitlement(e)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	token := ""
	ask := func() (*offer.CredentialResponse, error) {
		o, err := a.openOrg(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer o.close()
		s, err := a.offerService(o, base, schemas.ByName("eligibility"))
		if err != nil {
			t.Fatal(err)
		}
		if token == "" {
			object, err := s.Object(t.Context(), strings.TrimPrefix(uri, base+offer.OfferPath))
			if err != nil {
				t.Fatal(err)
			}
			v, err := jose.ParseJSON(object, jose.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			code := v.Get("grants").Get(offer.GrantPreAuthorized).Get("pre-authorized_code").Text
			r, err := s.Token(t.Context(), offer.TokenRequest{GrantType: offer.GrantPreAuthorized, Code: code, TxCode: made.Tx})
			if err != nil {
				t.Fatal(err)
			}
			token = r.AccessToken
		}
		b, err := s.Nonce()
		if err != nil {
			t.Fatal(err)
		}
		public, err := cose.NewKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		tbs := jose.EncodeBase64(fmt.Appendf(nil, `{"alg":"ES256","typ":"openid4vci-proof+jwt","jwk":%s}`, jose.JWKOf(public).Append(nil))) + "." +
			jose.EncodeBase64(fmt.Appendf(nil, `{"aud":%q,"iat":%d,"nonce":%q}`, base, scriptClock().Unix(), strings.Split(string(b), `"`)[3]))
		sig, err := cose.SignRaw(k, []byte(tbs))
		if err != nil {
			t.Fatal(err)
		}
		return s.Credential(t.Context(), token, fmt.Appendf(nil, `{"credential_configuration_id":"eligibility_sd_jwt","proofs":{"jwt":[%q]}}`, tbs+"."+jose.EncodeBase64(sig)))
	}

	entitle(registry.OnHold)
	var refused *offer.Error
	if _, err := ask(); !errors.As(err, &refused) || refused.Code != offer.CredentialRequestDenied {
		t.Fatalf("on hold: %v", err)
	}
	if strings.Contains(refused.Description, "Amina") {
		t.Errorf("the refusal names somebody: %q", refused.Description)
	}
	entitle(registry.Planned)
	r, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Credentials) != 1 || strings.Contains(r.Credentials[0], "Amina") {
		t.Errorf("let go: %d credentials", len(r.Credentials))
	}
	if out := l.must("offer", "list"); !strings.Contains(out, "redeemed") {
		t.Errorf("listed as %s", out)
	}
}

// app is the program between two commands.
func (l *laptop) app(t *testing.T) *app {
	t.Helper()
	a := &app{Main: &Main{Stdin: strings.NewReader(""), Stdout: &l.stderr, Stderr: &l.stderr, Now: scriptClock, WorkFactor: 4, ListSize: 4096,
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"AIDPASS_DATA": l.path("data"), "AIDPASS_PASSPHRASE_FILE": l.path("pass")}[name]
			return v, ok
		}}}
	root := a.root()
	if err := root.PersistentPreRunE(root, nil); err != nil {
		t.Fatal(err)
	}
	return a
}

// A record that does not fit the type any more is judged all the same: the claims were
// fixed when the offer was made, and the answer to the notice was not.
func TestTheGateIsAskedOfARecordThatDoesNotFit(t *testing.T) {
	l := newLaptop(t)
	long := strings.Repeat("Amina ", 16)
	for i, answer := range []string{"yes", "no"} {
		if err := os.WriteFile(l.path("people.csv"), fmt.Appendf(nil, "id,name,sex,birth_date,nationality,relationship,pcode,registration_date,consent\n"+
			"%d,%s,F,1987-05-12,SOM,head,KE001,2026-10-01,%s\n", i, long+answer, answer), 0o600); err != nil {
			t.Fatal(err)
		}
		l.must("registry", "import", l.path("people.csv"))
	}
	a := l.app(t)
	o, err := a.openOrg(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	for i, want := range []issuer.Ruling{issuer.GatePass, issuer.GateRefuse} {
		var unit issuer.UnitID
		err := o.store.View(t.Context(), func(v registry.View) (err error) {
			unit, _, err = v.Find(registry.KindPerson, "", fmt.Sprint(i))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		d, err := a.gateNow(t.Context(), o, offer.Offer{Type: "registration", Programme: "K7Q2"}, nil, unit)
		if err != nil || d.Ruling != want {
			t.Errorf("person %d: %+v, %v, want ruling %d", i, d, err, want)
		}
	}
}
