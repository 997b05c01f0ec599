package roster

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
)

// openXML opens UNHCR's resettlement registration form as proGres v4 exchanges it:
//
//	UNHCR_RRF > CASE > dataIndividual, dataProcessGroup, dataAlias, ... > fields
//
// A CASE is a family. Its entries name each other by their GUIDs, and each kind of
// entry is a table. The relationship to the head of the case, which stands in a
// dataIndividualProcessGroup, is shown with the individual too.
//
// The file is read once for its tables and columns, and once for each table.
func (f *File) openXML() error {
	x := &exchange{file: f}
	for _, name := range []string{"dataProcessGroup", "dataIndividual"} {
		x.learn(name)
	}
	r := x.rows(nil)
	root, err := r.root()
	if err != nil {
		return err
	}
	if root.Name.Local != "UNHCR_RRF" {
		return otherXML(root)
	}
	for err == nil {
		err = r.entry()
	}
	if err != io.EOF {
		return err
	}
	f.tables = slices.DeleteFunc(f.tables, func(t *table) bool {
		return !slices.ContainsFunc(x.order, func(k *rrfTable) bool { return k.table == t && k.filled })
	})
	if f.table("Individuals") == nil {
		return refuse(Empty, "export it again, with its people", "has no individuals")
	}
	for _, t := range f.tables {
		if f.table(t.Parent) == nil {
			t.Parent = ""
		}
	}
	f.format = RRF
	return nil
}

// otherXML says what an XML file is that is no exchange file.
func otherXML(root xml.StartElement) error {
	const fix = "open it with a spreadsheet program and save it as .xlsx"
	switch {
	case root.Name.Local == "html" && slices.ContainsFunc(root.Attr, func(a xml.Attr) bool { return strings.Contains(a.Value, "w3.org/2002/xforms") }):
		return refuse(FormAlone, "in KoBo or ODK, download the data of the form, as XLSX or JSON", "is the form (XForm), not its answers")
	case root.Name.Local == "html":
		return refuse(WrongKind, fix, "is a web page, not CSV or XLSX")
	case root.Name.Local == "Workbook":
		return refuse(WrongKind, fix, "is an old Excel workbook in XML")
	case root.Name.Local == "schema":
		return refuse(WrongKind, "name the file with the people", "is an XML schema: it describes exchange files and holds nobody")
	}
	return refuse(WrongKind, "ask for an RRF export of proGres, CSV or XLSX", "is an XML file whose outermost element is not UNHCR_RRF")
}

// rrfKinds are the entries of a CASE by their elements. Where key is given, it is
// the field that other entries name; parent is the field that names a row of the
// parent table.
var rrfKinds = map[string]struct{ table, key, parentTable, parent string }{
	"dataProcessGroup":               {"Cases", "ProcessingGroupGUID", "", ""},
	"dataIndividual":                 {"Individuals", "IndividualGUID", "Cases", ""},
	"dataIndividualProcessGroup":     {"Memberships", "IndividualProcessingGroupGUID", "Individuals", "IndividualGUID"},
	"dataProcessGroupCrossReference": {"CrossReferences", "ProcessingGroupCrossReferenceGUID", "Cases", "ProcessingGroupGUIDFrom"},
	"dataAddress":                    {"Addresses", "AddressGUID", "Individuals", "IndividualGUID"},
	"dataAlias":                      {"Aliases", "AliasGUID", "Individuals", "IndividualGUID"},
	"dataDocument":                   {"Documents", "DocumentGUID", "Individuals", "IndividualGUID"},
	"dataEducation":                  {"Education", "EducationGUID", "Individuals", "IndividualGUID"},
	"dataEmployment":                 {"Employment", "EmploymentGUID", "Individuals", "IndividualGUID"},
	"dataIndividualRelatives":        {"Relatives", "IndividualRelativesGUID", "Individuals", "IndividualGUID"},
	"dataLanguage":                   {"Languages", "LanguageGUID", "Individuals", "IndividualGUID"},
	"dataPhotograph":                 {"Photographs", "PhotoGUID", "Individuals", "IndividualGUID"},
	"dataResettlement":               {"Resettlement", "", "Individuals", "IndividualGUID"},
	"dataVulnerability":              {"Vulnerabilities", "VulnerabilityGUID", "Individuals", "IndividualGUID"},
}

// rrfRequired are the fields of an individual that the schema asks for always.
var rrfRequired = strings.Fields("IndividualGUID IndividualID FamilyName RegistrationDate DateofBirthEstimate BirthCountryCode OriginCountryCode " +
	"AsylumCountryCode SexCode NationalityCode MarriageStatusCode ReligionCode EthnicityCode EducationLevelCode")

// relationship is shown with the individual.
const relationship = "RelationshipToPrincipalRepresentative"

// exchange is an RRF file.
type exchange struct {
	file  *File
	order []*rrfTable
}

// rrfTable is the table of one kind of entry.
type rrfTable struct {
	*table
	element     string
	key, parent string // fields
	filled      bool
}

// learn returns the table of a kind of entry, and makes it the first time.
func (x *exchange) learn(element string) (*rrfTable, error) {
	for _, t := range x.order {
		if t.element == element {
			return t, nil
		}
	}
	if len(x.order) >= MaxTables {
		return nil, refuse(TooWide, "export it again", "has more than %d kinds of entry", MaxTables)
	}
	kind, known := rrfKinds[element]
	if !known {
		kind.table = element
	}
	t := &rrfTable{element: element, key: kind.key, parent: kind.parent}
	t.table = x.file.add(Table{Name: kind.table, Parent: kind.parentTable, FirstRow: 1}, func() (stream, error) {
		r := x.rows(t)
		_, err := r.root()
		return r, err
	})
	x.order = append(x.order, t)
	return t, nil
}

func (t *rrfTable) at(name string) (int, error) {
	i, known := t.column[name]
	if !known {
		if i = len(t.Columns); i >= MaxColumns {
			return 0, refuse(TooWide, "export it again", "has more than %d fields in one kind of entry", MaxColumns)
		}
		t.Columns = append(t.Columns, Column{Name: name, Required: t.element == "dataIndividual" && slices.Contains(rrfRequired, name)})
		t.column[name] = i
	}
	return i, nil
}

// rows starts reading the file for the rows of one table; nil: for none.
func (x *exchange) rows(want *rrfTable) *rrfRows {
	in, wide := x.file.plainText()
	t := newTokens(io.NopCloser(in), "")
	t.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if wide && strings.HasPrefix(strings.ToLower(label), "utf-16") {
			return in, nil // it is UTF-8 by now
		}
		return nil, refuse(BadEncoding, "save it as UTF-8", "is written in %.40q", label)
	}
	return &rrfRows{x: x, in: t, want: want, counts: map[string]int{}}
}
