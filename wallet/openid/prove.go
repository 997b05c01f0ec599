package openid

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/wallet"
)

// proving is the hunt for the key that signed what was received.
type proving struct {
	iss string // as the credentials have it
	url string // where its keys are
	// lost is how often no answer came; never encoded.
	lost int
}

// maxLost is how often an issuer's keys are asked for in vain before what was received is
// kept without.
const maxLost = 3

var errNoKey = errors.New("a credential whose issuer's key nobody gives")

// hint is what a received text says of itself before it is proved.
type hint struct {
	iss, kid, vct string
	chain         [][]byte
}

func (i *Issuing) hint(text string) (hint, error) {
	return hintOf(formOf(i.current().Format), text)
}

func hintOf(form credential.Form, text string) (h hint, err error) {
	if form == credential.FormVCJWT {
		e, err := vcjwt.Parse(text)
		if err != nil {
			return h, err
		}
		return hint{string(e.Issuer), string(e.KeyID), string(e.Type), e.Certificates}, nil
	}
	e, err := sdjwt.Parse(text)
	if err != nil {
		return h, err
	}
	return hint{string(e.Issuer), string(e.KeyID), string(e.Type), e.Certificates}, nil
}

// prove looks at what was received and says where the issuer's keys are. A wallet
// takes nothing it could not show with a good conscience.
func (i *Issuing) prove() error {
	if i.current().Format == FormatCard {
		return i.proveCard()
	}
	var first hint
	for n, text := range i.texts {
		h, err := i.hint(text)
		if err != nil {
			return i.fail("what was issued cannot be read: %w", err)
		}
		if want := i.current().Type; want != "" && h.vct != want {
			return i.fail("a credential of another type than the one offered")
		}
		if n == 0 {
			first = h
		} else if h.iss != first.iss {
			return i.fail("one batch with credentials of two issuers")
		}
	}
	// A wallet has no list of roots, so a certificate that comes along says no more than
	// the server it came from: for any other name, that name's own keys are asked for.
	own := first.iss == "" || strings.HasPrefix(first.iss, "http") && hostOf(first.iss) == hostOf(i.issuer.ID)
	switch {
	case len(first.chain) > 0 && own: // RFC 7515 4.1.6; draft-ietf-oauth-sd-jwt-vc 2.5
		k, err := leafKey(first.chain[0])
		if err != nil {
			return i.fail("%w", err)
		}
		return i.open([]namedKey{{key: k, purpose: anyPurpose}}, first.iss)
	case strings.HasPrefix(first.iss, "did:jwk:"), strings.HasPrefix(first.iss, "did:key:"):
		k, _, err := did.KeyOf(first.iss)
		if err != nil {
			return i.fail("%w", err)
		}
		return i.open([]namedKey{{key: k, purpose: anyPurpose}}, first.iss)
	case strings.HasPrefix(first.iss, "did:web:"):
		url, err := did.WebURL(first.iss)
		if err != nil || i.rules.checkURL(url) != nil {
			return i.fail("%w", errNoKey)
		}
		i.proving = &proving{iss: first.iss, url: url}
	default:
		if i.rules.checkIssuer(first.iss) != nil {
			return i.fail("%w", errNoKey)
		}
		i.proving = &proving{iss: first.iss, url: wellKnown(first.iss, "jwt-vc-issuer")}
	}
	i.stage = atProve
	return nil
}

func (i *Issuing) takeIssuerKeys(r *Response) error {
	if r.Status != 200 || !isJSON(r.Type) { // nothing was fetched, or a portal's page
		return i.unproved()
	}
	if len(r.Body) > maxKeys {
		return i.fail("an issuer whose keys cannot be read")
	}
	p := i.proving
	if strings.HasPrefix(p.iss, "did:") {
		keys, err := documentKeys(r.Body, p.iss)
		if err != nil {
			return i.fail("%w", err)
		}
		return i.open(keys, p.iss)
	}
	v, err := object(r.Body, "the issuer's keys")
	if err != nil {
		return i.fail("%w", err)
	}
	set := v
	if i.stage == atProve { // draft-ietf-oauth-sd-jwt-vc 4.2: jwks or jwks_uri, and not both
		if textOf(v, "issuer", MaxAddress) != p.iss {
			return i.fail("keys of another issuer")
		}
		link := textOf(v, "jwks_uri", MaxAddress)
		if set = v.Get("jwks"); (set.Kind == 0) == (link == "") {
			return i.fail("an issuer that gives its keys twice, or not at all")
		}
		if link != "" {
			if i.rules.checkURL(link) != nil {
				return i.fail("an issuer whose keys are at an address that is not https")
			}
			p.url, i.stage = link, atProveSet
			return nil
		}
	}
	keys, err := keySet(set)
	if err != nil {
		return i.fail("%w", err)
	}
	return i.open(keys, p.iss)
}

// unproved keeps what was received without proof, bound to keys of ours as it says:
// Prove does the rest, and until then nobody is shown it.
func (i *Issuing) unproved() error {
	out := Issued{Configuration: *i.current(), Issuer: i.proving.iss}
	for _, text := range i.texts {
		h, err := i.hint(text)
		if err != nil {
			return i.fail("%w", err)
		}
		holder, err := claimed(out.Configuration.Format, text)
		if err != nil {
			return i.fail("%w", err)
		}
		if !i.ours(&out, text, holder) {
			return i.fail("%w", errNotOurs)
		}
		out.Type = h.vct
	}
	return i.took(out)
}

func claimed(format, text string) (*cose.Key, error) {
	if format == FormatVCJWT {
		e, err := vcjwt.Parse(text)
		if err != nil {
			return nil, err
		}
		return e.Claimed()
	}
	e, err := sdjwt.Parse(text)
	if err != nil {
		return nil, err
	}
	if e.HasBinding() {
		return nil, errNotOurs
	}
	return e.Claimed()
}

// open proves each text by its issuer's key and that it is bound to one of ours, each
// to another.
func (i *Issuing) open(keys []namedKey, iss string) error {
	out := Issued{Configuration: *i.current(), Issuer: iss}
	var signers []*cose.Key // of each copy
	for _, text := range i.texts {
		h, err := i.hint(text)
		if err != nil {
			return i.fail("%w", err)
		}
		k := h.keyIn(keys, iss)
		if k == nil {
			return i.fail("%w", errNoKey)
		}
		holder, err := openOne(out.Configuration.Format, text, k)
		if err != nil {
			return i.fail("what was issued does not hold: %w", err)
		}
		if !i.ours(&out, text, holder) {
			return i.fail("%w", errNotOurs)
		}
		out.Type, signers = h.vct, append(signers, k)
	}
	return i.took(byKey(out, signers)...)
}

// byKey parts what was issued by the keys that proved it: an issuer may change keys in
// the middle of a batch.
func byKey(all Issued, signers []*cose.Key) (out []Issued) {
	for n, k := range signers {
		at := slices.IndexFunc(out, func(o Issued) bool { return o.IssuerKey.Thumbprint() == k.Thumbprint() })
		if at < 0 {
			part := all
			part.IssuerKey, part.Copies, at = k, nil, len(out)
			out = append(out, part)
		}
		out[at].Copies = append(out[at].Copies, all.Copies[n])
	}
	return out
}

// keyIn is the key among those of iss that h names; nil for none.
func (h *hint) keyIn(keys []namedKey, iss string) *cose.Key {
	k := byID(keys, h.kid, did.Assertion)
	if k == nil && strings.HasPrefix(iss, "did:") && h.kid != "" && !strings.HasPrefix(h.kid, "did:") {
		k = byID(keys, iss+"#"+strings.TrimPrefix(h.kid, "#"), did.Assertion)
	}
	if k == nil && len(keys) == 1 && !strings.HasPrefix(iss, "did:web:") && (h.chain != nil || strings.HasPrefix(iss, "did:")) {
		k = keys[0].key
	}
	return k
}

func openOne(format, text string, k *cose.Key) (*cose.Key, error) {
	if format == FormatVCJWT {
		e, err := vcjwt.Parse(text)
		if err != nil {
			return nil, err
		}
		c, err := vcjwt.Open(e, k)
		if err != nil {
			return nil, err
		}
		return c.Holder, nil
	}
	e, err := sdjwt.Parse(text)
	if err != nil {
		return nil, err
	}
	c, err := sdjwt.OpenIssued(e, k)
	if err != nil {
		return nil, err
	}
	return c.Holder, nil
}

var errNotOurs = errors.New("a credential that is not bound to a key of its own, the one it was asked for")

// ours adds a copy, unless it is bound to somebody else or to a key that has one.
func (i *Issuing) ours(out *Issued, text string, holder *cose.Key) bool {
	if holder != nil || len(i.keys) > 0 {
		same := func(k *cose.Key) bool { return bytes.Equal(k.Append(nil), holder.Append(nil)) }
		if holder == nil || !slices.ContainsFunc(i.keys, same) || slices.ContainsFunc(out.Copies, func(c Copy) bool { return same(c.Key) }) {
			return false
		}
	}
	out.Copies = append(out.Copies, Copy{text, holder})
	return true
}

func (i *Issuing) proveCard() error {
	out := Issued{Configuration: *i.current()}
	for _, text := range i.texts {
		g, err := wallet.GlanceAt(text)
		if err != nil {
			return i.fail("%w", err)
		}
		if want := i.current().Type; want != "" && g.Type != want {
			return i.fail("a card of another type than the one offered")
		}
		if g.Holder == nil {
			return i.fail("a card that is not bound to the key it was asked for")
		}
		out.Issuer, out.Type = g.Issuer, g.Type
		if !i.ours(&out, text, g.Holder) {
			return i.fail("%w", errNotOurs)
		}
	}
	return i.took(out)
}

// took keeps what was proved and turns to the next, after a word to the issuer.
func (i *Issuing) took(out ...Issued) error {
	i.received = append(i.received, out...)
	return i.finish()
}

// fail drops what is no good. The issuer is told before the fault is.
func (i *Issuing) fail(format string, args ...any) error {
	i.failed = fault(BadIssued, format, args...)
	return i.finish()
}

func (i *Issuing) finish() error {
	i.texts, i.proving = nil, nil
	if i.notify != "" && i.issuer.notified != "" {
		i.stage = atNotify
		return nil
	}
	return i.notified()
}

func (i *Issuing) notified() error {
	if f := i.failed; f != nil {
		i.failed, i.agreed, i.stage = nil, nil, atDone
		return f
	}
	i.agreed = i.agreed[1:]
	i.begin()
	return nil
}
