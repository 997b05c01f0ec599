package storage

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"aidpass/access"
	"aidpass/issuer/registry"
)

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
