package console

import (
	"errors"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/issuer/registry"
)

// deskFault gives errors of the desks of issuing the names that pages answer to.
func deskFault(err error) error {
	var refusal *registry.Refusal
	if errors.As(err, &refusal) {
		return BadForm("issuing.refused", "why", refused(refusal))
	}
	for _, c := range []struct {
		is error
		as *Fault
	}{
		{registry.ErrNotFound, ErrNotFound}, {issuer.ErrNotFound, ErrNotFound}, {issuer.ErrNoProposal, ErrNotFound}, {issuer.ErrNoJob, ErrNotFound}, {issuer.ErrPaper, errPaper}, {offer.ErrNotFound, ErrNotFound},
		{issuer.ErrProposalState, ErrConflict}, {issuer.ErrProposalChanged, errBatchChanged}, {issuer.ErrFinalGate, errFinalGate}, {issuer.ErrFinal, errFinal}, {issuer.ErrSuspendFirst, errSuspendFirst},
		{issuer.ErrNotApproved, ErrForbidden}, {issuer.ErrNobody, errNobody}, {issuer.ErrSecondPerson, errSecond}, {issuer.ErrPhoto, errNotAgain}, {issuer.ErrSealed, errNotAgain},
		{issuer.ErrNoCard, errNotAgain}, {issuer.ErrConfirm, ErrConflict}, {registry.ErrErased, ErrNotFound},
	} {
		if errors.Is(err, c.is) {
			return c.as
		}
	}
	return err
}

var (
	errBatchChanged = &Fault{Status: http.StatusConflict, Word: "issuing.changed"}
	errFinalGate    = &Fault{Status: http.StatusConflict, Word: "batches.over_final"}
	errFinal        = &Fault{Status: http.StatusConflict, Word: "issuing.final"}
	errPaper        = &Fault{Status: http.StatusConflict, Word: "prints.handed_out"}
	errSuspendFirst = &Fault{Status: http.StatusConflict, Word: "issuing.suspend_first"}
	errNobody       = &Fault{Status: http.StatusUnprocessableEntity, Word: "issuing.nobody"}
	errSecond       = &Fault{Status: http.StatusConflict, Word: "issuing.second"}
	errNotAgain     = &Fault{Status: http.StatusConflict, Word: "issuing.not_again"}
)

// More faults of desks of issuing, for those who join them.
var (
	ErrNotGranted = &Fault{Status: http.StatusConflict, Word: "issuing.not_granted"} // the trust list does not let the organisation issue this
	ErrClock      = &Fault{Status: http.StatusConflict, Word: "issuing.clock"}
	ErrNoOffers   = &Fault{Status: http.StatusConflict, Word: "issuing.no_offers"} // wallets do not reach this server
	ErrPIN        = &Fault{Status: http.StatusConflict, Word: "issuing.pin"}       // the card has one, which no page shows
	ErrNotDue     = &Fault{Status: http.StatusConflict, Word: "issuing.not_due"}   // to a unit, in a round that a second account approved
	ErrFileGone   = &Fault{Status: http.StatusGone, Word: "issuing.file_gone"}
	ErrUnread     = &Fault{Status: http.StatusUnprocessableEntity, Word: "issuing.unread"} // no card of this organisation on it
)

// Held is why no card is made and nothing is offered: what package issuer says is in the
// way, and the same in English.
func Held(why string, in ...issuer.Lack) error {
	return &Fault{Status: http.StatusUnprocessableEntity, Word: "issuing.held", Fill: []any{"why", lacking{in, why}}, Detail: why}
}

// lacking is a value in a sentence: why somebody gets no card, in the reader's language
// where there are words for it.
type lacking struct {
	in      []issuer.Lack
	english string
}

// whys says those values of a fault that need words of several catalogues.
func (p *Page) whys(fill []any) []any {
	said := slices.Clone(fill)
	for i, v := range said {
		why, ok := v.(lacking)
		if !ok {
			continue
		}
		var all []string
		for _, l := range why.in {
			all = append(all, string(p.lackWord(heldWords, l, why.english)))
		}
		if len(all) == 0 {
			all = append(all, string(p.lackWord(heldWords, issuer.Lack{}, why.english)))
		}
		said[i] = template.HTML(strings.Join(slices.Compact(all), " "))
	}
	return said
}

// heldWords are those of whoever is left out and of whoever is refused.
var heldWords = func() map[string]string {
	all := maps.Clone(leftWords)
	maps.Copy(all, refusedWords)
	return all
}()

// Words of long work and of how it fails, for those who join the desks.
const (
	WordIssuing  = "batches.issuing"
	WordPrinting = "prints.drawing"
	WordUnproved = "prints.stopped"
	WordChanged  = "issuing.changed"
)
