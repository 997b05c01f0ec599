package offer

import (
	"context"
	"errors"
	"fmt"

	"aidpass/credential"
	"aidpass/issuer"
)

// Issuing joins offers to an organisation's desk: its Issue is Service.Issue.
type Issuing struct {
	Desk *issuer.Desk // its Actor is not used: who made the offer acts
	// ProgrammeKey returns the key of a programme's pseudonyms.
	ProgrammeKey func(programme string) ([]byte, error)
	// EpochKey returns the key of sealed parts; asked where the request fills any.
	EpochKey func() ([]byte, error)
	// Gate is asked again at the moment of signing, for what may have changed since the
	// offer was made; nil: it is not.
	Gate func(o Offer, r *Request) issuer.Gate
}

// Issue makes the credentials of an order by the nine steps of issuing, in the name
// of who made the offer. Service.Issue says what it returns.
func (i *Issuing) Issue(ctx context.Context, o Order) ([]string, error) {
	r := o.Request
	b := r.batchOf(o.Type, o.Offer.Programme, o.Offer.Round, o.Form)
	b.Offered = credential.FromStd(o.Offer.CreatedAt)
	var err error
	if b.ProgrammeKey, err = i.ProgrammeKey(o.Offer.Programme); err != nil {
		return nil, fmt.Errorf("offer: programme key: %w", err)
	}
	if secret, err := o.Type.EncodeSealed(r.For.Claims); err == nil && secret != nil {
		if b.EpochKey, err = i.EpochKey(); err != nil {
			return nil, fmt.Errorf("offer: epoch key: %w", err)
		}
	}
	if i.Gate != nil {
		b.Gate = i.Gate(o.Offer, r)
	}
	desk := *i.Desk
	desk.Actor = r.By
	desk.Actor.Device = "offer-" + o.Offer.ID
	results, err := desk.IssueWallet(ctx, b, r.For, o.Keys)
	if err != nil {
		return nil, err
	}
	list := make([]string, 0, len(results))
	for i := range results {
		if no := results[i].Refusal; no != nil {
			return nil, &Refused{Code: no.Code}
		}
		list = append(list, results[i].Text)
	}
	if len(list) == 0 {
		return nil, errors.New("offer: the desk issued nothing")
	}
	return list, nil
}
