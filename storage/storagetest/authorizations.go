package storagetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"

	"aidpass/internal/jose"
	"aidpass/issuer"
	"aidpass/issuer/offer"
)

const (
	walletID     = "https://wallet.example.org"
	walletAt     = "https://wallet.example.org/back"
	codeVerifier = "a-verifier-of-as-many-signs-as-the-standard-wants"
)

// asked is what a good wallet asks.
func asked(o *offer.Offered) *offer.AuthorizationRequest {
	challenge := sha256.Sum256([]byte(codeVerifier))
	return &offer.AuthorizationRequest{ResponseType: "code", ClientID: walletID, RedirectURI: walletAt, Scope: sdJWT,
		Challenge: jose.EncodeBase64(challenge[:]), Method: "S256", IssuerState: o.Reference, From: o.ID}
}

func redemption(code string) offer.TokenRequest {
	return offer.TokenRequest{GrantType: offer.GrantAuthorizationCode, AuthorizationCode: code, CodeVerifier: codeVerifier, RedirectURI: walletAt, ClientID: walletID, From: code}
}

// testAuthorizations: codes of the authorisation code grant.
func testAuthorizations(t *testing.T, e Engine) {
	d := newOfferDesk(t, e, 12)
	d.service.SignIn, d.service.Redirects = true, []string{walletAt}
	// offered is an open offer, and the person it is for.
	offered := func() (*offer.Offered, offer.Subject) {
		number := fmt.Sprintf("HH-%05d", d.next)
		return d.offered(t, d.draft()), offer.Subject{Kind: issuer.Household, Number: number}
	}
	authorized := func() (*offer.Offered, string) {
		o, who := offered()
		r := asked(o)
		must(t, d.service.CheckRedirect(r.RedirectURI))
		must(t, d.service.CheckAuthorization(r))
		code, err := d.service.Authorize(ctx, r, who)
		must(t, err)
		return o, code
	}
	first, firstOwner := offered()
	second, secondOwner := offered()

	t.Run("the whole way", func(t *testing.T) {
		object, err := d.service.Object(ctx, first.Reference)
		must(t, err)
		if !bytes.Contains(object, []byte(`"authorization_code":{"issuer_state":"`+first.Reference+`"}`)) {
			t.Errorf("the offer says %s", object)
		}
		r := asked(first)
		r.IssuerState = "" // a wallet that only knows what it wants
		code, err := d.service.Authorize(ctx, r, firstOwner)
		must(t, err)
		token, err := d.service.Token(ctx, redemption(code))
		must(t, err)
		_, err = d.service.Credential(ctx, token.AccessToken, requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t))))
		must(t, err)
		_, err = d.try(first, first.Tx)
		refusedAs(t, err, 400, offer.InvalidGrant)
	})
	t.Run("somebody else's offer, nobody's, another roster's", func(t *testing.T) {
		for _, who := range []offer.Subject{firstOwner, {Kind: issuer.Household, Number: "nobody"}, {Kind: issuer.Household, Roster: "another", Number: secondOwner.Number},
			{Kind: issuer.Person, Number: secondOwner.Number}, {}} {
			_, err := d.service.Authorize(ctx, asked(second), who)
			refusedAs(t, err, 400, offer.AccessDenied)
		}
		r := asked(second)
		r.Scope = "receipt_sd_jwt"
		_, err := d.service.Authorize(ctx, r, secondOwner)
		refusedAs(t, err, 400, offer.AccessDenied)
		if got, err := d.service.Get(ctx, second.ID); err != nil || got.State != offer.Open {
			t.Errorf("it is %s, %v", got.State, err)
		}
	})
	t.Run("what a code is bound to", func(t *testing.T) {
		for what, spoil := range map[string]func(*offer.TokenRequest){
			"verifier": func(r *offer.TokenRequest) { r.CodeVerifier += "x" },
			"client":   func(r *offer.TokenRequest) { r.ClientID = "other" },
			"address":  func(r *offer.TokenRequest) { r.RedirectURI += "/" },
		} {
			code, err := d.service.Authorize(ctx, asked(second), secondOwner)
			must(t, err)
			r := redemption(code)
			spoil(&r)
			_, err = d.service.Token(ctx, r)
			refusedAs(t, err, 400, offer.InvalidGrant)
			_, err = d.service.Token(ctx, redemption(code)) // who has it can guess no further
			if refusedAs(t, err, 400, offer.InvalidGrant); err == nil {
				t.Errorf("another %s left the code good", what)
			}
		}
		for _, spoil := range []func(*offer.TokenRequest){
			func(r *offer.TokenRequest) { r.CodeVerifier = "" }, func(r *offer.TokenRequest) { r.RedirectURI = "" },
			func(r *offer.TokenRequest) { r.ClientID = "" }, func(r *offer.TokenRequest) { r.AuthorizationCode = "" },
		} {
			r := redemption(second.Reference)
			spoil(&r)
			_, err := d.service.Token(ctx, r)
			refusedAs(t, err, 400, offer.InvalidRequest)
		}
		r := redemption(second.Reference)
		_, err := d.service.Token(ctx, r)
		refusedAs(t, err, 400, offer.InvalidGrant)
		other := d.serviceAt("https://other.example.org")
		other.SignIn = true
		code, err := d.service.Authorize(ctx, asked(second), secondOwner)
		must(t, err)
		_, err = other.Token(ctx, redemption(code))
		refusedAs(t, err, 400, offer.InvalidGrant)
	})
	t.Run("a code reused ends the token too", func(t *testing.T) {
		o, code := authorized()
		token, err := d.service.Token(ctx, redemption(code))
		must(t, err)
		_, err = d.service.Token(ctx, redemption(code))
		refusedAs(t, err, 400, offer.InvalidGrant)
		_, err = d.service.Credential(ctx, token.AccessToken, requestBody(t, sdJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 401, offer.InvalidToken)
		if got, err := d.service.Get(ctx, o.ID); err != nil || got.State != offer.Burnt {
			t.Errorf("it is %s, %v", got.State, err)
		}
	})
	t.Run("of many at once one gets a token", func(t *testing.T) {
		_, code := authorized()
		granted := make([]bool, 4)
		var all sync.WaitGroup
		for i := range granted {
			all.Go(func() {
				_, err := d.service.Token(ctx, redemption(code))
				granted[i] = err == nil
			})
		}
		all.Wait()
		n := 0
		for _, ok := range granted {
			if ok {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d tokens of one code", n)
		}
	})
	t.Run("named by authorization_details, and told again with the token", func(t *testing.T) {
		o, who := offered()
		r := asked(o)
		r.Scope, r.Details = "", `[{"type":"openid_credential","credential_configuration_id":"`+sdJWT+`"}]`
		must(t, d.service.CheckAuthorization(r))
		code, err := d.service.Authorize(ctx, r, who)
		must(t, err)
		more := redemption(code)
		more.Details = strings.Replace(r.Details, sdJWT, vcJWT, 1)
		_, err = d.service.Token(ctx, more)
		refusedAs(t, err, 400, offer.InvalidAuthorizationDetails)
		_, err = d.service.Token(ctx, redemption(strings.Replace(code, sdJWT, vcJWT, 1)))
		refusedAs(t, err, 400, offer.InvalidGrant)
		token, err := d.service.Token(ctx, redemption(code))
		must(t, err)
		if !bytes.Contains(token.JSON(), []byte(`"credential_configuration_id":"`+sdJWT+`","credential_identifiers":["`)) {
			t.Errorf("the token response is %s", token.JSON())
		}
		_, err = d.service.Credential(ctx, token.AccessToken, requestBody(t, vcJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 400, offer.InvalidCredentialRequest)
	})
	t.Run("asked for by scope alone, and good for no more", func(t *testing.T) {
		_, code := authorized()
		more := redemption(code)
		more.Details = `[{"type":"openid_credential","credential_configuration_id":"` + vcJWT + `"}]`
		_, err := d.service.Token(ctx, more)
		refusedAs(t, err, 400, offer.InvalidAuthorizationDetails)
		token, err := d.service.Token(ctx, redemption(code))
		must(t, err)
		if bytes.Contains(token.JSON(), []byte("credential_identifiers")) {
			t.Errorf("identifiers nobody asked for: %s", token.JSON())
		}
		_, err = d.service.Credential(ctx, token.AccessToken, requestBody(t, vcJWT, d.proofs(t, d.nonce(t), newKey(t))))
		refusedAs(t, err, 400, offer.InvalidCredentialRequest)
		_, code = authorized() // cut short, it is another code
		_, err = d.service.Token(ctx, redemption(strings.SplitN(code, "~", 2)[0]))
		refusedAs(t, err, 400, offer.InvalidGrant)
	})
	t.Run("of what the offer has not there is no token, and the code stays good", func(t *testing.T) {
		o, who := offered()
		code, err := d.service.Authorize(ctx, asked(o), who)
		must(t, err)
		r := redemption(code)
		r.Details = `[{"type":"openid_credential","credential_configuration_id":"receipt_sd_jwt"}]`
		_, err = d.service.Token(ctx, r)
		refusedAs(t, err, 400, offer.InvalidAuthorizationDetails)
		_, err = d.service.Token(ctx, redemption(code))
		must(t, err)
	})
	t.Run("over", func(t *testing.T) {
		_, code := authorized()
		d.now = d.now.Add(offer.AuthorizationLife)
		_, err := d.service.Token(ctx, redemption(code))
		refusedAs(t, err, 400, offer.InvalidGrant)
		o, code := authorized()
		must(t, d.service.Withdraw(ctx, clerk, o.ID, "mistake"))
		_, err = d.service.Token(ctx, redemption(code))
		refusedAs(t, err, 400, offer.InvalidGrant)
	})
	t.Run("requests that are refused before anybody signs in", func(t *testing.T) {
		for want, spoil := range map[string]func(*offer.AuthorizationRequest){
			offer.UnsupportedResponseType:     func(r *offer.AuthorizationRequest) { r.ResponseType = "token" },
			offer.InvalidAuthorizationDetails: func(r *offer.AuthorizationRequest) { r.Details = "[]" },
			offer.InvalidScope:                func(r *offer.AuthorizationRequest) { r.Scope = "openid" },
			offer.InvalidScope + " ":          func(r *offer.AuthorizationRequest) { r.Scope, r.IssuerState = "", "" },
			offer.InvalidRequest:              func(r *offer.AuthorizationRequest) { r.Method = "plain" },
			offer.InvalidRequest + " ":        func(r *offer.AuthorizationRequest) { r.Method = "" },
			offer.InvalidRequest + "  ":       func(r *offer.AuthorizationRequest) { r.Challenge = codeVerifier },
			offer.InvalidRequest + "   ":      func(r *offer.AuthorizationRequest) { r.ClientID = "" },
			offer.InvalidRequest + "    ":     func(r *offer.AuthorizationRequest) { r.IssuerState = "17" },
			offer.InvalidRequest + "     ":    func(r *offer.AuthorizationRequest) { r.State = strings.Repeat("a", 2000) },
		} {
			r := asked(second)
			spoil(r)
			refusedAs(t, d.service.CheckAuthorization(r), 400, strings.TrimSpace(want))
		}
		for _, uri := range []string{"", walletAt + "/", walletAt + "?a", "HTTPS://wallet.example.org/back", "https://evil.example", "http://localhost:80/", "http://127.0.0.1/",
			"http://127.0.0.1:80@evil.example/", "http://127.0.0.2:80/", "https://127.0.0.1:80/", "http://[::1%251]:80/", "http://127.0.0.1:80/#a", "javascript:alert(1)"} {
			if d.service.CheckRedirect(uri) == nil {
				t.Errorf("a browser would be sent to %q", uri)
			}
		}
		for _, uri := range []string{walletAt, "http://127.0.0.1:49152/back", "http://[::1]:49152/"} {
			must(t, d.service.CheckRedirect(uri))
		}
	})
	d.whole(t)
}
