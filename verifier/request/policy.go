package request

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"aidpass/credential/dcql"
	"aidpass/internal/did"
	"aidpass/internal/jose"
)

// Policy is what an organisation wants to be shown, and why. Nothing else than this
// is ever asked for or kept.
type Policy struct {
	Wanted []Wanted
	// Purpose is what the person who is asked reads, by language tag; "en" at least.
	Purpose map[string]string
	Client  Client
	// Base is the address that the requests of this organisation stand under, such as
	// https://aid.example.org/vp, without a slash at its end.
	Base string
	Mode Mode // zero: DirectPostJWT
	// SameDevice: whoever asks sits at the device of the wallet, and is sent back there
	// by the wallet. Else the request is a QR code and the answer appears where it was shown.
	SameDevice bool
	Life       time.Duration // zero: DefaultLife; at most MaxLife
}

// How long a request may be answered. A QR code that lives longer is one that
// somebody can show to another person (THREATS 4.4, row 38).
const (
	DefaultLife = 5 * time.Minute
	MaxLife     = 15 * time.Minute
)

// Wanted is one credential that is asked for, its holder's signature always with it.
type Wanted struct {
	ID     string // names it in the query: letters, digits, _ and -
	VCT    string // its type
	Claims []string
	// Optional are claims that the holder may tell besides, or leave out: either all of
	// them or none. With them, one claim at least stands in Claims.
	Optional []string
	// Formats taken, the preferred first: dcql.FormatSDJWT and dcql.FormatJWTVC; nil: the
	// first alone, whose holder shows nothing besides.
	Formats []string
}

// Client is who asks, as wallets can check it.
type Client struct {
	Scheme Scheme
	DID    string            // where Scheme is DID: did:web
	Chain  [][]byte          // where Scheme is X509Hash: DER certificates, the signer's first, without the anchor
	Name   map[string]string // by language tag; may be nil
}

// Scheme is a client identifier prefix.
type Scheme string

// The schemes. What is asked by RedirectURI is unsigned and says nothing of who asks.
const (
	DID         Scheme = "decentralized_identifier"
	X509Hash    Scheme = "x509_hash"
	RedirectURI Scheme = "redirect_uri"
)

// Mode is a response mode.
type Mode string

// The modes. DirectPostJWT hides what is shown from whatever stands between wallet and
// verifier, proxies and their logs among it.
const (
	DirectPost    Mode = "direct_post"
	DirectPostJWT Mode = "direct_post.jwt"
)

// Limits of what a person is shown.
const (
	MaxWanted  = 4
	MaxPurpose = 300 // bytes in a language
	MaxName    = 120
)

// query is what the policy asks for as a query. A format that is an alternative gets
// an id of its own and a set.
func (p *Policy) query() (*dcql.Query, error) {
	if len(p.Wanted) == 0 || len(p.Wanted) > MaxWanted {
		return nil, fmt.Errorf("%w: 1 to %d credentials are asked for, not %d", ErrPolicy, MaxWanted, len(p.Wanted))
	}
	q := &dcql.Query{}
	var sets []dcql.Set
	several := false
	for _, w := range p.Wanted {
		if w.VCT == "" {
			return nil, fmt.Errorf("%w: %q names no type", ErrPolicy, w.ID)
		}
		formats := w.Formats
		if formats == nil {
			formats = []string{dcql.FormatSDJWT}
		}
		var options [][]string
		for i, f := range formats {
			c := dcql.Credential{ID: w.ID, Format: f}
			if i > 0 {
				c.ID += fmt.Sprintf("-%d", i+1)
			}
			switch f {
			case dcql.FormatSDJWT:
				c.VCTs = []string{w.VCT}
			case dcql.FormatJWTVC:
				c.Types = [][]string{{w.VCT}}
			default:
				return nil, fmt.Errorf("%w: format %q is neither %s nor %s", ErrPolicy, f, dcql.FormatSDJWT, dcql.FormatJWTVC)
			}
			for _, name := range slices.Concat(w.Claims, w.Optional) {
				c.Claims = append(c.Claims, dcql.Claim{Path: dcql.PathTo(append(claimsOf(f), name)...)})
			}
			if w.Optional != nil && w.Claims == nil {
				return nil, fmt.Errorf("%w: of %q nothing is asked for but what is optional", ErrPolicy, w.ID)
			} else if w.Optional != nil {
				c.ClaimSets = w.sets(c.Claims)
			}
			q.Credentials = append(q.Credentials, c)
			options = append(options, []string{c.ID})
		}
		several = several || len(options) > 1
		sets = append(sets, dcql.Set{Options: options})
	}
	if several {
		q.Sets = sets
	}
	if _, err := q.Encode(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	return q, nil
}

// claimsOf is the path under which credentials of a format have their claims.
func claimsOf(format string) []string {
	if format == dcql.FormatJWTVC {
		return []string{"credentialSubject"}
	}
	return nil
}

// sets names claims, and gives both combinations of them: with what is optional, which
// is preferred, and without.
func (w *Wanted) sets(claims []dcql.Claim) [][]string {
	ids := make([]string, len(claims))
	for i := range claims {
		claims[i].ID = fmt.Sprintf("c%d", i+1)
		ids[i] = claims[i].ID
	}
	return [][]string{ids, ids[:len(w.Claims)]}
}

// check holds the rest of the policy to its limits, and fills what was left out.
func (p *Policy) check() error {
	if p.Mode == "" {
		p.Mode = DirectPostJWT
	}
	if p.Life == 0 {
		p.Life = DefaultLife
	}
	u, err := url.Parse(p.Base)
	switch {
	case p.Mode != DirectPost && p.Mode != DirectPostJWT:
		return fmt.Errorf("%w: response mode %q", ErrPolicy, p.Mode)
	case p.Life < time.Minute || p.Life > MaxLife:
		return fmt.Errorf("%w: it must be answered within 1 to %d minutes", ErrPolicy, MaxLife/time.Minute)
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(p.Base, "/"):
		return fmt.Errorf("%w: %q is not an https address without query and without a slash at its end", ErrPolicy, p.Base)
	case p.Purpose["en"] == "":
		return fmt.Errorf("%w: no purpose in English: people are told what for they are asked", ErrPolicy)
	}
	for tag, text := range p.Purpose {
		if text == "" || len(text) > MaxPurpose || !isTag(tag) {
			return fmt.Errorf("%w: a purpose has 1 to %d bytes under a language tag", ErrPolicy, MaxPurpose)
		}
	}
	for tag, name := range p.Client.Name {
		if name == "" || len(name) > MaxName || !isTag(tag) {
			return fmt.Errorf("%w: a name has 1 to %d bytes under a language tag", ErrPolicy, MaxName)
		}
	}
	return nil
}

// isTag takes language tags as the catalogues have them: en, pt-BR.
func isTag(s string) bool {
	const may = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
	return len(s) >= 2 && len(s) <= 16 && strings.Trim(s, may) == ""
}

// id is the full client identifier, the prefix with it. What a holder signs is meant
// for this text and no part of it (OpenID4VP 1.0 14.8).
func (c *Client) id(responseURI string) (string, error) {
	switch c.Scheme {
	case DID:
		if _, err := did.WebURL(c.DID); err != nil {
			return "", fmt.Errorf("%w: who asks must be a did:web: %w", ErrPolicy, err)
		}
		return string(c.Scheme) + ":" + c.DID, nil
	case X509Hash:
		if len(c.Chain) == 0 || len(c.Chain[0]) == 0 {
			return "", fmt.Errorf("%w: %s needs a certificate", ErrPolicy, c.Scheme)
		}
		sum := sha256.Sum256(c.Chain[0])
		return string(c.Scheme) + ":" + jose.EncodeBase64(sum[:]), nil
	case RedirectURI:
		return string(c.Scheme) + ":" + responseURI, nil
	}
	return "", fmt.Errorf("%w: who asks is named by %q, which is none of %s, %s and %s", ErrPolicy, c.Scheme, DID, X509Hash, RedirectURI)
}
