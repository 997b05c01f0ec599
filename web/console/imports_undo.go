package console

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
)

// Which of an import's records a page of taking it back lists, by the query's "of".
const (
	undoErase   = "erase"
	undoRestore = "restore"
	undoLeave   = "left"
)

// undoData is what taking a list out of the register would do, or did.
type undoData struct {
	importRow
	In      bool       `json:"in_register"` // there is something to be taken out
	Erase   int        `json:"erase"`
	Restore int        `json:"restore"`
	Leave   int        `json:"left"`
	Digest  string     `json:"digest,omitempty"` // that the request names
	Undone  *reviewRow `json:"undone,omitempty"` // how it was taken out
	Of      string     `json:"of"`
	Rows    []undoRow  `json:"records"`
	Paging  *Paging    `json:"paging"`

	Asked []askedRow `json:"asked,omitempty"`
	Lists []undoList `json:"-"`
}

// An undoList leads to the records of a kind.
type undoList struct {
	Of, Word, Path string
	Count          int
	Here           bool
}

// An undoRow is one record: by name for who may read people.
type undoRow struct {
	Record string `json:"record"`
	Kind   string `json:"kind,omitempty"`
	Name   string `json:"name,omitempty"`
	Number string `json:"number,omitempty"` // in its list
	Why    string `json:"why,omitempty"`    // it is left
	Path   string `json:"-"`                // of the record; empty: who looks may not read it, or it is gone
}

// undoing is the dry run: whose records go, whose say again what they said, and whose stay.
func (s *Imports) undoing(p *Page) error {
	m, u, err := s.Desk.Undoing(p.Context(), p.Param("import"))
	in := err == nil
	if err != nil && !errors.Is(err, imports.ErrState) {
		return importFault(err)
	}
	d := undoData{importRow: rowOfImport(&m), In: in, Erase: len(u.Erase), Restore: len(u.Restore), Of: p.Query.Get("of")}
	left := m.Left
	if in {
		sum := u.Digest()
		d.Digest, left = hex.EncodeToString(sum[:]), u.Left
	}
	d.Leave = len(left)
	if m.State == imports.Undone && m.Undo != nil {
		d.Undone = &reviewRow{m.Undo.Approval, m.Undo.By, m.Undo.At, m.Undo.Second}
	}
	if d.Asked, err = p.asked(m.ID, access.ImportUndo); err != nil {
		return err
	}
	d.lists()
	var ids []registry.ID
	why := map[registry.ID]string{}
	switch d.Of {
	case undoErase:
		ids = u.Erase
	case undoRestore:
		ids = u.Restore
	case undoLeave:
		for _, l := range left {
			ids, why[l.Record] = append(ids, l.Record), l.Why
		}
	default:
		return errFields
	}
	d.Paging = p.Paging(len(ids))
	if d.Rows, err = s.undone(p, m.ID, d.Of, ids[d.Paging.Offset():min(len(ids), d.Paging.Offset()+d.Paging.Size)]); err != nil {
		return err
	}
	for i := range d.Rows {
		id, _ := registry.ParseID(d.Rows[i].Record) // as it was made from one
		d.Rows[i].Why = why[id]
	}
	return p.Show("import_undo", "imports.undo", d, "name", m.Name)
}

// lists are those that have somebody in them; without a choice it is the first.
func (d *undoData) lists() {
	for _, l := range []undoList{{Of: undoErase, Word: "imports.undo_of_erase", Count: d.Erase}, {Of: undoRestore, Word: "imports.undo_of_restore", Count: d.Restore}, {Of: undoLeave, Word: "imports.undo_left", Count: d.Leave}} {
		if l.Count == 0 {
			continue
		}
		if d.Of == "" {
			d.Of = l.Of
		}
		l.Here, l.Path = l.Of == d.Of, Root+"/imports/"+d.ID+"/undo?of="+l.Of
		d.Lists = append(d.Lists, l)
	}
	if d.Of == "" {
		d.Of = undoErase
	}
}

// undone puts to records who they are; the log is told.
func (s *Imports) undone(p *Page, id, of string, ids []registry.ID) (rows []undoRow, err error) {
	e := access.Entry{Action: "import.look", Object: id, Detail: fmt.Sprintf("undo=%s records=%d", of, len(ids))}
	lines, err := s.Records.Lines(p.Context(), p.Actor(), e, ids)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		r := undoRow{Record: l.ID.String(), Kind: string(l.Kind)}
		if p.May(string(access.PersonRead)) {
			r.Name, r.Number = l.Name.Text, l.Number
			if !l.Gone() {
				r.Path = pathOf(l.Kind, l.ID)
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (s *Imports) undo(p *Page) error {
	id, version, err := s.begin(p)
	if err != nil {
		return err
	}
	seen, err := hex.DecodeString(p.Form.Get("digest"))
	if err != nil || len(seen) != 32 {
		return errFields
	}
	if _, err := s.Desk.AskUndo(p.Context(), p.In, id, version, [32]byte(seen), p.Form.Get("reason")); err != nil {
		return importFault(err)
	}
	return p.Done("/imports/"+id, Note{Word: "imports.undo_asked"})
}

// tellUndo says what a request to take a list out would do.
func (s *Imports) tellUndo(p *Page, a access.Approval, tell func(word string, fill ...any)) error {
	m, err := s.Desk.Show(p.Context(), a.Object)
	if err != nil {
		return importFault(err)
	}
	does, err := undoes(a)
	if err != nil {
		return err
	}
	if p.May(string(access.ImportRead)) { // a file's name may be a person's
		tell("imports.undo", "name", m.Name)
	}
	tell("imports.undo_erase", "count", does.Erase)
	tell("imports.undo_restore", "count", does.Restore)
	tell("imports.undo_left", "count", does.Left)
	return nil
}

type undoCounts struct{ Erase, Restore, Left int }

// undoes is how many records what was asked for does something to.
func undoes(a access.Approval) (n undoCounts, err error) {
	err = json.Unmarshal(a.Payload, &n)
	return n, err
}

// Reach implements Reacher: of taking a list back, how many records are destroyed or changed.
func (s *Imports) Reach(a access.Approval) int {
	if a.Act != access.ImportUndo {
		return 0
	}
	n, err := undoes(a)
	if err != nil {
		return 0 // as whose payload is refused when it is carried out
	}
	return n.Erase + n.Restore
}
