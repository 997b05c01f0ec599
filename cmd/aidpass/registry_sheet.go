package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// sheet is a record as a clerk reads it: a label and a line, in the order of a paper
// form. What a machine reads is printRecord's.
type sheet struct {
	head   string
	rows   [][2]string
	others []registry.ID // who else stands on it by name, for the audit log
}

// somebody is readSomebody of one who stands on the sheet of another.
func (s *sheet) somebody(v registry.View, id registry.ID) (somebody, error) {
	s.others = append(s.others, id)
	return readSomebody(v, id)
}

func (s *sheet) add(label, text string) {
	if text != "" {
		s.rows = append(s.rows, [2]string{label, text})
	}
}

func (s *sheet) write(w io.Writer) {
	fmt.Fprintln(w, s.head)
	last := ""
	for _, r := range s.rows {
		label := r[0]
		if label == last {
			label = "" // a list
		}
		last = r[0]
		fmt.Fprintf(w, "  %-14s %s\n", label, r[1])
	}
}

// sheetOf writes the sheet of a record; with now also what stands around it today:
// its household or members, its cards, and who it may be a double of.
func (o *org) sheetOf(ctx context.Context, rec registry.Record, members []registry.ID, now bool) (*sheet, error) {
	s := &sheet{head: fmt.Sprintf("%s %s", rec.Kind, rec.ID)}
	s.add("number", strings.TrimSpace(rec.External+" "+rec.Source))
	var issues []registry.Issue
	var err error
	switch rec.Kind {
	case registry.KindPerson:
		issues, err = o.personSheet(ctx, s, rec, now)
	case registry.KindHousehold:
		issues, err = o.householdSheet(ctx, s, rec, members)
	}
	if err != nil {
		return nil, err
	}
	if now {
		if err := o.around(ctx, s, rec.ID); err != nil {
			return nil, err
		}
	}
	open, err := rec.Undecided()
	if err != nil {
		return nil, err
	}
	for _, r := range open {
		s.add("undecided", fmt.Sprintf("%s: %s, as %s said at %s; what stands above was set meanwhile", r.Field, r.Text, r.By, r.At.UTC().Format(time.RFC3339)))
	}
	if len(open) > 0 && now {
		s.add("decided by", "aidpass registry decide "+rec.ID.String())
	}
	for _, i := range issues {
		text := i.Text
		if i.Blocking {
			text += " (no card until it is mended)"
		}
		s.add("to mend", text)
	}
	if len(issues) > 0 && now {
		s.add("mended by", "aidpass registry set "+rec.ID.String()+" FIELD=VALUE --reason CODE")
	}
	return s, nil
}

func (o *org) personSheet(ctx context.Context, s *sheet, rec registry.Record, now bool) ([]registry.Issue, error) {
	p, err := rec.Person()
	if err != nil {
		return nil, err
	}
	for _, n := range p.Names {
		text := n.Text
		if n.Type != "" && n.Type != "official" {
			text += " (" + n.Type + ")"
		}
		s.add("name", text)
	}
	s.status(p.Status)
	s.add("sex", sexWords[p.Sex])
	s.add("born", bornWords(p.Birth, o.a.Now()))
	s.add("origin", p.Origin)
	if !rec.Household.IsZero() {
		if err := o.home(ctx, s, rec, p.Relation, now); err != nil {
			return nil, err
		}
	} else {
		s.add("relation", p.Relation)
	}
	s.place(p.Location)
	for _, d := range p.Documents {
		s.add("document", strings.Join(strings.Fields(strings.ReplaceAll(d.Type, "_", " ")+" "+d.Country+" "+lastThree(d.Number)), " "))
	}
	s.contacts(p.Contacts)
	s.add("languages", strings.Join(p.Languages, " "))
	s.add("registered", p.Registered)
	s.consents(p.Consents)
	var face []string
	if p.CardFace != nil && p.CardFace.Name {
		face = append(face, "her name")
	}
	if p.CardFace != nil && p.CardFace.Photo {
		face = append(face, "her photograph")
	}
	s.add("on her card", strings.Join(face, " and "))
	if len(p.Photo) > 0 {
		s.add("photo", plural(len(p.Photo), "byte", "bytes"))
	}
	s.ext(p.Ext)
	return p.Issues, nil
}

// home tells the household of a person, and who lives with her.
func (o *org) home(ctx context.Context, s *sheet, rec registry.Record, relation string, now bool) error {
	if !now {
		s.add("household", rec.Household.String())
		s.add("relation", relation)
		return nil
	}
	return o.store.View(ctx, func(v registry.View) error {
		home, err := s.somebody(v, rec.Household)
		if err != nil {
			return err
		}
		text := rec.Household.String()
		if home.Number != "" {
			text += " (" + home.Number + ")"
		}
		if home.Closed != "" {
			text += ", closed: " + home.Closed
		}
		s.add("household", fmt.Sprintf("%s, %s", text, plural(home.Size, "person", "people")))
		s.add("relation", relation)
		members, err := v.Members(rec.Household)
		if err != nil {
			return err
		}
		for _, id := range members {
			if id != rec.ID {
				if err := s.member(v, "lives with", id); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// member tells a person of a household by name, number and year.
func (s *sheet) member(v registry.View, label string, id registry.ID) error {
	m, err := s.somebody(v, id)
	if err != nil {
		return err
	}
	m.Household = ""
	relation := ""
	if rec, err := v.Record(id); err == nil {
		p, err := rec.Person()
		if err != nil {
			return err
		}
		if p.Relation != "" {
			relation = ", " + p.Relation
		}
	} else if !errors.Is(err, registry.ErrErased) {
		return err
	}
	s.add(label, strings.TrimSpace(m.line()+relation)+"  "+m.ID)
	return nil
}

func (o *org) householdSheet(ctx context.Context, s *sheet, rec registry.Record, members []registry.ID) ([]registry.Issue, error) {
	h, err := rec.HouseholdRecord()
	if err != nil {
		return nil, err
	}
	s.status(h.Status)
	if h.Size > 0 {
		s.add("size", fmt.Sprint(h.Size))
	}
	for _, band := range slices.Sorted(maps.Keys(h.Bands)) {
		s.add("of them", fmt.Sprintf("%s: %d", band, h.Bands[band]))
	}
	err = o.store.View(ctx, func(v registry.View) error {
		for _, id := range members {
			if err := s.member(v, "member", id); err != nil {
				return err
			}
		}
		for _, named := range [][2]string{{"head", h.Head}, {"focal point", h.FocalPoint}} {
			if id, err := registry.ParseID(named[1]); err == nil {
				if err := s.member(v, named[0], id); err != nil {
					return err
				}
			}
		}
		for _, c := range h.Collectors {
			if err := s.collector(v, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.add("residence", h.Residence)
	s.add("origin", h.Origin)
	s.place(h.Location)
	s.contacts(h.Contacts)
	s.add("registered", h.Registered)
	s.consents(h.Consents)
	s.ext(h.Ext)
	return h.Issues, nil
}

func (s *sheet) collector(v registry.View, c registry.Collector) error {
	who := c.External
	if id, err := registry.ParseID(c.Person); err == nil {
		m, err := s.somebody(v, id)
		if err != nil {
			return err
		}
		m.Household = ""
		who = m.line()
	}
	until := ""
	switch {
	case c.Revoked != "":
		until = ", ended " + c.Revoked
	case c.To != "":
		until = ", until " + c.To
	}
	s.add("collector", c.Role+": "+who+until)
	return nil
}

// around adds the cards of a record, and the pairs that nobody has decided.
func (o *org) around(ctx context.Context, s *sheet, id registry.ID) error {
	cards, err := o.store.Cards(ctx, issuer.Selection{Units: []registry.ID{id}})
	if err != nil {
		return err
	}
	held, err := o.holdings(ctx, cards)
	if err != nil {
		return err
	}
	for i := range held {
		s.add("card", held[i].line())
	}
	return o.store.View(ctx, func(v registry.View) error {
		pairs, err := v.DoublesOf(id)
		if err != nil {
			return err
		}
		for _, d := range registry.Pairs(pairs) {
			if d.Decided != "" {
				continue
			}
			other := d.A
			if other == id {
				other = d.B
			}
			m, err := s.somebody(v, other)
			if err != nil {
				return err
			}
			s.add("maybe also", fmt.Sprintf("%s  %s (%s)", m.ID, m.line(), whyWords[d.Whys[len(d.Whys)-1]]))
		}
		return nil
	})
}

func (s *sheet) status(status *registry.Status) {
	if status == nil {
		return
	}
	s.add("status", strings.Join(strings.Fields(status.State+" "+status.Reason+" "+status.Date), " "))
	if status.Into != "" {
		s.add("goes on as", status.Into)
	}
}

func (s *sheet) place(l *registry.Location) {
	if l != nil {
		s.add("place", strings.Join(strings.Fields(strings.Join([]string{l.PCode, l.Site, l.Address, l.Country}, " ")), " "))
	}
}

func (s *sheet) contacts(list []registry.Contact) {
	for _, c := range list {
		text := c.Value
		if c.Whose != "" {
			text += " (" + c.Whose + ")"
		}
		s.add(c.Kind, text)
	}
}

func (s *sheet) ext(ext map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(ext)) {
		s.add("ext."+name, ext[name])
	}
}

// consents tells each answer in words: what was asked, what was said, when and how.
func (s *sheet) consents(list []registry.Consent) {
	for _, c := range list {
		what, known := purposeWords[c.Purpose]
		if !known {
			what = strings.ReplaceAll(c.Purpose, "_", " ")
		}
		answer := "no"
		if c.Given {
			answer = "yes"
		}
		text := what + ": " + answer
		if len(c.Recipients) > 0 {
			text += ", with " + strings.Join(c.Recipients, " ")
		}
		for _, more := range [][2]string{{" on ", c.On}, {", ", c.How}, {", until ", c.Expires}, {", taken back ", c.Withdrawn}} {
			if more[1] != "" {
				text += more[0] + more[1]
			}
		}
		s.add("consent", text)
	}
}

var purposeWords = map[string]string{
	"registration": "to be registered, as the notice says", "sharing": "to be told to others", registry.NameOnCard: "name on the card", registry.PhotoOnCard: "photograph on the card",
}

var sexWords = map[string]string{registry.Female: "female", registry.Male: "male", registry.Another: "other", registry.NotSaid: "not said"}

// bornWords tells a birth as precisely as it is known, with the age on a day.
func bornWords(b *registry.Birth, at time.Time) string {
	if b == nil {
		return ""
	}
	text := strings.TrimRight(b.EDTF, "~?%")
	switch b.Precision {
	case registry.PrecisionDay:
		if t, err := time.Parse(time.DateOnly, text); err == nil {
			text = t.Format("2 January 2006")
		}
	case registry.PrecisionMonth:
		if t, err := time.Parse("2006-01", text); err == nil {
			text = t.Format("January 2006")
		}
	case registry.PrecisionDecade:
		text = strings.TrimSuffix(text, "X") + "0s"
	}
	if text == "" {
		return "not known"
	}
	if b.Estimated {
		text = "about " + text
	}
	switch least, most, known := b.Age(at); {
	case !known:
	case least == most:
		text += fmt.Sprintf(", %d years old", least)
	default:
		text += fmt.Sprintf(", %d to %d years old", least, most)
	}
	return text
}

// lastThree masks the number of a document: enough to compare with the paper.
func lastThree(number string) string {
	n := utf8.RuneCountInString(number)
	if n <= 3 {
		return "***"
	}
	return "***" + string([]rune(number)[n-3:])
}
