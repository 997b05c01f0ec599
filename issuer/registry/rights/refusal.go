package rights

import "fmt"

// A Refusal is what the caller can mend: a field that is wrong, an agreement that ended.
type Refusal struct {
	Code string // of the table below, for whoever has its own words
	text string
}

func (r *Refusal) Error() string { return "rights: " + r.text }

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

// Codes of what is wrong with an answer, or with the wording that it is to,
// stable too.
const (
	DeniedAbout     = "about"
	DeniedRecipient = "recipient"
	DeniedApart     = "apart"
	DeniedNobody    = "nobody"
	DeniedHow       = "how"
	DeniedBy        = "by"
	DeniedWho       = "who"
	DeniedWitness   = "witness"
	DeniedExpires   = "expires"
	DeniedReadIn    = "read_in"
	DeniedFunction  = "function"
	DeniedKept      = "kept"
	DeniedNoWording = "no_wording"
	DeniedNotIn     = "not_in"
	DeniedNotYet    = "not_yet"
)

// Codes of what is wrong with a recall, a letter or an answer to one,
// stable too.
const (
	DeniedNoRecall  = "no_recall"
	DeniedNoLetter  = "no_letter"
	DeniedUnproved  = "unproved"
	DeniedNotSent   = "not_sent"
	DeniedNotOurs   = "not_ours"
	DeniedOutcome   = "outcome"
	DeniedNotForUs  = "not_for_us"
	DeniedStillHere = "still_here"
	DeniedNoneHere  = "none_here"
	DeniedRecalled  = "recalled"
)

// Codes of what is wrong with a request, a term or what is to be destroyed,
// stable too.
const (
	DeniedNoRequest  = "no_request"
	DeniedKnown      = "known"
	DeniedNoWish     = "no_wish"
	DeniedOwnWish    = "own_wish"
	DeniedDemand     = "demand"
	DeniedAskText    = "ask_text"
	DeniedToldText   = "told_text"
	DeniedAnswered   = "answered"
	DeniedNotGone    = "not_gone"
	DeniedMany       = "many"
	DeniedReason     = "reason"
	DeniedClass      = "class"
	DeniedNoList     = "no_list"
	DeniedUnread     = "unread"
	DeniedTermsLarge = "terms_large"
	DeniedTerms      = "terms"
	DeniedTermDays   = "term_days"
)
