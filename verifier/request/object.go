package request

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"aidpass/credential/dcql"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// Media type and typ of a request object (RFC 9101; OpenID4VP 1.0 section 5).
const (
	ObjectType      = "oauth-authz-req+jwt"
	ObjectMediaType = "application/" + ObjectType
)

// audience is whom a request is for whose wallet nobody knows yet (OpenID4VP 1.0 5.8).
const audience = "https://self-issued.me/v2"

// Scheme of the links that open whatever wallet is there (OpenID4VP 1.0 13.1.2).
const OpenLink = "openid4vp://"

// MaxWalletNonce is the longest nonce of a wallet that is given back, in bytes.
const MaxWalletNonce = 512

// ResponseEncodings are the enc of JWE that an answer may have.
var ResponseEncodings = []string{"A256GCM", "A128GCM"}

// objectLimits are those of a request object: a query and certificates beside it.
var objectLimits = jose.Limits{Depth: 16, Entries: 256, Values: 8192}

// Object is the first phase of the request object: it fixes the bytes that key signs,
// whose use is "request". Attach on the result makes the text that is served as
// ObjectMediaType.
//
// walletNonce is what the wallet sent with request_uri_method=post, "" where it sent
// none. A request by RedirectURI cannot be signed and has no object.
//
// OpenID4VP 1.0 5.8 to 5.10; no iss, which wallets must ignore and some refuse.
func (t *Transaction) Object(key *cose.Key, walletNonce string) (*jose.Prepared, error) {
	if len(walletNonce) > MaxWalletNonce {
		return nil, invalid(Malformed, "a wallet_nonce of %d bytes, at most %d", len(walletNonce), MaxWalletNonce)
	}
	kid := jose.KeyID(key)
	var header []jose.Member
	switch t.Client.Scheme {
	case DID:
		kid = t.Client.DID + "#" + kid
	case X509Hash:
		chain, err := t.Client.chainOf(key)
		if err != nil {
			return nil, err
		}
		header = []jose.Member{{Name: "x5c", Value: chain}}
	default:
		return nil, fmt.Errorf("request: a request by %s is not signed", t.Client.Scheme)
	}
	members := append(t.parameters(), member("aud", jose.StringOf(audience)),
		member("iat", jose.IntOf(t.Created.Unix())), member("exp", jose.IntOf(t.Expires.Unix())), member("purpose", byLanguage(t.Purpose)))
	if walletNonce != "" {
		members = append(members, member("wallet_nonce", jose.StringOf(walletNonce)))
	}
	p, err := jose.Prepare(key, ObjectType, kid, jose.ObjectOf(members...).Sorted().Append(nil), objectLimits, header...)
	if err != nil {
		return nil, fmt.Errorf("request: prepare request object: %w", err)
	}
	return p, nil
}

// chainOf is the x5c header, whose first certificate must be key's.
func (c *Client) chainOf(key *cose.Key) (jose.Value, error) {
	leaf, err := x509.ParseCertificate(c.Chain[0])
	if err != nil {
		return jose.Value{}, fmt.Errorf("request: the certificate of who asks: %w", err)
	}
	k, err := cose.NewKey(leaf.PublicKey)
	if err != nil || k.Thumbprint() != key.Thumbprint() {
		return jose.Value{}, fmt.Errorf("request: the certificate of who asks is of another key than the one that signs")
	}
	chain := jose.Value{Kind: jose.Array}
	for _, der := range c.Chain {
		chain.Items = append(chain.Items, jose.StringOf(base64.StdEncoding.EncodeToString(der))) // RFC 7515 4.1.6: not base64url
	}
	return chain, nil
}

// parameters are those of every request, however it travels.
func (t *Transaction) parameters() []jose.Member {
	return []jose.Member{
		member("client_id", jose.StringOf(t.ClientID())), member("client_metadata", t.metadata()), member("dcql_query", t.Query.Value()),
		member("nonce", jose.StringOf(t.Nonce)), member("response_mode", jose.StringOf(string(t.Mode))), member("response_type", jose.StringOf("vp_token")),
		member("response_uri", jose.StringOf(t.ResponseURI())), member("state", jose.StringOf(t.State)),
	}
}

// metadata is client_metadata: what we read, and the key that the answer is encrypted
// to (OpenID4VP 1.0 5.1, 8.3, 11.1; names as RFC 7591 2.2 has them).
func (t *Transaction) metadata() jose.Value {
	algs := jose.ArrayOf(jose.StringOf("ES256"), jose.StringOf("Ed25519"), jose.StringOf("EdDSA"))
	formats := jose.ObjectOf()
	for _, c := range t.Query.Credentials {
		if formats.Get(c.Format).Kind != jose.Missing {
			continue
		}
		f := jose.ObjectOf(member("alg_values", algs))
		if c.Format == dcql.FormatSDJWT {
			f = jose.ObjectOf(member("kb-jwt_alg_values", algs), member("sd-jwt_alg_values", algs))
		}
		formats.Members = append(formats.Members, member(c.Format, f))
	}
	m := jose.ObjectOf(member("vp_formats_supported", formats))
	for _, tag := range slices.Sorted(maps.Keys(t.Client.Name)) {
		name := "client_name"
		if tag != "en" {
			name += "#" + tag
		}
		m.Members = append(m.Members, member(name, jose.StringOf(t.Client.Name[tag])))
	}
	if t.Key != nil {
		encodings := jose.Value{Kind: jose.Array}
		for _, e := range ResponseEncodings {
			encodings.Items = append(encodings.Items, jose.StringOf(e))
		}
		m.Members = append(m.Members, member("encrypted_response_enc_values_supported", encodings),
			member("jwks", jose.ObjectOf(member("keys", jose.ArrayOf(t.jwk())))))
	}
	return m
}

// KeyID is the kid of Key, "" where there is none. It is good for one transaction, as
// the key is.
func (t *Transaction) KeyID() string {
	if t.Key == nil {
		return ""
	}
	return jose.EncodeBase64(t.Key.PublicKey().Bytes()[1:13])
}

func (t *Transaction) jwk() jose.Value {
	point := t.Key.PublicKey().Bytes() // 04 || x || y
	return jose.ObjectOf(member("alg", jose.StringOf("ECDH-ES")), member("crv", jose.StringOf("P-256")), member("kid", jose.StringOf(t.KeyID())),
		member("kty", jose.StringOf("EC")), member("use", jose.StringOf("enc")),
		member("x", jose.StringOf(jose.EncodeBase64(point[1:33]))), member("y", jose.StringOf(jose.EncodeBase64(point[33:]))))
}

// Link is what a QR code or a button says. start is OpenLink or the https address of a
// wallet that takes such links.
//
// A signed request travels by reference; one by RedirectURI, which nothing could vouch
// for on the way, stands in the link itself and makes a large code.
func (t *Transaction) Link(start string) string {
	v := url.Values{"client_id": {t.ClientID()}}
	if t.Client.Scheme == RedirectURI {
		for _, m := range append(t.parameters(), member("purpose", byLanguage(t.Purpose))) {
			v.Set(m.Name, textOf(m.Value))
		}
	} else {
		v.Set("request_uri", t.RequestURI())
		v.Set("request_uri_method", "post")
	}
	return start + "?" + v.Encode()
}

// textOf is a parameter as a link carries it: objects as JSON (OpenID4VP 1.0 5.1).
func textOf(v jose.Value) string {
	if v.Kind == jose.String {
		return v.Text
	}
	return string(v.Append(nil))
}

func byLanguage(texts map[string]string) jose.Value {
	out := jose.ObjectOf()
	for _, tag := range slices.Sorted(maps.Keys(texts)) {
		out.Members = append(out.Members, member(tag, jose.StringOf(texts[tag])))
	}
	return out
}

func member(name string, v jose.Value) jose.Member { return jose.Member{Name: name, Value: v} }
