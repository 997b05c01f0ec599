package offer

// Statuses of HTTP, which this package does not speak.
const (
	statusBad      = 400
	statusNoToken  = 401
	statusNotFound = 404
	statusTooOften = 429
)

// An Error is a wallet's fault, or what it must know: it is sent as it is. It says
// nothing of anybody.
type Error struct {
	Code        string // of RFC 6749 5.2, RFC 6750 3.1 or OpenID4VCI; empty: there is only the status
	Description string // ASCII without quotes and backslashes; for the wallet's makers
	Status      int    // of HTTP
	Err         error  // for our log; nil: nothing more is known. Never sent, and without personal data
}

func (e *Error) Error() string {
	s := "offer: " + e.Code + ": " + e.Description
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// The codes.
const (
	// Token endpoint: RFC 6749 5.2, OpenID4VCI 6.3.
	InvalidRequest       = "invalid_request"
	InvalidGrant         = "invalid_grant"
	UnsupportedGrantType = "unsupported_grant_type"
	SlowDown             = "slow_down"
	// Authorisation endpoint: RFC 6749 4.1.2.1, RFC 9396 5.
	UnsupportedResponseType     = "unsupported_response_type"
	InvalidScope                = "invalid_scope"
	InvalidAuthorizationDetails = "invalid_authorization_details"
	AccessDenied                = "access_denied"
	// Wherever a token is shown: RFC 6750 3.1.
	InvalidToken = "invalid_token"
	// Credential endpoint: OpenID4VCI 8.3.1.2.
	InvalidCredentialRequest       = "invalid_credential_request"
	UnknownCredentialConfiguration = "unknown_credential_configuration"
	UnknownCredentialIdentifier    = "unknown_credential_identifier"
	InvalidProof                   = "invalid_proof"
	InvalidNonce                   = "invalid_nonce"
	InvalidEncryptionParameters    = "invalid_encryption_parameters"
	CredentialRequestDenied        = "credential_request_denied"
	// Deferred credential endpoint: 9.3. Notification endpoint: 11.3.
	InvalidTransactionID       = "invalid_transaction_id"
	InvalidNotificationID      = "invalid_notification_id"
	InvalidNotificationRequest = "invalid_notification_request"
)

func fault(code, description string) *Error {
	return &Error{Code: code, Description: description, Status: statusBad}
}

func faultOf(code, description string, err error) *Error {
	e := fault(code, description)
	e.Err = err
	return e
}

var (
	notOffered = fault(InvalidAuthorizationDetails, "the offer has not all credential configurations that authorization_details names")

	noOffer  = &Error{Code: "not_found", Description: "no such offer, or not any more", Status: statusNotFound}
	noToken  = &Error{Code: InvalidToken, Description: "no such access token, or not any more", Status: statusNoToken}
	tooOften = &Error{Code: SlowDown, Description: "too many requests: wait a minute", Status: statusTooOften}
)
