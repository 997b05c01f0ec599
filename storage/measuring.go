package storage

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/recheck"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/verifier/visit"
)

// askedWithin is how long a card's issue is looked at (DQ-31).
const askedWithin = 92 * 24 * time.Hour

// Measuring implements indicator.Store. Of what changes without leaving what it was before,
// it tells what is there: a second decision of one pair, cards on hold, and rechecks that
// were forgotten since (recheck.Kept).
func (o *Org) Measuring(ctx context.Context, at time.Time, past bool, work func(registry.View, indicator.Beside) error) error {
	var own error
	err := o.view(ctx, "measure the register", func(t *tx) error {
		m := &measuring{tx: t, at: at}
		own = work(records{t}, indicator.Beside{
			Pairs: m.pairs, Dues: m.dues, Cards: m.cards, Delivered: m.delivered, Presented: m.presented, Asked: m.asked, Rechecked: m.rechecked,
		})
		return own
	})
	if own != nil {
		return own
	}
	return err
}

// measuring reads what was known at a time.
type measuring struct {
	*tx
	at     time.Time
	merged *visit.Merged
}

func (m *measuring) pairs(yield func(indicator.Pair) error) error {
	const query = `SELECT unit_a, unit_b, found_at, CASE WHEN decided_at <= $2 THEN decided ELSE '' END FROM possible_double d WHERE org_id = $1 AND found_at <= $2
		AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.org_id = d.org_id AND u.id IN (d.unit_a, d.unit_b) AND u.erased_at IS NOT NULL) ORDER BY found_at, unit_a, unit_b, why`
	rows, err := m.query(query, m.o.id, m.at.UnixMicro())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b string
		var found int64
		var p indicator.Pair
		if err := rows.Scan(&a, &b, &found, &p.Decided); err != nil {
			return err
		}
		var errB error
		p.A, err = registry.ParseID(a)
		p.B, errB = registry.ParseID(b)
		if err := errors.Join(err, errB); err != nil {
			return err
		}
		p.Found = microTime(found)
		if err := yield(p); err != nil {
			return err
		}
	}
	return rows.Err()
}

// dues are the entitlements as their change sets stood, a page at a time: a key is another query.
func (m *measuring) dues(yield func(registry.Entitlement) error) error {
	const query = `SELECT e.id, e.unit_id, e.programme, e.round, c.base_version + 1, c.key_version, c.id, c.sealed FROM entitlement e
		JOIN change_set c ON c.org_id = e.org_id AND c.entity = 'entitlement' AND c.entity_id = e.id AND c.at <= $2
		WHERE e.org_id = $1 AND e.id IN (SELECT id FROM entitlement WHERE org_id = $1 AND id > $3 ORDER BY id LIMIT $4)
		AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.org_id = e.org_id AND u.id = e.unit_id AND u.erased_at IS NOT NULL)
		ORDER BY e.id, c.seq`
	for after := ""; ; {
		var last string
		const end = `SELECT COALESCE(MAX(id), '') FROM (SELECT id FROM entitlement WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3) p`
		if _, err := m.find(end, []any{m.o.id, after, entitlementPage}, &last); err != nil || last == "" {
			return err
		}
		page, err := m.entitlementRows(query, m.o.id, m.at.UnixMicro(), after, entitlementPage)
		if err != nil {
			return err
		}
		for i := range page {
			if i+1 < len(page) && page[i+1].id == page[i].id {
				continue // changed again
			}
			e, err := m.openEntitlement(page[i])
			if err != nil {
				return err
			}
			if err := yield(e); err != nil {
				return err
			}
		}
		after = last
	}
}

func (m *measuring) cards(yield func(indicator.Card) error) error {
	const query = `SELECT c.id, c.unit_id, c.type, c.programme, c.form, c.round, c.last_round, COALESCE(c.issued_at, 0), c.expires_at, COALESCE(c.ended_at, 0), p.pseudonym
		FROM credential c JOIN programme_unit p ON p.org_id = c.org_id AND p.programme = c.programme AND p.unit_id = c.unit_id
		JOIN unit u ON u.org_id = c.org_id AND u.id = c.unit_id
		WHERE c.org_id = $1 AND c.state = 'issued' AND c.signed_at <= $2 AND u.kind IN ('person', 'household') ORDER BY c.id`
	rows, err := m.query(query, m.o.id, m.at.UnixMicro())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c indicator.Card
		var unit, pseudonym string
		var first, last, issued, expires, ended int64
		if err := rows.Scan(&c.ID, &unit, &c.Type, &c.Programme, &c.Form, &first, &last, &issued, &expires, &ended, &pseudonym); err != nil {
			return err
		}
		if c.Unit, err = registry.ParseID(unit); err != nil {
			return err
		}
		if c.First, c.Last = uint64(first), uint64(last); last == math.MaxInt64 {
			c.First, c.Last = 0, 0
		}
		c.Reference, c.Issued, c.Ends = c.Programme+"/"+pseudonym, microTime(issued), microTime(expires)
		c.Good = c.Ends.After(m.at) && (ended == 0 || microTime(ended).After(m.at))
		if err := yield(c); err != nil {
			return err
		}
	}
	return rows.Err()
}

// merge is the account of what had come in.
func (m *measuring) merge() (*visit.Merged, error) {
	if m.merged != nil {
		return m.merged, nil
	}
	piece := &visit.Piece{}
	if err := m.storedVisits(piece, `AND received_at <= $2`, m.at.UnixMicro()); err != nil {
		return nil, err
	}
	facts, err := m.visitFacts()
	if err != nil {
		return nil, err
	}
	m.merged = visit.Merge(facts.Facts, piece)
	return m.merged, facts.err
}

// delivered holds each entitlement against the journals, as Reconcile does.
func (m *measuring) delivered(yield func(indicator.Delivery) error) error {
	merged, err := m.merge()
	if err != nil {
		return err
	}
	accounts := map[string]*visit.Account{}
	key := func(unit, programme string, round uint64) string {
		return unit + "/" + programme + "/" + strconv.FormatUint(round, 10)
	}
	for i := range merged.Accounts {
		a := &merged.Accounts[i]
		if a.Ledger.Issuer != m.o.id || !a.Collected && !a.Part {
			continue
		}
		unit, ok, err := m.unitOf(a.Ledger)
		if err != nil {
			return err
		}
		if ok {
			accounts[key(unit, a.Ledger.Programme, a.Ledger.Round)] = a
		}
	}
	err = m.dues(func(e registry.Entitlement) error {
		k := key(e.Unit.String(), e.Programme, e.Round)
		var sum Reconciliation
		sum.add(e.Status, accounts[k])
		delete(accounts, k)
		d := indicator.Delivery{ID: e.ID, Unit: e.Unit, Programme: e.Programme, Round: e.Round}
		switch {
		case sum.Despite > 0:
			d.Wrong = "despite"
		case sum.Unsettled > 0:
			d.Wrong = "unsettled"
		}
		if minor, ok := minorUnits(e.Amount, e.Currency); ok {
			if d.Currency, d.Due = e.Currency, minor; d.Wrong != "" {
				d.Lost = minor
			}
		}
		return yield(d)
	})
	if err != nil {
		return err
	}
	for i := range merged.Accounts { // given to whom nothing was due; in the order of the account
		a := &merged.Accounts[i]
		if a.Ledger.Issuer != m.o.id {
			continue
		}
		unit, ok, err := m.unitOf(a.Ledger)
		if err != nil {
			return err
		}
		if k := key(unit, a.Ledger.Programme, a.Ledger.Round); ok && accounts[k] == a {
			id, err := registry.ParseID(unit)
			if err != nil {
				return err
			}
			if err := yield(indicator.Delivery{ID: k, Unit: id, Programme: a.Ledger.Programme, Round: a.Ledger.Round, Wrong: "unplanned"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// minorUnits is an amount in the smallest unit of its currency.
func minorUnits(amount, currency string) (n int64, ok bool) {
	if amount == "" || currency == "" {
		return 0, false
	}
	digits, err := registry.CurrencyDigits(currency)
	if err != nil {
		return 0, false
	}
	whole, part := amount, ""
	if i := slices.Index([]byte(amount), '.'); i >= 0 {
		whole, part = amount[:i], amount[i+1:]
	}
	for len(part) < digits {
		part += "0"
	}
	n, err = strconv.ParseInt(whole+part[:digits], 10, 64)
	return n, err == nil
}

// presented are the cards that journals tell of: collections, and notes about a card.
func (m *measuring) presented(yield func(indicator.Presentation) error) error {
	merged, err := m.merge()
	if err != nil {
		return err
	}
	for i := range merged.Entries {
		e := &merged.Entries[i]
		if e.Ledger.Issuer != m.o.id || e.Ledger.Pseudonym == "" || e.Kind == visit.Counter {
			continue
		}
		p := indicator.Presentation{ID: strconv.FormatUint(e.Sequence, 10), Expired: slices.Contains(e.Doubts, visit.AfterCard)}
		if e.Kind == visit.Note {
			if e.Code != "not_this_person" {
				continue // a card that was shown is counted once
			}
			p.Wrong = e.Code
		}
		unit, ok, err := m.unitOf(e.Ledger)
		if err != nil {
			return err
		}
		if ok {
			if p.Unit, err = registry.ParseID(unit); err != nil {
				return err
			}
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

// asked are the places of the last quarter for which a card was asked, each at its first
// try: what the gate did. A card in the place of another (lost, or provisional until something
// was mended), and one that came after a refusal, is no first try.
func (m *measuring) asked(yield func(indicator.Request) error) error {
	first := map[string]indicator.Request{} // by card, of those that did not pass as they are
	later := map[string]bool{}              // cards in the place of another
	var refused []indicator.Request
	closed := map[string][]int64{} // rounds of refused, by what else is their place
	since := m.at.Add(-askedWithin).UnixMicro()
	take := func(e *access.Entry) error {
		switch said := detailsOf(e.Detail); e.Action {
		case actOverride:
			by := cmp.Or(said["by"], e.Actor.SecondPerson, e.Actor.ID)
			first[e.Object] = indicator.Request{Outcome: indicator.Overridden, Reason: e.Reason, By: by}
		case actProvisional:
			first[e.Object] = indicator.Request{Outcome: indicator.Provisional, Reason: e.Reason}
		case actReplace:
			later[e.Object] = true
		case issuer.ActRefused:
			unit, err := issuer.ParseUnitID(e.Object)
			round, bad := strconv.ParseInt(said["round"], 10, 64)
			place := placeOf(e.Object, said["type"], said["programme"])
			if err == nil && bad == nil && !slices.Contains(closed[place], round) {
				closed[place] = append(closed[place], round)
				refused = append(refused, indicator.Request{ID: place + "/" + said["round"], Unit: unit, Outcome: indicator.Refused, Reason: e.Reason})
			}
		}
		return nil
	}
	const gate = `org_id = $1 AND action IN ('` + actOverride + `', '` + actProvisional + `', '` + actReplace + `', '` + issuer.ActRefused + `') AND at > $2 AND at <= $3`
	if err := m.o.entries(m.ctx, m.Tx, gate, []any{m.o.id, since, m.at.UnixMicro()}, -1, take); err != nil {
		return err
	}
	rows, err := m.query(`SELECT id, unit_id, type, programme, round, last_round FROM credential WHERE org_id = $1 AND state = 'issued' AND signed_at > $2 AND signed_at <= $3 ORDER BY id`, m.o.id, since, m.at.UnixMicro())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, unit, of, programme string
		var round, last int64
		if err := rows.Scan(&id, &unit, &of, &programme, &round, &last); err != nil {
			return err
		}
		again := func(r int64) bool { return r == round || round <= r && r <= last }
		if later[id] || slices.ContainsFunc(closed[placeOf(unit, of, programme)], again) {
			continue
		}
		q := first[id]
		q.ID = id
		if q.Unit, err = issuer.ParseUnitID(unit); err != nil {
			return err
		}
		if err := yield(q); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, q := range refused {
		if err := yield(q); err != nil {
			return err
		}
	}
	return nil
}

// placeOf is what a unit has one card for, but for the rounds.
func placeOf(unit, of, programme string) string { return unit + "/" + of + "/" + programme }

// detailsOf reads the detail of an entry, as name=value ...
func detailsOf(detail string) map[string]string {
	said := map[string]string{}
	for _, pair := range strings.Fields(detail) {
		name, value, _ := strings.Cut(pair, "=")
		if name == "note" {
			break // what somebody wrote, to the end
		}
		said[name] = value
	}
	return said
}

func (m *measuring) rechecked(yield func(indicator.Recheck) error) error {
	list, err := m.rechecks(false, `answer <> '' AND answered_at <= $2 ORDER BY at, id`, m.at.UnixMicro())
	for _, c := range list {
		r := indicator.Recheck{ID: c.ID, Unit: c.Unit, Hidden: func(account string) bool { return !c.Others(account) }}
		if c.Answer != recheck.Seen {
			r.Wrong = string(c.Answer)
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return err
}
