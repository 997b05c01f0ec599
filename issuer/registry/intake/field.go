package intake

import (
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// Field is what a column says of a person or household.
type Field string

// Fields without a parameter. What stands after a point in others is their
// parameter: "document.passport", "issuer.passport", "band.f_0_4".
const (
	PersonID    Field = "person_id"
	HouseholdID Field = "household_id"
	ListName    Field = "list"           // name of the list that numbers her; "-": the organisation's own
	HouseList   Field = "household_list" // the same of her household

	FullName        Field = "full_name"
	GivenName       Field = "given_name"
	MiddleName      Field = "middle_name"
	FatherName      Field = "father_name"
	GrandfatherName Field = "grandfather_name"
	FamilyName      Field = "family_name"
	SecondFamily    Field = "second_family_name"
	MaidenName      Field = "maiden_name"
	OtherName       Field = "name_other_script" // the whole name once more, in another script
	UsedName        Field = "used_name"         // nickname, alias

	Sex       Field = "sex"
	BirthDate Field = "birth_date"
	Estimated Field = "birth_estimated" // yes: the birth date is one
	Age       Field = "age"
	Relation  Field = "relation" // to the head
	Head      Field = "head"     // yes: this person is the head
	Marital   Field = "marital_status"
	Pregnant  Field = "pregnant"
	Language  Field = "language"
	Phone     Field = "phone"
	Phone2    Field = "phone_2"
	Answers   Field = "who_answers"
	Answers2  Field = "who_answers_2"
	Email     Field = "email"
	Origin    Field = "origin"
	Photo     Field = "photo"

	Residence Field = "residence"
	Size      Field = "size"
	Admin1    Field = "admin1"
	Admin2    Field = "admin2"
	Admin3    Field = "admin3"
	Admin4    Field = "admin4"
	PCode     Field = "pcode"
	Site      Field = "site"
	Address   Field = "address"
	Country   Field = "country" // where they stay

	Consent    Field = "consent" // to be registered
	Sharing    Field = "sharing" // with whom it may be shared: recipients
	Registered Field = "registered"

	Primary       Field = "primary_collector"   // households this person collects for
	Alternate     Field = "alternate_collector" // the same
	CollectRole   Field = "collector_role"      // PRIMARY or ALTERNATE for her own household
	CollectorName Field = "collector_name"      // of somebody who is not on record

	PrintName  Field = "print_name"  // yes: her name may stand on her card
	PrintPhoto Field = "print_photo" // yes: her photograph may

	DocType    Field = "document_type" // beside one number column for all types
	DocNumber  Field = "document_number"
	DocCountry Field = "document_country"

	Ext     Field = "ext"      // kept by the column's name
	Skip    Field = "skip"     // not kept: what this program added, and what forms add
	Private Field = "left_out" // not kept: what no card needs and people are hurt for
)

// Families of fields with a parameter.
const (
	documentOf = "document."
	issuerOf   = "issuer."
	bandOf     = "band."
)

// documentTypes are the types of registry.Document.
var documentTypes = registry.DocumentTypes()

// fields are those a plan may name, with whose they are: p person, h household, b both.
var fields = map[Field]byte{
	PersonID: 'p', HouseholdID: 'b', ListName: 'b', HouseList: 'p',
	FullName: 'p', GivenName: 'p', MiddleName: 'p', FatherName: 'p', GrandfatherName: 'p', FamilyName: 'p', SecondFamily: 'p',
	MaidenName: 'p', OtherName: 'p', UsedName: 'p',
	Sex: 'p', BirthDate: 'p', Estimated: 'p', Age: 'p', Relation: 'p', Head: 'p', Marital: 'p', Pregnant: 'p', Language: 'p',
	Phone: 'b', Phone2: 'b', Answers: 'p', Answers2: 'p', Email: 'b', Origin: 'b', Photo: 'p',
	Residence: 'h', Size: 'h', Admin1: 'h', Admin2: 'h', Admin3: 'h', Admin4: 'h', PCode: 'h', Site: 'h', Address: 'h', Country: 'h',
	Consent: 'b', Sharing: 'b', Registered: 'b',
	Primary: 'p', Alternate: 'p', CollectRole: 'p', CollectorName: 'h', PrintName: 'p', PrintPhoto: 'p',
	DocType: 'p', DocNumber: 'p', DocCountry: 'p', Ext: 'b', Skip: 'b', Private: 'b',
}

// many are fields that several columns may fill.
func (f Field) many() bool { return f == Ext || f == Skip || f == Private }

// Known reports whether a plan may name f.
func (f Field) Known() bool {
	if t, ok := f.param(documentOf); ok {
		return slices.Contains(documentTypes, t)
	}
	if t, ok := f.param(issuerOf); ok {
		return slices.Contains(documentTypes, t)
	}
	if b, ok := f.param(bandOf); ok {
		return b != "" && len(b) <= 40 && strings.Trim(b, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
	}
	return fields[f] != 0
}

func (f Field) param(family string) (string, bool) { return strings.CutPrefix(string(f), family) }

// owner tells whose a field is: p, h or b.
func (f Field) owner() byte {
	if o := fields[f]; o != 0 {
		return o
	}
	if _, ok := f.param(bandOf); ok {
		return 'h'
	}
	return 'p'
}
