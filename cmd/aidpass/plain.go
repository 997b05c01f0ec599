package main

import (
	"strings"

	"aidpass/storage"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// Codes are for programs, and for whoever calls phone support; people read what they
// mean first. What a card's reason means to a supervisor stands in package words.

// plain is what a code means, with the code behind it where the meaning has it not; a code nobody has words for stands
// alone, and none at all is "".
func plain[C ~string](meaning map[C]string, code C) string {
	switch text := meaning[code]; {
	case text == "":
		return string(code)
	case strings.Contains(text, string(code)): // "it was stolen" says it already
		return text
	default:
		return text + " (" + string(code) + ")"
	}
}

// plainAll joins the meanings of several.
func plainAll[C ~string](meaning map[C]string, codes []C) string {
	texts := make([]string, len(codes))
	for i, c := range codes {
		texts[i] = plain(meaning, c)
	}
	return strings.Join(texts, "; ")
}

// doubtWords tell what is odd about a record.
var doubtWords = map[visit.Doubt]string{
	visit.ClockBack:       "its time is before that of the record before it",
	visit.ClockAhead:      "its time is ahead of this machine's clock",
	visit.LongAgo:         "it is more than a year old",
	visit.BeforeCard:      "the card that was shown was issued later",
	visit.AfterCard:       "the card that was shown had ended",
	visit.OtherCard:       "the card that was shown is another unit's",
	visit.OutsideCert:     "its device had no certificate then",
	visit.DeviceWithdrawn: "its device was withdrawn later",
	visit.AfterWithdrawal: "its device was withdrawn by then",
	visit.Cloned:          "its device was copied",
	visit.CancelsUnknown:  "what it takes back is not here",
	visit.FormerUnknown:   "the card stands in the place of one that its issuer does not know",
	visit.OtherFormer:     "the card stands in the place of another one than the unit's earlier records say",
	visit.RestOfUnknown:   "the part it completes is not here",
	visit.OtherUnit:       "the amount is in another unit than what is due",
}

// stateWords tell what merging made of a record.
var stateWords = map[visit.State]string{
	visit.Counted:     "it counts",
	visit.Conflict:    "collected already: it does not count",
	visit.Over:        "more than is due: it does not count",
	visit.Cancelled:   "taken back",
	visit.Quarantined: "of a card that nobody here knows: it does not count",
	visit.Noted:       "a note",
}

// refusalWords tell why a record is refused.
var refusalWords = map[visit.Why]string{
	visit.Unreadable:    "it cannot be read",
	visit.UnknownDevice: "no device of this organisation made it",
	visit.BadSignature:  "its device did not sign it",
	visit.Nonsense:      "it says what cannot be",
	visit.BadAmount:     "its amount is none",
}

// noteWords are of the codes that devices write by themselves; others are the site's own.
var noteWords = map[string]string{
	visit.CodeShiftOpen:  "the shift was opened",
	visit.CodeShiftClose: "the shift was closed",
	visit.CodeRest:       "the rest was given",
	"not_received":       "said that nothing was received",
	"not_this_person":    "the holder check did not fit",
	"name_shown":         "the name was shown",
	"place_shown":        "place and hour of an earlier collection were shown",
	"known":              "the record was opened",
	"served":             "served",
	"undo":               "undone at once",
	"mistake":            "a mistake was corrected",
	"override":           "a supervisor let it be given all the same",
	"old_lists":          "the round was opened on old lists",
	"old_lists_end":      "the old lists ended",
	visit.CodeOldLists:   "a decision for old lists let it pass",
	"consent_yes":        "the answer about consent was yes",
	"consent_no":         "the answer about consent was no",
	"number_only":        "given by number, without a card",
}

// noted tells the code of a record, which may have the site's own reason behind a colon.
func noted(code string) string {
	main, _, _ := strings.Cut(code, ":")
	if text := noteWords[main]; text != "" {
		return text + " (" + code + ")"
	}
	return code
}

// ackWords tells what became of a record that was handed in.
func ackWords(r *recordAnswer) string {
	if r.State == storage.VisitRefused {
		return "refused: " + plain(refusalWords, visit.Why(deref(r.Reason)))
	}
	text := "for review: " + plain(stateWords, visit.State(deref(r.Reason)))
	if len(r.Flags) > 0 {
		text += "; " + plainAll(doubtWords, r.Flags)
	}
	return text
}

// keyWords tell why what a key signed does not hold.
var keyWords = map[words.Reason]string{
	words.UnknownKey:          "its key is not on the trust list",
	words.KeyRevoked:          "the trust list withdraws its key",
	words.KeyOutsideValidity:  "its key does not sign at that time",
	words.IssuerNotAuthorised: "the trust list does not let it do this",
	words.IssuerKeyMismatch:   "its key is another organisation's",
	words.BadSignature:        "the key did not sign it",
	words.BadKey:              "the key is not usable",
	words.BadClaims:           "it is not written as it must be",
	words.Expired:             "it has ended",
	words.NotYetValid:         "it has not begun",
}

// reasonCodes tell what devices were withdrawn or refused for.
var reasonCodes = map[string]string{
	"not_confirmed": "nobody confirmed it",
	"lost":          "it was lost",
	"stolen":        "it was stolen",
	"copied":        "it was copied",
	"broken":        "it is broken",
	"replaced":      "another took its place",
}
