package openid

import (
	"slices"
	"strings"

	"aidpass/internal/jose"
	"aidpass/wallet"
)

// Formats of credentials this wallet keeps.
const (
	FormatSDJWT = "dc+sd-jwt"
	FormatVCJWT = "vc+jwt"
	// FormatCard is ours alone: the QR text of a card bound to the wallet's key, for
	// showing live and offline (docs/formats/wallet.md).
	FormatCard = "aidpass-card"
)

// Configuration is one credential an issuer serves.
type Configuration struct {
	ID     string
	Format string
	Type   string // vct, or the second type of a W3C credential; "" where it does not say
	Names  []wallet.Text
	// Colour and TextColour are #rrggbb, or "".
	Colour, TextColour string
	Labels             []wallet.Label
	// Binding methods and whether proofs are wanted at all.
	bound, jwk, didJWK bool
	scope              string // by which it is asked for; "" for none
	es256              bool
}

// Issuer is what an issuer says of itself.
type Issuer struct {
	ID             string
	Names          []wallet.Text
	Configurations []Configuration
	BatchSize      int // 1 where it gives no batches

	server                                string
	credential, nonce, deferred, notified string
	encryption                            *encryption
	requestKeys                           jose.Value
	requestEnc                            string
	mustEncrypt                           bool
}

type encryption struct{ enc string }

// parseIssuer reads the metadata of the issuer id. OpenID4VCI 12.2.4: what names
// another issuer is not used at all.
func (r Rules) parseIssuer(b []byte, id, wantServer string) (*Issuer, error) {
	v, err := object(b, "the issuer's metadata")
	if err != nil {
		return nil, err
	}
	if textOf(v, "credential_issuer", MaxAddress) != id {
		return nil, fault(MixUp, "metadata of another issuer than the offer's")
	}
	m := &Issuer{ID: id, Names: displayNames(v.Get("display")), BatchSize: 1, server: id}
	if servers := v.Get("authorization_servers"); servers.Kind != jose.Missing {
		list := textsOf(v, "authorization_servers")
		if len(list) == 0 || wantServer != "" && !slices.Contains(list, wantServer) {
			return nil, fault(MixUp, "an offer for an authorisation server the issuer does not name")
		}
		if m.server = list[0]; wantServer != "" {
			m.server = wantServer
		}
	} else if wantServer != "" && wantServer != id {
		return nil, fault(MixUp, "an offer for an authorisation server the issuer does not name")
	}
	if err := r.checkIssuer(m.server); err != nil {
		return nil, err
	}
	for _, e := range []struct {
		name string
		to   *string
		must bool
	}{{"credential_endpoint", &m.credential, true}, {"nonce_endpoint", &m.nonce, false},
		{"deferred_credential_endpoint", &m.deferred, false}, {"notification_endpoint", &m.notified, false}} {
		if v.Get(e.name).Kind == jose.Missing && !e.must {
			continue
		}
		*e.to = textOf(v, e.name, MaxAddress)
		if err := r.checkURL(*e.to); err != nil {
			return nil, err
		}
	}
	if batch := v.Get("batch_credential_issuance"); batch.Kind != jose.Missing {
		n, ok := batch.Get("batch_size").Int()
		if !ok || n < 2 {
			return nil, fault(BadAnswer, "metadata with a batch of fewer than two")
		}
		m.BatchSize = int(min(n, MaxCopies))
	}
	if err := m.readEncryption(v); err != nil {
		return nil, err
	}
	configurations := v.Get("credential_configurations_supported")
	if configurations.Kind != jose.Object {
		return nil, fault(BadAnswer, "metadata without credentials")
	}
	for _, c := range configurations.Members {
		m.Configurations = append(m.Configurations, parseConfiguration(c.Name, c.Value))
	}
	return m, nil
}

// readEncryption: answers can be encrypted only where requests can, since a
// stranger could put a key of his own into a plain request (OpenID4VCI 8.2).
func (m *Issuer) readEncryption(v jose.Value) error {
	req, res := v.Get("credential_request_encryption"), v.Get("credential_response_encryption")
	mustReq, _ := req.Get("encryption_required").Bool()
	mustRes, _ := res.Get("encryption_required").Bool()
	m.mustEncrypt = mustReq || mustRes
	if enc := chooseEnc(textsOf(req, "enc_values_supported")); enc != "" {
		m.requestKeys, m.requestEnc = req.Get("jwks"), enc
	}
	if enc := chooseEnc(textsOf(res, "enc_values_supported")); enc != "" && slices.Contains(textsOf(res, "alg_values_supported"), algECDH) {
		m.encryption = &encryption{enc}
	}
	if mustReq && m.requestEnc == "" || mustRes && (m.encryption == nil || m.requestEnc == "") {
		return fault(Unsupported, "an issuer that wants an encryption this wallet has not")
	}
	return nil
}

func parseConfiguration(id string, v jose.Value) Configuration {
	c := Configuration{ID: id, Format: textOf(v, "format", 64), Type: textOf(v, "vct", MaxAddress)}
	if types := textsOf(v.Get("credential_definition"), "type"); c.Type == "" && len(types) > 0 {
		c.Type = types[len(types)-1]
	}
	shown := v.Get("credential_metadata")
	c.Names = displayNames(shown.Get("display"))
	for _, d := range shown.Get("display").Items {
		if c.Colour == "" {
			c.Colour, c.TextColour = colour(d.Get("background_color")), colour(d.Get("text_color"))
		}
	}
	for _, claim := range shown.Get("claims").Items {
		var path []string
		for _, p := range claim.Get("path").Items {
			if p.Kind != jose.String || len(p.Text) > 128 || len(path) == 8 {
				path = nil
				break
			}
			path = append(path, p.Text)
		}
		if names := displayNames(claim.Get("display")); len(path) > 0 && len(names) > 0 && len(c.Labels) < 64 {
			c.Labels = append(c.Labels, wallet.Label{Path: path, Names: names})
		}
	}
	c.scope = textOf(v, "scope", 256)
	if strings.ContainsAny(c.scope, " \t\r\n") {
		c.scope = ""
	}
	methods := v.Get("cryptographic_binding_methods_supported")
	c.bound = methods.Kind != jose.Missing || v.Get("proof_types_supported").Kind != jose.Missing
	for _, m := range methods.Items {
		c.jwk = c.jwk || m.Text == "jwk" || m.Text == "cose_key"
		c.didJWK = c.didJWK || m.Text == "did:jwk"
	}
	proof := v.Get("proof_types_supported").Get("jwt")
	c.es256 = slices.Contains(textsOf(proof, "proof_signing_alg_values_supported"), "ES256") &&
		proof.Get("key_attestations_required").Kind == jose.Missing
	return c
}

// usable says whether this wallet can take the credential: a format it keeps,
// bound to nobody or to a key it can prove.
func (c *Configuration) usable() bool {
	known := c.Format == FormatSDJWT || c.Format == FormatVCJWT || c.Format == FormatCard
	return known && (!c.bound || c.es256 && (c.jwk || c.didJWK))
}

// displayNames reads the names of a display array, one a language.
func displayNames(display jose.Value) []wallet.Text {
	var out []wallet.Text
	for _, d := range display.Items {
		name, lang := textOf(d, "name", 400), textOf(d, "locale", 35)
		known := slices.ContainsFunc(out, func(t wallet.Text) bool { return t.Lang == lang })
		if name != "" && !known && len(out) < 32 {
			out = append(out, wallet.Text{Lang: lang, Text: name})
		}
	}
	return out
}

// colour takes #rgb and #rrggbb, and nothing a style sheet could be led astray by.
func colour(v jose.Value) string {
	s := v.Text
	if len(s) == 4 && s[0] == '#' {
		s = string([]byte{'#', s[1], s[1], s[2], s[2], s[3], s[3]})
	}
	if len(s) != 7 || s[0] != '#' || strings.Trim(strings.ToLower(s[1:]), "0123456789abcdef") != "" {
		return ""
	}
	return strings.ToLower(s)
}
