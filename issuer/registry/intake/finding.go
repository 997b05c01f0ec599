package intake

import (
	"cmp"
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// Severity says what a finding does to its row.
type Severity string

// Severities, worst first.
const (
	Reject Severity = "reject" // the row cannot be stored truthfully, and was not
	Flag   Severity = "issue"  // stored with a registry.Issue
	Remark Severity = "note"   // said here alone
)

// A Finding is something about one row.
type Finding struct {
	Table    string   `json:"table,omitempty"`
	Row      int      `json:"row"`             // as roster.Row.Number
	Place    string   `json:"place,omitempty"` // in a form's file, where rows have no lines
	Column   string   `json:"column,omitempty"`
	Value    string   `json:"value,omitempty"` // what stands there: a person's data
	Severity Severity `json:"severity"`
	Blocking bool     `json:"blocking,omitempty"` // no card until it is mended or overridden
	Code     string   `json:"code"`
	What     string   `json:"what"`
	Fix      string   `json:"fix"`
}

// Codes of findings that this package makes; the others are package registry's.
const (
	RowUnreadable      = "row_unreadable"
	NoIdentity         = "no_identity"
	NoHousehold        = "no_household"
	HouseholdUnknown   = "household_unknown"
	HouseholdRejected  = "household_rejected"
	ParentUnknown      = "parent_unknown"
	PersonUnknown      = "person_unknown"
	PersonRejected     = "person_rejected"
	SameRow            = "duplicate_row"
	RowConflict        = "rows_disagree"
	RecordConflict     = "record_disagrees"
	Erased             = "record_erased"
	NameMissing        = "name_missing"
	NamePartsDiffer    = "name_parts_differ"
	SexUnknown         = "sex_unknown"
	SizeUnreadable     = "size_unreadable"
	CountUnreadable    = "count_unreadable"
	ConsentUnreadable  = "consent_unreadable"
	ConsentMissing     = "consent_missing"
	ConsentNo          = "consent_no"
	SharingUnknown     = "sharing_unknown"
	RelationUnknown    = "relation_unknown"
	MaritalUnknown     = "marital_unknown"
	ResidenceUnknown   = "residence_unknown"
	CountryUnknown     = "country_unknown"
	PCodeUnknown       = "pcode_unknown"
	PCodeParent        = "pcode_parent"
	AgeImplausible     = "age_implausible"
	AgeDiffers         = "age_differs"
	AnswerUnreadable   = "answer_unreadable"
	RegisteredBad      = "registered_unreadable"
	RegisteredFuture   = "registered_future"
	RegisteredBefore   = "registered_before_birth"
	PhoneShared        = "phone_shared"
	PregnantMale       = "pregnant_male"
	PregnantAge        = "pregnant_age"
	ResidenceOrigin    = "residence_origin"
	CollectorUnknown   = "collector_unknown"
	CollectorRoleOther = "collector_role"
	HouseholdDiffers   = "household_differs"
	TextUnusable       = "text_unusable"
	PhotoUnusable      = "photo_unusable"
	EmailUnreadable    = "email_unreadable"
	MemberElsewhere    = "member_elsewhere"
	RecordClosed       = "record_closed"
	DeskKept           = "desk_kept"

	// Of values that were typed at a desk.
	DeskField   = "desk_field"
	DeskPlace   = "desk_place"
	DeskBirth   = "desk_birth"
	DeskNothing = "desk_nothing"
	DeskIssuer  = "desk_issuer"
	DeskFace    = "desk_face"
	DeskScript  = "desk_script"
)

// faults are the words of the codes above: what is wrong, how to mend it.
var faults = map[string][2]string{
	RowUnreadable:      {"the row cannot be read", "mend the cell and import the row again"},
	NoIdentity:         {"neither a number nor a name", "give the number the list goes by, or the name"},
	NoHousehold:        {"no household", "give the number of the household; where people without one are meant, import with --column alone=yes"},
	HouseholdUnknown:   {"no such household in this file or on record", "correct the number, or add the household's row"},
	HouseholdRejected:  {"the household's own row was rejected", "mend that row: both are in the file of rejected rows"},
	ParentUnknown:      {"no row of the form has the index that this one hangs on", "correct its _parent_index, or add the submission it belongs to"},
	PersonUnknown:      {"no such person in this file or on record", "correct the number"},
	PersonRejected:     {"the person's own row was rejected", "mend that row first"},
	SameRow:            {"the same row stands in the file before", "nothing: it is counted once"},
	RowConflict:        {"rows of this file give one number to people or households that differ", "leave the right row, or give each its own number"},
	RecordConflict:     {"on record this number has another name or birth date", "correct the number; if the record is wrong, import again with --take-changes"},
	Erased:             {"erased on request", "take her in again with --take-erased only if she asks"},
	NameMissing:        {"no name", "write the name as it is said; a single name is enough"},
	NamePartsDiffer:    {"the whole name does not contain the part in this column", "compare with the paper: one of the columns is wrong"},
	SexUnknown:         {"not a code for a sex", "f, m, x (other) or u (not said)"},
	SizeUnreadable:     {"not the size of a household", "write the number of people in digits, 1 to 200"},
	CountUnreadable:    {"not a number of people", "write it in digits, or leave it empty"},
	ConsentUnreadable:  {"neither yes nor no", "write yes or no as the person answered"},
	ConsentMissing:     {"no answer about consent", "ask, and write yes or no: a no is an answer too"},
	ConsentNo:          {"no to being registered, and the row has what she said no to", "leave the row out of the list, or write yes if that is what was answered; who said no gets no card"},
	SharingUnknown:     {"no code for a recipient", "use the codes of the form; nobody else receives anything"},
	RelationUnknown:    {"not a known relation to the head", "use a code of the form, as head, wife_husband, son_daughter; it is kept as it was written"},
	MaritalUnknown:     {"not a known marital status", "single, married, divorced, widowed or separated; it is kept as it was written"},
	ResidenceUnknown:   {"not a code for a residence status", "IDP, REFUGEE, OTHERS_OF_CONCERN, RETURNEE, HOST or NON_HOST; it is kept as it was written"},
	CountryUnknown:     {"not a country", "write its code of three letters, as KEN"},
	PCodeUnknown:       {"no p-code of the list of places", "take the code from the Choices sheet, or load the right list with --pcodes"},
	PCodeParent:        {"a place that does not lie in the one of the level above", "correct one of the two codes"},
	AgeImplausible:     {"not an age", "write completed years, 0 to 120, or leave it empty"},
	AgeDiffers:         {"the age and the birth date differ by more than a year", "correct one of the two"},
	AnswerUnreadable:   {"neither yes nor no", "write yes or no"},
	RegisteredBad:      {"not readable as a date", "write 2026-05-12"},
	RegisteredFuture:   {"registered in the future", "correct the date"},
	RegisteredBefore:   {"registered before the birth", "correct one of the two dates"},
	PhoneShared:        {"more than five households give this phone", "ask whose it is"},
	PregnantMale:       {"pregnant, and the sex is male", "correct one of the two"},
	PregnantAge:        {"pregnant, and not between 10 and 55 years old", "correct the answer or the birth date"},
	ResidenceOrigin:    {"the residence status does not fit origin and country of stay", "a refugee comes from another country, a displaced person from the same: correct one of them"},
	CollectorUnknown:   {"collects for a household that is not in this file or on record", "correct the number of the household"},
	CollectorRoleOther: {"no role of a collector", "PRIMARY or ALTERNATE, or leave it empty"},
	HouseholdDiffers:   {"another row of this household says something else about it", "make them agree; the head's row was taken"},
	TextUnusable:       {"a text that cannot be kept: control characters or over 2,000 characters", "type it again, shorter"},
	EmailUnreadable:    {"not an address of electronic mail", "write it as name@place.example, or leave it empty"},
	MemberElsewhere:    {"on record this person lives in another household", "correct the household; if she moved, import again with --take-changes"},
	RecordClosed:       {"the record is closed: she died, left, or it was merged or split", "nothing: a closed record is not changed by a list"},
	DeskKept:           {"this was changed at a desk since, and the record keeps what the desk wrote", "nothing; if the list knows better, import it again with --take-changes"},
	PhotoUnusable:      {"the picture cannot be used", "take it again: JPEG or PNG of the face"},
	DeskField:          {"no field that is set at a desk", "choose one of the form"},
	DeskPlace:          {"where she stays is her household's", "set it there"},
	DeskBirth:          {"a birth and an age", "one of the two"},
	DeskNothing:        {"nothing could be read of it", "write it again, or leave it empty"},
	DeskIssuer:         {"the issuer of no document", "write the number of the document with it"},
	DeskScript:         {"written in the same script as the name", "write it in another script, or as the name in use"},
	DeskFace:           {"what stands on her card", "aidpass registry face asks for it"},
}

// fault makes a finding of one of the codes above.
func fault(code string, s Severity, column, value string) Finding {
	w := faults[code]
	return Finding{Column: column, Value: short(value), Severity: s, Code: code, What: w[0], Fix: w[1]}
}

// asFinding says an issue of package registry, whose text is "what: how to mend it".
func asFinding(i registry.Issue, s Severity, column, value string) Finding {
	what, fix, _ := strings.Cut(i.Text, ": ")
	return Finding{Column: column, Value: short(value), Severity: s, Blocking: i.Blocking, Code: i.Code, What: what, Fix: fix}
}

// issue is a finding as it is stored with the record: without the value.
func (f Finding) issue(field string) registry.Issue {
	return registry.Issue{Code: f.Code, Field: field, Blocking: f.Blocking, Text: f.What + ": " + f.Fix}
}

// sortFindings puts them in the order of the file's tables and rows.
func sortFindings(list []Finding, tables []TableCount) {
	place := map[string]int{}
	for i, t := range tables {
		place[t.Name] = i
	}
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(place[a.Table], place[b.Table]), cmp.Compare(a.Row, b.Row), cmp.Compare(severe(a), severe(b)),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code))
	})
}

func severe(f Finding) int { return slices.Index([]Severity{Reject, Flag, Remark}, f.Severity) }
