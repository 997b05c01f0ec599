package storagetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/status"
)

// testOfferCodes: THREATS 4.4 rows 1 to 6, 20.
func testOfferCodes(t *testing.T, e Engine) {
	d := newOfferDesk(t, e, 12)
	t.Run("row 1: a code reused ends the first token too", func(t *testing.T) {
		o, token := d.redeemed(t)
		_, err := d.try(o, o.Tx)
		refusedAs(t, err, 400, offer.InvalidGrant)
		_, err = d.service.Credential(ctx, token, requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 401, offer.InvalidToken)
		if got, err := d.service.Get(ctx, o.ID); err != nil || got.State != offer.Burnt {
			t.Errorf("it is %s, %v", got.State, err)
		}
	})
	t.Run("row 1: of many at once one gets a token", func(t *testing.T) {
		o := d.offered(t, d.draft())
		var mu sync.Mutex
		var tokens []string
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				token, err := d.try(o, o.Tx)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					tokens = append(tokens, token)
				} else {
					refusedAs(t, err, 400, offer.InvalidGrant)
				}
			})
		}
		wg.Wait()
		if len(tokens) != 1 {
			t.Errorf("%d tokens of one code", len(tokens))
		}
	})
	t.Run("row 2: expired", func(t *testing.T) {
		o := d.offered(t, d.draft())
		d.now = d.now.Add(offer.DefaultLife)
		_, err := d.try(o, o.Tx)
		refusedAs(t, err, 400, offer.InvalidGrant)
		_, err = d.service.Object(ctx, o.Reference)
		refusedAs(t, err, 404, "not_found")
	})
	t.Run("row 3: guessing is slowed and writes nothing", func(t *testing.T) {
		before := d.head(t)
		limited := 0
		for range 100 {
			_, err := d.service.Token(ctx, offer.TokenRequest{GrantType: offer.GrantPreAuthorized, Code: jose.EncodeBase64(random(32)), From: "192.0.2.1"})
			var e *offer.Error
			if !errors.As(err, &e) {
				t.Fatalf("a guess: %v", err)
			}
			if e.Code == offer.SlowDown && e.Status == 429 {
				limited++
			} else {
				refusedAs(t, err, 400, offer.InvalidGrant)
			}
		}
		if limited < 50 || d.head(t) != before {
			t.Errorf("%d of 100 guesses were slowed; the log went from %d to %d", limited, before, d.head(t))
		}
		o := d.offered(t, d.draft())
		if b, err := jose.DecodeBase64(o.Code); err != nil || len(b) < 16 {
			t.Errorf("a code of %d bytes", len(b))
		}
		if _, err := d.try(o, o.Tx); err != nil {
			t.Errorf("another sender waits for it: %v", err)
		}
	})
	t.Run("row 4: a wrong transaction code once", func(t *testing.T) {
		o := d.offered(t, d.draft())
		_, err := d.try(o, wrong(o.Tx))
		refusedAs(t, err, 400, offer.InvalidGrant)
		if _, err := d.try(o, o.Tx); err != nil {
			t.Errorf("the right one after it: %v", err)
		}
	})
	t.Run("row 4: five times burns the code", func(t *testing.T) {
		o := d.offered(t, d.draft())
		for range offer.MaxTries {
			_, err := d.try(o, wrong(o.Tx))
			refusedAs(t, err, 400, offer.InvalidGrant)
		}
		_, err := d.try(o, o.Tx)
		refusedAs(t, err, 400, offer.InvalidGrant)
		got, err := d.service.Get(ctx, o.ID)
		must(t, err)
		if got.State != offer.Burnt || got.Tries != offer.MaxTries {
			t.Errorf("it is %s after %d tries", got.State, got.Tries)
		}
	})
	t.Run("row 5: missing, unexpected, with spaces, too long, Arabic digits", func(t *testing.T) {
		o := d.offered(t, d.draft())
		_, err := d.try(o, "")
		refusedAs(t, err, 400, offer.InvalidRequest)
		for _, tx := range []string{o.Tx[:3] + " " + o.Tx[3:], o.Tx + "0", o.Tx[:5]} {
			_, err := d.try(o, tx)
			refusedAs(t, err, 400, offer.InvalidGrant)
		}
		arabic := strings.Map(func(r rune) rune { return r - '0' + '٠' }, o.Tx)
		if _, err := d.try(o, arabic); err != nil {
			t.Errorf("the digits of an Arabic keyboard: %v", err)
		}
		draft := d.draft()
		draft.NoCode = true
		open := d.offered(t, draft)
		_, err = d.try(open, "123456")
		refusedAs(t, err, 400, offer.InvalidRequest)
		if _, err := d.try(open, ""); err != nil {
			t.Errorf("without a transaction code: %v", err)
		}
	})
	t.Run("row 6: a code of one issuer at another", func(t *testing.T) {
		o := d.offered(t, d.draft())
		other := d.serviceAt("https://other.example.org")
		_, err := other.Token(ctx, offer.TokenRequest{GrantType: offer.GrantPreAuthorized, Code: o.Code, TxCode: o.Tx})
		refusedAs(t, err, 400, offer.InvalidGrant)
	})
	t.Run("row 20: the token of an offer that was withdrawn", func(t *testing.T) {
		o, token := d.redeemed(t)
		must(t, d.service.Withdraw(ctx, clerk, o.ID, "mistake"))
		must(t, d.service.Withdraw(ctx, clerk, o.ID, "mistake"))
		_, err := d.service.Credential(ctx, token, requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 401, offer.InvalidToken)
	})
	t.Run("a new offer ends the open one of its place", func(t *testing.T) {
		draft := d.draft()
		first, second := d.offered(t, draft), d.offered(t, draft)
		_, err := d.try(first, first.Tx)
		refusedAs(t, err, 400, offer.InvalidGrant)
		if _, err := d.try(second, second.Tx); err != nil {
			t.Error(err)
		}
	})
	t.Run("row 21: a token is over after five minutes", func(t *testing.T) {
		_, token := d.redeemed(t)
		d.now = d.now.Add(offer.TokenLife)
		_, err := d.service.Credential(ctx, token, requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 401, offer.InvalidToken)
	})
	d.whole(t)
}

// wrong is another code of the same length.
func wrong(tx string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, tx)
}

// head is the number of the last entry of the audit log.
func (w *world) head(t *testing.T) (n int64) {
	t.Helper()
	db := w.engine.SQL(t, w.dir)
	defer db.Close()
	must(t, db.QueryRow(`SELECT audit_seq FROM organisation`).Scan(&n))
	return n
}

// testOfferProofs: THREATS 4.4 rows 7 to 17. All fail before anything is bound, so one token serves all.
func testOfferProofs(t *testing.T, e Engine) {
	d := newOfferDesk(t, e, 3)
	o, token := d.redeemed(t)
	_, other := d.redeemed(t)
	ask := func(token, configuration string, proofs ...string) error {
		t.Helper()
		_, err := d.service.Credential(ctx, token, requestBody(t, configuration, proofs))
		return err
	}
	k := newKey(t)
	good := func() map[string]any {
		return map[string]any{"aud": offerIssuer, "iat": d.now.Unix(), "nonce": d.nonce(t)}
	}
	with := func(name string, v any) map[string]any {
		m := good()
		if m[name] = v; v == nil {
			delete(m, name)
		}
		return m
	}
	public, err := cose.NewKey(k.Public())
	must(t, err)
	var jwk map[string]any
	must(t, json.Unmarshal(jose.JWKOf(public).Append(nil), &jwk))
	change := func(name string, v any) map[string]any {
		m := maps.Clone(jwk)
		m[name] = v
		return map[string]any{"jwk": m}
	}
	unsigned := func(p string) string { return p[:strings.LastIndex(p, ".")+1] }
	second := d.serviceAt("https://other.example.org")
	b, err := second.Nonce()
	must(t, err)
	foreign := strings.Split(string(b), `"`)[3]
	for _, c := range []struct {
		row, proof, code string
	}{
		{"row 8: nonce of another issuer", signProof(t, k, nil, with("nonce", foreign)), offer.InvalidNonce},
		{"row 8: nonce of nobody", signProof(t, k, nil, with("nonce", "tZignsnFbp")), offer.InvalidNonce},
		{"row 8: nonce is a number", signProof(t, k, nil, with("nonce", 5)), offer.InvalidNonce},
		{"no nonce", signProof(t, k, nil, with("nonce", nil)), offer.InvalidProof},
		{"row 9: aud of another issuer", signProof(t, k, nil, with("aud", "https://other.example.org")), offer.InvalidProof},
		{"row 9: aud with a slash", signProof(t, k, nil, with("aud", offerIssuer+"/")), offer.InvalidProof},
		{"row 9: aud an array", signProof(t, k, nil, with("aud", []string{offerIssuer})), offer.InvalidProof},
		{"row 9: no aud", signProof(t, k, nil, with("aud", nil)), offer.InvalidProof},
		{"row 10: an hour old", signProof(t, k, nil, with("iat", d.now.Add(-time.Hour).Unix())), offer.InvalidProof},
		{"row 10: in the future", signProof(t, k, nil, with("iat", d.now.Add(time.Hour).Unix())), offer.InvalidProof},
		{"row 10: no iat", signProof(t, k, nil, with("iat", nil)), offer.InvalidProof},
		{"row 10: iat with a fraction", signProof(t, k, nil, with("iat", json.RawMessage("1793520000.5"))), offer.InvalidProof},
		{"expired", signProof(t, k, nil, with("exp", d.now.Add(-time.Hour).Unix())), offer.InvalidProof},
		{"iss of an anonymous wallet", signProof(t, k, nil, with("iss", "wallet-1")), offer.InvalidProof},
		{"row 11: alg none", unsigned(signProof(t, k, map[string]any{"alg": "none"}, good())), offer.InvalidProof},
		{"row 11: alg HS256", signProof(t, k, map[string]any{"alg": "HS256"}, good()), offer.InvalidProof},
		{"row 11: alg EdDSA", signProof(t, k, map[string]any{"alg": "EdDSA"}, good()), offer.InvalidProof},
		{"row 11: no signature", unsigned(signProof(t, k, nil, good())), offer.InvalidProof},
		{"row 11: another's signature", signProof(t, newKey(t), map[string]any{"jwk": jwk}, good()), offer.InvalidProof},
		{"row 12: typ JWT", signProof(t, k, map[string]any{"typ": "JWT"}, good()), offer.InvalidProof},
		{"row 12: no typ", signProof(t, k, map[string]any{"typ": nil}, good()), offer.InvalidProof},
		{"row 13: jwk and kid", signProof(t, k, map[string]any{"kid": "did:jwk:x#0"}, good()), offer.InvalidProof},
		{"row 13: jwk and x5c", signProof(t, k, map[string]any{"x5c": []string{"MII"}}, good()), offer.InvalidProof},
		{"row 13: no key", signProof(t, k, map[string]any{"jwk": nil}, good()), offer.InvalidProof},
		{"row 13: a kid that is no key", signProof(t, k, map[string]any{"jwk": nil, "kid": "key-1"}, good()), offer.InvalidProof},
		{"row 13: a kid to be fetched", signProof(t, k, map[string]any{"jwk": nil, "kid": "did:web:127.0.0.1#0"}, good()), offer.InvalidProof},
		{"row 14: the private key came along", signProof(t, k, change("d", jose.EncodeBase64(random(32))), good()), offer.InvalidProof},
		{"row 15: off the curve", signProof(t, k, change("y", jose.EncodeBase64(random(32))), good()), offer.InvalidProof},
		{"row 15: another curve", signProof(t, k, change("crv", "P-384"), good()), offer.InvalidProof},
		{"not a JWT", "x.y", offer.InvalidProof},
		{"too long", strings.Repeat("a", 20000), offer.InvalidProof},
	} {
		t.Run(c.row, func(t *testing.T) { refusedAs(t, ask(token, sdJWT, c.proof), 400, c.code) })
	}
	t.Run("one key twice", func(t *testing.T) {
		refusedAs(t, ask(token, sdJWT, d.proofs(t, d.nonce(t), k, k)...), 400, offer.InvalidProof)
	})
	t.Run("row 16: ten thousand proofs", func(t *testing.T) {
		list := make([]string, 10_000)
		refusedAs(t, ask(token, sdJWT, list...), 400, offer.InvalidCredentialRequest)
		refusedAs(t, ask(token, sdJWT, list[:offer.BatchSize+1]...), 400, offer.InvalidCredentialRequest)
	})
	d.now = d.now.Add(time.Minute) // another minute of the limit
	t.Run("row 17: unknown configuration", func(t *testing.T) {
		refusedAs(t, ask(token, "delegation_mdoc", signProof(t, k, nil, good())), 400, offer.UnknownCredentialConfiguration)
	})
	t.Run("row 17: not granted", func(t *testing.T) {
		draft := d.draft()
		draft.Forms = draft.Forms[:1]
		one := d.offered(t, draft)
		token, err := d.try(one, one.Tx)
		must(t, err)
		refusedAs(t, ask(token, boundCard, signProof(t, k, nil, good())), 400, offer.InvalidCredentialRequest)
	})
	t.Run("keys named by did:jwk and did:key", func(t *testing.T) {
		one, two := newKey(t), newKey(t)
		a, err := cose.NewKey(one.Public())
		must(t, err)
		b, err := cose.NewKey(two.Public())
		must(t, err)
		id := did.OfKey(b)
		must(t, ask(other, vcJWT,
			signProof(t, one, map[string]any{"jwk": nil, "kid": did.OfJWK(a) + "#0"}, good()),
			signProof(t, two, map[string]any{"jwk": nil, "kid": id + "#" + strings.TrimPrefix(id, "did:key:")}, good())))
	})
	t.Run("row 7, 8: a nonce used again", func(t *testing.T) {
		nonce := d.nonce(t)
		p := d.proofs(t, nonce, k)
		must(t, ask(token, sdJWT, p...))
		refusedAs(t, ask(other, sdJWT, p...), 400, offer.InvalidNonce)
		refusedAs(t, ask(token, vcJWT, p...), 400, offer.InvalidNonce)
		refusedAs(t, ask(token, sdJWT, d.proofs(t, nonce, newKey(t))...), 400, offer.InvalidNonce)
	})
	t.Run("row 7: a nonce too old", func(t *testing.T) {
		nonce := d.nonce(t)
		was := d.now
		defer func() { d.now = was }()
		d.now = d.now.Add(offer.NonceLife - time.Second)
		token := d.renew(t, o)
		d.now = d.now.Add(time.Second)
		refusedAs(t, ask(token, vcJWT, d.proofs(t, nonce, k)...), 400, offer.InvalidNonce)
	})
	d.whole(t)
}

// renew is the token of another offer for the same unit.
func (d *offerDesk) renew(t *testing.T, o *offer.Offered) string {
	t.Helper()
	// The one form of which the unit has nothing yet: there is no offer of what is held.
	draft := offer.Draft{By: clerk, Batch: d.batch, For: d.batch.Requests[0], Forms: []credential.Form{credential.FormVCJWT}}
	if draft.For.Unit != o.Unit {
		t.Fatal("the first unit was meant")
	}
	again := d.offered(t, draft)
	token, err := d.try(again, again.Tx)
	must(t, err)
	return token
}

// testOfferOnce: THREATS 4.4 rows 18, 19 and 23, and a phone that takes another's place.
func testOfferOnce(t *testing.T, e Engine) {
	d := newOfferDesk(t, e, 7)
	t.Run("row 18: two at once with one token", func(t *testing.T) {
		o, token := d.redeemed(t)
		bodies := [][]byte{
			requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t), newKey(t))),
			requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t), newKey(t))),
		}
		var wg sync.WaitGroup
		errs := make([]error, len(bodies))
		for i := range bodies {
			wg.Go(func() { _, errs[i] = d.service.Credential(ctx, token, bodies[i]) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("%v and %v: one of two is served", errs[0], errs[1])
		}
		refusedAs(t, errors.Join(errs...), 400, offer.CredentialRequestDenied)
		held, err := d.org.FindCredentials(ctx, o.Unit.String())
		if must(t, err); len(held) != 2 {
			t.Errorf("%d credentials, want the two of one request", len(held))
		}
	})
	t.Run("row 18: one request twice at once", func(t *testing.T) {
		o, token := d.redeemed(t)
		body := requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t), newKey(t)))
		var wg sync.WaitGroup
		answers := make([][]byte, 3)
		for i := range answers {
			wg.Go(func() {
				if r, err := d.service.Credential(ctx, token, body); err == nil {
					answers[i] = r.JSON()
				} else {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if !bytes.Equal(answers[0], answers[1]) || !bytes.Equal(answers[0], answers[2]) {
			t.Error("one request was answered in two ways")
		}
		if held, err := d.org.FindCredentials(ctx, o.Unit.String()); err != nil || len(held) != 2 {
			t.Errorf("%d credentials, %v", len(held), err)
		}
	})
	t.Run("row 19: a lost response is given again", func(t *testing.T) {
		o, token := d.redeemed(t)
		k, l := newKey(t), newKey(t)
		body := requestBody(t, sdJWT, d.proofs(t, d.nonce(t), k, l))
		first, err := d.service.Credential(ctx, token, body)
		must(t, err)
		for what, body := range map[string][]byte{"the same request": body, "the same keys": requestBody(t, sdJWT, d.proofs(t, d.nonce(t), k, l))} {
			again, err := d.service.Credential(ctx, token, body)
			must(t, err)
			if !bytes.Equal(again.JSON(), first.JSON()) {
				t.Errorf("%s: another response", what)
			}
		}
		if held, err := d.org.FindCredentials(ctx, o.Unit.String()); err != nil || len(held) != 2 {
			t.Errorf("%d credentials, %v", len(held), err)
		}
	})
	t.Run("row 23: what is deferred belongs to its token", func(t *testing.T) {
		_, token := d.redeemed(t)
		_, other := d.redeemed(t)
		working := d.service.Issue
		d.service.Issue = func(context.Context, offer.Order) ([]string, error) { return nil, offer.ErrLater }
		r, err := d.service.Credential(ctx, token, requestBody(t, boundCard, d.proofs(t, d.nonce(t), newKey(t))))
		must(t, err)
		if r.Status != 202 || r.TransactionID == "" || r.Interval <= 0 {
			t.Fatalf("deferred as %+v", r)
		}
		body := fmt.Appendf(nil, `{"transaction_id":%q}`, r.TransactionID)
		if again, err := d.service.Deferred(ctx, token, body); err != nil || again.Status != 202 || again.TransactionID != r.TransactionID {
			t.Errorf("still deferred: %+v, %v", again, err)
		}
		d.service.Issue = working
		_, err = d.service.Deferred(ctx, other, body)
		refusedAs(t, err, 400, offer.InvalidTransactionID)
		_, err = d.service.Deferred(ctx, token, fmt.Appendf(nil, `{"transaction_id":%q}`, jose.EncodeBase64(random(24))))
		refusedAs(t, err, 400, offer.InvalidTransactionID)
		done, err := d.service.Deferred(ctx, token, body)
		must(t, err)
		if done.Status != 200 || len(done.Credentials) != 1 {
			t.Errorf("not deferred any more: %+v", done)
		}
		_, err = d.service.Deferred(ctx, token, body)
		refusedAs(t, err, 400, offer.InvalidTransactionID)
		refusedAs(t, d.service.Notification(ctx, other, fmt.Appendf(nil, `{"notification_id":%q,"event":"credential_deleted"}`, done.NotificationID)), 400, offer.InvalidNotificationID)
		refusedAs(t, d.service.Notification(ctx, token, []byte(`{"notification_id":"x","event":"eaten"}`)), 400, offer.InvalidNotificationRequest)
		_, err = d.service.Credential(ctx, other, requestBody(t, boundCard, d.proofs(t, d.nonce(t), newKey(t))))
		must(t, err)
	})
	t.Run("authorization_details name what is wanted", func(t *testing.T) {
		draft := d.draft()
		draft.Forms = []credential.Form{credential.FormSDJWT, credential.FormVCJWT}
		o := d.offered(t, draft)
		ask := func(details string) (*offer.TokenResponse, error) {
			return d.service.Token(ctx, offer.TokenRequest{GrantType: offer.GrantPreAuthorized, Code: o.Code, TxCode: o.Tx, Details: details, From: o.ID})
		}
		naming := func(id string) string {
			return `[{"type":"openid_credential","credential_configuration_id":"` + id + `"}]`
		}
		for _, details := range []string{"{}", "[]", "[1]", `[{"type":"payment"}]`, `[{"type":"openid_credential"}]`, naming("passport"), naming(boundCard),
			`[{"type":"openid_credential","credential_configuration_id":"` + sdJWT + `","locations":["https://other.example"]}]`} {
			_, err := ask(details)
			refusedAs(t, err, 400, offer.InvalidAuthorizationDetails)
		}
		r, err := ask(naming(sdJWT)) // the codes are good yet
		must(t, err)
		v, err := jose.ParseJSON(r.JSON(), jose.DefaultLimits)
		must(t, err)
		got := v.Get("authorization_details").Items
		if len(got) != 1 || got[0].Get("credential_configuration_id").Text != sdJWT || len(got[0].Get("credential_identifiers").Items) != 1 {
			t.Fatalf("the token response is %s", r.JSON())
		}
		// The offer has it, and the token was not asked for it.
		_, err = d.service.Credential(ctx, r.AccessToken, requestBody(t, vcJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 400, offer.InvalidCredentialRequest)
		_, err = d.service.Credential(ctx, strings.Replace(r.AccessToken, sdJWT, vcJWT, 1), requestBody(t, vcJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 401, offer.InvalidToken)
		by := func(id string) error {
			body := strings.Replace(string(requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t)))), `"credential_configuration_id":"`+sdJWT, `"credential_identifier":"`+id, 1)
			_, err := d.service.Credential(ctx, r.AccessToken, []byte(body))
			return err
		}
		refusedAs(t, by(sdJWT), 400, offer.UnknownCredentialIdentifier)
		must(t, by(got[0].Get("credential_identifiers").Items[0].Text))
	})
	t.Run("another phone replaces the first where that was approved", func(t *testing.T) {
		draft := d.draft()
		take := func(draft offer.Draft, configurations ...string) (token string, err error) {
			o := d.offered(t, draft)
			token, err = d.try(o, o.Tx)
			must(t, err)
			for _, c := range configurations {
				if _, err = d.service.Credential(ctx, token, requestBody(t, c, d.proofs(t, d.nonce(t), newKey(t)))); err != nil {
					break
				}
			}
			return token, err
		}
		good := func() (forms []string) {
			held, err := d.org.FindCredentials(ctx, draft.For.Unit.String())
			must(t, err)
			for _, c := range held {
				if c.Status == status.Valid {
					forms = append(forms, c.Form.String())
				}
			}
			slices.Sort(forms)
			return forms
		}
		_, err := take(draft, sdJWT, vcJWT, boundCard)
		must(t, err)
		listed, err := d.service.List(ctx)
		must(t, err)
		var held *offer.Held
		if _, err = d.service.Create(ctx, draft); !errors.As(err, &held) || held.Code != issuer.RefusedExists || held.Credential.Unit != draft.For.Unit || held.Credential.IssuedAt == 0 {
			t.Errorf("an offer of what another phone holds: %v, want who holds it", err)
		}
		if after, err := d.service.List(ctx); err != nil || len(after) != len(listed) || after[0].State != listed[0].State {
			t.Errorf("an offer that was not made changed the list: %v", err)
		}
		d.now = d.now.Add(time.Hour)
		draft.Batch.Replace, draft.Batch.Reason = true, "phone_lost"
		if _, err := d.service.Create(ctx, draft); !errors.Is(err, issuer.ErrSecondPerson) {
			t.Errorf("one person alone offers the place of a wallet: %v", err)
		}
		draft.By.SecondPerson = "acc-lead"
		earlier, err := take(draft)
		must(t, err)
		_, err = take(draft, sdJWT, boundCard)
		must(t, err)
		if got := good(); !slices.Equal(got, []string{"bound", "sd-jwt"}) {
			t.Errorf("after the new wallet took two forms, %v are good: those of the lost phone must not be", got)
		}
		_, err = d.service.Credential(ctx, earlier, requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 401, offer.InvalidToken)
	})
	d.whole(t)
}
