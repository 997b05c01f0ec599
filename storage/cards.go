package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
)

// cardRow selects a credential with its paper, and not its bytes; readCard reads it.
const cardRow = `SELECT c.id, c.unit_id, u.kind, c.type, c.vct, c.programme, c.round, c.last_round, c.form, c.state, c.ended_at IS NOT NULL,
		COALESCE(c.end_reason, ''), p.pseudonym, p.card_number, l.uri, c.idx, i.value, COALESCE(c.issued_at, 0), c.expires_at,
		c.lot_id, COALESCE(k.state, 'issued'), COALESCE(k.print_job, ''), COALESCE(b.lot_id, ''),
		EXISTS (SELECT 1 FROM audit a WHERE a.org_id = c.org_id AND a.object = c.id AND a.action = 'gate.provisional')
	FROM credential c
	JOIN unit u ON u.org_id = c.org_id AND u.id = c.unit_id
	JOIN programme_unit p ON p.org_id = c.org_id AND p.programme = c.programme AND p.unit_id = c.unit_id
	JOIN status_list l ON l.org_id = c.org_id AND l.no = c.list_no
	JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
	LEFT JOIN card k ON k.org_id = c.org_id AND k.credential_id = c.id
	LEFT JOIN bound_credential m ON m.org_id = c.org_id AND m.credential_id = c.id
	LEFT JOIN blank b ON b.org_id = c.org_id AND b.unit_id = COALESCE(m.blank_id, c.unit_id)
	WHERE c.org_id = $1 AND c.state <> 'released' AND `

func readCard(row scanner) (c issuer.Card, err error) {
	var id, unit, form string
	var expires, issued int64
	err = row.Scan(&id, &unit, &c.Kind, &c.Type, &c.VCT, &c.Programme, &c.Round, &c.LastRound, &form, &c.State, &c.Ended, &c.EndReason,
		&c.Pseudonym, &c.CardNumber, &c.StatusURI, &c.StatusIndex, &c.Status, &issued, &expires, &c.Lot, &c.Paper, &c.PrintJob, &c.BlankLot, &c.Provisional)
	if err != nil {
		return c, err
	}
	if c.ID, err = issuer.ParseCTI(id); err != nil {
		return c, err
	}
	if c.Unit, err = issuer.ParseUnitID(unit); err != nil {
		return c, err
	}
	if c.Form, c.Copy, err = issuer.ParseFormName(form); err != nil {
		return c, err
	}
	if c.LastRound == allRounds {
		c.LastRound = 0
	}
	c.IssuedAt, c.ExpiresAt = credential.Time(issued/1e6), credential.Time(expires/1e6)
	return c, nil
}

// cards calls yield with every card for which where holds, which names its
// arguments from $2 on.
func (t *tx) cards(yield func(issuer.Card), where string, args ...any) error {
	rows, err := t.query(cardRow+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		c, err := readCard(rows)
		if err != nil {
			return err
		}
		yield(c)
	}
	return rows.Err()
}

// getCard returns the card of a credential, or issuer.ErrNotFound.
func (t *tx) getCard(id issuer.CTI) (card issuer.Card, err error) {
	found := false
	err = t.cards(func(c issuer.Card) { card, found = c, true }, `c.id = $2`, id.String())
	if err == nil && !found {
		err = fmt.Errorf("%w: %s", issuer.ErrNotFound, id)
	}
	return card, err
}

// Cards implements issuer.CardStore.
func (o *Org) Cards(ctx context.Context, s issuer.Selection) (found []issuer.Card, err error) {
	if s.Empty() {
		return nil, errors.New("storage: cards: a selection that picks every card there is")
	}
	seen := map[issuer.CTI]bool{}
	err = o.view(ctx, "cards", func(t *tx) error {
		where, args := o.selectCards(s)
		keep := func(c issuer.Card) {
			if !seen[c.ID] {
				seen[c.ID] = true
				found = append(found, c)
			}
		}
		if s.Units == nil && s.IDs == nil {
			return t.cards(keep, where, args...)
		}
		// One by one: a list of thousands is no list of parameters.
		last := fmt.Sprintf("$%d", len(args)+2)
		for _, u := range s.Units {
			if err := t.cards(keep, where+` AND c.unit_id = `+last, append(slices.Clip(args), u.String())...); err != nil {
				return err
			}
		}
		for _, id := range s.IDs {
			if err := t.cards(keep, where+` AND c.id = `+last, append(slices.Clip(args), id.String())...); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b issuer.Card) int {
		return strings.Compare(a.CardNumber+a.ID.String(), b.CardNumber+b.ID.String())
	})
	return found, err
}

// selectCards is the condition of a selection, but for its lists.
func (o *Org) selectCards(s issuer.Selection) (where string, args []any) {
	terms := []string{"c.org_id IS NOT NULL"} // always true; keeps the joining simple
	term := func(text string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			text = strings.Replace(text, "?", fmt.Sprintf("$%d", len(args)+1), 1)
		}
		terms = append(terms, text)
	}
	if s.Lot != "" {
		// With what other runs made of the same approved batch: one that was cut off is issued again.
		term(`(c.lot_id = ? OR c.approval IN (SELECT approval FROM credential WHERE org_id = $1 AND lot_id = ? AND approval <> ''))`, s.Lot, s.Lot)
	}
	if s.Approval != ([32]byte{}) {
		term(`c.approval = ?`, o.approval(s.Approval))
	}
	if s.PrintJob != "" {
		term(`c.id IN (SELECT credential_id FROM card_event WHERE org_id = $1 AND print_job = ?)`, s.PrintJob)
	}
	if s.BlankLot != "" {
		term(`(c.unit_id IN (SELECT unit_id FROM blank WHERE org_id = $1 AND lot_id = ?)
			OR c.id IN (SELECT x.credential_id FROM bound_credential x JOIN blank y ON y.org_id = x.org_id AND y.unit_id = x.blank_id
				WHERE x.org_id = $1 AND y.lot_id = ?))`, s.BlankLot, s.BlankLot)
	}
	if s.Programme != "" {
		term(`c.programme = ?`, s.Programme)
	}
	if s.Round > 0 {
		term(`c.round <= ? AND c.last_round >= ?`, s.Round, s.Round)
	}
	if s.Type != "" {
		term(`c.type = ?`, s.Type)
	}
	if s.Active {
		terms = append(terms, `c.ended_at IS NULL`)
	}
	return strings.Join(terms, " AND "), args
}

// MoveCards implements issuer.CardStore.
func (o *Org) MoveCards(ctx context.Context, by access.Actor, ids []issuer.CTI, to issuer.CardState, site, reason string) error {
	var told statusLines
	err := o.update(ctx, by, "move cards", func(t *tx) error {
		for _, id := range ids {
			c, err := t.getCard(id)
			if err != nil {
				return err
			}
			if err := t.moveCard(&c, issuer.CardEvent{Paper: to, Site: site, Reason: reason}); err != nil {
				return err
			}
			if !to.EndsCredential() {
				continue
			}
			// A line also for what was revoked before: see SetStatus.
			if err := t.setStatus(c.Credential, status.Invalid, reason); err != nil {
				return fmt.Errorf("%w: %s", err, id)
			}
			if err := told.add(t, c.Credential, status.Invalid); err != nil {
				return err
			}
		}
		return told.end(t)
	})
	if err != nil {
		return err
	}
	return told.write(ctx, o)
}

// moveCard writes the event of one card, unless it is in the state already.
func (t *tx) moveCard(c *issuer.Card, e issuer.CardEvent) error {
	if c.Paper == e.Paper {
		return nil
	}
	if err := c.MayMove(e.Paper, credential.FromStd(t.now)); err != nil {
		return err
	}
	if err := t.cardEvent(c, e, nil); err != nil {
		return err
	}
	return t.audit(access.Entry{Action: access.Action("card." + string(e.Paper)), Object: c.ID.String(), Reason: e.Reason, Detail: detailOf("site", e.Site)})
}

func detailOf(name, value string) string {
	if value == "" {
		return ""
	}
	return name + "=" + value
}

// cardEvent appends an event and moves the card's row. order is the place in the
// print job, nil without one.
func (t *tx) cardEvent(c *issuer.Card, e issuer.CardEvent, order *int) error {
	var n int
	var job any
	if e.PrintJob != "" {
		job = e.PrintJob
	}
	if _, err := t.find(`SELECT n FROM card WHERE org_id = $1 AND credential_id = $2`, []any{t.o.id, c.ID.String()}, &n); err != nil {
		return err
	}
	n++
	const add = `INSERT INTO card_event (org_id, credential_id, n, state, print_job, page_order, site, reason, at, actor, device)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	if _, err := t.exec(add, t.o.id, c.ID.String(), n, string(e.Paper), job, order, e.Site, e.Reason, t.micros, t.by.ID, t.by.Device); err != nil {
		return err
	}
	const project = `INSERT INTO card (org_id, credential_id, n, state, print_job) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, credential_id) DO UPDATE SET n = excluded.n, state = excluded.state, print_job = COALESCE(excluded.print_job, card.print_job)`
	_, err := t.exec(project, t.o.id, c.ID.String(), n, string(e.Paper), job)
	return err
}

// CardHistory implements issuer.CardStore.
func (o *Org) CardHistory(ctx context.Context, id issuer.CTI) (events []issuer.CardEvent, err error) {
	err = o.view(ctx, "history of a card", func(t *tx) error {
		if _, err := t.getCard(id); err != nil {
			return err
		}
		const query = `SELECT n, state, at, actor, device, site, reason, COALESCE(print_job, '') FROM card_event
			WHERE org_id = $1 AND credential_id = $2 ORDER BY n`
		rows, err := t.query(query, o.id, id.String())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e issuer.CardEvent
			var at int64
			if err := rows.Scan(&e.N, &e.Paper, &at, &e.By, &e.Device, &e.Site, &e.Reason, &e.PrintJob); err != nil {
				return err
			}
			e.At = microTime(at)
			events = append(events, e)
		}
		return rows.Err()
	})
	return events, err
}

// StatusHistory tells when a card was put on hold, taken back into use and revoked, by whom
// and why, oldest first; of a card that is not here nothing.
func (o *Org) StatusHistory(ctx context.Context, id issuer.CTI) (events []issuer.StatusEvent, err error) {
	became := map[access.Action]status.Value{"credential.suspend": status.Suspended, "credential.resume": status.Valid, "credential.revoke": status.Invalid}
	const of = `org_id = $1 AND object = $2 AND action IN ('credential.suspend', 'credential.resume', 'credential.revoke')`
	err = o.entries(ctx, o.db.read, of, []any{o.id, id.String()}, -1, func(e *access.Entry) error {
		events = append(events, issuer.StatusEvent{Status: became[e.Action], At: e.Time, By: e.Actor.ID, Second: e.Actor.SecondPerson, Reason: e.Reason})
		return nil
	})
	return events, err
}

// Replacement tells which credential another was made in the place of by
// issuer.Desk.Replace, and why; false where it is none such.
func (o *Org) Replacement(ctx context.Context, id issuer.CTI) (old issuer.CTI, reason string, ok bool, err error) {
	err = o.view(ctx, "what a card replaces", func(t *tx) error {
		var detail string
		const query = `SELECT reason, detail FROM audit WHERE org_id = $1 AND object = $2 AND action = 'credential.replace' ORDER BY seq DESC LIMIT 1`
		if ok, err = t.find(query, []any{o.id, id.String()}, &reason, &detail); err != nil || !ok {
			return err
		}
		old, err = issuer.ParseCTI(strings.TrimPrefix(detail, "replaces="))
		return err
	})
	return old, reason, ok, err
}

// WithCards are those of units for whom a credential was ever made, whatever became of it.
func (o *Org) WithCards(ctx context.Context, units []issuer.UnitID) (list []issuer.UnitID, err error) {
	err = o.view(ctx, "who has cards", func(t *tx) error {
		all, err := t.texts(`SELECT DISTINCT unit_id FROM credential WHERE org_id = $1`, o.id)
		if err != nil {
			return err
		}
		had := make(map[string]bool, len(all))
		for _, id := range all {
			had[id] = true
		}
		for _, id := range units {
			if had[id.String()] {
				list = append(list, id)
			}
		}
		return nil
	})
	return list, err
}

// ImportUnits returns the persons and households that an import made or changed, in
// the order of their ids. No such import is issuer.ErrNotFound.
func (o *Org) ImportUnits(ctx context.Context, id issuer.UnitID) (units []issuer.UnitID, err error) {
	err = o.view(ctx, "units of an import", func(t *tx) error {
		var first, last int64
		const find = `SELECT first_change, last_change FROM import_change WHERE org_id = $1 AND import_id = $2`
		ok, err := t.find(find, []any{o.id, id.String()}, &first, &last)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: import %s", issuer.ErrNotFound, id)
		}
		const query = `SELECT DISTINCT c.entity_id FROM change_set c JOIN unit u ON u.org_id = c.org_id AND u.id = c.entity_id
			WHERE c.org_id = $1 AND c.seq BETWEEN $2 AND $3 AND c.entity = 'unit' AND u.erased_at IS NULL ORDER BY c.entity_id`
		units, err = t.ids(query, o.id, first, last)
		return err
	})
	return units, err
}
