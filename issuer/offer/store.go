package offer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer"
)

// A Mark is what is kept of a secret: its HMAC under a key of the organisation.
type Mark [32]byte

// A NewOffer is an offer as it is stored first.
type NewOffer struct {
	Offer
	Request   []byte // sealed under the unit's key
	Reference Mark
	Code      Mark
	Tx        *Mark // nil: no transaction code

	// What the store looks at before it takes the offer: see Held.
	Forms   []credential.Form
	Rounds  issuer.Rounds // that the credentials will name
	Replace bool
}

// A Held is why there is no offer: a wallet that took it up would be given nothing, since
// a credential stands against it.
type Held struct {
	// Code is issuer.RefusedExists: another wallet has the place; RefusedRevoked: what it
	// had was revoked; RefusedAlone: a card, or a phone's credential in another form, was
	// put on hold or revoked. The first two end by Batch.Replace, the last by a second person.
	Code       string
	Credential issuer.Credential
}

func (h *Held) Error() string {
	return fmt.Sprintf("offer: credential %s stands against it (%s)", h.Credential.ID, h.Code)
}

// A Try is a token request, as marks.
type Try struct {
	Code  Mark
	Tx    *Mark     // nil: none was sent
	Token Mark      // of the access token, used if the code is good
	Until time.Time // of the token
	Now   time.Time
	// Client is the client_id that came along; empty: anonymous.
	Client string
	// Wanted are the configurations that authorization_details name; nil: all of the offer.
	Wanted []string
}

// An Authorization is a code for somebody who signed in.
type Authorization struct {
	Offer string // id
	Code  Mark
	Bound Mark // of the client, its address and its challenge
	Until time.Time
}

// An Outcome says what became of a Try.
type Outcome uint8

// The outcomes.
const (
	Granted      Outcome = iota // the offer is redeemed, the token is good
	NoCode                      // unknown, expired, withdrawn, burnt or erased: which of them is nobody's business
	CodeReused                  // it was redeemed before: its first token is revoked
	TxMissing                   // the offer wants a transaction code, and none was sent
	TxUnexpected                // one was sent, and the offer has none
	TxWrong                     // counted; the offer may still be taken up
	TxBurnt                     // counted, and that was the last: the offer is burnt
	NotOffered                  // the codes are right, and the offer has not all of Try.Wanted: it may still be taken up
)

// A Token is what an access token lets its bearer do.
type Token struct {
	Offer  Offer
	Client string // client_id of the token request; empty: anonymous
	// Request is what Draft asked for, opened.
	Request []byte
}

// A Claim binds what a token asks for to keys, before anything is signed.
type Claim struct {
	Token         Mark
	Offer         string // id
	Configuration string
	Keys          []*cose.Key
	Nonces        []Mark // each used at most for one claim
	Now           time.Time
	NoncesUntil   time.Time // when their marks may be forgotten
}

// Errors that callers act on.
var (
	ErrNotFound  = errors.New("offer: no such offer")
	ErrToken     = errors.New("offer: no such token")
	ErrNonceUsed = errors.New("offer: a nonce that was used for something else")
	ErrOtherKeys = errors.New("offer: it was given to other keys")
	// ErrNotOffered: the code is right, and the offer has not all of Try.Wanted.
	ErrNotOffered = errors.New("offer: it has not all that is wanted")
)

// A Store keeps one organisation's offers. No method takes an organisation: it was
// chosen when the store was opened.
//
// Each method is one transaction, with its audit entry, and can be repeated.
type Store interface {
	// OfferMark is the HMAC of a purpose and values under a key of the organisation that
	// is not in the database; no two lists of values have one mark.
	OfferMark(purpose string, values ...string) Mark

	// AddOffer stores an offer, its request sealed under the unit's key, and withdraws those
	// of the same unit, type, programme and round that are open or whose token is good yet.
	// Where a credential stands in the way it does nothing, and its error is a *Held.
	// It forgets tokens and nonces
	// that are over, and offers that ended 90 days ago.
	AddOffer(ctx context.Context, by access.Actor, n NewOffer) error
	// Offers returns all of them, the newest first.
	Offers(ctx context.Context) ([]Offer, error)
	// Offer returns one, or ErrNotFound.
	Offer(ctx context.Context, id string) (Offer, error)
	// OfferByReference returns the one with this reference, or ErrNotFound, also where the
	// unit was erased.
	OfferByReference(ctx context.Context, reference Mark) (Offer, error)
	// WithdrawOffer ends an offer that is open or redeemed, and its tokens.
	WithdrawOffer(ctx context.Context, by access.Actor, id, reason string) error

	// TryCode judges a token request: of many at once with one code, one is Granted. A
	// code that comes again after it was Granted revokes the token and burns the offer.
	TryCode(ctx context.Context, t Try) (Outcome, error)

	// OpenOffers returns the offers to one unit that can be taken up at now, those that end
	// first at the beginning; none where there is no such unit.
	OpenOffers(ctx context.Context, kind issuer.UnitKind, roster, number string, now time.Time) ([]Offer, error)
	// AddAuthorization keeps a code by which an offer is taken up without its own.
	AddAuthorization(ctx context.Context, a Authorization) error
	// TryAuthorization judges a token request with such a code (t.Tx is nothing here), and
	// reports whether it was granted: once of many at once, and only for what the code is
	// bound to. A code that comes with something else is used up; one that was granted and
	// comes again ends the token and burns the offer. ErrNotOffered leaves it good.
	TryAuthorization(ctx context.Context, t Try, bound Mark) (granted bool, err error)

	// OfferToken returns what a token that is good at now is for, or ErrToken.
	OfferToken(ctx context.Context, token Mark, now time.Time) (Token, error)

	// ClaimOffer remembers the keys of a configuration, the first that come: the same
	// again are no error, others are ErrOtherKeys. Nonces are used up in the same step,
	// by this claim alone (ErrNonceUsed). A token that is over is ErrToken.
	ClaimOffer(ctx context.Context, c Claim) error
	// OfferIssued notes that a claim's credentials were made.
	OfferIssued(ctx context.Context, offer, configuration string) error
	// OfferEvent notes what the wallet says of them.
	OfferEvent(ctx context.Context, offer, configuration, event string) error
}
