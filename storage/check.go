package storage

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"aidpass/access"
	"aidpass/issuer"
)

// A Finding is something stored that must not be so.
type Finding struct {
	What   string // which promise is broken; see the constants
	Object string // identifier of the row, list, unit or file
	Text   string // what was found, for people
}

func (f Finding) String() string { return f.What + " " + f.Object + ": " + f.Text }

// The promises that Check proves.
const (
	CheckEngine     = "database"   // the engine finds its own file sound
	CheckAudit      = "audit"      // the audit log is what was written, to its end
	CheckOneActive  = "one-active" // one active credential of a unit, type, programme and form for a round
	CheckIndex      = "index"      // a status index belongs to one credential, or is a decoy
	CheckIntent     = "intent"     // every credential that may be signed has its bytes recorded
	CheckSigningLog = "signing-log"
	CheckEnd        = "end"        // a revoked credential is not active, and an active one not revoked
	CheckPublished  = "published"  // nothing published as invalid is anything else now
	CheckProjection = "projection" // current rows are what the change sets say
	CheckSeal       = "seal"       // every sealed value opens in its place
	CheckTombstone  = "tombstone"  // the erased have no key
)

// Check proves what this store promises and returns what is broken; none is
// good. It reads everything and changes nothing. It wants a store that nobody
// issues from meanwhile: otherwise it can find what is only under way.
func (o *Org) Check(ctx context.Context) (findings []Finding, err error) {
	c := &checker{Org: o, ctx: ctx}
	for _, check := range []func() error{c.engine, c.auditLog, c.rows, c.signingLog, c.tombstones, c.published, c.projection, c.credentials} {
		if err := check(); err != nil {
			return c.findings, fmt.Errorf("storage: check: %w", err)
		}
	}
	return c.findings, nil
}

type checker struct {
	*Org
	ctx      context.Context
	findings []Finding
}

func (c *checker) find(what, object, format string, args ...any) {
	c.findings = append(c.findings, Finding{what, object, fmt.Sprintf(format, args...)})
}

func (c *checker) engine() error {
	lines, err := c.db.dialect.check(c.ctx, c.db.read)
	for _, l := range lines {
		c.find(CheckEngine, databaseFile, "%s", l)
	}
	return err
}

func (c *checker) auditLog() error {
	_, err := c.VerifyAudit(c.ctx, access.Head{})
	var bad *access.BadRow
	if errors.As(err, &bad) {
		c.find(CheckAudit, fmt.Sprint(bad.Seq), "%s", bad.Why)
		return nil
	}
	return err
}

// rows runs the checks that one query can make: each returns the object and what is wrong.
func (c *checker) rows() error {
	for _, q := range []struct{ what, text, query string }{
		{CheckOneActive, "several active credentials",
			`SELECT DISTINCT a.unit_id FROM credential a JOIN credential b ON b.org_id = a.org_id AND b.unit_id = a.unit_id AND b.vct = a.vct
				AND b.programme = a.programme AND b.form = a.form AND b.id > a.id AND b.round <= a.last_round AND b.last_round >= a.round
			WHERE a.org_id = $1 AND a.ended_at IS NULL AND b.ended_at IS NULL`},
		{CheckIndex, "the status index of several credentials",
			`SELECT MIN(id) FROM credential WHERE org_id = $1 GROUP BY list_no, idx HAVING COUNT(*) > 1`},
		{CheckIndex, "a credential without an entry in a status list, or with one that is a decoy's",
			`SELECT c.id FROM credential c LEFT JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE c.org_id = $1 AND COALESCE(i.kind, '') <> 'credential'`},
		{CheckIndex, "an entry past the end of its list",
			`SELECT l.uri FROM status_index i JOIN status_list l ON l.org_id = i.org_id AND l.no = i.list_no
			WHERE i.org_id = $1 AND (i.idx < 0 OR i.idx >= l.size)`},
		{CheckIndex, "it outlives its status list",
			`SELECT c.id FROM credential c JOIN status_list l ON l.org_id = c.org_id AND l.no = c.list_no
			WHERE c.org_id = $1 AND c.expires_at > l.valid_until`},
		{CheckIntent, "issued or intended without recorded bytes, or issued without a card",
			`SELECT id FROM credential WHERE org_id = $1 AND (state IN ('intended', 'issued') AND intent IS NULL OR state = 'issued' AND card IS NULL)`},
		{CheckEnd, "revoked, and still the active one",
			`SELECT c.id FROM credential c JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE c.org_id = $1 AND c.ended_at IS NULL AND i.value = 1`},
		{CheckEnd, "ended as revoked, and not invalid in its status list",
			`SELECT c.id FROM credential c JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE c.org_id = $1 AND c.end_reason = 'revoked' AND i.value <> 1`},
		{CheckEnd, "displaced by another after a restore, and neither revoked nor expired: revoke it",
			`SELECT c.id FROM credential c JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE c.org_id = $1 AND c.end_reason = 'displaced' AND i.value <> 1`},
	} {
		objects, err := c.strings(q.query, c.id)
		if err != nil {
			return err
		}
		for _, id := range objects {
			c.find(q.what, id, "%s", q.text)
		}
	}
	return nil
}

// strings runs a query of one text column.
func (c *checker) strings(query string, args ...any) (list []string, err error) {
	rows, err := c.db.read.QueryContext(c.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// signingLog compares the log with the credentials, both ways.
func (c *checker) signingLog() error {
	var known int64
	const size = `SELECT COALESCE(MAX(size), 0) FROM outside WHERE org_id = $1 AND file = $2`
	if err := c.db.read.QueryRowContext(c.ctx, size, c.id, signingFile).Scan(&known); err != nil {
		return err
	}
	logged := map[string]bool{} // cti, as 14 characters
	end, damaged, err := c.db.signing.lines(0, func(body []byte) error {
		l, ok := parseLogLine(body)
		if !ok {
			c.find(CheckSigningLog, signingFile, "a line that is none of this program's")
		} else if l.Org == c.id {
			for _, s := range l.Signing {
				logged[s.CTI] = true
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range damaged {
		c.find(CheckSigningLog, signingFile, "at byte %d: %s", d.offset, d.why)
	}
	if end < known {
		c.find(CheckSigningLog, signingFile, "it has %d bytes and had %d: it was cut, or belongs to another database", end, known)
	}
	// An intent may lack its line: the program died between the two, and nothing was signed.
	issued, err := c.strings(`SELECT id FROM credential WHERE org_id = $1 AND state IN ('issued', 'found')`, c.id)
	if err != nil {
		return err
	}
	for _, id := range issued {
		if !logged[id] {
			c.find(CheckSigningLog, id, "issued, and not in the signing log")
		}
	}
	all, err := c.strings(`SELECT id FROM credential WHERE org_id = $1 AND state IN ('intended', 'issued', 'found')`, c.id)
	if err != nil {
		return err
	}
	for _, id := range all {
		delete(logged, id)
	}
	for id := range logged {
		c.find(CheckSigningLog, id, "in the signing log, and not in the database as one that may be signed")
	}
	return nil
}

func (c *checker) tombstones() error {
	erased, err := c.Org.tombstones()
	if err != nil {
		return err
	}
	left, err := c.strings(`SELECT subject_id FROM envelope_key WHERE org_id = $1 AND wrapped IS NOT NULL`, c.id)
	if err != nil {
		return err
	}
	for _, unit := range left {
		if erased[unit] {
			c.find(CheckTombstone, unit, "erased, and its key is there")
		}
	}
	return nil
}

// published compares each list's newest publication with its entries now.
func (c *checker) published() error {
	uris, err := c.strings(`SELECT uri FROM status_list WHERE org_id = $1 AND published_at > 0`, c.id)
	if err != nil {
		return err
	}
	for _, uri := range uris {
		l, err := c.StatusList(c.ctx, uri)
		if err != nil {
			return err
		}
		now := make([]byte, len(l.Published))
		for _, e := range l.Entries {
			if at := e.Index / 4; at < uint64(len(now)) {
				now[at] |= byte(e.Value) << (e.Index % 4 * 2)
			}
		}
		d := logStatus{URI: uri}
		if err := d.difference(l.Published, now); err != nil {
			c.find(CheckPublished, uri, "%v", err)
		}
	}
	return nil
}

// projection rebuilds every current row from the change sets and compares.
func (c *checker) projection() error {
	return c.view(c.ctx, "rebuild", func(t *tx) error {
		units, err := c.strings(`SELECT id FROM unit WHERE org_id = $1 ORDER BY id`, c.id)
		if err != nil {
			return err
		}
		for _, unit := range units {
			if err := c.unit(t, unit); err != nil {
				return err
			}
		}
		// Rows of units that are not there would have been passed over.
		strays, err := c.strings(`SELECT entity_id FROM change_set WHERE org_id = $1 AND entity = 'unit'
			AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.org_id = $1 AND u.id = change_set.entity_id)`, c.id)
		for _, id := range strays {
			c.find(CheckProjection, id, "a change of a unit that is not there")
		}
		return err
	})
}

// A fieldRow is a field as the change sets or the current rows have it.
type fieldRow struct {
	version, keyVersion int64
	change              string
	sealed              []byte
}

func (c *checker) unit(t *tx, unit string) error {
	rebuilt := map[string]fieldRow{}
	const changes = `SELECT field, base_version, key_version, id, sealed FROM change_set
		WHERE org_id = $1 AND entity = 'unit' AND entity_id = $2 ORDER BY seq`
	err := t.fieldRows(changes, unit, func(field string, r fieldRow) {
		if r.version != rebuilt[field].version {
			c.find(CheckProjection, unit, "field %q: change %s is on version %d, and version %d was there", field, r.change, r.version, rebuilt[field].version)
		}
		r.version++ // the base's, so far
		rebuilt[field] = r
	})
	if err != nil {
		return err
	}
	key, err := t.personKey(unit, false)
	if err != nil && !errors.Is(err, ErrErased) {
		c.find(CheckSeal, unit, "%v", err)
	}
	readable := err == nil
	const current = `SELECT field, version, key_version, change_id, sealed FROM unit_field WHERE org_id = $1 AND unit_id = $2`
	err = t.fieldRows(current, unit, func(field string, r fieldRow) {
		want, ok := rebuilt[field]
		delete(rebuilt, field)
		if !ok || r.version != want.version || r.keyVersion != want.keyVersion || r.change != want.change || !bytes.Equal(r.sealed, want.sealed) {
			c.find(CheckProjection, unit, "field %q is not what its change sets say", field)
		}
		if readable {
			if _, err := key.open(changePlace(c.id, unit, field, r.change, r.keyVersion), r.sealed); err != nil {
				c.find(CheckSeal, unit, "field %q does not open", field)
			}
		}
	})
	for field := range rebuilt {
		c.find(CheckProjection, unit, "field %q has change sets and no current row", field)
	}
	return err
}

func (t *tx) fieldRows(query, unit string, yield func(field string, r fieldRow)) error {
	rows, err := t.query(query, t.o.id, unit)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var field string
		var r fieldRow
		if err := rows.Scan(&field, &r.version, &r.keyVersion, &r.change, &r.sealed); err != nil {
			return err
		}
		yield(field, r)
	}
	return rows.Err()
}

// credentials opens every intent and card, and compares the intents with what
// the signing log says was going to be signed.
func (c *checker) credentials() error {
	signed := map[string]string{} // cti: mark of the bytes to be signed, hex
	_, _, err := c.db.signing.lines(0, func(body []byte) error {
		if l, ok := parseLogLine(body); ok && l.Org == c.id {
			for _, s := range l.Signing {
				if before, ok := signed[s.CTI]; ok && before != s.Signed {
					c.find(CheckSigningLog, s.CTI, "signed twice, and not the same bytes")
				}
				signed[s.CTI] = s.Signed
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	ids, err := c.strings(`SELECT id FROM credential WHERE org_id = $1 AND state IN ('intended', 'issued') ORDER BY id`, c.id)
	if err != nil {
		return err
	}
	return c.view(c.ctx, "open credentials", func(t *tx) error {
		for _, s := range ids {
			id, err := issuer.ParseCTI(s)
			if err != nil {
				c.find(CheckIntent, s, "%v", err)
				continue
			}
			credential, err := t.getCredential(id)
			if errors.Is(err, ErrWrongKey) {
				c.find(CheckSeal, s, "%v", err)
				continue
			} else if errors.Is(err, issuer.ErrNotFound) {
				c.find(CheckIndex, s, "its unit's name, status list or entry is not there")
				continue
			} else if err != nil {
				return err
			}
			want, ok := signed[s]
			if !ok || credential.Intent == nil {
				continue
			}
			key, err := t.personKey(credential.Unit.String(), false)
			if err != nil {
				return err
			}
			if want != hex.EncodeToString(key.mark(markSigned, credential.Intent)) {
				c.find(CheckIntent, s, "the recorded bytes are not those of the signing log")
			}
		}
		return nil
	})
}
