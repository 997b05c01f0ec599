package rights

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/words"
)

// Held is all that is held about one person or household, and who received it: the
// page that she may ask for (DOMAIN 8.2, R9). Who looked at it is the audit log's.
type Held struct {
	Record    registry.Record
	Person    *registry.Person // nil: the record is a household's
	Household *registry.Household
	Members   int            // of a household, on record
	Met       []registry.Met // when somebody met her, or her household: the latest
	Due       []registry.Entitlement
	Shares    []Share
	Recalls   []Recall
	Requests  []Request
	Verified  []Verified // her exercises and her household's, oldest first
	// Agreements by id: those of Shares.
	Agreements map[string]Agreement
	Parties    map[string]string // names by the ids that answers have, of every agreement
}

// Held reads it. The caller enters in the log that it was read: a page is "rights.print".
func (d *Desk) Held(ctx context.Context, id registry.ID) (h Held, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		if h.Record, err = v.Record(id); err != nil {
			return err
		}
		units := []registry.ID{id}
		home := h.Record
		if h.Record.Kind == registry.KindPerson {
			p, err := h.Record.Person()
			if err != nil {
				return err
			}
			h.Person = &p
			if !h.Record.Household.IsZero() {
				if home, err = v.Record(h.Record.Household); err != nil && !errors.Is(err, registry.ErrErased) {
					return err
				}
				units = append(units, h.Record.Household)
			}
		}
		if h.Met, err = h.Record.Mets(); err != nil {
			return err
		}
		if home.Kind == registry.KindHousehold && home.ID != id {
			more, err := home.Mets()
			if err != nil {
				return err
			}
			h.Met = append(h.Met, more...)
		}
		if home.Kind == registry.KindHousehold {
			house, err := home.HouseholdRecord()
			if err != nil {
				return err
			}
			h.Household = &house
			members, err := v.Members(home.ID)
			if err != nil {
				return err
			}
			h.Members = len(members)
		}
		if h.Due, err = dueOf(v, units); err != nil {
			return err
		}
		every, err := readPapers[Agreement](v, kindAgreement, registry.ID{})
		if err != nil {
			return err
		}
		h.Parties = map[string]string{}
		for i := range every {
			h.Parties[every[i].With.ID] = every[i].With.Name
		}
		h.Agreements = map[string]Agreement{}
		seen := map[string]bool{}
		for _, unit := range units {
			shares, err := SharesOf(v, unit)
			if err != nil {
				return err
			}
			for _, s := range shares {
				if seen[s.ID] || s.Void { // nobody got it
					continue
				}
				seen[s.ID] = true
				h.Shares = append(h.Shares, s)
				if s.Agreement != "" {
					if h.Agreements[s.Agreement], err = AgreementIn(v, s.Agreement); err != nil {
						return err
					}
				}
			}
		}
		slices.SortStableFunc(h.Shares, func(a, b Share) int { return a.At.Compare(b.At) })
		if h.Recalls, err = readPapers[Recall](v, kindRecall, id); err != nil {
			return err
		}
		if h.Requests, err = readPapers[Request](v, kindRequest, id); err != nil {
			return err
		}
		h.Verified, err = verifiedOf(v, units)
		return err
	})
	return h, err
}

func dueOf(v View, units []registry.ID) (all []registry.Entitlement, err error) {
	programmes, err := v.Programmes()
	if err != nil {
		return nil, err
	}
	for _, p := range programmes {
		for _, r := range p.Rounds {
			for _, unit := range units {
				e, err := v.Entitlement(unit, p.Code, r.N)
				if errors.Is(err, registry.ErrNotFound) {
					continue
				}
				if err != nil {
					return nil, err
				}
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// A Section is a part of a page: lines with what belongs to them, which may be empty.
type Section struct {
	Title string
	Lines [][2]string
}

// A Page tells somebody in her language what is held.
type Page struct {
	Title    string
	Lead     []string
	Sections []Section
	Foot     []string
}

// Page says it in a language of Tags. org is the organisation's name in it; cards are the
// numbers of her cards; complain is where to complain, empty for the desks alone.
func (h *Held) Page(lang *words.Catalogue, org string, cards []string, complain string, now time.Time) Page {
	c := texts(lang)
	page := Page{Title: c.Text("title"), Lead: []string{c.Fill("lead", "organisation", org), c.Fill("record", "number", h.Record.ID.String()), c.Fill("made", "date", dayIn(c, now))}}
	held := Section{Title: c.Text("held")}
	add := func(label string, values ...string) {
		for _, value := range values {
			if value != "" {
				held.Lines = append(held.Lines, [2]string{c.Text("f." + label), value})
			}
		}
	}
	add("number", strings.TrimSpace(h.Record.External+" "+h.Record.Source))
	if h.Person != nil {
		h.person(c, add)
	}
	if h.Household != nil {
		h.household(c, add)
	}
	for _, m := range h.Met {
		add("met", strings.Join(present(dayIn(c, m.At), codeIn(c, "met", string(m.How)), m.Desk), " · "))
	}
	add("card", cards...)
	for _, e := range h.Due {
		add("due", dueText(c, e))
	}
	said := Section{Title: c.Text("said")}
	for _, a := range h.answers() {
		said.Lines = append(said.Lines, h.answerLines(c, a)...)
	}
	got := Section{Title: c.Text("received")}
	for i := range h.Shares {
		s := &h.Shares[i]
		line := [2]string{dayIn(c, s.At) + "  " + c.Fill("to", "who", s.recipientIn(c, org), "purpose", purposeIn(c, string(s.Purpose))), c.Fill("of", "fields", fieldsIn(c, s.Fields))}
		if a, ok := h.Agreements[s.Agreement]; ok {
			line[1] += " · " + c.Fill("under", "agreement", a.ID, "date", dayIn(c, s.At.AddDate(0, 0, a.RetentionDays)), "contact", a.With.Contact)
		}
		got.Lines = append(got.Lines, line)
	}
	for i := range h.Recalls {
		r := &h.Recalls[i]
		state := c.Text("recall.open")
		if r.Outcome != "" {
			state = c.Text("recall." + strings.ReplaceAll(string(r.Outcome), "-", "_"))
		}
		got.Lines = append(got.Lines, [2]string{dayIn(c, r.At) + "  " + c.Fill("recalled", "who", r.Name), state})
	}
	asked := Section{Title: c.Text("asked")}
	for i := range h.Requests {
		r := &h.Requests[i]
		state := c.Fill("request.open", "date", dayIn(c, r.Due))
		if !r.Open() {
			state = c.Text("request.refused")
			if r.Done {
				state = c.Text("request.done")
			}
			state = strings.TrimSpace(state + " " + oneLine(r.Answer))
		}
		asked.Lines = append(asked.Lines, [2]string{dayIn(c, r.At) + "  " + c.Text("demand."+string(r.Demand)) + " " + oneLine(r.Text), state})
	}
	for _, s := range []Section{held, said, got, asked, h.verified(c)} {
		if len(s.Lines) == 0 {
			s.Lines = [][2]string{{c.Text("nothing"), ""}}
		}
		page.Sections = append(page.Sections, s)
	}
	page.Foot = []string{c.Text("rights"), c.Text("complain")}
	if complain != "" {
		page.Foot = append(page.Foot, complain)
	}
	return page
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (h *Held) person(c *words.Catalogue, add func(string, ...string)) {
	p := h.Person
	for _, n := range p.Names {
		add("name", n.Text)
	}
	if p.Sex != "" {
		add("sex", c.Text("sex."+p.Sex))
	}
	if p.Birth != nil {
		add("birth", bornIn(c, p.Birth))
	}
	add("origin", registry.CountryIn(c.Tag(), p.Origin))
	add("relation", codeIn(c, "rel", p.Relation))
	for _, d := range p.Documents {
		add("document", strings.Join(present(codeIn(c, "doc", d.Type), registry.CountryIn(c.Tag(), d.Country), d.Number), " · "))
	}
	contacts(p.Contacts, add)
	spoken := make([]string, len(p.Languages))
	for i, code := range p.Languages {
		spoken[i] = registry.LanguageIn(c.Tag(), code)
	}
	add("language", strings.Join(spoken, ", "))
	place(c, p.Location, add)
	if len(p.Photo) > 0 {
		add("photo", c.Text("yes"))
	}
	if p.CardFace != nil {
		var on []string
		if p.CardFace.Name {
			on = append(on, c.Text("f.name"))
		}
		if p.CardFace.Photo {
			on = append(on, c.Text("f.photo"))
		}
		add("face", strings.Join(on, ", "))
	}
	status(c, p.Status, add)
	add("registered", dayText(c, p.Registered))
	ext(p.Ext, add)
}

func (h *Held) household(c *words.Catalogue, add func(string, ...string)) {
	house := h.Household
	size := house.Size
	if size == 0 {
		size = h.Members
	}
	add("size", strconv.Itoa(size))
	for _, band := range slices.Sorted(maps.Keys(house.Bands)) {
		add("bands", fmt.Sprintf("%s: %d", bandIn(c, band), house.Bands[band]))
	}
	place(c, house.Location, add)
	add("residence", codeIn(c, "res", house.Residence))
	add("origin", registry.CountryIn(c.Tag(), house.Origin))
	contacts(house.Contacts, add)
	for _, one := range house.Collectors {
		if one.Revoked == "" && one.External != "" {
			add("collector", one.External)
		}
	}
	status(c, house.Status, add)
	add("registered", dayText(c, house.Registered))
	ext(house.Ext, add)
}

func place(c *words.Catalogue, l *registry.Location, add func(string, ...string)) {
	if l != nil {
		add("place", strings.Join(present(l.Site, l.Address, l.PCode, registry.CountryIn(c.Tag(), l.Country)), " · "))
	}
}

func contacts(list []registry.Contact, add func(string, ...string)) {
	for _, k := range list {
		add("contact", strings.Join(present(k.Value, k.Whose), " · "))
	}
}

func status(c *words.Catalogue, s *registry.Status, add func(string, ...string)) {
	if s != nil && s.State != "" && s.State != "active" {
		add("status", strings.Join(present(codeIn(c, "state", s.State), codeIn(c, "why", s.Reason), dayText(c, s.Date)), " · "))
	}
}

func ext(columns map[string]string, add func(string, ...string)) {
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		add("other", name+": "+columns[name])
	}
}

func present(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

// answers are hers, and behind them those of her household.
func (h *Held) answers() (all []registry.Consent) {
	if h.Person != nil {
		all = h.Person.Consents
	}
	if h.Household != nil {
		all = append(slices.Clone(all), h.Household.Consents...)
	}
	return all
}

// howIn says how an answer was given; what a list calls it otherwise stays as it is.
func howIn(c *words.Catalogue, how string) string {
	key := map[string]string{"signature": "signature", "thumb": "thumb", "verbal+witness": "verbal", "form": "form", "withdrawal": "withdrawal"}[how]
	if key == "" {
		return how
	}
	return c.Text("how." + key)
}

func (h *Held) answerLines(c *words.Catalogue, a registry.Consent) (lines [][2]string) {
	on := dayText(c, a.On)
	if on != "" {
		on += "  "
	}
	beneath := present(howIn(c, a.How))
	if a.ReadAloud && a.Lang != "" {
		beneath = append(beneath, c.Fill("read_in", "language", registry.LanguageIn(c.Tag(), a.Lang)))
	}
	if a.Withdrawn != "" {
		beneath = append(beneath, c.Fill("taken", "date", dayText(c, a.Withdrawn)))
	}
	if a.Expires != "" {
		beneath = append(beneath, c.Fill("until", "date", dayText(c, a.Expires)))
	}
	say := func(key, who string) {
		lines = append(lines, [2]string{on + c.Fill(key, "who", who, "purpose", purposeIn(c, a.Purpose)), strings.Join(beneath, " · ")})
	}
	if a.Given && len(a.Recipients) > 0 {
		say("yes.to", h.partiesIn(c, a.Recipients))
	}
	no := a.Declined
	if !a.Given {
		no = slices.Concat(a.Recipients, no)
	}
	if len(no) > 0 {
		say("no.to", h.partiesIn(c, no))
	}
	if len(a.Recipients)+len(a.Declined) == 0 {
		if a.Given {
			say("yes.all", "")
		} else {
			say("no.all", "")
		}
	}
	return lines
}

func dueText(c *words.Catalogue, e registry.Entitlement) string {
	parts := []string{c.Fill("round", "programme", e.Programme, "n", strconv.FormatUint(e.Round, 10))}
	if e.Amount != "" {
		parts = append(parts, e.Amount+" "+e.Currency)
	}
	for _, i := range e.Items {
		parts = append(parts, strings.Join(present(i.Code, i.Qty, i.Unit), " "))
	}
	return strings.Join(append(parts, c.Text("due."+string(e.Status))), " · ")
}

func (s *Share) recipientIn(c *words.Catalogue, org string) string {
	if s.Agreement == "" {
		return c.Fill("own", "organisation", org)
	}
	return s.Name
}

// purposeIn is a purpose in words; one of a list's own stays as it is.
func purposeIn(c *words.Catalogue, p string) string {
	key := "p." + p
	if text := c.Text(key); text != key {
		return text
	}
	return p
}

// fieldsIn are the kinds of fields of a file in words, each once.
func fieldsIn(c *words.Catalogue, fields []string) string {
	var said []string
	for _, f := range fields {
		if text := c.Text("f." + kindOf(f)); !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return strings.Join(said, ", ")
}

// kindOf is what a field of package export tells of.
func kindOf(field string) string {
	head, _, dotted := strings.Cut(field, ".")
	switch {
	case dotted && (head == "document" || head == "issuer"):
		return "document"
	case dotted && head == "band":
		return "bands"
	case dotted:
		return "other"
	case strings.HasSuffix(field, "_name") && field != "collector_name" && field != "print_name", field == "name_other_script":
		return "name"
	}
	for kind, names := range map[string][]string{
		"number": {"person_id", "household_id"}, "birth": {"birth_date", "birth_estimated"}, "collector": {"collector_role", "collector_name"},
		"place": {"pcode", "site", "address", "country"}, "contact": {"phone", "phone_2", "who_answers", "email"}, "face": {"print_name", "print_photo"},
		"answer": {"consent", "sharing"},
	} {
		if slices.Contains(names, field) {
			return kind
		}
	}
	if slices.Contains([]string{"sex", "relation", "language", "size", "residence", "origin", "registered"}, field) {
		return field
	}
	return "other"
}
