package imports

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// A Register is what an import is taken back from.
type Register interface {
	ReadRights(ctx context.Context, fn func(rights.View) error) error
	EraseAll(ctx context.Context, by access.Actor, ids []registry.ID, reason string, before, after func(rights.Tx) error) error
	// ImportUnits are the records that an import made or changed and that are still there.
	ImportUnits(ctx context.Context, id registry.ID) ([]registry.ID, error)
	// WithCards are those of them for whom a card was ever made.
	WithCards(ctx context.Context, ids []registry.ID) ([]registry.ID, error)
}

// Why a record is left as it is.
const (
	LeftCard   = "card"   // a card was made for it
	LeftEdited = "edited" // it was changed since
	LeftDue    = "due"    // something is due to it
	LeftGiven  = "given"  // it was in a file that was given away
	LeftLived  = "lived"  // a household in which somebody is left
)

// A Left is a record that taking an import back does not touch.
type Left struct {
	Record registry.ID   `json:"record"`
	Kind   registry.Kind `json:"kind"`
	Why    string        `json:"why"`
}

// An Undoing is what taking an import back would do (docs/decisions/0033).
type Undoing struct {
	Erase   []registry.ID `json:"erase"`   // made by the import: their keys are destroyed
	Restore []registry.ID `json:"restore"` // changed by it: they say again what they said before
	Left    []Left        `json:"left"`
}

// Digest binds all of it.
func (u *Undoing) Digest() [32]byte { return hashOf(u) }

// undoPayload is what both accounts mean: its fields in this order.
type undoPayload struct {
	Import  string `json:"undo"`
	Erase   int    `json:"erase"`
	Restore int    `json:"restore"`
	Left    int    `json:"left"`
	Digest  string `json:"digest"` // of which, and why they are left
}

func (u *Undoing) payload(id string) []byte {
	sum := u.Digest()
	b, err := json.Marshal(undoPayload{id, len(u.Erase), len(u.Restore), len(u.Left), hex.EncodeToString(sum[:])})
	if err != nil {
		panic(err) // texts and numbers alone
	}
	return b
}

// Undoing tells what taking an import back would do now, and does nothing. ErrState: it is
// not in the register.
func (d *Desk) Undoing(ctx context.Context, id string) (m Import, u Undoing, err error) {
	if m, err = d.Show(ctx, id); err != nil {
		return m, u, err
	}
	if d.Register == nil || m.State != Applied && m.State != Issued {
		return m, u, ErrState
	}
	number, err := m.number()
	if err != nil {
		return m, u, err
	}
	units, cards, err := d.touched(ctx, number)
	if err != nil {
		return m, u, err
	}
	err = d.Register.ReadRights(ctx, func(v rights.View) error {
		w, err := whenOf(v, number)
		if err == nil {
			u, err = w.undoing(v, units, cards)
		}
		return err
	})
	return m, u, err
}

func (d *Desk) touched(ctx context.Context, number registry.ID) (units []registry.ID, cards map[registry.ID]bool, err error) {
	if units, err = d.Register.ImportUnits(ctx, number); err != nil {
		return nil, nil, err
	}
	list, err := d.Register.WithCards(ctx, units)
	cards = map[registry.ID]bool{}
	for _, id := range list {
		cards[id] = true
	}
	return units, cards, err
}

// written is the moment of an import.
type written struct{ at time.Time }

func whenOf(v registry.View, number registry.ID) (w written, err error) {
	all, err := v.Imports()
	if err != nil {
		return w, err
	}
	i := slices.IndexFunc(all, func(f registry.ImportFile) bool { return f.ID == number })
	if i < 0 {
		return w, ErrState
	}
	return written{all[i].At}, nil
}

// before is a record as it was when the import came; registry.ErrNotFound: it made it.
func (w written) before(v registry.View, id registry.ID) (registry.Record, error) {
	return v.AsOf(id, w.at.Add(-time.Microsecond))
}

// undoing sorts the records of an import.
func (w written) undoing(v rights.View, units []registry.ID, cards map[registry.ID]bool) (u Undoing, err error) {
	due, err := dueTo(v)
	if err != nil {
		return u, err
	}
	var homes []registry.Record    // made by it, which may go if nobody is left there
	gone := map[registry.ID]bool{} // out of the households they are in now
	for _, id := range units {
		now, err := v.Record(id)
		if err != nil {
			return u, err
		}
		was, err := w.before(v, id)
		made := errors.Is(err, registry.ErrNotFound)
		if err != nil && !made {
			return u, err
		}
		why, err := w.keeps(v, &now, cards[id], due[id])
		switch {
		case err != nil:
			return u, err
		case why != "":
			u.Left = append(u.Left, Left{id, now.Kind, why})
		case !made:
			u.Restore, gone[id] = append(u.Restore, id), was.Household != now.Household
		case now.Kind == registry.KindHousehold:
			homes = append(homes, now)
		default:
			u.Erase, gone[id] = append(u.Erase, id), true
		}
	}
	for _, h := range homes {
		members, err := v.Members(h.ID)
		if err != nil {
			return u, err
		}
		if slices.ContainsFunc(members, func(m registry.ID) bool { return !gone[m] }) {
			u.Left = append(u.Left, Left{h.ID, h.Kind, LeftLived})
		} else {
			u.Erase = append(u.Erase, h.ID)
		}
	}
	byID := func(a, b registry.ID) int { return cmp.Compare(a.String(), b.String()) }
	slices.SortFunc(u.Erase, byID)
	slices.SortFunc(u.Restore, byID)
	slices.SortFunc(u.Left, func(a, b Left) int { return byID(a.Record, b.Record) })
	return u, nil
}

// keeps says why a record is left; "": nothing keeps it.
func (w written) keeps(v rights.View, now *registry.Record, card, due bool) (string, error) {
	if card {
		return LeftCard, nil
	}
	if due {
		return LeftDue, nil
	}
	history, err := v.History(now.ID)
	if err != nil {
		return "", err
	}
	then, err := v.AsOf(now.ID, w.at)
	if err != nil {
		return "", err
	}
	if then.Household != now.Household || slices.ContainsFunc(history, func(c registry.FieldChange) bool { return c.At.After(w.at) }) {
		return LeftEdited, nil
	}
	given, err := rights.SharesOf(v, now.ID) // also what a party was told on a screen
	if err != nil || len(given) == 0 {
		return "", err
	}
	return LeftGiven, nil
}

// dueTo are all to whom something is or was due.
func dueTo(v registry.View) (map[registry.ID]bool, error) {
	due := map[registry.ID]bool{}
	programmes, err := v.Programmes()
	if err != nil {
		return nil, err
	}
	for _, p := range programmes {
		for _, r := range p.Rounds {
			err := v.Entitlements(p.Code, r.N, func(e registry.Entitlement) error { due[e.Unit] = true; return nil })
			if err != nil {
				return nil, err
			}
		}
	}
	return due, nil
}

// AskUndo asks a second account to approve taking an import back, as Undoing told it.
// seen is the Digest of that: another one by now is ErrConflict.
func (d *Desk) AskUndo(ctx context.Context, c access.Caller, id string, version int64, seen [32]byte, reason string) (Import, error) {
	m, u, err := d.Undoing(ctx, id)
	switch {
	case err != nil:
		return m, err
	case d.Door == nil:
		return m, errors.New("imports: nobody is here to approve")
	case m.Version != version || u.Digest() != seen:
		return m, ErrConflict
	case len(u.Erase)+len(u.Restore) == 0 && len(u.Left) > 0:
		return m, ErrEmpty
	}
	a, err := d.Door.Ask(ctx, c, access.Request{Act: access.ImportUndo, Object: id, Payload: u.payload(id), Reason: reason})
	if err != nil {
		return m, err
	}
	by := c.Actor(access.ImportUndo)
	err = d.Store.WriteImports(ctx, by, func(tx Tx) error {
		if m, err = tx.Import(id); err != nil {
			return err
		}
		m.Undo = &Review{Approval: a.ID, Hash: a.Hash, By: by.ID, At: d.now()}
		if err := tx.Save(m); err != nil {
			return err
		}
		m.Version++
		return tx.Audit(access.Entry{Action: "import.ask-undo", Object: id, Reason: reason, Detail: "approval=" + a.ID, Digest: a.Hash})
	})
	return m, err
}

// Undoer is how the door carries taking an import back out.
func (d *Desk) Undoer() access.Executor {
	return access.Executor{Run: d.undo, Again: func(ctx context.Context, a access.Approval) ([]byte, error) {
		m, u, err := d.Undoing(ctx, a.Object)
		if errors.Is(err, ErrState) && m.State == Undone && a.State == access.Approved {
			return a.Payload, nil // before a stop
		} else if err != nil {
			return nil, err
		}
		if _, done, err := d.happened(ctx, &m, &u, a); err != nil || done {
			return a.Payload, err
		}
		return u.payload(a.Object), nil
	}}
}

// happened reports whether an approved taking back was done in the register, and a stop
// came before the import said so: what was to go is gone, and what was to say again what
// it said does. left is what it had left.
func (d *Desk) happened(ctx context.Context, m *Import, u *Undoing, a access.Approval) (left []Left, done bool, err error) {
	var p undoPayload
	if a.State != access.Approved || len(u.Erase)+len(u.Restore) > 0 {
		return nil, false, nil
	}
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return nil, false, err
	}
	number, err := m.number()
	if err != nil {
		return nil, false, err
	}
	restored := 0
	err = d.Register.ReadRights(ctx, func(v rights.View) error {
		w, err := whenOf(v, number)
		if err != nil {
			return err
		}
		for _, l := range u.Left {
			back := false
			if l.Why == LeftEdited {
				if back, err = w.restored(v, l.Record); err != nil {
					return err
				}
			}
			if back {
				restored++
			} else {
				left = append(left, l)
			}
		}
		return nil
	})
	return left, p.Erase+p.Restore > 0 && restored == p.Restore && len(left) == p.Left, err
}

// restored reports whether a record that the import changed says what it said before.
func (w written) restored(v rights.View, id registry.ID) (bool, error) {
	was, err := w.before(v, id)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	now, err := v.Record(id)
	if err != nil || now.Household != was.Household {
		return false, err
	}
	for _, field := range slices.Concat(slices.Collect(maps.Keys(now.Fields)), slices.Collect(maps.Keys(was.Fields))) {
		if was.Fields[field].Destroyed { // a photograph that was given back: the one of before is sealed anew
			continue
		}
		if !bytes.Equal(now.Fields[field].Data, was.Fields[field].Data) {
			return false, nil
		}
	}
	return true, nil
}

func (d *Desk) undo(ctx context.Context, who access.Actor, a access.Approval) error {
	m, u, err := d.Undoing(ctx, a.Object)
	if errors.Is(err, ErrState) && m.State == Undone {
		return nil
	} else if err != nil {
		return err
	}
	left, done, err := d.happened(ctx, &m, &u, a)
	if err != nil {
		return err
	}
	if !done {
		left = u.Left
		if err := d.takeBack(ctx, who, a, &m, &u); err != nil {
			return err
		}
	}
	return d.Store.WriteImports(context.WithoutCancel(ctx), who, func(tx Tx) error {
		if m, err = tx.Import(m.ID); err != nil {
			return err
		}
		m.State, m.Why, m.Left = Undone, a.Reason, left
		if m.Undo == nil || m.Undo.Approval != a.ID {
			m.Undo = &Review{Approval: a.ID, Hash: a.Hash, By: a.By, At: a.At}
		}
		m.Undo.Second = a.Second
		if err := drop(&m, tx); err != nil {
			return err
		}
		if err := tx.Save(m); err != nil {
			return err
		}
		var p undoPayload
		if err := json.Unmarshal(a.Payload, &p); err != nil {
			return err
		}
		return tx.Audit(access.Entry{Action: "import.undo", Object: m.ID, Reason: a.Reason, Detail: fmt.Sprintf("erased=%d restored=%d left=%d", p.Erase, p.Restore, p.Left), Digest: a.Hash})
	})
}

// takeBack does in the register what was approved, in one transaction: the very same, or
// nothing and ErrChanged.
func (d *Desk) takeBack(ctx context.Context, who access.Actor, a access.Approval, m *Import, u *Undoing) error {
	number, err := m.number()
	if err != nil {
		return err
	}
	units, cards, err := d.touched(ctx, number)
	if err != nil {
		return err
	}
	return d.Register.EraseAll(ctx, who, u.Erase, rights.TakenBack, func(tx rights.Tx) error {
		w, err := whenOf(tx, number)
		if err != nil {
			return err
		}
		now, err := w.undoing(tx, units, cards)
		if err != nil {
			return err
		}
		if access.HashPayload(now.payload(m.ID)) != a.Hash {
			return ErrChanged
		}
		return w.restore(tx, &now)
	}, nil)
}

// restore gives records back what they said before the import, and lets none that stays
// name one that goes as its head or collector.
func (w written) restore(tx rights.Tx, u *Undoing) error {
	for _, id := range u.Restore {
		now, err := tx.Record(id)
		if err != nil {
			return err
		}
		was, err := w.before(tx, id)
		if err != nil {
			return err
		}
		c := registry.Change{ID: id, Kind: now.Kind, Fields: map[string][]byte{}}
		for _, field := range slices.Concat(slices.Collect(maps.Keys(now.Fields)), slices.Collect(maps.Keys(was.Fields))) {
			c.Fields[field] = was.Fields[field].Data
		}
		if was.Household != now.Household {
			c.Household, c.LeaveHousehold = was.Household, was.Household.IsZero()
		}
		c.Keys = registry.OpenKeys(was)
		if now.Kind == registry.KindPerson {
			p, err := was.Person()
			if err != nil {
				return err
			}
			c.Keys = append(registry.Keys(p), c.Keys...)
		}
		if _, err := tx.Save(c); err != nil {
			return err
		}
	}
	gone := map[string]bool{}
	homes := map[registry.ID]bool{}
	for _, id := range u.Erase {
		gone[id.String()] = true
		rec, err := tx.Record(id)
		if err != nil {
			return err
		}
		homes[rec.Household] = true
	}
	for home := range homes {
		if home.IsZero() || gone[home.String()] {
			continue
		}
		if err := w.forgetRoles(tx, home, u.Erase, gone); err != nil {
			return err
		}
	}
	return nil
}

// forgetRoles takes those who go out of a household's roles. One that loses its head by that
// waits for who decides who leads now, as after every erasure of a head.
func (w written) forgetRoles(tx registry.Tx, home registry.ID, without []registry.ID, gone map[string]bool) error {
	rec, err := tx.Record(home)
	if errors.Is(err, registry.ErrErased) {
		return nil
	} else if err != nil {
		return err
	}
	h, err := rec.HouseholdRecord()
	if err != nil {
		return err
	}
	c := registry.Change{ID: home, Kind: registry.KindHousehold, Fields: map[string][]byte{}}
	lost, err := new(registry.Left).Lose(tx, home, without, w.at)
	if err != nil {
		return err
	}
	if lost {
		h.LoseHead()
		with, err := registry.Household{Issues: h.Issues}.Fields()
		if err != nil {
			return err
		}
		c.Fields["head"], c.Fields["issues"], c.Keys = nil, with["issues"], append(registry.OpenKeys(rec), registry.HeadlessKey)
	}
	if gone[h.Head] { // nobody else is there
		c.Fields["head"] = nil
	}
	if gone[h.FocalPoint] {
		c.Fields["focal_point"] = nil
	}
	if kept := slices.DeleteFunc(slices.Clone(h.Collectors), func(c registry.Collector) bool { return gone[c.Person] }); len(kept) < len(h.Collectors) {
		with, err := registry.Household{Collectors: kept}.Fields()
		if err != nil {
			return err
		}
		c.Fields["collectors"] = with["collectors"]
	}
	if len(c.Fields) == 0 {
		return nil
	}
	_, err = tx.Save(c)
	return err
}
