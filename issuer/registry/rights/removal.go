package rights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// Why something is destroyed.
const (
	TermOver = "term-over" // its term is over
	AtWish   = "asked"     // she asked for it
)

// MaxRemoval bounds what one removal names.
const MaxRemoval = 1000

// A Removal is what somebody wants destroyed. It is kept, and changes nothing, until a
// second account approved what a Plan of it says.
type Removal struct {
	ID      string    `json:"id"`  // 16 hex digits
	Why     string    `json:"why"` // TermOver or AtWish
	Items   []Due     `json:"items"`
	Request string    `json:"request,omitempty"` // of hers that it answers
	Letter  string    `json:"letter,omitempty"`  // or the recall of another organisation: its handle
	At      time.Time `json:"at"`
	By      string    `json:"by"`
}

// Units are the records that it names, each once.
func (r *Removal) Units() (units []registry.ID) {
	for _, item := range r.Items {
		if !slices.Contains(units, item.Unit) {
			units = append(units, item.Unit)
		}
	}
	return units
}

// KeepRemoval keeps a removal that by asks for, with a new id.
//
// Errors: *Refusal for what no removal can name: nothing, too much, or what is not this
// program's to destroy, and for a wish that only who asks for its removal tells of; those of
// the store.
func (d *Desk) KeepRemoval(ctx context.Context, by access.Actor, r Removal) (Removal, error) {
	r.ID, r.At, r.By = newID(), d.now(), by.ID
	if r.Why != TermOver && r.Why != AtWish || len(r.Items) == 0 || len(r.Items) > MaxRemoval {
		return r, deny(DeniedMany, "1 to %d records or photographs, for one reason", MaxRemoval)
	}
	for _, item := range r.Items {
		if item.Class != Photos && item.Class != Records || item.Unit.IsZero() {
			return r, deny(DeniedClass, "records and photographs are destroyed here; who holds a file is asked, and logs are outside")
		}
	}
	err := d.Store.WriteRights(ctx, by, func(tx Tx) error {
		for _, id := range r.Units() {
			if _, err := tx.Record(id); err != nil {
				return err
			}
		}
		if r.Why == AtWish {
			if err := wished(tx, &r); err != nil {
				return err
			}
		}
		if err := savePaper(tx, Paper{Kind: kindRemoval, ID: r.ID, At: r.At}, r); err != nil {
			return err
		}
		return tx.NoteAbout(access.Entry{Action: "removal.ask", Object: r.ID, Reason: r.Why, Detail: fmt.Sprintf("items=%d", len(r.Items))}, r.Units())
	})
	return r, err
}

// Wished refuses, as KeepRemoval would, a removal at somebody's wish that nobody else put on
// record: nil, a *Refusal, or an error of the store.
func (d *Desk) Wished(ctx context.Context, r Removal) error {
	return d.Store.ReadRights(ctx, func(v View) error { return wished(v, &r) })
}

// wished refuses a removal at somebody's wish without that on record: a request of hers that
// waits, and that another account wrote down, or a letter of another organisation, whose
// signature was proved.
func wished(v View, r *Removal) error {
	units := r.Units()
	if r.Letter != "" {
		in, err := takenIn(v, r.Letter)
		if err == nil && slices.ContainsFunc(units, func(u registry.ID) bool { return !slices.Contains(in.Units, u) }) {
			err = deny(DeniedNoWish, "letter: it is not about this record")
		}
		return err
	}
	q, err := readPaper[Request](v, kindRequest, r.Request)
	switch {
	case err != nil && !errors.Is(err, ErrNoPaper):
		return err
	case err != nil || !q.Open() || q.Demand != Forget || !slices.Equal(units, []registry.ID{q.Unit}):
		return deny(DeniedNoWish, "request: none of hers to be forgotten is on record and waits: an account that does not ask for the erasure writes it down first")
	case access.SameAccount(q.By, r.By):
		return deny(DeniedOwnWish, "request: the account that asks for the erasure wrote it down itself: let another account write it down, or whoever has the machine with the keys (rights ask)")
	}
	return nil
}

// Removal is one that was kept; a *Refusal where there is none of the id.
func (d *Desk) Removal(ctx context.Context, id string) (r Removal, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		r, err = readPaper[Removal](v, kindRemoval, id)
		return err
	})
	if errors.Is(err, ErrNoPaper) {
		err = deny(DeniedNoList, "there is no such list")
	}
	return r, err
}

// A Plan says what a removal would do at this moment. It is what both accounts mean: where
// anything of it changes, a record, a card, who is to be told, it is another one.
type Plan struct {
	Removal    string        `json:"removal"`
	Why        string        `json:"why"`
	Request    string        `json:"request,omitempty"` // of hers that it answers
	Asked      *Asked        `json:"asked,omitempty"`   // who wrote that down
	Letter     string        `json:"letter,omitempty"`  // or the recall of another organisation
	From       string        `json:"from,omitempty"`    // which that is
	Items      []Planned     `json:"items"`             // households first; what is not due any more, or gone, is not among them
	Households []registry.ID `json:"households"`        // that say who somebody was: made anew without her, or gone where nobody is left
	Left       registry.Left `json:"left,omitzero"`     // of those that lose their head
	Cards      []string      `json:"cards"`             // that are good or on hold, and are revoked
	Told       []string      `json:"told"`              // parties that hold a file with a row of hers: each gets a recall
}

// Asked is what of a request both accounts know: not what she said.
type Asked struct {
	By    string    `json:"by"` // account that wrote it down
	At    time.Time `json:"at"`
	Known Known     `json:"known,omitempty"` // how she was recognised; empty: nobody said it
	// Answered is when she was answered. While a removal waits for its approval she may take
	// her wish back: it is not what was asked for any more.
	Answered time.Time `json:"answered,omitzero"`
}

// Planned is an item of a Plan.
type Planned struct {
	Class   Class         `json:"class"`
	Kind    registry.Kind `json:"kind"`
	Unit    registry.ID   `json:"unit"`
	Version int64         `json:"version"` // the newest of the record's fields
}

// Payload is what both accounts mean.
func (p *Plan) Payload() ([]byte, error) { return json.Marshal(p) }

// ParsePlan reads Payload.
func ParsePlan(b []byte) (p Plan, err error) {
	if err := json.Unmarshal(b, &p); err != nil {
		return Plan{}, deny(DeniedUnread, "what was agreed to cannot be read")
	}
	return p, nil
}

// A Remover lets two accounts destroy what a Desk keeps, with the cards that speak of it.
type Remover struct {
	Desk *Desk
	// Cards are the numbers of those cards of units that are good or on hold.
	Cards func(ctx context.Context, units []registry.ID) ([]string, error)
	// Start begins the work of what was approved. The same key is the same work.
	Start func(ctx context.Context, by access.Actor, key string, p Plan) error
}

// Plan looks at everything that a removal reaches, and changes nothing.
func (m *Remover) Plan(ctx context.Context, r Removal) (p Plan, err error) {
	p = Plan{Removal: r.ID, Why: r.Why, Request: r.Request, Letter: r.Letter, Items: []Planned{}, Households: []registry.ID{}, Cards: []string{}, Told: []string{}}
	due, err := m.Desk.due(ctx, r)
	if err != nil {
		return p, err
	}
	var gone, headless []registry.ID
	err = m.Desk.Store.ReadRights(ctx, func(v View) error {
		if err := p.wish(v); err != nil {
			return err
		}
		for _, item := range due {
			rec, err := v.Record(item.Unit)
			if errors.Is(err, registry.ErrErased) {
				continue
			}
			if err != nil {
				return err
			}
			one := Planned{Class: item.Class, Kind: rec.Kind, Unit: item.Unit}
			for _, f := range rec.Fields {
				one.Version = max(one.Version, f.Version)
			}
			p.Items = append(p.Items, one)
			if item.Class != Records {
				continue
			}
			gone = append(gone, item.Unit)
			shares, err := SharesOf(v, item.Unit)
			if err != nil {
				return err
			}
			for _, s := range shares {
				if s.Agreement != "" && !s.Void && !slices.Contains(p.Told, s.To) {
					p.Told = append(p.Told, s.To)
				}
			}
		}
		reached, err := Reach(v, gone)
		p.Households = append(p.Households, reached...)
		for _, h := range reached {
			lost, err := p.Left.Lose(v, h, gone, m.Desk.now())
			if err != nil {
				return err
			}
			if lost {
				headless = append(headless, h)
			}
		}
		return err
	})
	if err != nil {
		return p, err
	}
	if len(gone) > 0 {
		cards, err := m.Cards(ctx, slices.Concat(gone, p.Households))
		if err != nil {
			return p, err
		}
		p.Cards = append(p.Cards, cards...)
	}
	if len(headless) > 0 {
		cards, err := m.Cards(ctx, headless)
		if err != nil {
			return p, err
		}
		p.Left.Cards = len(cards)
	}
	slices.SortFunc(p.Items, func(a, b Planned) int {
		if a.Kind != b.Kind { // where a household goes as well, nothing is made anew of it
			return strings.Compare(string(a.Kind), string(b.Kind))
		}
		return strings.Compare(string(a.Class)+a.Unit.String(), string(b.Class)+b.Unit.String())
	})
	slices.SortFunc(p.Households, func(a, b registry.ID) int { return strings.Compare(a.String(), b.String()) })
	slices.Sort(p.Cards)
	slices.Sort(p.Told)
	return p, nil
}

// wish takes who wrote a wish down.
func (p *Plan) wish(v View) error {
	if p.Letter != "" {
		in, err := takenIn(v, p.Letter)
		p.From = in.From
		return err
	}
	if p.Request == "" {
		return nil
	}
	q, err := readPaper[Request](v, kindRequest, p.Request)
	if errors.Is(err, ErrNoPaper) {
		return nil
	}
	p.Asked = &Asked{q.By, q.At, q.Known, q.Answered}
	return err
}

// stillWished is access.ErrChanged where the wish is not what was approved any more. Where
// all of units are erased, as after a stop, the erasure itself answered it.
func (p *Plan) stillWished(v View, units []registry.ID) error {
	there, err := anyThere(v, units)
	if err != nil || !there {
		return err
	}
	now := Plan{Request: p.Request, Letter: p.Letter}
	if err := now.wish(v); err != nil {
		return err
	}
	was, is := p.Asked, now.Asked
	if (was == nil) != (is == nil) || now.From != p.From {
		return access.ErrChanged
	}
	if was != nil && (was.By != is.By || was.Known != is.Known || !was.At.Equal(is.At) || !was.Answered.Equal(is.Answered)) {
		return access.ErrChanged
	}
	return nil
}

func anyThere(v View, units []registry.ID) (bool, error) {
	for _, id := range units {
		if _, err := v.Record(id); !errors.Is(err, registry.ErrErased) {
			return err == nil, err
		}
	}
	return false, nil
}

// due are those items of a removal that may be destroyed now.
func (d *Desk) due(ctx context.Context, r Removal) ([]Due, error) {
	if r.Why != TermOver {
		return r.Items, nil
	}
	var now []Due
	err := d.Store.ReadRights(ctx, func(v View) error {
		terms, err := TermsIn(v)
		if err != nil {
			return err
		}
		for _, item := range r.Items {
			over, err := isOver(v, terms, item.Class, item.Unit, d.now())
			if err != nil {
				return err
			}
			if over {
				now = append(now, item)
			}
		}
		return nil
	})
	return now, err
}

// Executor carries out person.erase, whose object is a removal: what is there when the
// second account approves must be what the first one asked for.
func (m *Remover) Executor() access.Executor {
	return access.Executor{
		Payload: func(ctx context.Context, id string) ([]byte, error) {
			r, err := m.Desk.Removal(ctx, id)
			if err != nil {
				return nil, err
			}
			p, err := m.Plan(ctx, r)
			if err != nil {
				return nil, err
			}
			return p.Payload()
		},
		Run: func(ctx context.Context, who access.Actor, a access.Approval) error {
			p, err := ParsePlan(a.Payload)
			if err != nil {
				return err
			}
			return m.Start(ctx, who, a.ID, p)
		},
	}
}

// stepItems is how many items one step destroys.
const stepItems = 50

// CarryOut destroys what was approved, a step at a time: its cards are stopped and its
// records go in one transaction, which looks first whether their term is over still, or the
// wish is what was approved: access.ErrChanged where she was answered meanwhile. save is
// called after each step with how many items are behind it; an error of it ends the work. From is where the work was before a stop: what was done is known
// again, and done once.
func (m *Remover) CarryOut(ctx context.Context, by access.Actor, p Plan, from int, save func(done int) error) error {
	for from < len(p.Items) {
		step := p.Items[from:min(from+stepItems, len(p.Items))]
		if err := m.step(ctx, by, &p, step); err != nil {
			return err
		}
		if from += len(step); save != nil {
			if err := save(from); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Remover) step(ctx context.Context, by access.Actor, p *Plan, items []Planned) error {
	var list Clearing
	var gone []registry.ID
	for _, item := range items {
		list.Items = append(list.Items, Due{Class: item.Class, Unit: item.Unit})
		if item.Class == Records {
			gone = append(gone, item.Unit)
		}
	}
	if p.Why == TermOver {
		_, err := m.Desk.carryOut(ctx, by, list, true)
		return err
	}
	_, err := m.Desk.erase(ctx, by, Erasure{gone, p.Why}, true, func(v View) error { return p.stillWished(v, gone) })
	return err
}

// A TermsChange is what both accounts of other terms mean: what holds, and what is to hold.
type TermsChange struct {
	Was Terms `json:"was"`
	Now Terms `json:"now"`
}

// Payload is the canonical form: keys of a map are in order (encoding/json).
func (c *TermsChange) Payload() ([]byte, error) { return json.Marshal(c) }

// TermsAct is the executor of retention.terms, whose payload a TermsChange makes. Where
// others hold meanwhile than it says, it is access.ErrChanged.
func (d *Desk) TermsAct() access.Executor {
	return access.Executor{Run: func(ctx context.Context, who access.Actor, a access.Approval) error {
		var c TermsChange
		if err := json.Unmarshal(a.Payload, &c); err != nil {
			return fmt.Errorf("rights: payload of approval %s: %w", a.ID, err)
		}
		now, err := d.Terms(ctx)
		switch {
		case err != nil:
			return err
		case maps.Equal(now, c.Now): // before a stop
			return nil
		case !maps.Equal(now, c.Was):
			return access.ErrChanged
		}
		return d.SetTerms(ctx, who, c.Now)
	}}
}
