package verifier

import (
	"encoding/hex"
	"slices"

	"aidpass/credential"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/words"
)

// Whereabouts is what only a supervisor of the same organisation may be told, and
// never of a protected site (DESIGN 8). The zero value tells nothing.
type Whereabouts struct {
	Site  string          // where the earlier collection was recorded
	At    credential.Time // and when, by that device's clock
	Sites []string        // with wrong_site: where the card is good
}

// Any reports whether there is something to tell.
func (w *Whereabouts) Any() bool { return w.Site != "" || len(w.Sites) > 0 }

// Whereabouts tells of r what the pack allows: the card and the device that recorded
// must be of the pack's own organisation, the site on the policy's list (Policy.Told),
// and the device certified there at that time. What is not known is not told.
//
// own is the certificate of the device that asks, which the pack may not have; may
// be nil.
func (p *Pack) Whereabouts(r *Result, own *trust.DeviceCertificate) (w Whereabouts) {
	if r.Row == nil && (r.Facts != words.AllFacts || !r.Credential.Proven()) || r.Issuer == nil || r.Issuer.ID != p.Org {
		return w
	}
	told := func(site string) bool { return slices.Contains(p.Policy.Told, site) }
	if r.Earlier.At != 0 {
		kid, _ := hex.DecodeString(r.Earlier.Device)
		c := p.Device(kid, trust.SignJournal)
		if own != nil {
			if id := own.Key.ID(); string(id[:]) == string(kid) {
				c = own
			}
		}
		if c != nil && c.Org == p.Org && told(c.Site) && r.Earlier.At >= c.NotBefore && r.Earlier.At < c.NotAfter {
			w.Site, w.At = c.Site, r.Earlier.At
		}
	}
	if t := r.Type; t != nil && r.Has(words.WrongSite) && r.Credential.Plain != nil {
		// A type that seals its site is a sensitive one: only what stands open is told.
		if c := t.Claim(t.SiteClaim); c != nil && c.Placement == schemas.Plain {
			claims, _ := t.NamePlain(r.Credential.Plain)
			switch v := claims[t.SiteClaim].(type) {
			case string:
				w.Sites = []string{v}
			case []string:
				w.Sites = slices.Clone(v)
			}
			w.Sites = slices.DeleteFunc(w.Sites, func(s string) bool { return !told(s) })
		}
	}
	return w
}
