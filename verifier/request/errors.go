package request

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a refusal as a wallet or a browser is told it.
type Error struct {
	Code   string // an error code of OAuth 2.0 or of OpenID4VP 1.0 8.5
	Status int    // of the HTTP response
	// Reason is why in one stable word, of the verdict table or of this package. It is for
	// the organisation; a stranger learns Code alone.
	Reason string
	Err    error // for us; never personal data
}

func (e *Error) Error() string { return fmt.Sprintf("request: %s (%s): %v", e.Code, e.Reason, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Reasons beside those of the verdict table.
const (
	Unknown        = "unknown_request"  // no such transaction, or it was deleted
	Expired        = "request_expired"  // asked for longer ago than it lives
	Answered       = "already_answered" // by another answer
	WrongState     = "wrong_state"      // the answer is not to this request
	Malformed      = "malformed"        // not an answer at all
	NotEncrypted   = "not_encrypted"    // in the clear although encryption was asked for
	Undecryptable  = "undecryptable"
	Mismatch       = "mismatch"        // shown is not what was asked for
	HolderMismatch = "holder_mismatch" // two credentials of two holders
	WrongSession   = "wrong_session"   // somebody else asked
	OtherPage      = "other_page"      // the one who asked, on a page the wallet did not lead to
	NoLists        = "no_lists"        // nothing to judge with
	NoRecords      = "no_records"      // whether it was collected cannot be looked up
)

func refuse(code string, status int, reason, format string, args ...any) *Error {
	return &Error{Code: code, Status: status, Reason: reason, Err: fmt.Errorf(format, args...)}
}

// invalid is the refusal of an answer: OAuth's invalid_request.
func invalid(reason, format string, args ...any) *Error {
	return refuse("invalid_request", http.StatusBadRequest, reason, format, args...)
}

// ErrPolicy: what is to be asked cannot be.
var ErrPolicy = errors.New("request: this cannot be asked")
