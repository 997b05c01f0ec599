package storage

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// SaveDouble enters a pair once, whichever way round it is named. A decision is
// in the name of who runs the transaction; a second one stands for the first.
func (r records) SaveDouble(d registry.Double) error {
	t := r.t
	if d.A == d.B || d.Why == "" || len(d.Why) > 32 || len(d.Decided) > 32 {
		return errors.New("storage: a double is two records, why (a kind of key), and a decision in one word")
	}
	const enter = `INSERT INTO possible_double (org_id, unit_a, unit_b, why, found_at, found_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	n, err := t.exec(enter, t.o.id, d.A.String(), d.B.String(), d.Why, t.micros, t.by.ID)
	if err != nil {
		return fmt.Errorf("storage: double of %s and %s: %w", d.A, d.B, err)
	}
	if n > 0 {
		t.acts.act(access.Entry{Action: "double.find", Object: d.A.String(), Detail: "with=" + d.B.String() + " why=" + d.Why})
	}
	if d.Decided == "" {
		return nil
	}
	const decide = `UPDATE possible_double SET decided = $5, decided_at = $6, decided_by = $7
		WHERE org_id = $1 AND (unit_a = $2 AND unit_b = $3 OR unit_a = $3 AND unit_b = $2) AND why = $4 AND decided <> $5`
	n, err = t.exec(decide, t.o.id, d.A.String(), d.B.String(), d.Why, d.Decided, t.micros, t.by.ID)
	if err == nil && n > 0 {
		t.acts.act(access.Entry{Action: "double.decide", Object: d.A.String(), Detail: "with=" + d.B.String() + " why=" + d.Why + " decided=" + d.Decided})
	}
	return err
}

// Doubles leaves open pairs out of which one was erased: nobody can decide them.
func (r records) Doubles(all bool) (list []registry.Double, err error) {
	const query = `SELECT unit_a, unit_b, why, found_at, decided, decided_by FROM possible_double d WHERE org_id = $1
		AND ($2 OR decided = '' AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.org_id = d.org_id AND u.id IN (d.unit_a, d.unit_b) AND u.erased_at IS NOT NULL))
		ORDER BY found_at, unit_a, unit_b, why`
	rows, err := r.t.query(query, r.t.o.id, all)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b string
		var found int64
		var d registry.Double
		if err := rows.Scan(&a, &b, &d.Why, &found, &d.Decided, &d.By); err != nil {
			return nil, err
		}
		var errB error
		d.A, err = registry.ParseID(a)
		d.B, errB = registry.ParseID(b)
		if err := errors.Join(err, errB); err != nil {
			return nil, err
		}
		d.FoundAt = microTime(found)
		list = append(list, d)
	}
	return list, rows.Err()
}

// importMark is how the digest of a file is kept: whoever has a file cannot
// prove from the database alone that it was imported.
func (o *Org) importMark(digest [32]byte) []byte {
	return o.index.of("import.digest", hex.EncodeToString(digest[:]))
}

func importPlace(org, id string) place {
	return place{org, "import_file", "plan", id, ownKeyVersion}
}

// SaveImport keeps what a file came to. Time and account are the transaction's.
func (r records) SaveImport(f registry.ImportFile) error {
	t := r.t
	if f.ID.IsZero() {
		return errors.New("storage: an import needs its id")
	}
	if f.Rows != f.Created+f.Updated+f.Same+f.Refused || min(f.Created, f.Updated, f.Same, f.Refused) < 0 {
		return fmt.Errorf("storage: import %s: %d rows are not %d created, %d updated, %d known and %d refused",
			f.ID, f.Rows, f.Created, f.Updated, f.Same, f.Refused)
	}
	id := f.ID.String()
	const insert = `INSERT INTO import_file (org_id, id, mark, plan, rows, created, updated, same, refused, at, actor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	_, err := t.exec(insert, t.o.id, id, t.o.importMark(f.Digest), t.o.own.seal(importPlace(t.o.id, id), f.Plan),
		f.Rows, f.Created, f.Updated, f.Same, f.Refused, t.micros, t.by.ID)
	if err != nil {
		return fmt.Errorf("storage: import %s: %w", id, err)
	}
	t.acts.imports = append(t.acts.imports, id)
	return t.audit(access.Entry{Action: "registry.import", Object: id,
		Detail: fmt.Sprintf("rows=%d created=%d updated=%d same=%d refused=%d", f.Rows, f.Created, f.Updated, f.Same, f.Refused)})
}

const importColumns = `id, plan, rows, created, updated, same, refused, at, actor`

func (t *tx) scanImports(rows *sql.Rows) (list []registry.ImportFile, err error) {
	defer rows.Close()
	for rows.Next() {
		var id string
		var plan []byte
		var at int64
		var f registry.ImportFile
		if err := rows.Scan(&id, &plan, &f.Rows, &f.Created, &f.Updated, &f.Same, &f.Refused, &at, &f.By); err != nil {
			return nil, err
		}
		if f.Plan, err = t.o.own.open(importPlace(t.o.id, id), plan); err != nil {
			return nil, fmt.Errorf("import %s: %w", id, err)
		}
		if f.ID, err = registry.ParseID(id); err != nil {
			return nil, err
		}
		f.At = microTime(at)
		list = append(list, f)
	}
	return list, rows.Err()
}

// ImportOf returns the newest import of the file.
func (r records) ImportOf(digest [32]byte) (f registry.ImportFile, ok bool, err error) {
	const query = `SELECT ` + importColumns + ` FROM import_file WHERE org_id = $1 AND mark = $2 ORDER BY at DESC, id LIMIT 1`
	rows, err := r.t.query(query, r.t.o.id, r.t.o.importMark(digest))
	if err != nil {
		return f, false, err
	}
	list, err := r.t.scanImports(rows)
	if err != nil || len(list) == 0 {
		return f, false, err
	}
	list[0].Digest = digest
	return list[0], true, nil
}

// Imports returns every import, oldest first; their digests are not known any more.
func (r records) Imports() ([]registry.ImportFile, error) {
	rows, err := r.t.query(`SELECT `+importColumns+` FROM import_file WHERE org_id = $1 ORDER BY at, id`, r.t.o.id)
	if err != nil {
		return nil, err
	}
	return r.t.scanImports(rows)
}
