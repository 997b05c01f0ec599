package storage

import (
	"context"
	"fmt"
	"slices"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/status"
)

// FindCredentials implements issuer.Store.
func (o *Org) FindCredentials(ctx context.Context, text string) (found []issuer.Credential, err error) {
	text = trimmed(text)
	number, err := cwt.CheckCardNumber(text)
	if err != nil {
		number = "" // no card has it
	}
	err = o.view(ctx, "find credentials", func(t *tx) error {
		units, err := t.unitsCalled(text, number)
		if err != nil {
			return err
		}
		for _, unit := range units {
			theirs, err := t.credentials(`c.unit_id = $2 ORDER BY c.reserved_at, c.id`, unit)
			if err != nil {
				return err
			}
			found = append(found, theirs...)
		}
		c, ok, err := t.findCredential(`c.id = $2`, text)
		if ok && !slices.ContainsFunc(found, func(f issuer.Credential) bool { return f.ID == c.ID }) {
			found = append(found, c)
		}
		return err
	})
	return found, err
}

// FindUnit implements issuer.Store.
func (o *Org) FindUnit(ctx context.Context, kind issuer.UnitKind, namespace, external string) (found []issuer.Credential, err error) {
	err = o.view(ctx, "find unit", func(t *tx) error {
		found, err = t.credentials(`c.unit_id = (SELECT id FROM unit WHERE org_id = $1 AND external_index = $2) ORDER BY c.reserved_at, c.id`,
			o.unitIndex(kind, namespace, external))
		return err
	})
	return found, err
}

// unitsCalled returns the units that have text as pseudonym, id or identifier in
// the roster, or number as card number: one search by each, as each has its index.
func (t *tx) unitsCalled(text, number string) (units []string, err error) {
	const query = `SELECT unit_id FROM programme_unit WHERE org_id = $1 AND pseudonym = $2
		UNION SELECT unit_id FROM programme_unit WHERE org_id = $1 AND card_number = $3
		UNION SELECT id FROM unit WHERE org_id = $1 AND id = $2
		UNION SELECT id FROM unit WHERE org_id = $1 AND find_index = $4`
	rows, err := t.query(query, t.o.id, text, number, t.o.index.of(findPurpose, text))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var unit string
		if err := rows.Scan(&unit); err != nil {
			return nil, err
		}
		units = append(units, unit)
	}
	return units, rows.Err()
}

// SetStatus implements issuer.Store.
func (o *Org) SetStatus(ctx context.Context, by access.Actor, ids []issuer.CTI, v status.Value, reason string) error {
	var told statusLines
	err := o.update(ctx, by, "set status", func(t *tx) error {
		for _, id := range ids {
			c, err := t.getCredential(id)
			if err != nil {
				return err
			}
			if err := t.setStatus(c, v, reason); err != nil {
				return fmt.Errorf("%w: %s", err, id)
			}
			// For what was set before, too: a call that was cut off between its commit
			// and its lines is mended by repeating it.
			if err := told.add(t, c, v); err != nil {
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

func (t *tx) setStatus(c issuer.Credential, v status.Value, reason string) error {
	if c.Status == v {
		return nil
	}
	if c.Status == status.Invalid {
		return issuer.ErrFinal
	}
	if v == status.Valid {
		var n int
		nobodys, err := t.find(`SELECT 1 FROM unit WHERE org_id = $1 AND id = $2 AND kind = 'blank'`, []any{t.o.id, c.Unit.String()}, &n)
		if err != nil {
			return err
		}
		if nobodys {
			return fmt.Errorf("%w: nobody is bound to it", issuer.ErrCardState)
		}
	}
	const set = `UPDATE status_index SET value = $4, changed_at = $5
		WHERE org_id = $1 AND list_no = (SELECT no FROM status_list WHERE org_id = $1 AND uri = $2) AND idx = $3`
	if _, err := t.exec(set, t.o.id, c.StatusURI, c.StatusIndex, v, t.micros); err != nil {
		return err
	}
	action := access.Action("credential.resume")
	switch v {
	case status.Invalid:
		action = "credential.revoke"
		if err := t.end(c.ID, "revoked"); err != nil {
			return err
		}
	case status.Suspended:
		action = "credential.suspend"
	}
	return t.audit(access.Entry{Action: action, Object: c.ID.String(), Reason: reason})
}

// statusLines gathers what a transaction did to entries of status lists, one line
// of the signing log a list. They are written after its commit.
type statusLines struct {
	byList map[string]*logStatus
	line   logLine
}

// add notes that a credential's entry is v.
func (s *statusLines) add(t *tx, c issuer.Credential, v status.Value) error {
	l := s.byList[c.StatusURI]
	if l == nil {
		l = &logStatus{URI: c.StatusURI}
		if _, err := t.find(`SELECT size FROM status_list WHERE org_id = $1 AND uri = $2`, []any{t.o.id, c.StatusURI}, &l.Size); err != nil {
			return err
		}
		if s.byList == nil {
			s.byList = map[string]*logStatus{}
		}
		s.byList[c.StatusURI] = l
	}
	l.add(c.StatusIndex, v)
	return nil
}

// end is called at the end of the transaction: the lines say how far the database
// has come that knows what they say.
func (s *statusLines) end(t *tx) error {
	s.line.Org, s.line.At = t.o.id, t.now.UTC()
	return t.seq(&s.line)
}

// write is called after the commit.
func (s *statusLines) write(ctx context.Context, o *Org) error {
	for _, s.line.Status = range s.byList {
		if _, err := o.db.signing.append(ctx, s.line); err != nil {
			return err
		}
	}
	return nil
}

func (l *logStatus) add(index uint64, v status.Value) {
	switch v {
	case status.Invalid:
		l.Invalid = append(l.Invalid, index)
	case status.Suspended:
		l.Suspended = append(l.Suspended, index)
	default:
		l.Valid = append(l.Valid, index)
	}
}
