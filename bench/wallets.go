package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/schemas"
	vt "aidpass/verifier/verifiertest"
	"aidpass/web/api"
	"aidpass/web/openid"
)

// wallets is the credential endpoint of OpenID4VCI beside a bare handler of the
// standard library that does what cannot be saved: it reads the request, checks the
// proof's signature with a key it knows, makes one signature and answers. The nine
// steps behind the endpoint are a row of their own.
func wallets(budget time.Duration) []row {
	ctx := context.Background()
	const base = "https://relief-a.example"
	signer, holder := vt.P256("desk"), vt.P256("phone")
	unsigned := []byte(strings.Repeat("a", 1500))
	store := &oneOffer{}
	service := &offer.Service{Issuer: base, Store: store, Types: []*schemas.Type{eligibility}, Now: time.Now,
		Issue: func(context.Context, offer.Order) ([]string, error) {
			signature, err := cose.SignRaw(signer, unsigned)
			return []string{string(unsigned) + "." + base64.RawURLEncoding.EncodeToString(signature) + "~"}, err
		}}
	made := must(service.Create(ctx, offer.Draft{By: access.Actor{ID: "acc-1", Role: access.Issuer}, Forms: []credential.Form{credential.FormSDJWT},
		Batch: issuer.Batch{Type: eligibility, Programme: vt.Programme, Round: 1}, For: issuer.Request{Unit: issuer.NewUnitID(), Claims: map[string]any{}}}))
	token := made.Reference // of the same form
	room := must(openid.New(openid.Config{Base: base, Issuer: service, Now: time.Now}))
	ours := httptest.NewServer(must(api.New(api.Config{Rooms: []api.Room{room}, Now: time.Now})))
	defer ours.Close()

	// A request sent again is answered again, so that one proof does for the whole run.
	var nonce struct {
		Text string `json:"c_nonce"`
	}
	check(json.Unmarshal(must(service.Nonce()), &nonce))
	claims := fmt.Sprintf(`{"aud":%q,"iat":%d,"nonce":%q}`, base, time.Now().Unix(), nonce.Text)
	p := must(jose.Prepare(holder.Key, "openid4vci-proof+jwt", "", []byte(claims), jose.DefaultLimits, jose.Member{Name: "jwk", Value: jose.JWKOf(holder.Key)}))
	proof := string(must(p.Attach(must(cose.SignRaw(holder, p.ToBeSigned())))))
	body := []byte(`{"credential_configuration_id":"` + eligibility.Name + `_sd_jwt","proofs":{"jwt":["` + proof + `"]}}`)

	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Proofs struct{ JWT []string } }
		check(json.Unmarshal(must(io.ReadAll(r.Body)), &request))
		text := request.Proofs.JWT[0]
		cut := strings.LastIndexByte(text, '.')
		check(holder.Key.Verify(cose.ES256, []byte(text[:cut]), must(base64.RawURLEncoding.DecodeString(text[cut+1:])), false))
		signature := must(cose.SignRaw(signer, unsigned))
		w.Header().Set("Content-Type", "application/json")
		check(json.NewEncoder(w).Encode(map[string]any{"credentials": []map[string]string{
			{"credential": string(unsigned) + "." + base64.RawURLEncoding.EncodeToString(signature) + "~"}}}))
	}))
	defer plain.Close()
	client := &http.Client{}
	ask := func(url string) func() {
		return func() {
			r := must(http.NewRequest("POST", url, bytes.NewReader(body)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
			a := must(client.Do(r))
			answer := must(io.ReadAll(a.Body))
			a.Body.Close()
			if a.StatusCode != http.StatusOK {
				panic(string(answer))
			}
		}
	}
	floor, x := beside(budget, ask(plain.URL), ask(ours.URL+"/credential"))
	return []row{atMost("wallets: credential endpoint", x[0], 1.25, "%.2f", " x", micro("HTTP, the proof's check and one signature", floor))}
}

// oneOffer is an offer.Store of one offer in memory, whose token is always good. What
// the run does not ask for is not there.
type oneOffer struct {
	offer.Store
	made  offer.NewOffer
	asked atomic.Int64
	macs  sync.Pool // as the database keeps them
}

func (s *oneOffer) OfferMark(purpose string, values ...string) (m offer.Mark) {
	h, _ := s.macs.Get().(hash.Hash)
	if h == nil {
		h = hmac.New(sha256.New, make([]byte, 32))
		h.Reset()
	}
	defer s.macs.Put(h)
	h.Reset()
	for _, v := range append(values, purpose) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(v))))
		io.WriteString(h, v)
	}
	h.Sum(m[:0])
	return m
}

func (s *oneOffer) AddOffer(_ context.Context, _ access.Actor, n offer.NewOffer) error {
	s.made = n
	return nil
}

func (s *oneOffer) OfferToken(context.Context, offer.Mark, time.Time) (offer.Token, error) {
	t := offer.Token{Offer: s.made.Offer, Request: s.made.Request}
	t.Offer.ID = strconv.FormatInt(s.asked.Add(1), 10) // each a wallet of its own: no limit is met
	return t, nil
}

func (s *oneOffer) ClaimOffer(context.Context, offer.Claim) error { return nil }

func (s *oneOffer) OfferIssued(context.Context, string, string) error { return nil }
