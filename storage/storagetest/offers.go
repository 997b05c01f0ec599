package storagetest

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/schemas"
)

const offerIssuer = "https://aid.example.org/wallets"

// offerDesk is a world with a service on it, and units nobody was offered anything yet.
type offerDesk struct {
	*world
	service *offer.Service
	batch   issuer.Batch
	next    int
}

func newOfferDesk(t *testing.T, e Engine, units int) *offerDesk {
	t.Helper()
	w := newWorld(t, e)
	d := &offerDesk{world: w, batch: w.batch(t, units)}
	d.service = d.serviceAt(offerIssuer)
	return d
}

func (d *offerDesk) serviceAt(url string) *offer.Service {
	issuing := &offer.Issuing{Desk: d.desk, ProgrammeKey: func(string) ([]byte, error) { return d.batch.ProgrammeKey, nil }}
	return &offer.Service{Issuer: url, Store: d.org, Types: []*schemas.Type{d.batch.Type}, Issue: issuing.Issue,
		Now: func() time.Time { return d.now }}
}

// draft is of the next unit.
func (d *offerDesk) draft() offer.Draft {
	q := d.batch.Requests[d.next]
	d.next++
	return offer.Draft{By: clerk, Batch: d.batch, For: q, Forms: offer.Forms()}
}

func (d *offerDesk) offered(t *testing.T, draft offer.Draft) *offer.Offered {
	t.Helper()
	o, err := d.service.Create(ctx, draft)
	must(t, err)
	return o
}

func (d *offerDesk) try(o *offer.Offered, tx string) (string, error) {
	r, err := d.service.Token(ctx, offer.TokenRequest{GrantType: offer.GrantPreAuthorized, Code: o.Code, TxCode: tx, From: o.ID})
	if err != nil {
		return "", err
	}
	return r.AccessToken, nil
}

// redeemed is the token of a new offer.
func (d *offerDesk) redeemed(t *testing.T) (*offer.Offered, string) {
	t.Helper()
	o := d.offered(t, d.draft())
	token, err := d.try(o, o.Tx)
	must(t, err)
	return o, token
}

func (d *offerDesk) nonce(t *testing.T) string {
	t.Helper()
	b, err := d.service.Nonce()
	must(t, err)
	var v struct {
		Nonce string `json:"c_nonce"`
	}
	must(t, json.Unmarshal(b, &v))
	return v.Nonce
}

// proofs are good key proofs with one nonce.
func (d *offerDesk) proofs(t *testing.T, nonce string, keys ...*ecdsa.PrivateKey) []string {
	t.Helper()
	var list []string
	for _, k := range keys {
		list = append(list, signProof(t, k, map[string]any{}, map[string]any{"aud": d.service.Issuer, "iat": d.now.Unix(), "nonce": nonce}))
	}
	return list
}

// signProof signs a proof whose header is as it should be, but for what header says; nil takes a member out.
func signProof(t *testing.T, k *ecdsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	public, err := cose.NewKey(k.Public())
	must(t, err)
	h := map[string]any{"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": json.RawMessage(jose.JWKOf(public).Append(nil))}
	maps.Copy(h, header)
	maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
	head, err := json.Marshal(h)
	must(t, err)
	body, err := json.Marshal(claims)
	must(t, err)
	tbs := jose.EncodeBase64(head) + "." + jose.EncodeBase64(body)
	sig, err := cose.SignRaw(k, []byte(tbs))
	must(t, err)
	return tbs + "." + jose.EncodeBase64(sig)
}

func requestBody(t *testing.T, configuration string, proofs []string) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"credential_configuration_id": configuration, "proofs": map[string]any{"jwt": proofs}})
	must(t, err)
	return b
}

const sdJWT, vcJWT, boundCard = "eligibility_sd_jwt", "eligibility_vc_jwt", "eligibility_card"

func refusedAs(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *offer.Error
	if !errors.As(err, &e) || e.Code != code || e.Status != status {
		t.Errorf("got %v, want %s (%d)", err, code, status)
		return
	}
	if strings.ContainsAny(e.Description, "\"\\") || strings.Contains(e.Description, "Canary") {
		t.Errorf("the description %q must not be sent", e.Description)
	}
}

// testOffers is the whole way of an offer, in each configuration.
func testOffers(t *testing.T, e Engine) {
	d := newOfferDesk(t, e, 2)
	paper := issued(t, issue(t, d.desk, d.batch))[0]
	o := d.offered(t, d.draft())
	object, err := d.service.Object(ctx, o.Reference)
	must(t, err)
	if !bytes.Contains(object, []byte(`"pre-authorized_code":"`+o.Code+`"`)) || !bytes.Contains(object, []byte(`"tx_code":{"input_mode":"numeric","length":6}`)) {
		t.Errorf("the offer says %s", object)
	}
	if len(o.Tx) != 6 || strings.Contains(d.service.Link(o)+d.service.LinkByValue(o), o.Tx) {
		t.Error("the transaction code goes by another way than the link")
	}
	token, err := d.try(o, o.Tx)
	must(t, err)
	if _, err := d.service.Object(ctx, o.Reference); err == nil {
		t.Error("an offer that was taken up is still shown")
	}
	seen := map[string]bool{}
	for _, configuration := range []string{sdJWT, vcJWT, boundCard} {
		keys := []*ecdsa.PrivateKey{newKey(t), newKey(t)}
		r, err := d.service.Credential(ctx, token, requestBody(t, configuration, d.proofs(t, d.nonce(t), keys...)))
		must(t, err)
		if len(r.Credentials) != 2 || r.Status != 200 || r.NotificationID == "" {
			t.Fatalf("%s: %+v", configuration, r)
		}
		for _, c := range r.Credentials {
			if seen[c] {
				t.Errorf("%s: one credential came twice", configuration)
			}
			seen[c] = true
		}
		body := fmt.Appendf(nil, `{"notification_id":%q,"event":"credential_accepted","event_description":"all well"}`, r.NotificationID)
		for range 2 {
			must(t, d.service.Notification(ctx, token, body))
		}
	}
	got, err := d.service.Get(ctx, o.ID)
	must(t, err)
	if got.State != offer.Redeemed || len(got.Issued) != 3 || got.Issued[0].Event != "credential_accepted" || got.Issued[0].Done.IsZero() {
		t.Errorf("the offer stands as %+v", got)
	}
	held, err := d.org.FindCredentials(ctx, paper.Unit.String())
	must(t, err)
	for _, c := range held {
		if c.Pseudonym != paper.Pseudonym {
			t.Errorf("form %s: paper and wallet do not meet in the ledger", c.Form)
		}
	}
	if len(held) != 7 {
		t.Errorf("%d credentials, want a card and three times two", len(held))
	}
	d.whole(t)
	d.reopen(t)
	if list, err := d.org.Offers(ctx); err != nil || len(list) != 1 || list[0].ID != o.ID {
		t.Errorf("listed %v, %v", list, err)
	}
}

// testOfferSecrets: the database has no secret of an offer, and nothing of the erased.
func testOfferSecrets(t *testing.T, e Engine) {
	d := newOfferDesk(t, e, 3)
	o, token := d.redeemed(t)
	nonce := d.nonce(t)
	_, err := d.service.Credential(ctx, token, requestBody(t, sdJWT, d.proofs(t, nonce, newKey(t))))
	must(t, err)
	left := d.offered(t, d.draft())
	for what, secret := range map[string]string{"reference": o.Reference, "code": o.Code, "token": token, "nonce": nonce} {
		raw, err := jose.DecodeBase64(secret)
		must(t, err)
		for _, b := range [][]byte{[]byte(secret), raw} {
			if files := d.holders(t, b); len(files) > 0 {
				t.Errorf("the %s stands in %v", what, files)
			}
		}
	}
	must(t, d.org.Erase(ctx, clerk, left.Unit, "asked"))
	if _, err := d.service.Object(ctx, left.Reference); err == nil {
		t.Error("the offer of somebody erased is shown")
	}
	_, err = d.try(left, left.Tx)
	refusedAs(t, err, 400, offer.InvalidGrant)
	if _, err := d.service.Create(ctx, offer.Draft{By: clerk, Batch: d.batch, For: d.batch.Requests[1], Forms: offer.Forms()}); err == nil {
		t.Error("somebody erased is offered something")
	}
	d.whole(t)
	// A request moved to another offer does not open, and check says so.
	third := d.offered(t, d.draft())
	db := d.engine.SQL(t, d.dir)
	_, err = db.Exec(`UPDATE offer SET request = (SELECT request FROM offer WHERE id = $1) WHERE id = $2`, o.ID, third.ID)
	must(t, errors.Join(err, db.Close()))
	findings, err := d.org.Check(ctx)
	must(t, err)
	if len(findings) != 1 || !strings.Contains(findings[0].Object, third.ID) {
		t.Errorf("check finds %v", findings)
	}
	if _, err := d.try(third, third.Tx); err == nil {
		t.Error("a moved request was taken up")
	}
}

// testOfferRestored: a code that was used after the backup is not good after the restore, and no token is.
func testOfferRestored(t *testing.T, e Engine) {
	d := newOfferDesk(t, e, 2)
	early := d.offered(t, d.draft())
	d.now = d.now.Add(offer.DefaultLife - time.Minute)
	lasting, err := d.try(early, early.Tx)
	must(t, err)
	o := d.offered(t, d.draft())
	restore := d.engine.Backup(t, d.dir)
	token, err := d.try(o, o.Tx)
	must(t, err)
	_, err = d.service.Credential(ctx, token, requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t))))
	must(t, err)
	must(t, d.db.Close())
	restore()
	d.now = d.now.Add(2 * time.Minute)
	d.db = d.engine.Open(t, d.dir, d.options())
	org, err := d.db.Org(ctx, "org-a", d.kek)
	must(t, err)
	d.use(org)
	d.service = d.serviceAt(offerIssuer)
	_, err = d.try(o, o.Tx)
	refusedAs(t, err, 400, offer.InvalidGrant)
	// A token outlives its offer by minutes.
	_, err = d.service.Credential(ctx, lasting, requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t))))
	refusedAs(t, err, 401, offer.InvalidToken)
}
