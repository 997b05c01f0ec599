package issuer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/status"
)

// A CardState is how far the paper of a credential has come:
//
//	issued -> printed -> handed over | spoiled | unclaimed -> destroyed
//
// What was printed elsewhere goes from issued to the later ones; an unclaimed card
// may still be handed over; a card that came back is spoiled or destroyed. The
// credential of a spoiled or destroyed card is revoked in the same act.
type CardState string

// The states.
const (
	CardIssued     CardState = "issued" // signed; on no paper that is known here
	CardPrinted    CardState = "printed"
	CardHandedOver CardState = "handed_over"
	CardSpoiled    CardState = "spoiled"   // misprinted, torn, wet: nobody can use it
	CardUnclaimed  CardState = "unclaimed" // nobody came for it
	CardDestroyed  CardState = "destroyed"
)

// moves are the states a card can go to, but for printed: see RecordPrint.
var moves = map[CardState][]CardState{
	CardIssued:     {CardHandedOver, CardSpoiled, CardUnclaimed, CardDestroyed},
	CardPrinted:    {CardHandedOver, CardSpoiled, CardUnclaimed, CardDestroyed},
	CardUnclaimed:  {CardHandedOver, CardSpoiled, CardDestroyed},
	CardHandedOver: {CardSpoiled, CardDestroyed},
	CardSpoiled:    {CardDestroyed},
}

// MayMove says why a card cannot go to a state now: nil when it can. A card that is
// in the state already is nil too: moving it again changes nothing.
func (c *Card) MayMove(to CardState, now credential.Time) error {
	if c.Paper == to {
		return nil
	}
	for _, s := range moves[c.Paper] {
		if s != to {
			continue
		}
		if to == CardHandedOver || to == CardUnclaimed {
			return c.usable(to, now)
		}
		return nil
	}
	return fmt.Errorf("%w: card %s is %s", ErrCardState, c.CardNumber, c.Paper.words())
}

// usable refuses to hand over what no service point would honour.
func (c *Card) usable(to CardState, now credential.Time) error {
	why := ""
	switch {
	case c.Ended && c.EndReason == "revoked":
		why = "its credential is revoked"
	case c.Ended || c.ExpiresAt <= now:
		why = "its credential has ended"
	case c.State != Issued:
		why = "it was never signed"
	case to == CardHandedOver && c.Status == status.Suspended && c.Kind == Blank:
		why = "nobody is bound to it yet"
	case to == CardHandedOver && c.Status == status.Suspended:
		why = "its credential is on hold"
	default:
		return nil
	}
	return fmt.Errorf("%w: card %s: %s", ErrCardState, c.CardNumber, why)
}

func (s CardState) words() string { return strings.ReplaceAll(string(s), "_", " ") }

// EndsCredential reports whether the credential of a card that comes to this state
// is revoked in the same act.
func (s CardState) EndsCredential() bool { return s == CardSpoiled || s == CardDestroyed }

// A Card is a credential with the paper it stands on. The bytes of
// intent and card are not read: lists of them are long.
type Card struct {
	Credential
	Paper    CardState
	Kind     UnitKind // of its unit: Blank while nobody is bound to a pre-numbered card
	Lot      string   // of the batch that made it: Lot.ID
	PrintJob string   // empty: none is recorded
	BlankLot string   // of pre-numbered cards; empty: it was made for its unit

	Provisional bool // it ends by itself, since something is to be mended
}

// A CardEvent is one entry of a card's history.
type CardEvent struct {
	N        int // 1, 2, 3 ... of the card
	Paper    CardState
	At       time.Time
	By       string // account
	Device   string
	Site     string // where; a code; may be empty
	Reason   string // a code; may be empty
	PrintJob string // of CardPrinted
}

// A StatusEvent is a change of what a card is worth, as the log has it.
type StatusEvent struct {
	Status status.Value
	At     time.Time
	By     string // account that asked for it
	Second string // that confirmed it; empty: nobody had to
	Reason string
}

// A PrintJob is one file that was printed, as the print log has it.
type PrintJob struct {
	ID     string   // eight letters and digits; given by RecordPrint
	Layout string   // as package print calls it
	Digest [32]byte // SHA-256 of the file
	Cards  []CTI    // in the order of the file; not empty, and none twice. Nil in a list of jobs
	Count  int      // of them
	At     time.Time
	By     string
	// How often its file was handed out at the desk, each time as another paper; to whom and
	// when the last time.
	Papers int
	Last   string
	LastAt time.Time
}

// FetchedAgain is for how long the account that got a file last gets it again as the same
// paper: a download breaks off.
const FetchedAgain = 10 * time.Minute

// Fetched reports whether an account gets the file at this moment without a reason: who
// printed it once, and who got it last for FetchedAgain, which is the same paper then.
func (j *PrintJob) Fetched(account string, now time.Time) (free, same bool) {
	if j.Papers == 0 {
		return access.SameAccount(j.By, account), false
	}
	since := now.Sub(j.LastAt) // below 0: a clock that was set back makes nothing free
	same = access.SameAccount(j.Last, account) && since >= 0 && since <= FetchedAgain
	return same, same
}

// A Selection picks cards. What is empty picks nothing out; at least one of the
// first seven is set.
type Selection struct {
	Lot       string   // Lot.ID of a run: cards of the same approved batch, also from runs that were cut off
	Approval  [32]byte // Batch.Digest of the batch that made them; zero: any
	PrintJob  string
	BlankLot  string
	Programme string
	Units     []UnitID // those of an import, or named ones; not empty where a caller means some
	IDs       []CTI

	Round  uint64 // with Programme: whose rounds hold it; 0: any
	Type   string // name; empty: any
	Active bool   // only what was not revoked, released or expired
}

// Empty reports whether s would pick every card there is.
func (s *Selection) Empty() bool {
	return s.Lot == "" && s.Approval == ([32]byte{}) && s.PrintJob == "" && s.BlankLot == "" && s.Programme == "" && s.Units == nil && s.IDs == nil
}

// Errors of cards that callers act on.
var (
	ErrCardState = errors.New("issuer: the card cannot go there")
	ErrPrinted   = errors.New("issuer: the card was printed already: replace it, so that the old one is revoked")
	ErrNoJob     = errors.New("issuer: no such print job")
	ErrPaper     = errors.New("issuer: the file of this print was handed out, or somebody else printed it: getting it again makes another paper, and needs a reason")
)

// A CardStore keeps what became of the paper, and pre-numbered cards. It keeps to
// the rules of Store.
type CardStore interface {
	// Cards returns the cards of a selection, by their numbers; cards of released
	// reservations are left out. An empty selection is an error.
	Cards(ctx context.Context, s Selection) ([]Card, error)
	// CardHistory returns the events of one card, oldest first, or ErrNotFound.
	CardHistory(ctx context.Context, id CTI) ([]CardEvent, error)
	// MoveCards takes all of ids to a state (not CardPrinted) or none; ErrCardState
	// names the first that cannot go there. Where the state ends credentials, they
	// are revoked in the same transaction.
	MoveCards(ctx context.Context, by access.Actor, ids []CTI, to CardState, site, reason string) error
	// RecordPrint puts a file into the print log and takes its cards to CardPrinted.
	// The same file again (digest, layout and cards) returns the job that is there;
	// a card of another job is ErrPrinted, one that nobody could use ErrCardState.
	RecordPrint(ctx context.Context, by access.Actor, j PrintJob) (PrintJob, error)
	// PrintJobs returns the print log, newest first, or the one job id; ErrNoJob.
	PrintJobs(ctx context.Context, id string) ([]PrintJob, error)
	// HandOut puts into the log that by gets the file of a print job, of cards that about
	// have, and counts it as another paper. Without a reason it goes to who printed it, once,
	// and for FetchedAgain to who got it last, which counts as the same paper; ErrPaper
	// otherwise. ErrNoJob.
	HandOut(ctx context.Context, by access.Actor, job, reason string, about []UnitID) error
	BlankStore
}

// maxCode bounds a site or reason of an event, in bytes.
const maxCode = 80

func checkCode(what, s string) error {
	if len(s) > maxCode {
		return fmt.Errorf("issuer: a %s is a code of at most %d bytes", what, maxCode)
	}
	return nil
}

// MoveCards records what became of cards, all or none: see CardState. A state
// that ends credentials needs a reason, and for more than BulkLimit a second person. Service points hear of that with the next
// published status lists.
func (d *Desk) MoveCards(ctx context.Context, ids []CTI, to CardState, site, reason string) error {
	if err := errors.Join(checkCode("site", site), checkCode("reason", reason)); err != nil {
		return err
	}
	switch to {
	case CardHandedOver, CardUnclaimed:
	case CardSpoiled, CardDestroyed:
		if len(ids) > BulkLimit && d.Actor.SecondPerson == "" {
			return fmt.Errorf("issuer: %d cards at once: %w", len(ids), ErrSecondPerson)
		}
		if strings.TrimSpace(reason) == "" {
			return errors.New("issuer: a card that is spoiled or destroyed needs a reason: its credential is revoked")
		}
	default:
		return fmt.Errorf("issuer: cards are not moved to %q by hand", to)
	}
	if err := d.Store.MoveCards(ctx, d.Actor, ids, to, site, reason); err != nil {
		return fmt.Errorf("issuer: %d cards to %s: %w", len(ids), to.words(), err)
	}
	return nil
}

// RecordPrint writes a finished file into the print log, before it is released.
// A job of the same file is returned as it is, so that a run that was cut off
// after the record gives its file out when it is repeated.
func (d *Desk) RecordPrint(ctx context.Context, j PrintJob) (PrintJob, error) {
	if len(j.Cards) == 0 || j.Digest == ([32]byte{}) {
		return PrintJob{}, errors.New("issuer: a print job needs its cards and the digest of its file")
	}
	if err := checkCode("layout", j.Layout); err != nil {
		return PrintJob{}, err
	}
	j, err := d.Store.RecordPrint(ctx, d.Actor, j)
	if err != nil {
		return PrintJob{}, fmt.Errorf("issuer: print log: %w", err)
	}
	return j, nil
}

// NewShortID draws the name of a print job or of a lot of blank cards: eight
// letters and digits that people do not confuse, typed from paper.
func NewShortID() string {
	const symbols = "0123456789abcdefghjkmnpqrstvwxyz"
	b := make([]byte, 8)
	rand.Read(b)
	for i := range b {
		b[i] = symbols[b[i]&31]
	}
	return string(b)
}
