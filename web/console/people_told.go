package console

import (
	"errors"
	"html/template"
	"net/http"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
)

// A party of an agreement, such as a government, reads one person as a file of the
// agreement would tell of her: package export decides that, and keeps each look as a share.

// errParty is an account of a party whose agreement does not tell it of anybody now.
var errParty = &Fault{Status: http.StatusForbidden, Word: "people.party"}

type toldData struct {
	ID     registry.ID
	Fields []toldField
	Photo  bool
}

type toldField struct {
	Field string
	Name  template.HTML
	Text  string
}

// Programs implements forProgram: values by the field's name; of a photograph where it is.
func (d toldData) Programs() any {
	a := recordAnswer{ID: d.ID.String(), Kind: string(registry.KindPerson), Told: map[string]string{}}
	for _, f := range d.Fields {
		a.Told[f.Field] = f.Text
	}
	if d.Photo {
		a.Told[rights.PhotoField] = Root + "/media/" + a.ID
	}
	return a
}

// look is what the party that asks is told of a person.
func (s *People) look(p *Page, id registry.ID) (export.Told, error) {
	told, err := export.Look(p.Context(), s.Desk.Store, p.Actor(), *p.Scope(), id, s.Desk.Now())
	var refusal *rights.Refusal
	switch {
	case errors.As(err, &refusal), errors.Is(err, export.ErrScope):
		err = errParty
	case errors.Is(err, registry.ErrNotFound):
		err = ErrNotFound
	}
	return told, err
}

func (s *People) told(p *Page, id registry.ID) error {
	told, err := s.look(p, id)
	if err != nil {
		return err
	}
	d := toldData{ID: id, Photo: told.Photo != nil}
	for _, v := range told.Fields {
		d.Fields = append(d.Fields, toldField{v.Field, p.sharedField(v.Field), v.Text})
	}
	return p.Show("people_told", "people.told", d)
}

// sharedField is a field of agreements and files in words.
func (p *Page) sharedField(field string) template.HTML {
	head, name, dotted := strings.Cut(field, ".")
	switch {
	case field == rights.PhotoField:
		return p.T("people.field_photo")
	case !dotted:
		return p.T("imports.field_" + field)
	case head == "document" && documentWords[name] != "":
		return p.T("agreements.document", "document", p.T(documentWords[name]))
	case head == "issuer" && documentWords[name] != "":
		return p.T("agreements.issuer", "document", p.T(documentWords[name]))
	case head == "band" && strings.HasPrefix(name, "f_"):
		return p.T("agreements.women", "ages", ages(name[2:]))
	case head == "band":
		return p.T("agreements.men", "ages", ages(strings.TrimPrefix(name, "m_")))
	}
	return p.T("agreements.column", "column", name)
}

// ages are those of a band, as people write them: 0–4, 60+.
func ages(band string) string {
	if from, open := strings.CutSuffix(band, "p"); open {
		return from + "+"
	}
	return strings.ReplaceAll(band, "_", "–")
}
