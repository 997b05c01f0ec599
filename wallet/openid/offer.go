package openid

import (
	"strings"

	"aidpass/internal/jose"
)

// Names of grants.
const (
	grantCode    = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
	grantSignIn  = "authorization_code"
	offerScheme  = "openid-credential-offer:"
	maxOfferText = 64 << 10
	maxOffered   = 16 // configurations in one offer
)

// Offer is what an issuer would hand out. It is never signed: what it says is a
// wish, until the issuer's own metadata says the same.
type Offer struct {
	Issuer         string   // credential_issuer
	Configurations []string // credential_configuration_ids
	Code           string   // pre-authorised code: a secret, for one use; "" where the holder must sign in
	// SignIn: the holder may sign in instead. IssuerState goes along; "" for none.
	SignIn      bool
	IssuerState string
	// Server is the authorisation server named for it; "" for none.
	Server string
	TxCode *TxCode // nil: no code is asked of the holder
}

// TxCode says which code the holder was given beside the offer.
type TxCode struct {
	Numeric     bool
	Length      int    // 0: not said
	Description string // the issuer's words, at most 300 characters
}

// IsOffer reports whether a scanned or opened text is an offer by its beginning:
// openid-credential-offer: or a link with credential_offer in its query.
func IsOffer(link string) bool {
	if len(link) > MaxLink {
		return false
	}
	_, query, ok := strings.Cut(link, "?")
	return ok && (hasPrefixFold(link, offerScheme) ||
		hasPrefixFold(link, "https:") && (strings.Contains(query, "credential_offer=") || strings.Contains(query, "credential_offer_uri=")))
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// parseOfferLink reads a link as far as the offer in it, or the address it is at.
// OpenID4VCI 4.1.
func (r Rules) parseOfferLink(link string) (offer *Offer, uri string, err error) {
	if !IsOffer(link) {
		return nil, "", fault(BadLink, "not a link with an offer")
	}
	_, query, _ := strings.Cut(link, "?")
	query, _, _ = strings.Cut(query, "#")
	params, err := form(query)
	if err != nil {
		return nil, "", err
	}
	text, byValue := params["credential_offer"]
	uri, byRef := params["credential_offer_uri"]
	switch {
	case byValue == byRef:
		return nil, "", fault(BadLink, "a link with an offer twice, or with none")
	case byRef:
		return nil, uri, r.checkURL(uri)
	}
	offer, err = r.parseOffer([]byte(text))
	return offer, "", err
}

// parseOffer reads an offer. OpenID4VCI 4.1.1.
func (r Rules) parseOffer(b []byte) (*Offer, error) {
	if len(b) > maxOfferText {
		return nil, fault(TooLarge, "an offer of more than %d bytes", maxOfferText)
	}
	v, err := object(b, "an offer")
	if err != nil {
		return nil, err
	}
	o := &Offer{Issuer: textOf(v, "credential_issuer", MaxAddress), Configurations: textsOf(v, "credential_configuration_ids")}
	if err := r.checkIssuer(o.Issuer); err != nil {
		return nil, err
	}
	if n := len(o.Configurations); n == 0 || n > maxOffered {
		return nil, fault(BadAnswer, "an offer of %d credentials", n)
	}
	seen := map[string]bool{}
	for _, id := range o.Configurations {
		if id == "" || len(id) > 256 || seen[id] {
			return nil, fault(BadAnswer, "an offer that names a credential twice, or none")
		}
		seen[id] = true
	}
	grants := v.Get("grants")
	g, in := grants.Get(grantCode), grants.Get(grantSignIn)
	if in.Kind == jose.Object {
		o.SignIn, o.IssuerState = true, textOf(in, "issuer_state", 1024)
	}
	if g.Kind != jose.Object {
		switch {
		case o.SignIn && r.SignIn:
			o.Server = textOf(in, "authorization_server", MaxAddress)
			return o, nil
		case in.Kind != jose.Missing || grants.Kind == jose.Missing:
			return nil, fault(Unsupported, "an offer that wants a sign-in: ask the desk for one with a code")
		}
		return nil, fault(Unsupported, "an offer without a grant this wallet knows")
	}
	if o.Code = textOf(g, "pre-authorized_code", 1024); o.Code == "" {
		return nil, fault(BadAnswer, "an offer without its code")
	}
	o.Server = textOf(g, "authorization_server", MaxAddress)
	o.SignIn = o.SignIn && textOf(in, "authorization_server", MaxAddress) == o.Server
	tx := g.Get("tx_code")
	switch tx.Kind {
	case jose.Missing:
		return o, nil
	case jose.Object: // also an empty one asks for a code
	default:
		return nil, fault(BadAnswer, "an offer whose tx_code is not an object")
	}
	n, _ := tx.Get("length").Int()
	if n < 0 || n > 64 {
		return nil, fault(BadAnswer, "an offer with a code of %d characters", n)
	}
	mode := tx.Get("input_mode")
	o.TxCode = &TxCode{Numeric: mode.Kind == jose.Missing || mode.Text == "numeric", Length: int(n), Description: textOf(tx, "description", 1200)}
	if len([]rune(o.TxCode.Description)) > 300 {
		o.TxCode.Description = ""
	}
	return o, nil
}
