package rights

import "fmt"

// A Refusal is what the caller can mend: a field that is wrong, an agreement that ended.
type Refusal struct {
	Code string // of the table below, for whoever has its own words; empty: it has none
	text string
}

func (r *Refusal) Error() string { return "rights: " + r.text }

func refuse(format string, args ...any) error { return deny("", format, args...) }

func deny(code, format string, args ...any) error {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}

// Codes of what is wrong with an agreement, or with what is asked under one. They are
// stable.
const (
	DeniedFileLarge    = "file_large"
	DeniedFileSyntax   = "file_syntax"
	DeniedFileOne      = "file_one"
	DeniedNameLong     = "name_long"
	DeniedText         = "text"
	DeniedID           = "id"
	DeniedKind         = "kind"
	DeniedCountry      = "country"
	DeniedIssuer       = "issuer"
	DeniedPurpose      = "purpose"
	DeniedBasis        = "basis"
	DeniedHealth       = "health"
	DeniedDays         = "days"
	DeniedYears        = "years"
	DeniedRetention    = "retention"
	DeniedFields       = "fields"
	DeniedAreas        = "areas"
	DeniedLevels       = "levels"
	DeniedUnpadded     = "unpadded"
	DeniedOrigin       = "origin"
	DeniedOriginWhy    = "origin_why"
	DeniedOriginBoth   = "origin_both"
	DeniedConsentOnly  = "consent_only"
	DeniedEnded        = "ended"
	DeniedOver         = "over"
	DeniedEarly        = "early"
	DeniedField        = "field"
	DeniedPast         = "past"
	DeniedTaken        = "taken"
	DeniedWhy          = "why"
	DeniedAbsent       = "absent"
	DeniedSharing      = "sharing"
	DeniedOwnPurpose   = "own_purpose"
	DeniedOtherPurpose = "other_purpose"
)

// Codes of what is wrong with a wording, stable too.
const (
	DeniedWording = "wording"
	DeniedSort    = "sort"
	DeniedAsked   = "asked"
	DeniedTexts   = "texts"
	DeniedDay     = "day"
	DeniedTongue  = "tongue"
)
