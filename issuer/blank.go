package issuer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/credential"
)

// A BlankLot is a number of pre-numbered cards made together for a programme: each
// is a unit of kind Blank with its own pseudonym and credential, which nobody has
// yet. They are on hold until they are bound, or live from the start where there
// will be no network: then whoever finds one can use it.
type BlankLot struct {
	ID        string // eight letters and digits; given by MakeBlanks
	Type      string
	VCT       string
	Programme string
	Rounds    Rounds // as asked for; of the batch
	Form      credential.Form
	Live      bool
	Count     int
	At        time.Time
	By        string

	Units  []UnitID // of the lot that MakeBlanks returns, in their order; else nil
	Issued int      // cards signed
	Bound  int
	Ended  int // revoked or expired, and not bound
}

// A Binding gives a pre-numbered card to a unit.
type Binding struct {
	Card     CTI
	Unit     UnitID
	Override string // why the gate was passed over; empty: it was not

	Provisional bool   // the gate would have given a provisional card: an audit entry of its own
	Reasons     string // codes of the gate's reasons, for that entry or the override's
}

// A BlankStore keeps pre-numbered cards. It keeps to the rules of Store.
type BlankStore interface {
	// MakeBlanks makes the units of a lot, without names in the programme: Reserve
	// gives those. A lot of the same type, programme, rounds, form, count and Live
	// that still lacks signed cards is returned instead: it was interrupted. With an
	// ID that lot is returned, if it is of that type, programme and rounds: else
	// ErrNoLot.
	MakeBlanks(ctx context.Context, by access.Actor, lot BlankLot) (BlankLot, error)
	// BlankLots returns the lots, newest first.
	BlankLots(ctx context.Context) ([]BlankLot, error)
	// BindBlank moves a blank's name in the programme and its credentials to a unit,
	// seals their bytes under the unit's key, destroys the blank's, and makes them
	// valid. ErrNotBlank, ErrBound, ErrNamed, ErrCardState and ErrNotFound say why
	// not. Binding the same again is no error.
	BindBlank(ctx context.Context, by access.Actor, b Binding) (Card, error)
}

// Errors of binding.
var (
	ErrNotBlank = errors.New("issuer: this is no pre-numbered card")
	ErrBound    = errors.New("issuer: the card is bound to somebody else")
	ErrNoLot    = errors.New("issuer: no such lot of blank cards of this type, programme and rounds")
	ErrNamed    = errors.New("issuer: the unit has a card number in this programme already: replace that card instead")
)

// MaxBlanks is the most cards of one lot: more are made in several.
const MaxBlanks = 20_000

// A BlankOrder asks for pre-numbered cards.
type BlankOrder struct {
	Count  int
	Live   bool           // valid before they are bound; needs a second person
	Claims map[string]any // that all of them carry; programme and round are the batch's
	Lot    string         // of an earlier order, to get its cards again; empty: a new one
}

// MakeBlanks makes pre-numbered cards of the batch's type, programme and rounds.
// The batch brings no requests: a blank knows nothing of its bearer, and has no
// size band.
//
// Where an earlier call for the same was interrupted before all were signed, that
// lot is finished instead of making another. begun, if not nil, is told which lot
// it is before the first card; each gets every card, in the order of the lot.
func (d *Desk) MakeBlanks(ctx context.Context, b Batch, o BlankOrder, begun func(BlankLot), each func(Result) error) (BlankLot, error) {
	switch {
	case b.Type == nil || b.Programme == "":
		return BlankLot{}, errors.New("issuer: blank cards need a credential type and a programme")
	case o.Lot == "" && (o.Count < 1 || o.Count > MaxBlanks):
		return BlankLot{}, fmt.Errorf("issuer: a lot has 1 to %d blank cards", MaxBlanks)
	case o.Live && d.Actor.SecondPerson == "":
		return BlankLot{}, fmt.Errorf("issuer: blank cards that work before they are bound: %w", ErrSecondPerson)
	case o.Claims[b.Type.SizeBandClaim] != nil:
		return BlankLot{}, fmt.Errorf("issuer: a blank card has no %s: nobody knows yet whose it will be", b.Type.SizeBandClaim)
	}
	rounds := Rounds{b.Round, b.Round}
	if r, ok := o.Claims[b.Type.RoundsClaim].([]int64); ok && len(r) == 2 {
		rounds = Rounds{uint64(r[0]), uint64(r[1])}
	}
	lot, err := d.Store.MakeBlanks(ctx, d.Actor, BlankLot{
		ID: o.Lot, Type: b.Type.Name, VCT: b.Type.VCT, Programme: b.Programme, Rounds: rounds, Form: b.Form, Live: o.Live, Count: o.Count,
	})
	if err != nil {
		return BlankLot{}, fmt.Errorf("issuer: blank cards: %w", err)
	}
	if begun != nil {
		begun(lot)
	}
	b.Suspended, b.Gate, b.Requests = !lot.Live, nil, nil
	for i, u := range lot.Units {
		b.Requests = append(b.Requests, Request{Row: i + 1, Unit: u, Claims: o.Claims})
	}
	b.Approval.By = d.Actor.ID
	if d.Actor.SecondPerson != "" {
		b.Approval.By = d.Actor.SecondPerson
	}
	// The units were drawn a moment ago: nobody could have read their digest.
	if b.Approval.Digest, err = b.Digest(); err != nil {
		return lot, fmt.Errorf("issuer: blank cards: %w", err)
	}
	return lot, d.Issue(ctx, b, each)
}

// Bind gives a pre-numbered card to a unit: from here on it is her card, under her
// key, and valid. gate is asked first; where it does not let her pass, override is
// the second person's reason to bind all the same. A record that only lacks a little
// is no reason to send her away: the card has its end printed on it already.
//
// A unit that has a card number in the programme keeps that: ErrNamed.
func (d *Desk) Bind(ctx context.Context, card CTI, unit UnitID, gate Gate, override string) (Card, error) {
	bind := Binding{Card: card, Unit: unit}
	if gate != nil {
		decision, err := gate(ctx, unit)
		switch {
		case err != nil:
			return Card{}, fmt.Errorf("issuer: gate: %w", err)
		case decision.Ruling == GatePass:
		case decision.Ruling == GateProvisional:
			bind.Provisional, bind.Reasons = true, Codes(decision.Lacks)
		case override == "" || decision.Final:
			return Card{}, refuse(RefusedGate, "%s", strings.Join(decision.Reasons, "; "))
		case d.Actor.SecondPerson == "":
			return Card{}, ErrSecondPerson
		default:
			bind.Override, bind.Reasons = override, Codes(decision.Lacks)
		}
	}
	c, err := d.Store.BindBlank(ctx, d.Actor, bind)
	if err != nil {
		return Card{}, fmt.Errorf("issuer: bind card: %w", err)
	}
	return c, nil
}
