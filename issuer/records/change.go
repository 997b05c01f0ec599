package records

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// Kinds of a Change.
const (
	Died         = "died"        // Unit is dead since On
	Alive        = "alive"       // the death of Unit is taken back
	Split        = "split"       // Others leave the household Unit, under Head
	Move         = "move"        // Unit goes into the household of Others, or into none
	Merge        = "merge"       // Unit and the households Others become one, under Head
	Same         = "same"        // Unit and the person of Others are one
	Different    = "different"   // they are two
	Open         = "open"        // what was decided of the two is taken back
	Collect      = "collect"     // Collector fetches for the household Unit
	CollectEnd   = "collect_end" // the alternate Collector does not any more, as AskedBy wants
	secondInPlan = "plan-of-two" // stands in for the second person in what is not kept
	maxChange    = 64 << 10      // bytes of a Change as it is approved
)

// A Change is what life does to people and households: an act that is shown before it
// is done, and that may need a second account.
type Change struct {
	Kind      string              `json:"kind"`
	Unit      registry.ID         `json:"-"`
	Others    []registry.ID       `json:"-"`
	Head      registry.ID         `json:"-"`
	On        string              `json:"on,omitempty"` // day
	Renew     bool                `json:"renew,omitempty"`
	Collector *registry.Collector `json:"collector,omitempty"`
	AskedBy   registry.ID         `json:"-"`
	Relation  string              `json:"relation,omitempty"` // of who moves, to the head there
	Reason    string              `json:"reason,omitempty"`   // a code
}

// wire is a Change as two accounts approve it.
type wire struct {
	Change
	Unit    string   `json:"unit"`
	Others  []string `json:"others,omitempty"`
	Head    string   `json:"head,omitempty"`
	AskedBy string   `json:"asked_by,omitempty"`
	State   string   `json:"state,omitempty"` // of what it is about: see Desk.Payload
}

// Payload is the canonical bytes of a change alone.
func (c Change) Payload() ([]byte, error) { return c.payload("") }

// payload is the canonical bytes of a change, with a state of what it is about.
func (c Change) payload(state string) ([]byte, error) {
	w := wire{Change: c, Unit: c.Unit.String(), State: state}
	for _, id := range c.Others {
		w.Others = append(w.Others, id.String())
	}
	if !c.Head.IsZero() {
		w.Head = c.Head.String()
	}
	if !c.AskedBy.IsZero() {
		w.AskedBy = c.AskedBy.String()
	}
	return json.Marshal(w)
}

// ReadChange reads what Payload wrote.
func ReadChange(payload []byte) (c Change, err error) {
	var w wire
	if len(payload) > maxChange {
		return c, fmt.Errorf("records: a change of %d bytes, over %d", len(payload), maxChange)
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil {
		return c, fmt.Errorf("records: a change: %w", err)
	}
	c = w.Change
	read := func(text string) (id registry.ID) {
		if err == nil && text != "" {
			id, err = registry.ParseID(text)
		}
		return id
	}
	c.Unit, c.Head, c.AskedBy = read(w.Unit), read(w.Head), read(w.AskedBy)
	for _, text := range w.Others {
		c.Others = append(c.Others, read(text))
	}
	if err != nil {
		return Change{}, fmt.Errorf("records: a change: %w", err)
	}
	return c, nil
}

// Of is the kind of record that a kind of change begins with.
func (c Change) Of() registry.Kind {
	switch c.Kind {
	case Died, Alive, Move, Same, Different, Open:
		return registry.KindPerson
	}
	return registry.KindHousehold
}

// About are the records that a change names.
func (c Change) About() []registry.ID {
	ids := append([]registry.ID{c.Unit}, c.Others...)
	if c.Collector != nil {
		if id, err := registry.ParseID(c.Collector.Person); err == nil {
			ids = append(ids, id)
		}
	}
	for _, id := range []registry.ID{c.Head, c.AskedBy} {
		if !id.IsZero() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b registry.ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// do does a change at a registry. next is the record to show afterwards.
func (c Change) do(ctx context.Context, r *registry.Registry) (after registry.After, next registry.ID, err error) {
	next = c.Unit
	other := registry.ID{}
	if len(c.Others) > 0 {
		other = c.Others[0]
	}
	switch c.Kind {
	case Died:
		after, err = r.Died(ctx, c.Unit, c.On)
	case Alive:
		after, err = r.Alive(ctx, c.Unit, c.Reason)
	case Split:
		next, _, after, err = r.Split(ctx, c.Unit, registry.SplitPlan{Leaving: c.Others, Head: c.Head, Renew: c.Renew})
	case Move:
		after, err = r.Rehouse(ctx, c.Unit, other, c.Relation)
	case Merge:
		next, after, err = r.Merge(ctx, append([]registry.ID{c.Unit}, c.Others...), c.Head)
	case Same, Different, Open:
		after, err = r.DecideDouble(ctx, c.Unit, other, c.Kind)
	case Collect:
		if c.Collector == nil {
			return after, next, ErrQuery
		}
		err = r.AddCollector(ctx, c.Unit, *c.Collector)
	case CollectEnd:
		if c.Collector == nil {
			return after, next, ErrQuery
		}
		name := c.Collector.Person
		if name == "" {
			name = c.Collector.External
		}
		err = r.RevokeCollector(ctx, c.Unit, name, c.AskedBy)
	default:
		err = fmt.Errorf("records: no change is called %q", c.Kind)
	}
	return after, next, err
}

// A Plan is what a change would come to.
type Plan struct {
	About []Line
	Cards []string // numbers of those that would stop
	Two   bool     // a second account is needed
	After registry.After
}

// Plan tells what a change would come to, and does nothing. Whom it names the log is
// told of.
func (d *Desk) Plan(ctx context.Context, by access.Actor, c Change) (p Plan, err error) {
	if p, err = d.plan(ctx, by, c); err == nil {
		p.About, err = d.Told(ctx, by, c)
	}
	return p, err
}

// plan is Plan without whom it names.
func (d *Desk) plan(ctx context.Context, by access.Actor, c Change) (p Plan, err error) {
	r, err := d.deciding(ctx, by, c)
	if err != nil {
		return p, err
	}
	r.Store = registry.Rehearsal(d.Store)
	p.After, _, err = c.do(ctx, r)
	if errors.Is(err, registry.ErrSecondPerson) && by.SecondPerson == "" {
		p.Two = true
		r.Actor.SecondPerson = secondInPlan
		p.After, _, err = c.do(ctx, r)
	}
	if err != nil || len(p.After.Revoke) == 0 {
		return p, err
	}
	cards, err := d.Store.Cards(ctx, issuer.Selection{Units: p.After.Revoke, Active: true})
	for _, card := range cards {
		if !slices.Contains(p.Cards, card.CardNumber) {
			p.Cards = append(p.Cards, card.CardNumber)
		}
	}
	return p, err
}

// Payload is what two accounts mean by a change that by asks for: the change, and the state
// of the records that it is about, with the cards that it would stop. Where one of them is
// not as it was, it is another payload.
func (d *Desk) Payload(ctx context.Context, by access.Actor, c Change) ([]byte, error) {
	plan, err := d.plan(ctx, by, c)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if err := d.versions(ctx, sum, c.About()); err != nil {
		return nil, err
	}
	slices.Sort(plan.Cards)
	fmt.Fprintf(sum, "cards %q\n", plan.Cards)
	return c.payload(hex.EncodeToString(sum.Sum(nil)))
}

// Again makes the payload of a request anew, for [access.Executor]: another one where the
// records or cards are not as they were when it was asked for. A death that was taken back
// already, after a stop, is as it was.
func (d *Desk) Again(ctx context.Context, a access.Approval) ([]byte, error) {
	c, err := ReadChange(a.Payload)
	if err != nil {
		return nil, err
	}
	if c.Kind == Alive && a.State == access.Approved {
		s, err := d.sheet(ctx, c.Unit, registry.KindPerson)
		if err != nil || s.Person.Status.Living() {
			return a.Payload, err
		}
	}
	payload, err := d.Payload(ctx, access.Actor{ID: a.By, Role: access.Registrar}, c)
	var refusal *registry.Refusal
	if errors.As(err, &refusal) || errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrErased) {
		err = errors.Join(access.ErrChanged, err) // it could be done when it was asked for
	}
	return payload, err
}

// Told reads whom a change names.
func (d *Desk) Told(ctx context.Context, by access.Actor, c Change) ([]Line, error) {
	ids := c.About()
	list, err := d.lines(ctx, ids)
	if err != nil {
		return nil, err
	}
	return list, d.Store.NoteAbout(ctx, by, access.Entry{Action: "person.read", Object: c.Unit.String(), Detail: "who"}, ids)
}

// Do does a change. One that needs a second account, and has none, is
// registry.ErrSecondPerson. next is the record it leads to: of a split who left, of a
// merge the new household, else its own.
func (d *Desk) Do(ctx context.Context, by access.Actor, c Change) (after registry.After, next registry.ID, err error) {
	r, err := d.deciding(ctx, by, c)
	if err != nil {
		return after, next, err
	}
	return c.do(ctx, r)
}

// Carry carries out a change that two accounts agreed to, once: a death that was taken
// back already is no error.
func (d *Desk) Carry(ctx context.Context, who access.Actor, a access.Approval) error {
	c, err := ReadChange(a.Payload)
	if err != nil {
		return err
	}
	if c.Kind == Alive {
		s, err := d.sheet(ctx, c.Unit, registry.KindPerson)
		if err != nil || s.Person.Status.Living() {
			return err
		}
	}
	_, _, err = d.Do(ctx, who, c)
	return err
}
