//go:build js && wasm

package bridge

import (
	"aidpass/credential"
	"aidpass/verifier/badge"
)

// badge says whether a badge opens a shift here and now. Nothing is told of one
// that does not but why: none, organisation, signature, site, day.
func (d *desk) badge(text string, at credential.Time) reply {
	if d.pack == nil {
		return fail(errNoPack)
	}
	b, err := badge.Open(text, d.pack.Trust, d.pack.Org, d.pack.Site, at)
	if err != nil {
		out := fail(err)
		reason := "none"
		switch err {
		case badge.ErrOrganisation:
			reason = "organisation"
		case badge.ErrSignature:
			reason = "signature"
		case badge.ErrSite:
			reason = "site"
		case badge.ErrDay:
			reason = "day"
		}
		out.text("reason", reason)
		return out
	}
	out := done()
	out.text("staff", b.Staff)
	out.flag("lead", b.Role == badge.Lead)
	out.moment("until", b.NotAfter)
	out.text("code", b.Unlock)
	return out
}
