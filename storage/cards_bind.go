package storage

import (
	"context"
	"errors"
	"fmt"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
)

// BindBlank implements issuer.BlankStore.
func (o *Org) BindBlank(ctx context.Context, by access.Actor, b issuer.Binding) (card issuer.Card, err error) {
	var told statusLines
	var bound []logBound
	err = o.update(ctx, by, "bind card", func(t *tx) error {
		c, err := t.getCard(b.Card)
		if err != nil {
			return err
		}
		blank, to, err := t.blankOf(c)
		if err != nil {
			return err
		}
		again := to == b.Unit.String()
		switch {
		case blank == "":
			return issuer.ErrNotBlank
		case to != "" && !again:
			return issuer.ErrBound
		case !again:
			if err := t.bindable(&c, b.Unit); err != nil {
				return err
			}
			if err := t.moveBlank(blank, b.Unit.String(), c.Programme); err != nil {
				return err
			}
			if c, err = t.getCard(b.Card); err != nil {
				return err
			}
			if err := t.setStatus(c.Credential, status.Valid, "bound"); err != nil {
				return err
			}
			c.Status = status.Valid
			detail := "unit=" + b.Unit.String() + " lot=" + c.BlankLot
			if err := t.audit(access.Entry{Action: "card.bind", Object: c.ID.String(), Detail: detail}); err != nil {
				return err
			}
			if err := t.gated(c.ID.String(), b.Unit.String(), issuer.Reservation{Override: b.Override, Reasons: b.Reasons}, b.Provisional); err != nil {
				return err
			}
		}
		card = c
		// Said again when it is bound again: see SetStatus.
		if bound, err = t.logBound(blank, b.Unit.String()); err != nil {
			return err
		}
		if c.Status == status.Valid {
			if err := told.add(t, c.Credential, status.Valid); err != nil {
				return err
			}
		}
		return told.end(t)
	})
	if err != nil {
		return card, err
	}
	line := told.line
	line.Bound = bound
	if _, err := o.db.signing.append(ctx, line); err != nil {
		return card, err
	}
	if err := told.write(ctx, o); err != nil {
		return card, err
	}
	return card, o.scrubDue(ctx)
}

// blankOf returns the blank unit that a card was made for, "" for none, and whom
// it is bound to, "" for nobody.
func (t *tx) blankOf(c issuer.Card) (blank, to string, err error) {
	const query = `SELECT b.unit_id, COALESCE(b.bound_to, '') FROM blank b WHERE b.org_id = $1
		AND b.unit_id = COALESCE((SELECT blank_id FROM bound_credential WHERE org_id = $1 AND credential_id = $2), $3)`
	_, err = t.find(query, []any{t.o.id, c.ID.String(), c.Unit.String()}, &blank, &to)
	return blank, to, err
}

// bindable refuses what cannot be bound, and whom.
func (t *tx) bindable(c *issuer.Card, unit issuer.UnitID) error {
	why := ""
	switch {
	case c.State != issuer.Issued:
		why = "it is not signed"
	case c.Ended || c.Status == status.Invalid:
		why = "it is revoked or over"
	case c.ExpiresAt <= credential.FromStd(t.now):
		why = "it has expired"
	case c.Paper.EndsCredential():
		why = "it is " + string(c.Paper)
	}
	if why != "" {
		return fmt.Errorf("%w: card %s: %s", issuer.ErrCardState, c.CardNumber, why)
	}
	// On hold from its making it is let go by the binding; what somebody put on hold is not, by one person.
	if held, err := t.putOnHold(c.ID.String()); err != nil {
		return err
	} else if held && t.by.SecondPerson == "" {
		return fmt.Errorf("card %s was put on hold: %w", c.CardNumber, issuer.ErrSecondPerson)
	}
	var kind issuer.UnitKind
	ok, err := t.find(`SELECT kind FROM unit WHERE org_id = $1 AND id = $2 AND erased_at IS NULL`, []any{t.o.id, unit.String()}, &kind)
	switch {
	case err != nil:
		return err
	case !ok:
		return errNoRecord
	case kind != issuer.Person && kind != issuer.Household:
		return errors.New("a card is bound to a person or a household")
	}
	var n int
	named, err := t.find(`SELECT 1 FROM programme_unit WHERE org_id = $1 AND programme = $2 AND unit_id = $3`, []any{t.o.id, c.Programme, unit.String()}, &n)
	if err == nil && named {
		err = issuer.ErrNamed
	}
	return err
}

// moveBlank makes a blank's name and credentials in a programme the unit's, sealed
// under the unit's key, and destroys the blank's: erasing the person then reaches
// every copy of her card.
func (t *tx) moveBlank(blank, unit, programme string) error {
	from, err := t.personKey(blank, false)
	if err != nil {
		return err
	}
	to, err := t.personKey(unit, true)
	if err != nil {
		return err
	}
	creds, err := t.credentials(`c.unit_id = $2 AND c.programme = $3`, blank, programme)
	if err != nil {
		return err
	}
	if err := t.moveName(blank, unit, programme); err != nil {
		return err
	}
	for _, c := range creds {
		id := c.ID.String()
		mark := []byte{}
		var intent, card []byte
		if c.Intent != nil {
			mark, intent = from.mark(markSigned, c.Intent), to.seal(cardPlace(t.o.id, "intent", id, unit), c.Intent)
		}
		if c.Card != nil {
			card = to.seal(cardPlace(t.o.id, "card", id, unit), c.Card)
		}
		if err := t.moveCredential(id, blank, unit, mark, intent, card); err != nil {
			return err
		}
	}
	if err := t.dropName(blank, programme); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE blank SET bound_to = $3, bound_at = $4 WHERE org_id = $1 AND unit_id = $2`, t.o.id, blank, unit, t.micros); err != nil {
		return err
	}
	delete(t.keys, blank)
	return t.destroyKeys(blank)
}

// moveCredential gives a credential to a unit that has its name in the programme
// already. mark is of its bytes under the old unit's key; nil intent or card: what
// is there stays, unreadable.
func (t *tx) moveCredential(id, from, to string, mark, intent, card []byte) error {
	const remember = `INSERT INTO bound_credential (org_id, credential_id, blank_id, mark) VALUES ($1, $2, $3, $4)`
	if _, err := t.exec(remember, t.o.id, id, from, mark); err != nil {
		return err
	}
	const move = `UPDATE credential SET unit_id = $3, request_hash = $4, intent = COALESCE($5, intent), card = COALESCE($6, card) WHERE org_id = $1 AND id = $2`
	_, err := t.exec(move, t.o.id, id, to, anyRequest[:], intent, card)
	return err
}

// moveName gives a blank's pseudonym and number to a unit. Two rows never have one
// number, so the blank's row, which its credentials still stand on, lends its own
// until dropName.
func (t *tx) moveName(blank, unit, programme string) error {
	var pseudonym, number string
	const take = `SELECT pseudonym, card_number FROM programme_unit WHERE org_id = $1 AND programme = $2 AND unit_id = $3`
	ok, err := t.find(take, []any{t.o.id, programme, blank}, &pseudonym, &number)
	if err == nil && !ok {
		err = errors.New("the blank card has no number")
	}
	if err != nil {
		return err
	}
	const lend = `UPDATE programme_unit SET pseudonym = $4, card_number = $4 WHERE org_id = $1 AND programme = $2 AND unit_id = $3`
	if _, err := t.exec(lend, t.o.id, programme, blank, "moved "+blank); err != nil {
		return err
	}
	const give = `INSERT INTO programme_unit (org_id, programme, unit_id, pseudonym, card_number, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	_, err = t.exec(give, t.o.id, programme, unit, pseudonym, number, t.micros)
	return err
}

func (t *tx) dropName(blank, programme string) error {
	_, err := t.exec(`DELETE FROM programme_unit WHERE org_id = $1 AND programme = $2 AND unit_id = $3`, t.o.id, programme, blank)
	return err
}

// destroyKeys makes everything sealed under a unit's key unreadable.
func (t *tx) destroyKeys(unit string) error {
	const keys = `UPDATE envelope_key SET wrapped = NULL, destroyed_at = $3 WHERE org_id = $1 AND subject_id = $2 AND wrapped IS NOT NULL`
	n, err := t.exec(keys, t.o.id, unit, t.micros)
	if err == nil && n > 0 {
		_, err = t.exec(`UPDATE organisation SET scrub_due = 1 WHERE id = $1`, t.o.id)
	}
	return err
}

// logBound is what the signing log says of a binding: enough to do it again in a
// database that was restored to before it.
func (t *tx) logBound(blank, unit string) (list []logBound, err error) {
	const query = `SELECT m.credential_id, u.external_index, u.find_index FROM bound_credential m, unit u
		WHERE m.org_id = $1 AND m.blank_id = $2 AND u.org_id = $1 AND u.id = $3 ORDER BY m.credential_id`
	rows, err := t.query(query, t.o.id, blank, unit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		b := logBound{Blank: blank, Unit: unit}
		if err := rows.Scan(&b.CTI, &b.External, &b.Find); err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

// takeInBound binds again what was bound after the backup that was restored. The
// erased get nothing that can be read.
func (t *tx) takeInBound(b logBound, erased map[string]bool) error {
	id, err := issuer.ParseCTI(b.CTI)
	if err != nil {
		return err
	}
	c, err := t.getCard(id)
	if errors.Is(err, issuer.ErrNotFound) || err == nil && c.Unit.String() != b.Blank {
		return nil // never signed here, or bound already
	}
	if err != nil {
		return err
	}
	if erased[b.Unit] {
		b.External, b.Find = nil, nil
	}
	const unit = `INSERT INTO unit (org_id, id, kind, external_index, find_index, created_at) VALUES ($1, $2, 'found', $3, $4, $5) ON CONFLICT DO NOTHING`
	if _, err := t.exec(unit, t.o.id, b.Unit, b.External, b.Find, t.micros); err != nil {
		return err
	}
	var n int
	named, err := t.find(`SELECT 1 FROM programme_unit WHERE org_id = $1 AND programme = $2 AND unit_id = $3`, []any{t.o.id, c.Programme, b.Unit}, &n)
	if err != nil || named {
		return err // a later card of hers stands in the log: this one stays nobody's, and can be revoked
	}
	if err := t.moveBlank(b.Blank, b.Unit, c.Programme); err == nil {
		return t.audit(access.Entry{Action: "card.bind", Object: b.CTI, Detail: "unit=" + b.Unit, Reason: "restore"})
	} else if !errors.Is(err, ErrErased) && !errors.Is(err, errNoKey) {
		return err
	}
	// The card was known from the log alone, or its unit is erased: there is nothing to seal anew.
	if err := t.moveName(b.Blank, b.Unit, c.Programme); err != nil {
		return err
	}
	if err := t.moveCredential(b.CTI, b.Blank, b.Unit, []byte{}, nil, nil); err != nil {
		return err
	}
	if err := t.dropName(b.Blank, c.Programme); err != nil {
		return err
	}
	const bind = `UPDATE blank SET bound_to = $3, bound_at = $4 WHERE org_id = $1 AND unit_id = $2`
	if _, err := t.exec(bind, t.o.id, b.Blank, b.Unit, t.micros); err != nil {
		return err
	}
	delete(t.keys, b.Blank)
	if err := t.destroyKeys(b.Blank); err != nil {
		return err
	}
	return t.audit(access.Entry{Action: "card.bind", Object: b.CTI, Detail: "unit=" + b.Unit, Reason: "restore"})
}

// foundLot is the lot of blank cards that are known from the signing log alone.
const foundLot = "found"

// foundBlank makes the row of a blank whose lot was lost in a restore.
func (t *tx) foundBlank(s *logSigning) error {
	var n int
	there, err := t.find(`SELECT 1 FROM blank WHERE org_id = $1 AND unit_id = $2`, []any{t.o.id, s.Unit}, &n)
	if err != nil || there {
		return err
	}
	const lot = `INSERT INTO blank_lot (org_id, id, type, vct, programme, round, last_round, form, live, count, at, actor)
		VALUES ($1, $2, $3, $4, $5, 0, 0, $6, 0, 0, $7, $8) ON CONFLICT DO NOTHING`
	if _, err := t.exec(lot, t.o.id, foundLot, s.Type, s.VCT, s.Programme, s.Form, t.micros, t.by.ID); err != nil {
		return err
	}
	if _, err := t.find(`SELECT COALESCE(MAX(n), 0) + 1 FROM blank WHERE org_id = $1 AND lot_id = $2`, []any{t.o.id, foundLot}, &n); err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO blank (org_id, unit_id, lot_id, n) VALUES ($1, $2, $3, $4)`, t.o.id, s.Unit, foundLot, n)
	return err
}
