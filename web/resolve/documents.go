package resolve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"aidpass/internal/jose"
)

// Sizes of what is fetched, in bytes.
const (
	maxMetadata = 512 << 10
	maxRequest  = 64 << 10
	maxStatus   = 6 << 20 // 2^24 entries of two bits that do not shrink, in base64url
)

// TypeMetadata returns the type metadata of vct, an https address. Where integrity
// is not empty, the bytes must have that hash: "sha256-" and base64, as W3C
// Subresource Integrity has it. Their vct must be the one asked for.
//
// draft-ietf-oauth-sd-jwt-vc, "Retrieving Type Metadata" and "Document Integrity".
func (c *Client) TypeMetadata(ctx context.Context, vct, integrity string) ([]byte, error) {
	const what = "type metadata"
	v, b, err := c.getJSON(ctx, vct, want{what: what, types: []string{jsonType}, max: maxMetadata, cached: true})
	if err != nil {
		return nil, err
	}
	if integrity != "" && !hashed(b, integrity) {
		return nil, answer("%s with another hash than the credential says", what)
	}
	if got := v.Get("vct"); got.Kind != jose.String || got.Text != vct {
		return nil, answer("%s of another type", what)
	}
	return b, nil
}

// hashed reports whether b has the hash that an integrity string gives. Where it
// gives several, the strongest kind counts (SRI 3.3.4); where it gives none that
// we know, nothing has it.
func hashed(b []byte, integrity string) bool {
	h256, h384, h512 := sha256.Sum256(b), sha512.Sum384(b), sha512.Sum512(b)
	for _, kind := range []struct {
		name string
		sum  []byte
	}{{"sha512-", h512[:]}, {"sha384-", h384[:]}, {"sha256-", h256[:]}} {
		given := false
		for s := range strings.FieldsSeq(integrity) {
			text, ok := strings.CutPrefix(s, kind.name)
			if !ok {
				continue
			}
			given = true
			text, _, _ = strings.Cut(text, "?") // options say nothing yet
			if sum, err := base64.StdEncoding.Strict().DecodeString(text); err == nil && bytes.Equal(sum, kind.sum) {
				return true
			}
		}
		if given {
			return false
		}
	}
	return false
}

// StatusList returns the status list token at uri, JWT or, where cwt is set, CWT.
// It is as its server sent it: package status proves and judges it.
//
// draft-ietf-oauth-status-list 8.
func (c *Client) StatusList(ctx context.Context, uri string, cwt bool) ([]byte, error) {
	kind := "application/statuslist+jwt"
	if cwt {
		kind = "application/statuslist+cwt"
	}
	return c.get(ctx, uri, want{what: "a status list", types: []string{kind}, max: maxStatus, cached: true})
}

// IssuerMetadata returns the OpenID4VCI metadata of a credential issuer, as an
// object that names this very issuer.
//
// OpenID4VCI 1.0, 12.2.
func (c *Client) IssuerMetadata(ctx context.Context, issuer string) (jose.Value, error) {
	return c.metadata(ctx, issuer, "openid-credential-issuer", "credential_issuer")
}

// ServerMetadata returns the metadata of an OAuth authorisation server (RFC 8414).
func (c *Client) ServerMetadata(ctx context.Context, issuer string) (jose.Value, error) {
	return c.metadata(ctx, issuer, "oauth-authorization-server", "issuer")
}

func (c *Client) metadata(ctx context.Context, issuer, name, member string) (jose.Value, error) {
	address, err := WellKnown(issuer, name)
	if err != nil {
		return jose.Value{}, err
	}
	v, _, err := c.getJSON(ctx, address, want{what: "metadata", types: []string{jsonType}, max: maxMetadata, cached: true})
	if err != nil {
		return jose.Value{}, err
	}
	// Letter by letter: what another issuer says of itself is a mix-up.
	if got := v.Get(member); got.Kind != jose.String || got.Text != issuer {
		return jose.Value{}, answer("metadata of another issuer")
	}
	return v, nil
}

// CredentialOffer returns the offer behind a credential_offer_uri. Offers are
// never signed: what they say is a wish to be shown, not a fact.
//
// OpenID4VCI 1.0, 4.1.3.
func (c *Client) CredentialOffer(ctx context.Context, uri string) (jose.Value, error) {
	v, _, err := c.getJSON(ctx, uri, want{what: "an offer", types: []string{jsonType}, max: maxRequest})
	return v, err
}

// RequestObject returns the signed request behind a request_uri, as text that
// nobody has proved. Where the request says request_uri_method=post, walletNonce
// goes along for the verifier to repeat; "" asks by GET.
//
// OpenID4VP 1.0, 5.10; RFC 9101 5.2.
func (c *Client) RequestObject(ctx context.Context, uri, walletNonce string) ([]byte, error) {
	w := want{what: "a request", types: []string{"application/oauth-authz-req+jwt"}, max: maxRequest}
	if walletNonce == "" {
		return c.get(ctx, uri, w)
	}
	if u, err := url.Parse(uri); err != nil || len(uri) > maxAddress || c.checkURL(u) != nil {
		return nil, ErrAddress
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(url.Values{"wallet_nonce": {walletNonce}}.Encode()))
	if err != nil {
		return nil, ErrAddress
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w.fixed = true
	b, _, err := c.do(r, w)
	return b, err
}
