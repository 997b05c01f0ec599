package intake

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// A Correction is what single values typed at a desk make of a record.
type Correction struct {
	Fields  map[string][]byte // to be saved: nil removes
	Base    map[string]int64  // versions they were made from
	Changes []Corrected       // field by field, by name; issues are not among them
	Mended  []registry.Issue  // that are open no more
	Notes   []Finding         // stored as issues: worth a second look
}

// A Corrected field, as registry.ReadValue reads it; nil: not known.
type Corrected struct {
	Field    string
	From, To any
}

// A Rejection is a value that an import would reject or keep back: nothing was
// changed. Its text says what is wrong and how to mend it, and not the value.
type Rejection struct{ Finding Finding }

func (r *Rejection) Error() string {
	f := r.Finding
	text := "registry: " + f.Column + ": " + f.What
	if f.Fix != "" {
		text += ": " + f.Fix
	}
	return text
}

func unusable(code, column, what, fix string) error {
	return &Rejection{Finding{Column: column, Severity: Reject, Code: code, What: what, Fix: fix}}
}

// deskFields are the names of fields at a desk where they are not the import's own.
var deskFields = map[string]Field{"name": FullName, "birth": BirthDate}

// correctable are the fields that can be corrected, beside document., issuer., band.,
// ext. and consent. with what stands behind the point.
var correctable = map[registry.Kind][]Field{
	registry.KindPerson: {FullName, UsedName, MaidenName, OtherName, Sex, BirthDate, Age, Relation, Origin, Marital, Language, Phone, Email,
		PCode, Site, Address, Country, Registered, Consent, Sharing},
	registry.KindHousehold: {Size, PCode, Site, Address, Country, Residence, Origin, Phone, Email, Registered, Consent, Sharing},
}

// Correctable lists the names of fields that Correct takes for a kind of record.
func Correctable(kind registry.Kind) []string {
	var names []string
	for _, f := range correctable[kind] {
		name := string(f)
		for desk, own := range deskFields {
			if own == f {
				name = desk
			}
		}
		names = append(names, name)
	}
	if kind == registry.KindPerson {
		names = append(names, "document.TYPE", "issuer.TYPE")
	} else {
		names = append(names, "band.NAME")
	}
	return append(names, "consent.PURPOSE", "ext.NAME")
}

// Correct reads corrections of a record as an import reads a row: the same values are
// taken, and refused with the same words (*Rejection). values are by field; an empty
// one removes what is on record. Nothing is saved.
func Correct(rec registry.Record, values map[string]string, opt Options) (Correction, error) {
	c := &correction{rec: rec, values: map[Field]string{}, now: opt.Now.UTC()}
	if err := c.open(values); err != nil {
		return Correction{}, err
	}
	c.read(opt)
	for _, f := range c.d.findings {
		if f.Severity == Reject || f.Blocking {
			return Correction{}, &Rejection{f}
		}
	}
	var record fielder
	var err error
	if rec.Kind == registry.KindPerson {
		record, err = c.person()
	} else {
		record, err = c.household()
	}
	if err != nil {
		return Correction{}, err
	}
	return c.differences(record)
}

// correction is a Correct at work.
type correction struct {
	rec    registry.Record
	values map[Field]string
	row    roster.Row
	lens   *lens
	d      draft
	now    time.Time
}

// open checks the names of the fields.
func (c *correction) open(values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f := Field(name)
		if own, ok := deskFields[name]; ok {
			f = own
		}
		family, rest, _ := strings.Cut(name, ".")
		switch person := c.rec.Kind == registry.KindPerson; {
		case slices.Contains(correctable[c.rec.Kind], f):
		case rest == "":
			return unusable(DeskField, name, "no field that is set at a desk", "one of "+strings.Join(Correctable(c.rec.Kind), " "))
		case family == "ext" && keepable(rest), family == "consent" && isCode(rest):
		case person && (family == "document" || family == "issuer") && f.Known(), !person && family == "band" && f.Known():
		default:
			return unusable(DeskField, name, "no field that is set at a desk", "one of "+strings.Join(Correctable(c.rec.Kind), " "))
		}
		if !keepable(values[name]) {
			return unusable(TextUnusable, name, faults[TextUnusable][0], faults[TextUnusable][1])
		}
		c.values[f] = strings.TrimSpace(values[name])
	}
	if c.rec.Kind == registry.KindPerson && !c.rec.Household.IsZero() && c.any(PCode, Site, Address, Country) {
		return unusable(DeskPlace, "pcode", faults[DeskPlace][0], faults[DeskPlace][1])
	}
	if c.any(BirthDate) && c.any(Age) {
		return unusable(DeskBirth, "age", faults[DeskBirth][0], faults[DeskBirth][1])
	}
	return nil
}

func isCode(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func (c *correction) any(fields ...Field) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { _, ok := c.values[f]; return ok })
}

// read makes a row of the values and reads it as an import does. A used or maiden
// name is read beside the name on record, so that it is not taken for that.
func (c *correction) read(opt Options) {
	plan := TablePlan{Role: Households}
	if c.rec.Kind == registry.KindPerson {
		plan.Role = People
	}
	var columns, cells []string
	add := func(f Field, column, value string) {
		plan.Columns = append(plan.Columns, ColumnPlan{Column: column, Field: f})
		columns, cells = append(columns, column), append(cells, value)
	}
	for _, f := range slices.Sorted(maps.Keys(c.values)) {
		if name, ok := strings.CutPrefix(string(f), "ext."); ok {
			add(Ext, name, c.values[f])
		} else if !strings.HasPrefix(string(f), "consent.") {
			column := string(f)
			for desk, own := range deskFields {
				if own == f {
					column = desk
				}
			}
			add(f, column, c.values[f])
		}
	}
	if p, err := c.rec.Person(); err == nil && c.rec.Kind == registry.KindPerson && len(p.Names) > 0 && c.values[FullName] == "" && c.any(UsedName, MaidenName, OtherName) {
		add(FullName, "name", p.Names[0].Text)
	}
	opt.Source = c.rec.Source
	whole := &Plan{Tables: []TablePlan{plan}}
	c.lens = newLens(whole, &whole.Tables[0], roster.Table{}, &opt)
	c.row = roster.NewRow(columns, cells)
	if c.rec.Kind == registry.KindPerson {
		c.d.person = &registry.Person{}
		c.lens.readPerson(&c.row, &c.d)
	} else {
		c.d.household = &registry.Household{}
		c.lens.readHousehold(&c.row, &c.d)
	}
	c.d.findings = slices.DeleteFunc(c.d.findings, func(f Finding) bool { return f.Code == ConsentNo }) // who is asked at the desk may say no
}

// unread refuses a value of which nothing was taken: a filler, or what only a list
// may leave in a column of its own.
func (c *correction) unread(f Field, taken bool) error {
	if c.values[f] == "" || taken {
		return nil
	}
	column := string(f)
	for desk, own := range deskFields {
		if own == f {
			column = desk
		}
	}
	for _, found := range c.d.findings {
		if found.Column == column {
			return &Rejection{found}
		}
	}
	return unusable(DeskNothing, column, "nothing could be read of it", column+"= removes what is on record")
}

// person is the record with what was read of it.
func (c *correction) person() (fielder, error) {
	p, err := c.rec.Person()
	if err != nil {
		return nil, err
	}
	made := c.d.person
	if err := c.names(&p, made); err != nil {
		return nil, err
	}
	if err := c.texts(
		text{Sex, &p.Sex, made.Sex}, text{Relation, &p.Relation, made.Relation}, text{Origin, &p.Origin, made.Origin},
		text{Registered, &p.Registered, made.Registered},
	); err != nil {
		return nil, err
	}
	for _, f := range []Field{BirthDate, Age} {
		if c.any(f) {
			if err := c.unread(f, made.Birth != nil); err != nil {
				return nil, err
			}
			p.Birth = made.Birth
		}
	}
	if c.any(Language) {
		if err := c.unread(Language, len(made.Languages) > 0); err != nil {
			return nil, err
		}
		p.Languages = made.Languages
	}
	if c.any(Marital) {
		p.Ext = set(p.Ext, string(Marital), made.Ext[string(Marital)])
	}
	if err := c.documents(&p, made); err != nil {
		return nil, err
	}
	if p.Contacts, err = c.contacts(p.Contacts, made.Contacts); err != nil {
		return nil, err
	}
	if p.Location, err = c.location(p.Location, made.Location); err != nil {
		return nil, err
	}
	if p.Consents, err = c.consents(p.Consents, made.Consents); err != nil {
		return nil, err
	}
	p.Ext = c.ext(p.Ext)
	old, err := c.rec.Person()
	if err != nil {
		return nil, err
	}
	changed, err := changedFields(old, p)
	p.Issues = c.lens.mergeIssues(old.Issues, c.d.issues(), changed, &c.row)
	return p, err
}

func (c *correction) household() (fielder, error) {
	h, err := c.rec.HouseholdRecord()
	if err != nil {
		return nil, err
	}
	made := c.d.household
	if c.any(Size) {
		if err := c.unread(Size, made.Size > 0); err != nil {
			return nil, err
		}
		h.Size = made.Size
	}
	if err := c.texts(text{Residence, &h.Residence, made.Residence}, text{Origin, &h.Origin, made.Origin}, text{Registered, &h.Registered, made.Registered}); err != nil {
		return nil, err
	}
	for f := range c.values {
		if band, ok := f.param(bandOf); ok {
			h.Bands = maps.Clone(h.Bands)
			if n := made.Bands[band]; n > 0 {
				if h.Bands == nil {
					h.Bands = map[string]int{}
				}
				h.Bands[band] = n
			} else {
				delete(h.Bands, band)
			}
		}
	}
	if h.Contacts, err = c.contacts(h.Contacts, made.Contacts); err != nil {
		return nil, err
	}
	if h.Location, err = c.location(h.Location, made.Location); err != nil {
		return nil, err
	}
	if h.Consents, err = c.consents(h.Consents, made.Consents); err != nil {
		return nil, err
	}
	h.Ext = c.ext(h.Ext)
	old, err := c.rec.HouseholdRecord()
	if err != nil {
		return nil, err
	}
	changed, err := changedFields(old, h)
	own := slices.DeleteFunc(c.d.issues(), func(i registry.Issue) bool { return strings.HasPrefix(i.Code, "household_") }) // Registry.Correct asks with the members
	h.Issues = c.lens.mergeIssues(old.Issues, own, changed, &c.row)
	return h, err
}

// set is a copy of a map with one entry set, or removed by "".
func set(m map[string]string, name, value string) map[string]string {
	out := maps.Clone(m)
	if value == "" {
		delete(out, name)
		return out
	}
	if out == nil {
		out = map[string]string{}
	}
	out[name] = value
	return out
}

func changedFields(old, now fielder) (map[string]bool, error) {
	a, err := old.Fields()
	if err != nil {
		return nil, err
	}
	b, err := now.Fields()
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	for _, m := range []map[string][]byte{a, b} {
		for name := range m {
			if !bytes.Equal(a[name], b[name]) {
				changed[name] = true
			}
		}
	}
	return changed, nil
}

// differences is what is to be saved so that the record is as it was made.
func (c *correction) differences(record fielder) (out Correction, err error) {
	fields, err := record.Fields()
	if err != nil {
		return out, err
	}
	var before fielder
	if c.rec.Kind == registry.KindPerson {
		before, err = c.rec.Person()
	} else {
		before, err = c.rec.HouseholdRecord()
	}
	if err != nil {
		return out, err
	}
	changed, err := changedFields(before, record)
	if err != nil {
		return out, err
	}
	out.Fields, out.Base = map[string][]byte{}, map[string]int64{}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		out.Fields[name], out.Base[name] = fields[name], c.rec.Fields[name].Version
		if name == "issues" {
			continue
		}
		d := Corrected{Field: name}
		for _, v := range []struct {
			data []byte
			to   *any
		}{{c.rec.Fields[name].Data, &d.From}, {fields[name], &d.To}} {
			if v.data != nil {
				if *v.to, err = registry.ReadValue(v.data); err != nil {
					return out, err
				}
			}
		}
		out.Changes = append(out.Changes, d)
	}
	was, now := issuesOf(before), issuesOf(record)
	for _, i := range was {
		if !slices.ContainsFunc(now, func(o registry.Issue) bool { return o.Code == i.Code }) {
			out.Mended = append(out.Mended, i)
		}
	}
	for _, f := range c.d.findings {
		if f.Severity == Flag {
			out.Notes = append(out.Notes, f)
		}
	}
	return out, nil
}

func issuesOf(record fielder) []registry.Issue {
	switch r := record.(type) {
	case registry.Person:
		return r.Issues
	case registry.Household:
		return r.Issues
	}
	return nil
}
