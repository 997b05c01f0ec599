package storage

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// freezeAll freezes devices from the sequences they were copied at.
func (t *tx) freezeAll(copied map[[8]byte]uint64) error {
	for _, key := range slices.SortedFunc(maps.Keys(copied), func(a, b [8]byte) int { return bytes.Compare(a[:], b[:]) }) {
		if err := t.freeze(key, copied[key]); err != nil {
			return err
		}
	}
	return nil
}

// settle brings the entitlements of our units up to their accounts.
func (t *tx) settle(accounts []visit.Account) error {
	for i := range accounts {
		e, changed, err := t.settled(&accounts[i])
		if err == nil && changed {
			_, err = (records{t}).SaveEntitlement(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settled is the entitlement of an account as its journals have it; false where it
// says so already, or where there is none of ours.
func (t *tx) settled(a *visit.Account) (e registry.Entitlement, changed bool, err error) {
	if a.Ledger.Issuer != t.o.id {
		return e, false, nil
	}
	unit, ok, err := t.unitOf(a.Ledger)
	if err != nil || !ok {
		return e, false, err
	}
	row, ok, err := t.entitlement(unit, a.Ledger.Programme, a.Ledger.Round)
	if err != nil || !ok {
		return e, false, err
	}
	e, err = t.openEntitlement(row)
	if errors.Is(err, registry.ErrErased) {
		return e, false, nil // nobody's any more
	}
	if err != nil {
		return e, false, err
	}
	was := e.Status
	switch given := was == registry.Collected || was == registry.Partial; {
	case !given && was != registry.Planned && was != registry.Granted:
		// Cancelled or on hold: the report tells that something was given.
	case a.Collected:
		e.Status = registry.Collected
	case a.Part:
		e.Status = registry.Partial
	case given:
		e.Status = registry.Granted
	}
	return e, e.Status != was, nil
}

// unitOf returns whose pseudonym a ledger key of ours holds.
func (t *tx) unitOf(k verifier.LedgerKey) (unit string, ok bool, err error) {
	const find = `SELECT unit_id FROM programme_unit WHERE org_id = $1 AND programme = $2 AND pseudonym = $3`
	ok, err = t.find(find, []any{t.o.id, k.Programme, k.Pseudonym}, &unit)
	return unit, ok, err
}

// SettleVisits is MergeVisits, and brings every entitlement up to it, and freezes what
// it shows to be copied: what AddVisits knew when a record came may have been less. It
// writes only what differs.
func (o *Org) SettleVisits(ctx context.Context, by access.Actor) (*visit.Merged, error) {
	m, err := o.MergeVisits(ctx)
	if err != nil {
		return nil, err
	}
	late := false
	err = o.view(ctx, "compare entitlements", func(t *tx) error {
		for i := 0; i < len(m.Accounts) && !late; i++ {
			_, changed, err := t.settled(&m.Accounts[i])
			if err != nil {
				return err
			}
			late = changed
		}
		return nil
	})
	if err != nil || !late && len(unfrozen(m)) == 0 {
		return m, err
	}
	err = o.update(ctx, by, "settle visits", func(t *tx) error {
		t.acts = newActs()
		// Merged again: records may have come in meanwhile, and what they settled stands.
		if m, err = t.mergeVisits(); err != nil {
			return err
		}
		if err := t.settle(m.Accounts); err != nil {
			return err
		}
		if err := t.freezeAll(unfrozen(m)); err != nil {
			return err
		}
		return t.auditActs()
	})
	return m, err
}

// unfrozen are the devices that m shows to be copied and that go on all the same.
func unfrozen(m *visit.Merged) map[[8]byte]uint64 {
	copied := map[[8]byte]uint64{}
	for i := range m.Tables {
		if d := &m.Tables[i]; d.Frozen > 0 && d.Device.Frozen == 0 && d.Device.Withdrawn == 0 {
			copied[d.Key] = d.Frozen
		}
	}
	return copied
}

// visitFacts are what the database knows beside journals. Look-ups happen while
// visit.Merge runs; the first that fails is kept in err.
type visitFacts struct {
	visit.Facts
	err error
}

func (t *tx) visitFacts() (*visitFacts, error) {
	devices, err := t.devices(``)
	if err != nil {
		return nil, err
	}
	known := map[[8]byte]visit.Device{}
	for _, d := range devices {
		v := visit.Device{Name: d.Name, Site: d.Site, From: d.From, Until: d.Until, Frozen: d.FrozenFrom, Thawed: d.ThawedTo}
		if !d.WithdrawnAt.IsZero() {
			v.Withdrawn = credential.FromStd(d.WithdrawnAt)
		}
		known[d.KID] = v
	}
	f := &visitFacts{}
	fail := func(err error) {
		f.err = cmp.Or(f.err, err)
	}
	f.Facts = visit.Facts{
		At: credential.FromStd(t.now), Issuer: t.o.id,
		Device: func(key [8]byte) (visit.Device, bool) { d, ok := known[key]; return d, ok },
		Card: func(cti []byte) (c visit.Card, ok bool) {
			if len(cti) != len(issuer.CTI{}) {
				return c, false
			}
			var issued, expires int64
			const find = `SELECT p.pseudonym, c.programme, COALESCE(c.issued_at, 0), c.expires_at FROM credential c
				JOIN programme_unit p ON p.org_id = c.org_id AND p.programme = c.programme AND p.unit_id = c.unit_id WHERE c.org_id = $1 AND c.id = $2`
			ok, err := t.find(find, []any{t.o.id, issuer.CTI(cti).String()}, &c.Pseudonym, &c.Programme, &issued, &expires)
			fail(err)
			c.Issued, c.Expires = credential.Time(issued/1e6), credential.Time(expires/1e6)
			return c, ok
		},
		Unit: func(k verifier.LedgerKey) bool {
			_, ok, err := t.unitOf(k)
			fail(err)
			return ok
		},
		Due: func(k verifier.LedgerKey) (visit.Amount, bool) {
			a, ok, err := t.dueOn(k)
			fail(err)
			return a, ok
		},
	}
	return f, nil
}

// dueOn is the amount of an entitlement, where it is one number: money, or one kind
// of thing.
func (t *tx) dueOn(k verifier.LedgerKey) (a visit.Amount, ok bool, err error) {
	unit, ok, err := t.unitOf(k)
	if err != nil || !ok {
		return a, false, err
	}
	row, ok, err := t.entitlement(unit, k.Programme, k.Round)
	if err != nil || !ok {
		return a, false, err
	}
	e, err := t.openEntitlement(row)
	if errors.Is(err, registry.ErrErased) {
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	text := ""
	switch {
	case e.Amount != "" && len(e.Items) == 0:
		text = e.Amount + " " + e.Currency
	case e.Amount == "" && len(e.Items) == 1:
		text = e.Items[0].Qty + " " + cmp.Or(e.Items[0].Unit, e.Items[0].Code)
	}
	a, ok, err = visit.ParseAmount(text)
	return a, ok && err == nil, nil // an amount that no record can hold is compared with none
}
