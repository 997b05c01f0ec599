package console

import (
	"context"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
)

// The form of an agreement: each of its members by the name that its file has for it.

const maxShared = 200 // fields of an agreement

func draftFields() []Field {
	return []Field{Text("id", 40), Text("with.id", 40), Text("with.name", 100), Text("with.kind", 20), Text("with.country", 60), Text("with.issuer", 200), Text("with.contact", 200),
		Text("purpose", 20), Text("basis", 20), Many("fields", 60, maxShared), Text("columns", 1000), Text("areas", 4000), Text("levels", 400), Text("numbers", 3), Text("exclude_origin", 1000), Text("no_exclusion", 200),
		Text("from", 10), Text("until", 10), Text("retention_days", 5), Text("reason", 200)}
}

// draftWords are what the form calls the members of an agreement.
var draftWords = map[string]string{
	"id": "agreements.id", "with.id": "agreements.party_id", "with.name": "agreements.name", "with.kind": "agreements.kind", "with.country": "agreements.country", "with.issuer": "agreements.issuer_id",
	"with.contact": "agreements.contact", "purpose": "agreements.purpose", "basis": "agreements.basis", "fields": "agreements.fields", "areas": "agreements.areas", "levels": "agreements.levels", "exclude_origin": "agreements.excluded",
	"no_exclusion": "agreements.no_exclusion", "from, until": "agreements.time", "until": "agreements.time", "retention_days": "agreements.retention", "why": "agreements.reason",
}

// draftData is the form, filled by a file or empty.
type draftData struct {
	Agreement rights.Agreement
	Wrong     template.HTML      `json:"-"` // what is to be mended
	Reason    string             `json:"-"`
	Groups    []fieldGroup       `json:"-"`
	Columns   string             `json:"-"` // of the list's own, that have no box
	Kinds     []rights.PartyKind `json:"-"`
	Purposes  []rights.Purpose   `json:"-"`
	Bases     []rights.Basis     `json:"-"`
}

// A fieldGroup is a part of the boxes for fields.
type fieldGroup struct {
	Word string
	Open bool
	Box  []fieldBox
}

type fieldBox struct {
	Field string
	Name  template.HTML
	Has   bool
	Grave bool // it can hurt somebody by itself
}

func (d draftData) List(items []string) string { return strings.Join(items, " ") }

// fieldGroups are the boxes of all fields that an agreement can name; those that has has
// are ticked. Fields of no box are columns of a list's own.
func fieldGroups(p *Page, has []string) (groups []fieldGroup, columns []string) {
	groups = []fieldGroup{{Word: "agreements.group_person", Open: true}, {Word: "agreements.group_household"}, {Word: "agreements.group_contact"}, {Word: "agreements.group_documents"}, {Word: "agreements.group_ages"}}
	known := map[string]bool{}
	for _, f := range append(export.Fields(), export.Field{Name: rights.PhotoField, Of: "person", Sealed: true}) {
		if f.Name == "list" || f.Name == "household_list" { // go with the numbers
			continue
		}
		head, _, dotted := strings.Cut(f.Name, ".")
		group := 0
		switch {
		case dotted && head == "band":
			group = 4
		case dotted:
			group = 3
		case slices.Contains([]string{"phone", "phone_2", "who_answers", "email", "address"}, f.Name):
			group = 2
		case f.Of != "person" && f.Name != "origin" && f.Name != "registered":
			group = 1
		}
		known[f.Name] = true
		ticked := slices.Contains(has, f.Name)
		g := &groups[group]
		g.Open = g.Open || ticked
		g.Box = append(g.Box, fieldBox{f.Name, p.sharedField(f.Name), ticked, f.Sealed})
	}
	for _, f := range has {
		if !known[f] {
			columns = append(columns, strings.TrimPrefix(f, "ext."))
		}
	}
	return groups, columns
}

// drafting is the form as an agreement fills it.
func drafting(p *Page, a rights.Agreement) draftData {
	d := draftData{Agreement: a, Kinds: []rights.PartyKind{rights.Humanitarian, rights.Government, rights.Private}, Purposes: rights.SharedPurposes(), Bases: []rights.Basis{rights.ByConsent, rights.ByNotice}}
	var columns []string
	d.Groups, columns = fieldGroups(p, a.Fields)
	d.Columns = strings.Join(columns, " ")
	return d
}

// blank is a form in which nothing is chosen: neither a purpose nor a basis is usual.
func (s *Agreements) blank(p *Page) error {
	return p.Show("agreements_new", "agreements.new", drafting(p, rights.Agreement{From: s.now().UTC().Format(time.DateOnly), RetentionDays: 90}))
}

// read fills the form from a file.
func (s *Agreements) read(p *Page) error {
	raw, err := readOne(p, "file", rights.MaxAgreementBytes)
	if err != nil {
		return err
	}
	if raw == nil {
		return BadForm("agreements.no_file")
	}
	a, err := rights.ParseAgreement(raw)
	if err != nil {
		return refusedAgreement(p, err)
	}
	return p.Show("agreements_new", "agreements.new", drafting(p, a))
}

// items are the words of a list that somebody typed.
func items(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;،؛ \t\n", r) })
}

// countriesOf are the codes of countries that somebody typed, by code or name.
func countriesOf(text string) (codes []string) {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;،؛\n", r) }) {
		if _, one := registry.Country(part); one {
			codes = append(codes, oneCountry(part))
			continue
		}
		for _, word := range items(part) {
			codes = append(codes, oneCountry(word))
		}
	}
	return codes
}

// oneCountry is the code of a country; what is none stays as it is, for Check to refuse.
func oneCountry(text string) string {
	if code, ok := registry.Country(text); ok {
		return code
	}
	return text
}

// typedAgreement is the agreement that a form says.
func typedAgreement(f Form) (a rights.Agreement, err error) {
	days, err := strconv.Atoi(digits(f.Get("retention_days")))
	if err != nil {
		days = 0 // which Check refuses by its name
	}
	a = rights.Agreement{ID: f.Get("id"), Purpose: rights.Purpose(f.Get("purpose")), Basis: rights.Basis(f.Get("basis")), Fields: f.All("fields"), Areas: items(strings.ToUpper(f.Get("areas"))),
		Levels:  items(strings.ToUpper(f.Get("levels"))),
		With:    rights.Party{ID: f.Get("with.id"), Name: f.Get("with.name"), Kind: rights.PartyKind(f.Get("with.kind")), Country: oneCountry(f.Get("with.country")), Issuer: f.Get("with.issuer"), Contact: f.Get("with.contact")},
		Numbers: f.Get("numbers") == "yes", ExcludeOrigin: countriesOf(f.Get("exclude_origin")), NoExclusion: f.Get("no_exclusion"), From: f.Get("from"), Until: f.Get("until"), RetentionDays: days}
	for _, column := range items(f.Get("columns")) {
		a.Fields = append(a.Fields, "ext."+column)
	}
	for _, field := range a.Fields {
		if !export.Known(field) {
			return a, BadForm("agreements.refused", "field", field, "why", Said("agreements.no_field"))
		}
	}
	return a, nil
}

// again is the form as it was filled, with what is wrong with it.
func (s *Agreements) again(p *Page, a rights.Agreement, err error) error {
	return p.Mend(err, func(wrong template.HTML) error {
		a.With.Country, a.ExcludeOrigin = p.Form.Get("with.country"), []string{p.Form.Get("exclude_origin")} // as they were typed, and not as they were read
		a.Areas, a.Levels = []string{p.Form.Get("areas")}, []string{p.Form.Get("levels")}
		d := drafting(p, a)
		d.Wrong, d.Reason, d.Columns = wrong, p.Form.Get("reason"), p.Form.Get("columns")
		return p.show(http.StatusUnprocessableEntity, "agreements_new", p.T("agreements.new"), d)
	})
}

// ask asks a second account for an agreement.
func (s *Agreements) ask(p *Page) error {
	a, err := typedAgreement(p.Form)
	if err != nil {
		return s.again(p, a, err)
	}
	if p.Form.Get("reason") == "" {
		return s.again(p, a, BadForm("agreements.refused", "field", p.T("agreements.ask_why"), "why", Said("agreements.denied_why")))
	}
	if err := s.Desk.Draft(p.Context(), a); err != nil {
		return s.again(p, a, refusedAgreement(p, err))
	}
	names, err := s.places(p)
	if err != nil {
		return err
	}
	if sample, other := rights.Unpadded(a.Areas, a.Levels, rights.PlaceCodes(slices.Sorted(maps.Keys(names)))); sample != "" {
		return s.again(p, a, BadForm("agreements.refused", "field", p.T("agreements.levels"), "why", p.T("agreements.denied_other_length", "sample", sample, "other", other)))
	}
	payload, err := a.Payload()
	if err != nil {
		return err
	}
	var made access.Approval
	err = p.Do(func(ctx context.Context) (err error) {
		made, err = s.Door.Ask(ctx, p.In, access.Request{Act: access.AgreementMake, Object: a.ID, Payload: payload, Reason: p.Form.Get("reason")})
		return err
	})
	if err != nil {
		return err
	}
	return p.Done("/approvals/"+made.ID, Note{Word: "agreements.asked"})
}

// refusedAgreement says on a page what is wrong with an agreement: the field as the form
// calls it, and why.
func refusedAgreement(p *Page, err error) error {
	var refusal *rights.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	field, _, named := strings.Cut(programSays(refusal), ": ")
	word := draftWords[field]
	if !named || word == "" {
		word = "agreements.the_agreement"
	}
	return denied("agreements.refused", refusal, "field", p.T(word))
}

// denied says on a page what package rights refuses: why in the reader's language, and
// what the program says for whoever helps.
func denied(word string, r *rights.Refusal, fill ...any) error {
	f := BadForm(word, append(fill, "why", Said("agreements.denied_"+r.Code))...)
	f.Detail = programSays(r)
	return f
}

func programSays(r *rights.Refusal) string { return strings.TrimPrefix(r.Error(), "rights: ") }
