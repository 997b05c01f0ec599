package console

import (
	"context"
	"html/template"
	"net/http"
	"strings"

	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// open shows the form of a record. Who sees it counts as editing for a while.
func (s *People) open(p *Page, k *recordKind, id registry.ID) error {
	f, err := s.Desk.Edit(p.Context(), p.Actor(), id, k.kind)
	if err != nil {
		return err
	}
	return s.form(p, k, http.StatusOK, f, p.Query, nil, "")
}

// form shows what can be corrected; typed, where something of it was wrong, is what
// stands in the fields instead. back: the exercise that it was opened from.
func (s *People) form(p *Page, k *recordKind, status int, f records.Form, back Form, typed map[string]string, wrong template.HTML) error {
	id := f.Record.ID
	now := s.Desk.Now()
	d := peopleData{Record: id, At: k, Exercise: back.Get("exercise"), Seen: f.Seen, Wrong: wrong, Reason: typed["reason"], Editing: s.at.who(id, p.In.Account.ID, now)}
	s.at.come(id, p.In.Account.ID, now.Add(formStays))
	for _, name := range records.Fields(k.kind) {
		value, ok := f.Values[name]
		if !ok {
			continue
		}
		e := editField{Name: name, Word: fieldWords[name], Value: value}
		if name == "language" {
			e.Value = p.languageTyped(value)
		}
		family, rest, _ := strings.Cut(name, ".")
		if family == "document" || family == "issuer" {
			e.Word, e.Document, e.Issuer = fieldWords[family], documentWords[rest], family == "issuer"
		}
		if t, ok := typed[name]; ok {
			e.Value = t
		}
		e.Choices = p.choicesOf(name, e.Value, s.Desk.Country)
		if family == "document" || family == "issuer" {
			d.Documents = append(d.Documents, e)
		} else {
			d.Fields = append(d.Fields, e)
		}
	}
	var err error
	if d.NeedsDocument, err = s.required(k, d.Fields); err != nil {
		return err
	}
	if d.Stamp, err = s.stamp(p, k, id); err != nil {
		return err
	}
	return p.show(status, "people_edit", p.T("people.edit_title"), s.view(p, d))
}

// An editField is a line of the form.
type editField struct {
	Name, Word, Value string
	Document          string // key of its kind, for the number and issuer of one
	Choices           []choice
	Issuer            bool // the country of one
	Required          bool // something is to be known of it before a card
}

// save writes what was typed, beside what others have written meanwhile. Values that
// were left as they were shown are not touched.
func (s *People) save(p *Page, k *recordKind, id registry.ID) error {
	typed := map[string]string{}
	for _, name := range records.Fields(k.kind) {
		if _, sent := p.Form[name]; sent {
			typed[name] = p.Form.Get(name)
			if code, ok := registry.Language(typed[name]); ok && name == "language" { // as it was shown, by its name
				typed[name] = code
			}
		}
	}
	reason := p.Form.Get("reason")
	again := func(wrong template.HTML) error {
		f, err := s.Desk.Edit(p.Context(), p.Actor(), id, k.kind)
		if err != nil {
			return err
		}
		f.Seen = p.Form.Get("seen") // what is typed was made from that
		typed["reason"] = reason
		return s.form(p, k, http.StatusUnprocessableEntity, f, p.Form, typed, wrong)
	}
	if reason == "" {
		return again(p.T("people.why_needed"))
	}
	var out records.Outcome
	err := p.Do(func(ctx context.Context) (err error) {
		out, err = s.Desk.Save(ctx, p.Actor(), id, k.kind, p.Form.Get("seen"), typed, reason)
		return err
	})
	if wrong := s.wrong(p, err); wrong != "" {
		return again(wrong)
	}
	if err != nil {
		return err
	}
	s.at.leave(id, p.In.Account.ID)
	at := k.path + "/" + id.String()
	if back := backTo(p, p.Form, id, out.Set); back != "" {
		at = back
	}
	switch {
	case len(out.Rival) > 0:
		return p.Done(at, Note{Word: "people.saved_rivals", Fill: []any{"set", len(out.Set), "open", len(out.Rival)}})
	case len(out.Set) == 0:
		return p.Done(at, Note{Word: "people.saved_none"})
	}
	return p.Done(at, Note{Word: "people.saved", Fill: []any{"set", len(out.Set)}})
}

func fieldWord(column string) string {
	family, _, _ := strings.Cut(column, ".")
	if w := fieldWords[column]; w != "" {
		return w
	}
	if w := fieldWords[family]; w != "" {
		return w
	}
	return "people.field_other"
}

// decide ends what is undecided of a field.
func (s *People) decide(p *Page, k *recordKind, id registry.ID) error {
	err := p.Do(func(ctx context.Context) error {
		return s.Desk.Decide(ctx, p.Actor(), id, k.kind, p.Form.Get("field"), p.Form.Get("stands"), p.Form.Get("rival"))
	})
	if err != nil {
		return err
	}
	return p.Done(k.path+"/"+id.String(), Note{Word: "people.decided"})
}
