package intake

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// residences are the codes of HOPE; lists with others are kept and flagged.
var residences = []string{"IDP", "REFUGEE", "OTHERS_OF_CONCERN", "RETURNEE", "HOST", "NON_HOST"}

// Residences are the codes of residence statuses that records have.
func Residences() []string { return slices.Clone(residences) }

// recipients are HOPE's codes of those whom data may be shared with.
var recipients = []string{"UNICEF", "HUMANITARIAN_PARTNER", "PRIVATE_PARTNER", "GOVERNMENT_PARTNER"}

// sizeOnly is the collect type of a list that counts people without naming them.
const sizeOnly = "size_only"

// readHousehold reads what a row says of its household.
func (l *lens) readHousehold(row *roster.Row, d *draft) {
	h := d.household
	if v, c := l.text(row, Size); v != "" {
		if n, ok := wholeNumber(v); ok && n >= 1 && n <= maxSize {
			h.Size = n
		} else if !registry.Placeholder(v) || ok && n > 0 {
			d.add(fault(SizeUnreadable, Reject, c, v))
		}
	}
	for column, band := range l.bands {
		v := row.Cell(column)
		if v == "" || l.unsaid(v) || registry.Placeholder(v) && squeeze(v) != "0" {
			continue
		}
		n, ok := wholeNumber(v)
		if !ok || n > maxSize {
			d.add(fault(CountUnreadable, Flag, column, v))
			continue
		}
		if n > 0 {
			if h.Bands == nil {
				h.Bands = map[string]int{}
			}
			h.Bands[band] = n
		}
	}
	for _, i := range registry.Check(registry.Household{Size: h.Size, Bands: h.Bands}, nil, l.now) {
		d.add(asFinding(i, Flag, l.by[Size], ""))
	}
	h.Location, h.Ext = l.location(row, d, h.Ext)
	if v, c := l.text(row, Residence); v != "" {
		code := strings.ToUpper(strings.Join(strings.Fields(strings.ReplaceAll(v, "-", "_")), "_"))
		if slices.Contains(residences, code) {
			h.Residence = code
		} else if !registry.Placeholder(v) && keepable(v) {
			h.Residence = short(v)
			d.add(fault(ResidenceUnknown, Flag, c, v))
		}
	}
	h.Origin, h.Ext = l.land(row, d, Origin, h.Ext)
	h.Registered = l.registered(row, d)
	if l.plan.Role != PeopleInHouses {
		h.Contacts = l.contacts(row, d, h.Location)
	}
	h.Consents = l.consents(row, d, h.Registered)
	if !l.people && h.Size > 0 {
		h.CollectType = sizeOnly
	}
	if v, _ := l.text(row, CollectorName); v != "" {
		if n, _ := registry.ParseName(v, ""); n.Text != "" {
			d.collects = append(d.collects, collects{external: n.Text, role: "primary"})
		}
	}
	if h.Residence != "" && h.Origin != "" && h.Location != nil && h.Location.Country != "" {
		abroad := h.Origin != h.Location.Country
		if h.Residence == "REFUGEE" && !abroad || h.Residence == "IDP" && abroad {
			_, c := l.text(row, Residence)
			d.add(fault(ResidenceOrigin, Flag, c, h.Residence))
		}
	}
	if l.plan.Role == Households {
		h.Ext = l.keep(row, d, h.Ext)
	}
}

// pcode is what an OCHA place code looks like: the country's letters and digits.
var pcode = regexp.MustCompile(`^[A-Z]{2,3}[0-9]{1,12}$`)

// location reads where they stay. What is a place's name rather than its code goes
// to ext.
func (l *lens) location(row *roster.Row, d *draft, ext map[string]string) (*registry.Location, map[string]string) {
	var loc registry.Location
	above := ""
	for _, f := range []Field{Admin1, Admin2, Admin3, Admin4, PCode} {
		v, c := l.text(row, f)
		if v == "" {
			continue
		}
		code := strings.ToUpper(strings.TrimSpace(v))
		if !pcode.MatchString(code) && registry.Placeholder(v) {
			continue
		}
		if !l.places.known(code) {
			looks := pcode.MatchString(code)
			coded := f == PCode || hopeCode.MatchString(c) // the column promises codes
			if l.places == nil && !looks && coded || l.places != nil && (looks || coded) && !l.places.name(v) {
				d.add(fault(PCodeUnknown, Flag, c, v))
			}
			if !looks {
				ext = put(ext, c, v)
				continue
			}
		}
		if above != "" && !strings.HasPrefix(code, above) {
			d.add(fault(PCodeParent, Flag, c, v))
		}
		loc.PCode, above = code, code
	}
	for f, field := range map[Field]*string{Site: &loc.Site, Address: &loc.Address} {
		v, c := l.text(row, f)
		if v == "" || registry.Placeholder(v) {
			continue
		}
		if !keepable(v) {
			d.add(fault(TextUnusable, Flag, c, ""))
			continue
		}
		*field = strings.Join(strings.Fields(v), " ")
	}
	loc.Country, ext = l.land(row, d, Country, ext)
	if loc == (registry.Location{}) {
		return nil, ext
	}
	return &loc, ext
}

// land reads a country. What is none is kept in ext.
func (l *lens) land(row *roster.Row, d *draft, f Field, ext map[string]string) (string, map[string]string) {
	v, c := l.text(row, f)
	if v == "" || registry.Placeholder(v) {
		return "", ext
	}
	code, ok := l.countryOf(v)
	if !ok {
		d.add(fault(CountryUnknown, Flag, c, v))
		return "", put(ext, c, v)
	}
	return code, ext
}

// countryOf reads a country's code or name. Codes of proGres look like those of ISO
// and are not.
func (l *lens) countryOf(v string) (string, bool) {
	if l.progres {
		return registry.CountryOfProGres(v)
	}
	return registry.Country(v)
}

// registered reads the day of registration.
func (l *lens) registered(row *roster.Row, d *draft) string {
	v, c := l.text(row, Registered)
	if v == "" {
		return ""
	}
	b, issues := registry.ParseBirth(v, l.entered)
	switch {
	case b.EDTF == "" && len(issues) > 0 || len(issues) > 0 && issues[0].Blocking:
		if !d.has(RegisteredBad) {
			d.add(fault(RegisteredBad, Flag, c, v))
		}
		return ""
	case len(b.EDTF) == len(time.DateOnly) && b.EDTF > l.now.Format(time.DateOnly):
		if !d.has(RegisteredFuture) {
			d.add(fault(RegisteredFuture, Flag, c, v))
		}
		return ""
	}
	return b.EDTF
}

func (d *draft) has(code string) bool {
	return slices.ContainsFunc(d.findings, func(f Finding) bool { return f.Code == code })
}

// consents reads what was agreed to. A no is an answer; only a text that is
// neither refuses the row, because nobody may say it was a yes.
func (l *lens) consents(row *roster.Row, d *draft, on string) (list []registry.Consent) {
	if l.by[Consent] != "" && !d.has(ConsentUnreadable) && !d.has(ConsentMissing) {
		yes, given, ok, v, c := l.answer(row, Consent)
		switch {
		case !ok:
			d.add(fault(ConsentUnreadable, Reject, c, v))
		case !given:
			f := fault(ConsentMissing, Flag, c, "")
			f.Blocking = true
			d.add(f)
		default:
			list = append(list, registry.Consent{Purpose: "registration", Given: yes, How: "form", On: on})
			if !yes && !d.has(ConsentNo) {
				d.add(fault(ConsentNo, Flag, c, v))
			}
		}
	} else if l.by[Consent] != "" && l.plan.Role == HeadRows {
		if yes, given, ok, _, _ := l.answer(row, Consent); ok && given {
			list = append(list, registry.Consent{Purpose: "registration", Given: yes, How: "form", On: on})
		}
	}
	v, c := l.text(row, Sharing)
	if v == "" || registry.Placeholder(v) {
		return list
	}
	if answer := answers[squeeze(v)]; answer != "" { // asked without a list of recipients
		return append(list, registry.Consent{Purpose: "sharing", Given: answer == "yes", How: "form", On: on})
	}
	var to []string
	for _, r := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '|' }) {
		code := strings.ToUpper(r)
		if !slices.Contains(recipients, code) {
			if !d.has(SharingUnknown) {
				d.add(fault(SharingUnknown, Flag, c, v))
			}
			continue
		}
		if !slices.Contains(to, code) {
			to = append(to, code)
		}
	}
	if len(to) > 0 {
		slices.Sort(to)
		list = append(list, registry.Consent{Purpose: "sharing", Given: true, Recipients: to, How: "form", On: on})
	}
	return list
}

// contacts reads phones and addresses.
func (l *lens) contacts(row *roster.Row, d *draft, at *registry.Location) (list []registry.Contact) {
	country := l.country
	if country == "" && at != nil {
		country = at.Country
	}
	for _, p := range []struct{ number, whose Field }{{Phone, Answers}, {Phone2, Answers2}} {
		v, c := l.text(row, p.number)
		if v == "" {
			continue
		}
		contact, issues := registry.ParsePhone(v, country)
		for _, i := range issues {
			d.add(asFinding(i, Flag, c, v))
		}
		if contact.Value == "" || !keepable(contact.Value) || slices.ContainsFunc(list, func(o registry.Contact) bool { return o.Value == contact.Value }) {
			continue
		}
		if whose, _ := l.text(row, p.whose); whose != "" && keepable(whose) && !registry.Placeholder(whose) {
			contact.Whose = whose
		}
		list = append(list, contact)
	}
	if v, c := l.text(row, Email); v != "" && !registry.Placeholder(v) {
		if i := strings.IndexByte(v, '@'); i < 1 || i == len(v)-1 || strings.ContainsAny(v, " \t\n") || !keepable(v) {
			d.add(fault(EmailUnreadable, Flag, c, v))
		} else {
			list = append(list, registry.Contact{Kind: "email", Value: v})
		}
	}
	return list
}
