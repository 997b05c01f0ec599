package export

import (
	"bufio"
	"encoding/xml"
	"io"
	"strconv"
	"strings"

	"aidpass/issuer/registry"
)

// rrfNamespace is the one that files of proGres v4 carry. The published schema has
// none, and its readers look at the names alone.
const rrfNamespace = "http://tempuri.org/ElectronicRRF.xsd"

// What the form demands and we do not know, or do not tell: marriage, religion,
// ethnicity, education, and why and how fast somebody should be resettled.
const (
	rrfUnknown  = registry.ProGresUnknown
	rrfNothing  = "-" // of the reasons for resettlement, which have no "unknown"
	rrfAsylum   = "CoA"
	rrfSingle   = "Single Submission"
	rrfGroup    = "Group Submission"
	rrfMidnight = "T00:00:00"
)

// rrf writes the elements of one file.
type rrf struct {
	out *bufio.Writer
	r   *reader
	// has are the fields that were asked for: what is not is written as unknown, or not at all.
	has map[string]bool
}

// writeRRF writes each household, and each person without one, as a case. The first
// waits until it is known whether there is a second: the head of the file says so.
//
// The order of elements is that of the schema (rrf-v4.xsd).
func writeRRF(w io.Writer, r *reader, list []column) error {
	x := &rrf{out: bufio.NewWriter(w), r: r, has: map[string]bool{}}
	for _, c := range list {
		x.has[c.field] = true
	}
	var first *house
	cases := 0
	err := r.all(func(h *house) error {
		if len(h.members) == 0 {
			r.left(LeftCounted)
			return nil
		}
		r.count(h, list)
		switch cases++; cases {
		case 1:
			first = h
			return nil
		case 2:
			x.begin(rrfGroup)
			x.house(first)
		}
		x.house(h)
		return x.out.Flush()
	})
	if err != nil {
		return err
	}
	if cases == 1 {
		x.begin(rrfSingle)
		x.house(first)
	}
	if cases > 0 {
		x.close("UNHCR_RRF")
	}
	return x.out.Flush() // bufio.Writer keeps the first error of all writes
}

func (x *rrf) begin(kind string) {
	x.out.WriteString(xml.Header)
	x.out.WriteString(`<UNHCR_RRF xmlns="` + rrfNamespace + `">` + "\n")
	x.open("RRFBATCHTYPE")
	x.put("GroupIndividualIndicator", kind)
	x.close("RRFBATCHTYPE")
}

func (x *rrf) open(name string)  { x.out.WriteString("<" + name + ">") }
func (x *rrf) close(name string) { x.out.WriteString("</" + name + ">\n") }

// put writes an element that must be there.
func (x *rrf) put(name, text string) {
	x.open(name)
	xml.EscapeText(x.out, []byte(text)) // its error stays with out
	x.close(name)
}

// may writes an element where there is something to say.
func (x *rrf) may(name, text string) {
	if text != "" {
		x.put(name, text)
	}
}

// told returns the text of a field that was asked for.
func (x *rrf) told(field, text string) string {
	if x.has[field] {
		return text
	}
	return ""
}

func (x *rrf) house(h *house) {
	o := x.r.opt
	group := o.guid("group", h.id)
	principal := principalOf(h)
	x.open("CASE")
	for _, p := range h.members {
		x.individual(h, p)
	}
	for i, p := range h.members {
		relation := registry.ProGresRelation(x.told("relation", p.Relation), x.told("sex", p.Sex))
		switch {
		case i == principal: // the form wants just one
			relation = "PA"
		case relation == "PA":
			relation = rrfUnknown
		}
		x.open("dataIndividualProcessGroup")
		x.put("IndividualProcessingGroupGUID", o.guid("member", p.id))
		x.put("IndividualGUID", o.guid("person", p.id))
		x.put("ProcessingGroupGUID", group)
		x.put("RelationshipToPrincipalRepresentative", relation)
		x.close("dataIndividualProcessGroup")
	}
	x.open("dataProcessGroup")
	x.put("ProcessingGroupGUID", group)
	x.put("ProcessingGroupNumber", h.ref)
	x.put("ProcessingGroupSize", strconv.Itoa(len(h.members)))
	x.close("dataProcessGroup")
	for _, p := range h.members {
		x.address(h, p)
	}
	for _, p := range h.members {
		x.aliases(p)
	}
	x.open("dataResettlement")
	x.put("IndividualGUID", o.guid("person", h.members[principal].id))
	x.put("ResettlementCriteriaCode", rrfNothing)
	x.put("ResettlementPriorityCode", rrfUnknown)
	x.close("dataResettlement")
	x.close("CASE")
}

// principalOf is the member the others are described by: the head, else the focal
// point, else the first.
func principalOf(h *house) int {
	if h.household == nil {
		return 0
	}
	for _, want := range []string{h.household.Head, h.household.FocalPoint} {
		for i, p := range h.members {
			if want != "" && p.id.String() == want {
				return i
			}
		}
	}
	for i, p := range h.members {
		if p.Relation == registry.Head {
			return i
		}
	}
	return 0
}

func (x *rrf) individual(h *house, p person) {
	name := mainName(p.Names)
	family, second, given, middle := rrfNames(name)
	x.open("dataIndividual")
	x.put("IndividualGUID", x.r.opt.guid("person", p.id))
	x.put("IndividualID", p.ref)
	x.put("FamilyName", x.told("full_name", family))
	x.may("SecondFamilyName", x.told("full_name", second))
	x.may("GivenName", x.told("full_name", given))
	x.may("MiddleName", x.told("full_name", middle))
	x.may("MaidenName", x.told("maiden_name", nameOf(registry.Maiden)(p)))
	x.put("RegistrationDate", x.registered(h, p))
	birth, estimated := rrfBirth(p.Birth)
	x.may("DateofBirth", x.told("birth_date", birth))
	x.put("DateofBirthEstimate", map[bool]string{true: "1", false: "0"}[estimated || !x.has["birth_date"]])
	x.put("BirthCountryCode", rrfUnknown)
	origin := p.Origin
	if origin == "" && h.household != nil {
		origin = h.household.Origin
	}
	x.put("OriginCountryCode", registry.ProGresCountry(x.told("origin", origin)))
	x.put("AsylumCountryCode", x.asylum(h, p))
	sex := rrfUnknown
	if s := x.told("sex", p.Sex); s == registry.Female || s == registry.Male {
		sex = strings.ToUpper(s)
	}
	x.put("SexCode", sex)
	for _, name := range []string{"NationalityCode", "MarriageStatusCode", "ReligionCode", "EthnicityCode", "EducationLevelCode"} {
		x.put(name, rrfUnknown)
	}
	x.may("FatherName", x.told("father_name", partOf(name, "father", 0)))
	x.close("dataIndividual")
}

// rrfNames puts a name into the form's four places. Only the family name must be
// there: a name without one, or in no parts, stands in it whole, and is not split.
func rrfNames(n registry.Name) (family, second, given, middle string) {
	family = partOf(n, "family", 0)
	if family == "" {
		return n.Text, "", "", ""
	}
	var between []string
	for _, p := range n.Parts {
		switch p.Role {
		case "family", "second_family", "nickname", "honorific":
		case "given":
			if given == "" {
				given = p.Text
				continue
			}
			between = append(between, p.Text)
		default:
			between = append(between, p.Text)
		}
	}
	return family, partOf(n, "second_family", 0), given, strings.Join(between, " ")
}

// rrfBirth returns the date, and whether it is an estimate. A year or month goes out
// as its first day, marked as the estimate that it then is; a decade does not.
func rrfBirth(b *registry.Birth) (date string, estimated bool) {
	if b == nil {
		return "", true
	}
	text := strings.TrimRight(b.EDTF, "~?%")
	switch {
	case len(text) == len("1987") && !strings.Contains(text, "X"):
		return text + "-01-01" + rrfMidnight, true
	case len(text) == len("1987-05"):
		return text + "-01" + rrfMidnight, true
	case len(text) == len("1987-05-12"):
		return text + rrfMidnight, b.Estimated || text != b.EDTF
	}
	return "", true
}

// registered is the day of the registration, which the form demands: where none was
// asked for or said, the day on which the record was made here.
func (x *rrf) registered(h *house, p person) string {
	said := p.Registered
	if said == "" && h.household != nil {
		said = h.household.Registered
	}
	if said = x.told("registered", said); len(said) == len("1987-05-12") {
		return said + rrfMidnight
	}
	return day(p.record.CreatedAt) + rrfMidnight
}

// stay is where a person stays: with her household, or as her own record says.
func stay(h *house, p person) registry.Location {
	if h.household != nil && h.household.Location != nil {
		return *h.household.Location
	}
	if p.Location != nil {
		return *p.Location
	}
	return registry.Location{}
}

func (x *rrf) asylum(h *house, p person) string {
	return registry.ProGresCountry(x.told("country", stay(h, p).Country))
}

func (x *rrf) address(h *house, p person) {
	at := stay(h, p)
	street, site, pcode := x.told("address", at.Address), x.told("site", at.Site), x.told("pcode", at.PCode)
	if street+site+pcode == "" {
		return
	}
	x.open("dataAddress")
	x.put("AddressGUID", x.r.opt.guid("address", p.id))
	x.put("IndividualGUID", x.r.opt.guid("person", p.id))
	x.put("AddressType", rrfAsylum)
	x.put("AddressCountry", x.asylum(h, p))
	x.may("LocationLevel4Description", site)
	x.may("LocationLevel5Description", street)
	x.may("LocationLevel6", pcode)
	x.close("dataAddress")
}

// aliases are names somebody uses, and her name in another script.
func (x *rrf) aliases(p person) {
	n := 0
	put := func(text string) {
		if text == "" {
			return
		}
		n++
		x.open("dataAlias")
		x.put("AliasGUID", x.r.opt.guid("alias"+strconv.Itoa(n), p.id))
		x.put("IndividualGUID", x.r.opt.guid("person", p.id))
		x.put("IndividualAliasLastName", text)
		x.close("dataAlias")
	}
	put(x.told("name_other_script", otherName(p.Names).Text))
	put(x.told("used_name", nameOf(registry.Used, registry.Alias)(p)))
}
