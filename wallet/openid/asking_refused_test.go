package openid_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"aidpass/internal/cose"
	"aidpass/wallet/openid"
)

// THREATS 4.4, 30 and 31, and their like.
func TestRequestsThatAreRefused(t *testing.T) {
	type claims = map[string]any
	for name, c := range map[string]struct {
		want   openid.Why
		change func(claims)
		header func(map[string]any)
	}{
		"as it should be":           {want: ""},
		"without aud":               {openid.BadRequest, func(c claims) { delete(c, "aud") }, nil},
		"aud is somebody":           {openid.BadRequest, func(c claims) { c["aud"] = "https://c.example" }, nil},
		"another client_id inside":  {openid.MixUp, func(c claims) { c["client_id"] = "decentralized_identifier:did:web:c.example" }, nil},
		"client_id without prefix":  {openid.MixUp, func(c claims) { c["client_id"] = "did:web:b.example" }, nil},
		"another wallet's nonce":    {openid.BadRequest, func(c claims) { c["wallet_nonce"] = "x" }, nil},
		"response_uri by http":      {openid.NotHTTPS, func(c claims) { c["response_uri"] = "http://b.example/r" }, nil},
		"response_uri inside":       {openid.NotHTTPS, func(c claims) { c["response_uri"] = "https://169.254.169.254/r" }, nil},
		"redirect_uri too":          {openid.BadRequest, func(c claims) { c["redirect_uri"] = "https://b.example/r" }, nil},
		"no nonce":                  {openid.BadRequest, func(c claims) { delete(c, "nonce") }, nil},
		"a nonce with a space":      {openid.BadRequest, func(c claims) { c["nonce"] = "a b" }, nil},
		"a state with a line break": {openid.BadRequest, func(c claims) { c["state"] = "a\nb" }, nil},
		"transaction data":          {openid.Unsupported, func(c claims) { c["transaction_data"] = []string{"e30"} }, nil},
		"a scope beside":            {openid.Unsupported, func(c claims) { c["scope"] = "x" }, nil},
		"no query":                  {openid.Unsupported, func(c claims) { delete(c, "dcql_query") }, nil},
		"a query that is none":      {openid.BadRequest, func(c claims) { c["dcql_query"] = claims{"credentials": []any{}} }, nil},
		"an answer by fragment":     {openid.Unsupported, func(c claims) { c["response_mode"] = "fragment" }, nil},
		"an id token":               {openid.Unsupported, func(c claims) { c["response_type"] = "vp_token id_token" }, nil},
		"no key to encrypt to":      {openid.Unsupported, func(c claims) { c["client_metadata"] = claims{} }, nil},
		"too old":                   {openid.Used, func(c claims) { c["exp"] = int64(at) - 3600 }, nil},
		"of tomorrow":               {openid.BadRequest, func(c claims) { c["iat"] = int64(at) + 86400 }, nil},
		"of another typ":            {openid.BadRequest, nil, func(h map[string]any) { h["typ"] = "JWT" }},
		"alg none":                  {openid.BadRequest, nil, func(h map[string]any) { h["alg"] = "none" }},
		"another's key id":          {openid.BadRequest, nil, func(h map[string]any) { h["kid"] = "did:web:c.example#1" }},
		"an unknown key":            {openid.BadSigned, nil, func(h map[string]any) { h["kid"] = "did:web:b.example#1" }},
	} {
		t.Run(name, func(t *testing.T) {
			w, h := phone(t, 1)
			a := newAsker(t, "b.example", "size_band")
			link := a.ask()
			_, err := h.answer(link, w, func(r *openid.Request) openid.Response {
				out := a.serve(r)
				if r.URL == a.RequestURI() {
					out.Body = []byte(resign(t, a.key, string(out.Body), c.header, c.change))
				}
				return out
			}, nil, false)
			if why(err) != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
			if sent := len(a.log) > 0; sent != (c.want == "") {
				t.Errorf("sent: %t", sent)
			}
		})
	}
}

// resign changes a token and signs it again.
func resign(t *testing.T, k *ecdsa.PrivateKey, text string, header, claims func(map[string]any)) string {
	t.Helper()
	parts := strings.Split(text, ".")
	for n, change := range []func(map[string]any){header, claims} {
		raw, _ := base64.RawURLEncoding.DecodeString(parts[n])
		m := map[string]any{}
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(m)
		}
		raw, _ = json.Marshal(m)
		parts[n] = base64.RawURLEncoding.EncodeToString(raw)
	}
	tbs := parts[0] + "." + parts[1]
	sig, err := cose.SignRaw(k, []byte(tbs))
	if err != nil {
		t.Fatal(err)
	}
	return tbs + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func TestARequestSignedByAnotherKeyIsRefused(t *testing.T) {
	w, h := phone(t, 1)
	other, _ := newKey(t)
	for name, certify := range map[string]bool{"website": false, "certificate": true} {
		a := newAsker(t, "b.example", "size_band")
		if certify {
			a.certify()
		}
		_, err := h.answer(a.ask(), w, func(r *openid.Request) openid.Response {
			out := a.serve(r)
			if r.URL == a.RequestURI() {
				out.Body = []byte(resign(t, other, string(out.Body), nil, nil))
			}
			return out
		}, nil, false)
		if why(err) != openid.BadSigned || len(a.log) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// And another certificate under the name of the first.
	a, b := newAsker(t, "b.example", "size_band"), newAsker(t, "b.example", "size_band")
	a.certify()
	b.certify()
	_, err := h.answer(a.ask(), w, func(r *openid.Request) openid.Response {
		out := a.serve(r)
		if r.URL == a.RequestURI() {
			out.Body = []byte(resign(t, b.key, string(out.Body), func(h map[string]any) {
				h["x5c"] = []string{base64.StdEncoding.EncodeToString(b.policy.Client.Chain[0])}
			}, nil))
		}
		return out
	}, nil, false)
	if why(err) != openid.MixUp {
		t.Errorf("another's certificate: %v", err)
	}
}

func TestLinksThatAreNoRequests(t *testing.T) {
	dcqlText := url.QueryEscape(`{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}]}`)
	plain := "openid4vp://?response_type=vp_token&response_mode=direct_post&nonce=n&dcql_query=" + dcqlText
	for link, want := range map[string]openid.Why{
		"openid4vp://":                                                                                 openid.BadLink,
		"https://b.example/x?y=1":                                                                      openid.BadLink,
		"openid4vp://?request_uri=https://b.example":                                                   openid.BadRequest,
		"openid4vp://?client_id=a&request_uri=http://b.example":                                        openid.NotHTTPS,
		"openid4vp://?client_id=a&request_uri=https://b.example&request=x":                             openid.BadRequest,
		"openid4vp://?client_id=a&request_uri=https://b.example&request_uri_method=PUT":                openid.BadRequest,
		"openid4vp://?client_id=a&client_id=b":                                                         openid.BadLink,
		plain + "&client_id=decentralized_identifier:did:web:b.example&response_uri=https://b.example": openid.BadRequest,
		plain + "&client_id=redirect_uri:https://b.example/r&response_uri=https://c.example/r":         openid.MixUp,
		plain + "&client_id=redirect_uri:http://b.example/r":                                           openid.NotHTTPS,
		plain + "&client_id=origin:https://b.example":                                                  openid.BadRequest,
	} {
		if _, err := openid.BeginAsking(link, openid.Rules{}, rand.Reader); why(err) != want {
			t.Errorf("%s: %v, want %s", link, err, want)
		}
	}
	a, err := openid.BeginAsking(plain+"&client_id=redirect_uri:https://b.example/r", openid.Rules{}, rand.Reader)
	if step, _ := a.Next(at); err != nil || step.Asked.Who.Name != "b.example" || step.Asked.Who.How != openid.ByAddress {
		t.Errorf("%+v, %v", step.Asked, err)
	}
}
