package registry

// Codes of issues. They are stable: reports, rejects and screens are made from them.
const (
	NameEmpty       = "name_empty"
	NameControl     = "name_control"
	NameTooLong     = "name_too_long"
	NameTooShort    = "name_too_short"
	NameNoLetters   = "name_no_letters"
	NamePlaceholder = "name_placeholder"
	NamePadding     = "name_padding"
	NameDigits      = "name_digits"
	NameSymbols     = "name_symbols"
	NameDamaged     = "name_damaged"
	NameMixedScript = "name_mixed_script"
	NameTwoScripts  = "name_two_scripts"
	NameBidi        = "name_bidi_controls"
	NameInvisible   = "name_invisible"
	NameMarks       = "name_marks"
	NameRepeats     = "name_repeats"

	BirthUnreadable = "birth_unreadable"
	BirthAmbiguous  = "birth_ambiguous"
	BirthImpossible = "birth_impossible"
	BirthFuture     = "birth_future"
	BirthTooOld     = "birth_too_old"
	BirthDefault    = "birth_import_default"
	BirthTwoDigits  = "birth_two_digit_year"
	BirthSerial     = "birth_serial"
	BirthAge        = "birth_age"

	DocumentEmpty  = "document_number"
	DocumentType   = "document_type"
	DocumentNoLand = "document_country"

	PhoneUnreadable = "phone_unreadable"
	PhoneExtension  = "phone_extension"
	PhoneLength     = "phone_length"
	PhoneLostZero   = "phone_lost_zero"
	PhoneNoCountry  = "phone_country"
	PhoneDummy      = "phone_placeholder"

	CodeUnknown = "code_unknown"

	HouseholdSize     = "household_size"
	HouseholdMembers  = "household_members"
	HouseholdBands    = "household_bands"
	HouseholdNoHead   = "household_no_head"
	HouseholdHeads    = "household_heads"
	HouseholdHeadAge  = "household_head_age"
	HouseholdSpouse   = "household_spouse_age"
	HouseholdChild    = "household_child_age"
	HouseholdFocal    = "household_focal_point"
	HouseholdCollects = "household_collector"
	HouseholdTwins    = "household_same_person"

	HeadErased = "head_erased" // two accounts erased the head: the others decide who leads now
)

// block and note make the two kinds of an issue. The text says what is wrong and
// how to mend it, never what was written.
func block(code, field, text string) Issue {
	return Issue{Code: code, Field: field, Blocking: true, Text: text}
}

func note(code, field, text string) Issue { return Issue{Code: code, Field: field, Text: text} }

// Blocked reports whether any of the issues keeps a card from being issued.
func Blocked(issues []Issue) bool {
	for _, i := range issues {
		if i.Blocking {
			return true
		}
	}
	return false
}
