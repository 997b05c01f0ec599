package main

import (
	"errors"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/status"
)

// offerError says why there is no offer: where a credential stands against it, which,
// since when, and the way out.
func offerError(err error) error {
	var held *offer.Held
	if !errors.As(err, &held) {
		return usagef("%w", err).hint("aidpass offer create --help")
	}
	c := &held.Credential
	number := cwt.GroupCardNumber(c.CardNumber)
	switch held.Code {
	case issuer.RefusedExists:
		return usagef("a wallet has this place already: %s, %s since %s, until %s", number, c.Form, c.IssuedAt, c.ExpiresAt).
			hint("for another phone: --replace --reason phone_lost --second-person ACCOUNT ends what the first has as the second takes it").
			hint("aidpass registry show %s tells what there is, aidpass offer list who was offered it", number)
	case issuer.RefusedRevoked:
		return usagef("what a wallet had of this place is revoked: %s, %s since %s", number, c.Form, c.IssuedAt).
			hint("to give it again: --replace --reason CODE --second-person ACCOUNT")
	}
	what, became := "the paper card", "was revoked"
	if c.Form != credential.FormCWT {
		what = "a wallet's credential"
	}
	if c.Status == status.Suspended {
		became = "is on hold"
	}
	return usagef("%s of this place %s: %s, issued %s", what, became, number, c.IssuedAt).
		hint("a second person confirms that it may be given all the same: --second-person ACCOUNT")
}

// skippedError says why somebody on record gets no offer, and the way out.
func skippedError(c *issuer.Candidate, programme string, round uint64) error {
	e := usagef("nothing can be offered: %s", c.Why)
	switch c.Skipped {
	case issuer.SkippedOver:
		return e.hint("what was due in round %d is settled: --round N of another one, aidpass programme show %s tells them", round, programme).
			hint("aidpass visits show CARD --reason CODE tells who gave what, where that is in doubt")
	case issuer.SkippedHold:
		return e.hint("once it is settled: aidpass entitle release %s --programme %s --round %d --second-person ACCOUNT", c.Unit, programme, round)
	}
	return e.hint("aidpass registry show %s", c.Unit)
}
