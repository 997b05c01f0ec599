package console

import (
	"context"
	"encoding/json"
	"html/template"
	"maps"
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// Was and Became say what a change took away and what it brought, in words: of a list, such
// as the answers of a person, only what differs. gone: a photograph stood there that was
// destroyed.
func (d *peopleData) Was(field string, from, to any, gone bool) template.HTML {
	if gone {
		return d.p.T("people.photo_destroyed")
	}
	return d.told(field, without(from, to))
}
func (d *peopleData) Became(field string, from, to any, gone bool) template.HTML {
	if gone {
		return d.p.T("people.photo_destroyed")
	}
	return d.told(field, without(to, from))
}

// without is a value without those items of its list that another one has too.
func without(v, other any) any {
	list, ok := v.([]any)
	others, both := other.([]any)
	if !ok || !both {
		return v
	}
	text := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	have := map[string]bool{}
	for _, item := range others {
		have[text(item)] = true
	}
	list = slices.DeleteFunc(slices.Clone(list), func(item any) bool { return have[text(item)] })
	if len(list) == 0 {
		return nil
	}
	return list
}

// as reads a value of a record's history as what it is of.
func as[T any](v any) (out T, ok bool) {
	b, err := json.Marshal(v)
	return out, err == nil && json.Unmarshal(b, &out) == nil
}

// told says a value of a record's history. Numbers of documents are masked.
func (d *peopleData) told(field string, v any) template.HTML {
	p := d.p
	switch v := v.(type) {
	case nil:
		return "–"
	case string:
		return d.Text(field, v)
	case []byte:
		return p.T("people.told_photo", "size", (len(v)+1023)/1024)
	case []any:
		parts := make([]template.HTML, 0, len(v))
		for _, item := range v {
			parts = append(parts, d.told(field, item))
		}
		return under(parts)
	case map[string]any:
		if said, ok := d.item(field, v); ok {
			return said
		}
		var parts []template.HTML
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, p.T("people.told_pair", "name", d.name(field, name), "value", d.told("", v[name])))
		}
		return under(parts)
	}
	return p.T("people.code", "code", d.value(field, v))
}

// under are parts under each other.
func under(parts []template.HTML) (all template.HTML) {
	for i, s := range parts {
		if i > 0 {
			all += "<br>"
		}
		all += s
	}
	return all
}

// name is the word for a member of a value: an age group, or what a list called a column.
func (d *peopleData) name(field, member string) template.HTML {
	if field == "bands" {
		return d.Band(member)
	}
	return d.p.T("people.code", "code", member)
}

// item says a value that has parts.
func (d *peopleData) item(field string, v map[string]any) (said template.HTML, ok bool) {
	p := d.p
	text := func(s string) template.HTML { return p.T("people.code", "code", s) }
	switch field {
	case "names":
		n, ok := as[registry.Name](v)
		if n.Type == "" || n.Type == registry.Official {
			return text(n.Text), ok
		}
		return p.T("people.told_pair", "name", d.Say("name", n.Type), "value", n.Text), ok
	case "birth":
		b, ok := as[registry.Birth](v)
		return d.Born(&b), ok
	case "contacts":
		c, ok := as[registry.Contact](v)
		return text(c.Value), ok
	case "documents":
		doc, ok := as[registry.Document](v)
		return d.document(doc), ok
	case "location":
		l, ok := as[registry.Location](v)
		return text(d.Place(&l)), ok
	case "consents":
		c, ok := as[registry.Consent](v)
		return d.Answer(c), ok
	case "collectors":
		c, ok := as[registry.Collector](v)
		parts := []template.HTML{p.T("people.told_pair", "name", d.Say("role", c.Role), "value", d.onRecord(c.Person, c.External))}
		if c.To != "" {
			parts = append(parts, p.T("people.told_until", "day", p.Day(c.To)))
		}
		if c.Revoked != "" {
			parts = append(parts, p.T("people.told_taken", "day", p.Day(c.Revoked)))
		}
		return sentences(parts), ok
	case "status":
		st, ok := as[registry.Status](v)
		if st.Living() {
			return p.T("people.told_in_use"), ok
		}
		said = d.Say("closed", st.Reason)
		if st.Date != "" {
			said += ", " + p.Day(st.Date)
		}
		return said, ok
	case "issues":
		i, ok := as[registry.Issue](v)
		return d.Issue(i), ok
	case "card_face":
		f, ok := as[registry.CardFace](v)
		parts := []template.HTML{}
		if f.Name {
			parts = append(parts, d.Say("purpose", registry.NameOnCard))
		}
		if f.Photo {
			parts = append(parts, d.Say("purpose", registry.PhotoOnCard))
		}
		if len(parts) == 0 {
			parts = append(parts, p.T("people.told_neutral"))
		}
		return under(parts), ok
	case registry.UndecidedField:
		r, ok := as[registry.Rival](v)
		return p.T("people.told_rival", "field", d.Field(r.Field), "value", d.Text(r.Field, r.Text), "by", r.By), ok
	}
	return "", false
}

// Text says a value of one line: what a code means, and everything else as it is.
func (d *peopleData) Text(field, text string) template.HTML {
	p := d.p
	family, _, _ := strings.Cut(field, ".")
	switch {
	case text == "":
		return "–"
	case codeWords[family] != nil && codeWords[family][text] != "" && family != "document" && family != "name":
		return d.Say(family, text)
	case family == "country", family == "origin", family == "issuer":
		text = p.Country(text)
	case family == "language", family == "languages":
		var names []string
		for _, code := range strings.Fields(text) {
			names = append(names, p.Spoken(code))
		}
		text = strings.Join(names, ", ")
	case family == "registered":
		return p.Day(text)
	case family == "document":
		text = d.Masked(text)
	case family == "head", family == "focal_point":
		return d.onRecord(text, "")
	case family == "household", field == "unit.household":
		if id, err := registry.ParseID(text); err == nil {
			return template.HTML(`<a href="`+Root+`/households/`+id.String()+`">`) + p.T("people.told_record") + "</a>"
		}
	}
	return p.T("people.code", "code", text)
}

// onRecord is somebody whom a value names: by a link where she is on record.
func (d *peopleData) onRecord(person, name string) template.HTML {
	if id, err := registry.ParseID(person); err == nil {
		return template.HTML(`<a href="`+Root+`/people/`+id.String()+`">`) + d.p.T("people.told_somebody") + "</a>"
	}
	return d.p.T("people.code", "code", name)
}

// document says which one somebody has, its number masked.
func (d *peopleData) document(doc registry.Document) template.HTML {
	said := d.Say("document", doc.Type)
	if doc.Country != "" {
		said += ", " + d.p.T("people.code", "code", d.p.Country(doc.Country))
	}
	return said + ", " + d.p.T("people.code", "code", d.Masked(doc.Number))
}

// Issue says what is open of a record.
func (d *peopleData) Issue(i registry.Issue) template.HTML {
	if word := "imports.code_" + i.Code; d.p.Says(word) {
		return d.p.T(word)
	}
	return template.HTML(`<bdi lang="en">` + template.HTMLEscapeString(i.Text) + `</bdi>`)
}

// Answer says in sentences who said what to whom, when and how.
func (d *peopleData) Answer(c registry.Consent) template.HTML {
	p := d.p
	who := Said("people.told_by_list")
	switch c.By {
	case "self":
		who = "people.told_by_self"
	case "caregiver":
		who = "people.told_by_caregiver"
	}
	answer := func(yes bool, to []string) template.HTML {
		word := map[bool]string{true: "people.told_yes", false: "people.told_no"}[yes]
		if c.On != "" {
			word = map[bool]string{true: "people.told_yes_on", false: "people.told_no_on"}[yes]
		}
		said := p.T(word, "by", who, "purpose", p.Purpose(c.Purpose), "day", p.Day(c.On))
		if len(to) > 0 {
			said = sentences([]template.HTML{said, p.T("people.told_to", "to", p.T("people.code", "code", strings.Join(d.parties(to), ", ")))})
		}
		return said
	}
	var parts []template.HTML
	if len(c.Recipients) > 0 || len(c.Declined) == 0 {
		parts = append(parts, answer(c.Given, c.Recipients))
	}
	if len(c.Declined) > 0 {
		parts = append(parts, answer(false, c.Declined))
	}
	if c.Who != "" {
		parts = append(parts, p.T("consent.said_by", "who", d.onRecord(c.Who, "")))
	}
	if word := (answerRow{Consent: c}).HowWord(); word != "" {
		parts = append(parts, p.T("people.told_how", "how", p.T(word)))
	}
	if c.Lang != "" {
		word := "people.told_lang"
		if c.ReadAloud {
			word = "people.told_aloud"
		}
		parts = append(parts, p.T(word, "language", p.Spoken(c.Lang)))
	}
	for _, one := range []struct{ word, who string }{{"people.told_witness", c.Witness}, {"people.told_interpreter", c.Interpreter}} {
		if one.who != "" {
			parts = append(parts, p.T(one.word, "who", one.who))
		}
	}
	if c.Withdrawn != "" {
		parts = append(parts, p.T("people.told_taken", "day", p.Day(c.Withdrawn)))
	}
	if c.Expires != "" {
		parts = append(parts, p.T("people.told_until", "day", p.Day(c.Expires)))
	}
	return sentences(parts)
}

// parties are what recipients are called; one of no agreement goes by its id.
func (d *peopleData) parties(ids []string) (names []string) {
	for _, id := range ids {
		if name := d.Parties[id]; name != "" {
			id = name
		}
		names = append(names, id)
	}
	return names
}

// parties are what recipients are called, by the id that answers name them by.
func (s *People) parties(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	if s.Notice == nil {
		return names, nil
	}
	all, err := s.Notice.Agreements(ctx)
	for _, a := range all {
		names[a.With.ID] = a.With.Name
	}
	return names, err
}

// Band is an age group of one sex; one of a list's own goes by its name.
func (d *peopleData) Band(name string) template.HTML {
	band, women := strings.CutPrefix(name, "f_")
	if !women {
		if _, men := strings.CutPrefix(name, "m_"); !men {
			return d.p.T("people.code", "code", name)
		}
	}
	if strings.Trim(strings.TrimPrefix(band, "m_"), "0123456789_p") != "" {
		return d.p.T("people.code", "code", name)
	}
	return d.p.sharedField("band." + name)
}
