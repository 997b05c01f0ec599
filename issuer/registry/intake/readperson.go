package intake

import (
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// maritals are the words of lists, HOPE and proGres (two letters).
var maritals = codes(map[string]string{
	"single":    "single|never married|sn|celibataire|soltero|soltera|اعزب|عزباء|bila ndoa",
	"married":   "married|ma|marie|mariee|casado|casada|متزوج|متزوجه|ameoa|ameolewa",
	"divorced":  "divorced|dv|divorce|divorcee|divorciado|divorciada|مطلق|مطلقه|ametalikiwa",
	"widowed":   "widowed|widow|widower|wd|veuf|veuve|viudo|viuda|ارمل|ارمله|mjane",
	"separated": "separated|sp|separe|separee|separado|separada|منفصل|منفصله|wametengana",
	"together":  "free union|common law|cl|union libre|living together|engaged|eg",
})

// unknowns are the words that say that a birth is not known. A filler such as "n/a"
// says nothing.
var unknowns = wordSet("unknown|not known|don't know|dont know|does not know|inconnu|inconnue|non connu|non connue|ne sait pas|desconocido|desconocida|se desconoce|no sabe|" +
	"desconhecido|desconhecida|nao sabe|غير معروف|غير معروفه|مجهول|لا يعرف|haijulikani|hajulikani|haifahamiki|hajui|sijui")

// names are the columns of a name's parts in the order in which it is said.
var nameParts = []struct {
	field Field
	role  string
}{
	{GivenName, "given"}, {MiddleName, "given"}, {FatherName, "father"}, {GrandfatherName, "grandfather"},
	{FamilyName, "family"}, {SecondFamily, "second_family"},
}

// readPerson reads what a row says of a person.
func (l *lens) readPerson(row *roster.Row, d *draft) {
	p := d.person
	l.readNames(row, d)
	if v, c := l.text(row, Sex); v != "" {
		if sex, ok := l.readSex(v); ok {
			p.Sex = sex
		} else if registry.Doubted(v) || !registry.Placeholder(v) { // "X?" is a filler elsewhere
			d.add(fault(SexUnknown, Reject, c, v))
		}
	}
	p.Registered = l.registered(row, d)
	l.readBirth(row, d)
	l.readRelation(row, d)
	if l.plan.Role == People || d.household == nil {
		p.Location, p.Ext = l.location(row, d, p.Ext)
	} // else it is the household's
	p.Origin, p.Ext = l.personLand(row, d)
	p.Contacts = l.contactsOnce(row, d)
	l.readDocuments(row, d)
	p.Consents = l.consents(row, d, p.Registered)
	if l.plan.Role == PeopleInHouses && d.household != nil {
		p.Consents = slices.Clone(d.household.Consents)
	}
	l.readFace(row, d)
	if v, c := l.text(row, Marital); v != "" {
		code := maritals[squeeze(v)]
		if code == "" && !registry.Placeholder(v) {
			d.add(fault(MaritalUnknown, Flag, c, v))
			code = short(v)
		}
		if code != "" {
			p.Ext = put(p.Ext, string(Marital), code)
		}
	}
	if v, c := l.text(row, Language); v != "" && !registry.Placeholder(v) {
		if code, ok := registry.Language(v); ok {
			p.Languages = []string{code}
		} else {
			p.Ext = put(p.Ext, c, v)
		}
	}
	l.readPregnant(row, d)
	l.readCollects(row, d)
	p.Ext = l.keep(row, d, p.Ext)
	l.readDelivery(row, d)
}

// personLand reads the origin, which the household's half of the row may have read.
func (l *lens) personLand(row *roster.Row, d *draft) (string, map[string]string) {
	if d.household == nil {
		return l.land(row, d, Origin, d.person.Ext)
	}
	v, _ := l.text(row, Origin)
	code, _ := l.countryOf(v)
	return code, d.person.Ext
}

func (l *lens) contactsOnce(row *roster.Row, d *draft) []registry.Contact {
	if l.plan.Role == HeadRows {
		return d.household.Contacts
	}
	at := d.person.Location
	if d.household != nil {
		at = d.household.Location
	}
	return l.contacts(row, d, at)
}

func (l *lens) readNames(row *roster.Row, d *draft) {
	full, fullColumn := l.text(row, FullName)
	var parts []registry.Part
	var columns []string
	for _, p := range nameParts {
		if v, c := l.text(row, p.field); v != "" {
			parts = append(parts, registry.Part{Role: p.role, Text: v})
			columns = append(columns, c)
		}
	}
	var name registry.Name
	var issues []registry.Issue
	column, value := fullColumn, full
	switch {
	case full != "":
		name, issues = registry.ParseName(full, "")
		l.fitParts(d, &name, parts, columns)
	case len(parts) > 0:
		name, issues = registry.ParseParts(parts, "")
		column, value = columns[0], parts[0].Text
	default:
		if other, c := l.text(row, OtherName); other != "" {
			name, issues = registry.ParseName(other, "")
			column, value = c, other
		} else if l.id(row, PersonID) != "" {
			f := fault(NameMissing, Flag, fullColumn, "")
			f.Blocking = true
			d.add(f)
			return
		}
	}
	for _, i := range issues {
		s := Flag
		if name.Text == "" && (i.Code != registry.NamePlaceholder || l.id(row, PersonID) == "") {
			s = Reject // a filler is no name; who has a number is known without one
		}
		d.add(asFinding(i, s, column, value))
	}
	if name.Text == "" {
		return
	}
	d.person.Names = append(d.person.Names, name)
	for _, more := range []struct {
		field Field
		kind  string
	}{{OtherName, ""}, {MaidenName, registry.Maiden}, {UsedName, registry.Used}} {
		v, c := l.text(row, more.field)
		if v == "" || c == column || registry.Placeholder(v) {
			continue
		}
		n, issues := registry.ParseName(v, more.kind)
		for _, i := range issues {
			f := asFinding(i, Flag, c, v)
			f.Blocking = false // the official name is the one that counts
			d.add(f)
		}
		if n.Text == "" {
			continue
		}
		if more.field == OtherName && n.Script == "Latn" && name.Script != "Latn" {
			n.Type = registry.Romanised
		}
		d.person.Names = append(d.person.Names, n)
	}
}

// fitParts adds the parts to a whole name that contains them, and flags the first
// that it does not contain.
func (l *lens) fitParts(d *draft, name *registry.Name, parts []registry.Part, columns []string) {
	whole := " " + registry.Fold(name.Text) + " "
	var kept []registry.Part
	for i, p := range parts {
		n, _ := registry.ParseName(p.Text, "")
		folded := registry.Fold(n.Text)
		if folded == "" || registry.Placeholder(p.Text) {
			continue
		}
		if !strings.Contains(whole, " "+folded+" ") {
			d.add(fault(NamePartsDiffer, Flag, columns[i], p.Text))
			return
		}
		kept = append(kept, registry.Part{Role: p.Role, Text: n.Text})
	}
	name.Parts = kept
}

func (l *lens) readBirth(row *roster.Row, d *draft) {
	p := d.person
	v, c := l.text(row, BirthDate)
	b, issues := registry.ParseBirth(v, l.birth)
	for _, i := range issues {
		s := Flag
		if b == (registry.Birth{}) && i.Blocking && i.Code != registry.BirthDefault {
			s = Reject
		}
		d.add(asFinding(i, s, c, v))
	}
	told, ageColumn := l.text(row, Age)
	asOf := l.now
	if t, err := time.Parse(time.DateOnly, p.Registered); err == nil {
		asOf = t
	}
	age, ageIssues := registry.ParseBirth(told, registry.BirthOptions{Age: true, Today: asOf})
	if len(ageIssues) > 0 && !registry.Placeholder(told) {
		d.add(fault(AgeImplausible, Flag, ageColumn, told))
	}
	yes, given, ok, answer, estColumn := l.answer(row, Estimated)
	if !ok {
		d.add(fault(AnswerUnreadable, Flag, estColumn, answer))
	}
	switch {
	case b.EDTF != "":
		if given && yes && !b.Estimated {
			b.Estimated = true
			b.EDTF += "~"
		}
		if least, most, known := b.Age(asOf); known && age.EDTF != "" && !b.Estimated {
			// Without a day of registration the age may be years old: only too old is wrong.
			if age.AgeDeclared > most+1 || p.Registered != "" && age.AgeDeclared < least-1 {
				d.add(fault(AgeDiffers, Flag, ageColumn, told))
			}
		}
		p.Birth = &b
	case age.EDTF != "":
		p.Birth = &age
	case unknowns[squeeze(v)]:
		p.Birth = &registry.Birth{Precision: registry.PrecisionUnknown} // somebody asked, and nobody knows
	}
	if p.Birth != nil && p.Registered != "" {
		if year, ok := p.Birth.Year(); ok {
			born := strings.TrimRight(p.Birth.EDTF, "~?%")
			if len(born) == len(time.DateOnly) && len(p.Registered) == len(time.DateOnly) && born > p.Registered || p.Registered[:4] < itoa4(year) {
				_, rc := l.text(row, Registered)
				d.add(fault(RegisteredBefore, Flag, rc, p.Registered))
			}
		}
	}
}

// readFace reads what she chose to have printed on her card. No answer leaves the
// neutral face.
func (l *lens) readFace(row *roster.Row, d *draft) {
	for _, c := range []struct {
		field   Field
		purpose string
	}{{PrintName, registry.NameOnCard}, {PrintPhoto, registry.PhotoOnCard}} {
		switch yes, given, ok, v, column := l.answer(row, c.field); {
		case !ok:
			d.add(fault(AnswerUnreadable, Flag, column, v))
		case given:
			d.person.ChooseFace(c.purpose, yes, "form", d.person.Registered)
		}
	}
}

func itoa4(year int) string {
	return string([]byte{byte('0' + year/1000%10), byte('0' + year/100%10), byte('0' + year/10%10), byte('0' + year%10)})
}

func (l *lens) readRelation(row *roster.Row, d *draft) {
	p := d.person
	if v, c := l.text(row, Relation); v != "" {
		code, ok := registry.ParseRelation(v)
		if l.progres {
			code, ok = registry.RelationOfProGres(v)
		}
		if doubted := registry.Doubted(v); ok && !doubted {
			p.Relation = code
		} else if doubted || !registry.Placeholder(v) {
			d.add(fault(RelationUnknown, Flag, c, v))
			p.Ext = put(p.Ext, c, v)
		}
	}
	yes, _, ok, v, c := l.answer(row, Head)
	if !ok {
		d.add(fault(AnswerUnreadable, Flag, c, v))
	}
	if yes && p.Relation == "" {
		p.Relation = registry.Head
	}
	d.head = p.Relation == registry.Head
}

func (l *lens) readDocuments(row *roster.Row, d *draft) {
	take := func(kind, land, number, column string) {
		doc, issues := registry.ParseDocument(kind, land, number)
		for _, i := range issues {
			d.add(asFinding(i, Flag, column, number))
		}
		if doc.Number != "" && keepable(doc.Number) {
			doc.Seen = "declared"
			d.person.Documents = append(d.person.Documents, doc)
		}
	}
	for _, c := range l.docs {
		if v := row.Cell(c.number); v != "" && !l.unsaid(v) {
			land := ""
			if c.issuer != "" {
				land = row.Cell(c.issuer)
			}
			take(c.kind, land, v, c.number)
		}
	}
	if v, c := l.text(row, DocNumber); v != "" {
		kind, _ := l.text(row, DocType)
		land, _ := l.text(row, DocCountry)
		take(kind, land, v, c)
	}
}

func (l *lens) readPregnant(row *roster.Row, d *draft) {
	yes, given, ok, v, c := l.answer(row, Pregnant)
	if !ok {
		d.add(fault(AnswerUnreadable, Flag, c, v))
		d.person.Ext = put(d.person.Ext, string(Pregnant), v)
		return
	}
	if !given {
		return
	}
	d.person.Ext = put(d.person.Ext, string(Pregnant), map[bool]string{true: "yes", false: "no"}[yes])
	if !yes {
		return
	}
	if d.person.Sex == registry.Male {
		d.add(fault(PregnantMale, Flag, c, v))
	}
	if b := d.person.Birth; b != nil {
		asOf := l.now
		if t, err := time.Parse(time.DateOnly, d.person.Registered); err == nil {
			asOf = t
		}
		if least, most, known := b.Age(asOf); known && (most < 10 || least > 55) {
			d.add(fault(PregnantAge, Flag, c, v))
		}
	}
}

// readCollects reads for which households somebody collects.
func (l *lens) readCollects(row *roster.Row, d *draft) {
	for _, f := range []struct {
		field Field
		role  string
	}{{Primary, "primary"}, {Alternate, "alternate"}} {
		v, _ := l.text(row, f.field)
		for _, house := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ';' || r == '|' || r == '\n' }) {
			if house = cleanID(house); house != "" {
				d.collects = append(d.collects, collects{house: house, role: f.role})
			}
		}
	}
	v, c := l.text(row, CollectRole)
	switch role := squeeze(v); {
	case v == "" || registry.Placeholder(v) || role == "norole":
	case role == "primary" || role == "alternate":
		d.collects = append(d.collects, collects{role: role}) // of her own household
	default:
		d.add(fault(CollectorRoleOther, Flag, c, v))
	}
}

// readDelivery finds what a delivery mechanism lacks: HOPE names such columns
// FIELD__MECHANISM_i_c. Whoever collects, or has filled in one of them, needs all.
func (l *lens) readDelivery(row *roster.Row, d *draft) {
	filled, empty := map[string]bool{}, map[string][]string{}
	for _, column := range l.ext {
		m := hopeCode.FindStringIndex(column)
		if m == nil {
			continue
		}
		field, mechanism, ok := strings.Cut(column[:m[0]], "__")
		if !ok || field == "" || mechanism == "" {
			continue
		}
		if row.Cell(column) != "" {
			filled[mechanism] = true
		} else {
			empty[mechanism] = append(empty[mechanism], column)
		}
	}
	for mechanism, columns := range empty {
		if filled[mechanism] || len(d.collects) > 0 {
			if d.delivery == nil {
				d.delivery = map[string][]string{}
			}
			slices.Sort(columns)
			d.delivery[mechanism] = columns
		}
	}
}
