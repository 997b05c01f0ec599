package issuer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
)

// A ProposalState is how far a proposal has come:
//
//	prepared -> submitted -> approved -> issuing -> issued
//
// A request that was refused or taken back makes it prepared again.
type ProposalState string

// The states. What is Issuing was begun, and is done or goes on when it is issued again.
const (
	Prepared  ProposalState = "prepared"
	Submitted ProposalState = "submitted"
	Approved  ProposalState = "approved"
	Issuing   ProposalState = "issuing"
	Done      ProposalState = "issued"
)

// A Proposal is a batch before its cards: who would get what, as the records said when
// it was prepared. It has no requests in it: they are made from the records again, and
// count only while Digest is theirs.
type Proposal struct {
	ID        string          `json:"id"`
	By        string          `json:"by"` // account that prepared it
	At        time.Time       `json:"at"`
	Type      string          `json:"type"` // name of the credential type
	Programme string          `json:"programme"`
	Round     uint64          `json:"round"`            // 0: none
	All       bool            `json:"all,omitempty"`    // everybody in use
	Import    string          `json:"import,omitempty"` // whom this import made or changed, by its id; with neither: to whom something is due in the round
	Photo     bool            `json:"photo,omitempty"`  // bound to the photo on record
	Overrides []Override      `json:"overrides,omitempty"`
	Until     credential.Time `json:"until"`      // end of provisional cards
	ExpiresAt credential.Time `json:"expires_at"` // 0: as the type says

	Form        int          `json:"form,omitempty"`    // of Payload: 2 tells Held; 0: one made before it did
	Digest      [32]byte     `json:"digest"`            // Batch.Digest
	Rows        int          `json:"rows"`              // units looked at
	Can         int          `json:"can"`               // that get a card
	Held        int          `json:"held"`              // of Can: have theirs already, so nothing new is signed
	Provisional int          `json:"provisional"`       // of Can: one that ends by itself
	Follows     int          `json:"follows,omitempty"` // of Can: a whole one in the place of a provisional one, which ends
	Cannot      []BulkReason `json:"cannot"`

	State    ProposalState `json:"state"`
	Approval string        `json:"approval,omitempty"` // id of the request for approval; empty before
	Second   string        `json:"second,omitempty"`   // account that approved

	Issued  int          `json:"issued"`  // of the last run
	Already int          `json:"already"` // of it: were issued before
	Refused []BulkReason `json:"refused"` // by it
}

// An Override lets one unit pass the gate. It stands in the digest that the second account
// approves: whoever said it never approves the batch.
type Override struct {
	Unit   UnitID `json:"unit"`
	Reason string `json:"reason"`         // one of OverrideReasons
	Note   string `json:"note,omitempty"` // what else the approver should know; names nobody
	By     string `json:"by"`             // account
}

// MaxOverrideNote is how many bytes Override.Note has.
const MaxOverrideNote = 120

// OverrideReasons are the codes for which somebody passes the gate.
var OverrideReasons = []string{"no_papers", "known_here", "urgent", "being_mended"}

// Override is that of a unit, false without one.
func (p *Proposal) Override(unit UnitID) (Override, bool) {
	i := slices.IndexFunc(p.Overrides, func(o Override) bool { return o.Unit == unit })
	if i < 0 {
		return Override{}, false
	}
	return p.Overrides[i], true
}

// An Unfit is a unit that gets no card, for the list of what to mend.
type Unfit struct {
	Unit     UnitID
	External string // identifier it came with; may be empty
	Code     string // of a Refusal, or of why it was left out
	Reasons  []string
	Lacks    []Lack // as in a Decision
	Passable bool   // an Override lets it pass
}

// Errors of proposals that callers act on.
var (
	ErrNoProposal      = errors.New("issuer: no such proposal")
	ErrProposalState   = errors.New("issuer: the proposal is not that far, or further")
	ErrProposalChanged = errors.New("issuer: the records are not as they were approved: prepare the batch anew")
	ErrFinalGate       = errors.New("issuer: no override makes a card for this unit")
	ErrNobody          = errors.New("issuer: nobody is there for whom a card could be made")
)

// A ProposalStore keeps proposals. Each method is one transaction.
type ProposalStore interface {
	// AddProposal keeps a new one.
	AddProposal(ctx context.Context, by access.Actor, p Proposal) error
	// ChangeProposal keeps it as change leaves it. Writers take turns; an error of change
	// comes back, and nothing is written.
	ChangeProposal(ctx context.Context, by access.Actor, id string, change func(*Proposal) error) error
	// Proposal is one, or ErrNoProposal.
	Proposal(ctx context.Context, id string) (Proposal, error)
	// Proposals are all of them, the newest first.
	Proposals(ctx context.Context) ([]Proposal, error)
}

// Payload is what two accounts mean when one approves what the other asked for: JSON of
// who gets what, as counts and the digest, in which every override is. How many have their
// card already is part of it since form 2: a second account that reads of one new card
// does not approve sixty-four.
func (p *Proposal) Payload() ([]byte, error) {
	var held *int
	if p.Form >= ProposalForm {
		held = &p.Held
	}
	return json.Marshal(struct {
		Batch       string `json:"batch"`
		Type        string `json:"type"`
		Programme   string `json:"programme"`
		Round       uint64 `json:"round"`
		Cards       int    `json:"cards"`
		Held        *int   `json:"held,omitempty"`
		Provisional int    `json:"provisional"`
		Overrides   int    `json:"past_the_gate,omitempty"`
		Until       string `json:"provisional_until"`
		Ends        string `json:"ends"`
		Digest      string `json:"digest"`
	}{p.ID, p.Type, p.Programme, p.Round, p.Can, held, p.Provisional, len(p.Overrides), p.Until.String(), p.ExpiresAt.String(), hex.EncodeToString(p.Digest[:])})
}

// ProposalForm is the Form of proposals that are made now.
const ProposalForm = 2

// New is how many cards it makes that are not there yet.
func (p Proposal) New() int { return p.Can - p.Held }

// SetOverride puts an override into a proposal that nobody has approved yet, in the place of
// an earlier one of its unit; without a reason it takes that out. Gather it again then.
func (p *Proposal) SetOverride(o Override) error {
	if p.State != Prepared && p.State != Submitted {
		return ErrProposalState
	}
	p.Overrides = slices.DeleteFunc(slices.Clone(p.Overrides), func(x Override) bool { return x.Unit == o.Unit })
	if o.Reason != "" {
		p.Overrides = append(p.Overrides, o)
	}
	p.State = Prepared
	return nil
}

// Gather makes the batch of a proposal from the records as they are now, and sets its
// digest and counts. units are those of Import; they are not looked at without one. keys
// and approval are left to the caller. Its gate asks again at the moment of signing.
func (p *Proposal) Gather(ctx context.Context, store registry.Store, gate quality.Gate, units []UnitID, now func() time.Time) (b Batch, unfit []Unfit, err error) {
	return p.gather(ctx, store, gate, units, now, func(*Candidate, *Settled) {})
}

// gather is Gather, and shows each who is looked at with what becomes of it.
func (p *Proposal) gather(ctx context.Context, store registry.Store, gate quality.Gate, units []UnitID, now func() time.Time, each func(*Candidate, *Settled)) (b Batch, unfit []Unfit, err error) {
	t := schemas.ByName(p.Type)
	if t == nil {
		return b, nil, fmt.Errorf("issuer: proposal %s: no type %q", p.ID, p.Type)
	}
	b = Batch{Type: t, Programme: p.Programme, Round: p.Round, Form: credential.FormCWT, ExpiresAt: p.ExpiresAt}
	ask := Ask{Type: t, Programme: p.Programme, Round: p.Round, Kind: Person, All: p.All, Photo: p.Photo, At: p.At.UTC(), Until: p.Until}
	if p.Import != "" {
		if ask.Units = units; units == nil {
			ask.Units = []UnitID{}
		}
	}
	p.Rows, p.Can, p.Provisional = 0, 0, 0
	why := tally{}
	no := func(c *Candidate, code string, lacks []Lack, reasons ...string) *Unfit {
		unfit = append(unfit, Unfit{Unit: c.Unit, External: c.External, Code: code, Reasons: reasons, Lacks: lacks})
		for i, r := range reasons {
			l := Lack{Code: code}
			if i < len(lacks) {
				l = lacks[i]
			}
			why.add(r, l)
		}
		return &unfit[len(unfit)-1]
	}
	err = Candidates(ctx, store, gate, ask, func(c *Candidate) error {
		if c.OtherKind && p.Import != "" {
			return nil // an import has both kinds
		}
		p.Rows++
		over, _ := p.Override(c.Unit)
		s := c.Settle(over.Reason)
		each(c, &s)
		switch {
		case s.LeftOut != "":
			no(c, s.LeftOut, nil, c.Why)
		case s.Refusal != nil && len(s.Decision.Reasons) > 0:
			no(c, s.Refusal.Code, s.Decision.Lacks, s.Decision.Reasons...).Passable = !s.Decision.Final
		case s.Refusal != nil:
			no(c, s.Refusal.Code, nil, s.Refusal.Text)
		default:
			p.Can++
			if over.Reason != "" {
				s.Request.OverrideBy, s.Request.OverrideNote = over.By, over.Note
			}
			if s.Request.Row = p.Rows; s.Request.ExpiresAt != 0 {
				p.Provisional++
			}
			b.Requests = append(b.Requests, s.Request)
		}
		return nil
	})
	if err != nil {
		return b, nil, err
	}
	p.Cannot = why.list()
	if p.Digest, err = b.Digest(); err != nil {
		return b, nil, err
	}
	b.Gate = StillDue(store, p.Programme, p.Round, QualityGate(store, gate, now))
	return b, unfit, nil
}

// A tally counts reasons.
type tally map[string]BulkReason

func (t tally) add(why string, l Lack) {
	r := t[why]
	t[why] = BulkReason{why, r.Count + 1, l}
}

// list puts reasons in the order of how many they are true of.
func (t tally) list() (list []BulkReason) {
	for _, why := range slices.Sorted(maps.Keys(t)) {
		list = append(list, t[why])
	}
	slices.SortStableFunc(list, func(a, b BulkReason) int { return b.Count - a.Count })
	return list
}

// A Settled candidate gets a card by Request, is left out, or is refused.
type Settled struct {
	Request  Request // without Row
	Decision Decision
	LeftOut  string // a code of why it is none of the run's business
	Refusal  *Refusal
}

// Settle says what becomes of a candidate. override is a second person's reason to let
// it pass the gate; empty: there is none.
func (c *Candidate) Settle(override string) (s Settled) {
	switch {
	case c.Skipped == SkippedClaims:
		s.Refusal = &Refusal{c.Skipped, c.Why}
		return s
	case c.Skipped != "":
		s.LeftOut = c.Skipped
		return s
	}
	s.Request, s.Decision = c.Request, DecisionOf(c.Decision)
	if override != "" {
		if s.Request.Override = override; s.Decision.Ruling != GatePass {
			s.Request.ExpiresAt = 0
		}
	}
	if s.Decision.Ruling == GateRefuse && (override == "" || s.Decision.Final) {
		s.Refusal = &Refusal{RefusedGate, strings.Join(s.Decision.Reasons, "; ")}
	}
	return s
}

// A Run is one issue of a proposal.
type Run struct {
	Desk *Desk // whose Actor issues; its Log, keys and checks are needed
	// Gate and Units are of the moment, as for Gather.
	Gate  quality.Gate
	Units []UnitID
	// ProgrammeKey, and EpochKey where the type seals something.
	ProgrammeKey []byte
	EpochKey     []byte
	Registry     registry.Store
	Proposals    ProposalStore
	Now          func() time.Time
}

// Issue signs the cards of an approved proposal, or goes on with one that was cut off.
// The records must say what was approved (ErrProposalChanged), and whoever approved is
// not who issues. What was issued is marked in the plan, also after an error.
func (r *Run) Issue(ctx context.Context, id string, progress func(done, total int)) (err error) {
	p, err := r.Proposals.Proposal(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case p.State != Approved && p.State != Issuing:
		return ErrProposalState
	case p.Second == "" || access.SameAccount(p.Second, r.Desk.Actor.ID):
		return fmt.Errorf("%w by a second person", ErrNotApproved)
	}
	approved := p.Digest
	b, unfit, err := p.Gather(ctx, r.Registry, r.Gate, r.Units, r.Now)
	if err != nil {
		return err
	}
	if p.Digest != approved {
		return ErrProposalChanged
	}
	b.ProgrammeKey, b.EpochKey = r.ProgrammeKey, r.EpochKey
	b.Approval = Approval{By: p.Second, Digest: approved}
	desk := *r.Desk
	desk.FourEyes, desk.Actor.SecondPerson = true, p.Second
	by := desk.Actor
	if err := NoteRefused(ctx, r.Registry, by, p.Type, p.Programme, p.Round, unfit); err != nil {
		return err
	}
	unfit = nil
	err = r.Proposals.ChangeProposal(ctx, by, id, func(p *Proposal) error {
		if p.State != Approved && p.State != Issuing {
			return ErrProposalState
		}
		p.State = Issuing
		return nil
	})
	if err != nil {
		return err
	}
	if err := desk.Resume(ctx, func(Result) error { return nil }); err != nil {
		return err
	}
	issued, already, done := 0, 0, 0
	why := tally{}
	progress(0, len(b.Requests))
	err = desk.Issue(ctx, b, func(res Result) error {
		switch {
		case res.Refusal != nil:
			why.add(res.Refusal.Code, Lack{Code: res.Refusal.Code})
			unfit = append(unfit, Unfit{Unit: res.Unit, Code: res.Refusal.Code, Lacks: res.Lacks})
		case res.Old:
			already++
		default:
			issued++
		}
		done++
		progress(done, len(b.Requests))
		return nil
	})
	_, marked := desk.Reconcile(context.WithoutCancel(ctx), r.Registry, b.Type.VCT, p.Programme, p.Round)
	if err = errors.Join(err, marked); err != nil {
		return err
	}
	if err := NoteRefused(ctx, r.Registry, by, p.Type, p.Programme, p.Round, unfit); err != nil { // became worse since
		return err
	}
	return r.Proposals.ChangeProposal(ctx, by, id, func(p *Proposal) error {
		p.State, p.Issued, p.Already, p.Refused = Done, issued, already, why.list()
		return nil
	})
}

// Approving carries out the approval of a proposal: it may be issued from then on, by
// who signs, and as it is. gather makes it from the records as they are now.
func Approving(proposals ProposalStore, gather func(context.Context, *Proposal) error) access.Executor {
	return access.Executor{
		Payload: func(ctx context.Context, id string) ([]byte, error) {
			b, err := proposals.Proposal(ctx, id)
			if err != nil {
				return nil, err
			}
			if err := gather(ctx, &b); err != nil {
				return nil, err
			}
			return b.Payload()
		},
		Makers: func(ctx context.Context, id string) ([]string, error) {
			b, err := proposals.Proposal(ctx, id)
			makers := []string{b.By}
			for _, o := range b.Overrides {
				makers = append(makers, o.By)
			}
			return makers, err
		},
		Run: func(ctx context.Context, who access.Actor, a access.Approval) error {
			return proposals.ChangeProposal(ctx, who, a.Object, func(b *Proposal) error {
				var said struct {
					Digest string `json:"digest"`
				}
				switch err := json.Unmarshal(a.Payload, &said); {
				case err != nil || said.Digest != hex.EncodeToString(b.Digest[:]):
					return ErrProposalChanged
				case b.State == Issuing || b.State == Done || b.State == Approved:
					return nil
				}
				b.State, b.Second, b.Approval = Approved, who.SecondPerson, a.ID
				return nil
			})
		},
	}
}
