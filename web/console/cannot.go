package console

import (
	"net/http"
	"slices"
)

// Why a desk cannot do something as things are, by code: words/cannot has a heading
// for each, and what to do. They are stable.
const (
	CannotSite       = "site"        // its code is spelt nearly as another: known
	CannotRound      = "round"       // the programme has no such round: programme, round
	CannotUnit       = "unit"        // nobody has the number, and it is no id
	CannotNoList     = "no_list"     // no trust list was seen here
	CannotListEnded  = "list_ended"  // the trust list is over
	CannotNotListed  = "not_listed"  // the organisation is not on the trust list
	CannotOldList    = "old_list"    // the trust list that the server was started with is not the newest, or not signed on
	CannotKeyRefused = "key_refused" // the trust list does not accept the key: use
	CannotKeyOver    = "key_over"    // the key signs no longer: use
	CannotKeyEarly   = "key_early"   // the key does not sign yet, or is not there: use
	CannotPack       = "pack"        // no device would take the pack
	CannotPackLarge  = "pack_large"  // it does not fit
	CannotPackFiles  = "pack_files"  // what the server was told to put into packs is wrong
	CannotLabels     = "labels"      // the names of things cannot be read
	CannotTerms      = "terms"       // of a device's certificate
	CannotReplace    = "replace"     // what the new device takes the place of is no other one of the site
	CannotAuditKey   = "audit_key"   // it is not of the kind that witnesses know
	CannotRewound    = "rewound"     // the log is shorter than it was
	CannotAhead      = "ahead"       // the checkpoint leaves out what was seen before: seen
	CannotBehind     = "behind"      // it is older than what was seen: seen
	CannotForked     = "forked"      // it is of a log that was written anew
	CannotCheckpoint = "checkpoint"  // no checkpoint, or a damaged one
	CannotUnsigned   = "unsigned"    // nobody known signed it
	CannotNoCode     = "no_code"     // on a picture
	CannotLine       = "line"        // of complaints: signs that are not printed
	CannotPairs      = "pairs"       // how much two accounts approve together
	CannotNames      = "names"       // the file of what things are called
	CannotRequired   = "required"    // the file of what a record must have
	CannotOther      = "other"       // what has no words of its own
)

// CannotNow is what a desk answers where the input or the state of things is at fault:
// a code of those above, the program's own sentence in English for whoever helps, and
// the values that the code names, as in [Page.T].
func CannotNow(code, why string, fill ...any) *Fault {
	return &Fault{Status: http.StatusUnprocessableEntity, Word: "cannot." + code, Fill: slices.Clip(fill), Detail: why}
}
