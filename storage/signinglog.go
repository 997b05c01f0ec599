package storage

import (
	"context"
	"encoding/hex"
	"fmt"

	"aidpass/issuer"
)

// LogSigning implements issuer.SigningLog: one line, one fsync, for all rows.
func (o *Org) LogSigning(ctx context.Context, rows []issuer.Credential) error {
	line := logLine{Org: o.id, At: o.db.now().UTC(), Signing: make([]logSigning, len(rows))}
	err := o.view(ctx, "log signing", func(t *tx) error {
		const query = `SELECT u.external_index, u.find_index, u.kind = 'blank', l.size FROM unit u, status_list l
			WHERE u.org_id = $1 AND u.id = $2 AND l.org_id = $1 AND l.uri = $3`
		if err := t.seq(&line); err != nil {
			return err
		}
		for i, c := range rows {
			s := &line.Signing[i]
			key, err := t.personKey(c.Unit.String(), false)
			if err != nil {
				return err
			}
			*s = describe(c, key)
			ok, err := t.find(query, []any{o.id, s.Unit, s.URI}, &s.External, &s.Find, &s.Blank, &s.Size)
			if err == nil && !ok {
				err = fmt.Errorf("%w: unit or list of %s", issuer.ErrNotFound, c.ID)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	size, err := o.db.signing.append(ctx, line)
	if err != nil {
		return err
	}
	o.signed.Store(size)
	return nil
}

// describe is what a line says of a credential, but for its unit and list.
func describe(c issuer.Credential, key personKey) logSigning {
	return logSigning{
		CTI: c.ID.String(), Signed: hex.EncodeToString(key.mark(markSigned, c.Intent)), KeyID: hex.EncodeToString(c.KeyID[:]), Unit: c.Unit.String(),
		Type: c.Type, VCT: c.VCT, Programme: c.Programme, Round: c.Round, LastRound: c.LastRound, Form: issuer.FormName(c.Form, c.Copy), Pseudonym: c.Pseudonym, Number: c.CardNumber,
		Request: c.RequestHash[:], URI: c.StatusURI, Index: c.StatusIndex, Issued: int64(c.IssuedAt), Expires: int64(c.ExpiresAt),
	}
}

// seq notes in a line how far the database has come that knows what it says.
func (t *tx) seq(l *logLine) error {
	if t.linked {
		l.Seq = t.head.Seq
		return nil
	}
	_, err := t.find(`SELECT audit_seq FROM organisation WHERE id = $1`, []any{t.o.id}, &l.Seq)
	return err
}

// rememberLog notes, with the next transaction of issuing, that the signing log
// up to this store's last line is known.
func (t *tx) rememberLog() error {
	if size := t.o.signed.Load(); size > 0 {
		return t.setLogSize(size)
	}
	return nil
}

// setLogSize never goes back: see loseLog for a file that was cut.
func (t *tx) setLogSize(size int64) error {
	const set = `INSERT INTO outside (org_id, file, size) VALUES ($1, $2, $3)
		ON CONFLICT (org_id, file) DO UPDATE SET size = excluded.size WHERE outside.size < excluded.size`
	_, err := t.exec(set, t.o.id, signingFile, size)
	return err
}
