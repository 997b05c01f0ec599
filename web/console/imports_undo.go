package console

import (
	"encoding/hex"
	"encoding/json"
	"errors"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
)

// undoData is what taking a list out of the register would do, or did.
type undoData struct {
	importRow
	In      bool      `json:"in_register"` // there is something to be taken out
	Erase   int       `json:"erase"`
	Restore int       `json:"restore"`
	Digest  string    `json:"digest,omitempty"` // that the request names
	Asked   string    `json:"approval,omitempty"`
	Rows    []leftRow `json:"left"`
	Paging  *Paging   `json:"paging"`
}

type leftRow struct {
	Record string `json:"record"`
	Kind   string `json:"kind"`
	Why    string `json:"why"`
	Path   string `json:"-"`
}

// undoing is the dry run.
func (s *Imports) undoing(p *Page) error {
	m, u, err := s.Desk.Undoing(p.Context(), p.Param("import"))
	in := err == nil
	if errors.Is(err, imports.ErrState) {
		err = nil
	}
	if err != nil {
		return importFault(err)
	}
	d := undoData{importRow: rowOfImport(&m), In: in, Erase: len(u.Erase), Restore: len(u.Restore)}
	left := m.Left
	if in {
		sum := u.Digest()
		d.Digest, left = hex.EncodeToString(sum[:]), u.Left
	}
	if m.Undo != nil {
		d.Asked = m.Undo.Approval
	}
	d.Paging = p.Paging(len(left))
	for _, l := range left[d.Paging.Offset():min(len(left), d.Paging.Offset()+d.Paging.Size)] {
		r := leftRow{Record: l.Record.String(), Kind: string(l.Kind), Why: l.Why, Path: "/households/"}
		if l.Kind == registry.KindPerson {
			r.Path = "/people/"
		}
		r.Path += r.Record
		d.Rows = append(d.Rows, r)
	}
	return p.Show("import_undo", "imports.undo", d, "name", m.Name)
}

func (s *Imports) undo(p *Page) error {
	id := p.Param("import")
	if _, err := s.Desk.Show(p.Context(), id); err != nil {
		return importFault(err)
	}
	version, err := p.version()
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
	var does struct{ Erase, Restore, Left int }
	if err := json.Unmarshal(a.Payload, &does); err != nil {
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
