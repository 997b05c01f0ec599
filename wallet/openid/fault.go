package openid

import (
	"fmt"
	"strings"
)

// Why is the kind of a fault: the key under which a screen has its words.
type Why string

// The faults. Each ends the matter unless it says otherwise.
const (
	BadLink     Why = "bad_link"    // not a link of the kind that is read here
	NotHTTPS    Why = "not_https"   // an address that must not be fetched: http, file, a number, a password in it
	TooLarge    Why = "too_large"   // an answer longer or deeper than is read
	BadAnswer   Why = "bad_answer"  // not the answer the standard says: worth another try
	NoAnswer    Why = "no_answer"   // a server that is down: worth another try
	MixUp       Why = "mix_up"      // an answer that speaks for somebody else than was asked
	Unsupported Why = "unsupported" // well-formed, and nothing this wallet can do
	NotNow      Why = "not_now"     // an offer of what the issuer does not say it gives: the desk can mend that
	WrongCode   Why = "wrong_code"  // the code the holder typed: she may try again
	Used        Why = "used"        // the offer was used, withdrawn or is too old
	Refused     Why = "refused"     // the other side says no
	BadProof    Why = "bad_proof"   // the issuer does not take our keys
	BadIssued   Why = "bad_issued"  // what was issued is not what was asked for, or not signed by its issuer
	BadRequest  Why = "bad_request" // a request that breaks a rule of the standard
	BadSigned   Why = "bad_signed"  // a request whose signature does not hold
	Nothing     Why = "nothing"     // no card in the wallet answers the request
	Misused     Why = "misused"     // called out of turn: a fault of the caller
)

// Fault is what went wrong, without anything a holder would mind in a log.
type Fault struct {
	Why Why
	// Code is the error code the other side sent, such as invalid_grant; "" for none.
	Code string
	Err  error
}

func (f *Fault) Error() string {
	s := "openid: " + f.Err.Error()
	if f.Code != "" {
		s += " (" + f.Code + ")"
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Err }

func fault(why Why, format string, args ...any) *Fault {
	return &Fault{Why: why, Err: fmt.Errorf(format, args...)}
}

// codeOf keeps of an error code what may stand in one (RFC 6749 5.2), so that a
// stranger's answer writes no lines into a log.
func codeOf(s string) string {
	if len(s) > 64 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
