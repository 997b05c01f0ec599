// Package vcjwt reads and writes a W3C Verifiable Credential 2.0 secured as a
// JWT: the form for wallets and verifiers that do not know SD-JWT. Its holder
// shows the whole of it or nothing. docs/formats/vc-jwt.md draws the bytes.
//
// Parse reads the routing hints of a text that nobody has proved. The caller
// finds the key by them, and Open reads on with it. Contexts are looked at as
// text and never fetched or processed: a name means what the credential's type
// says. Two claims about one thing that do not agree refuse the credential, so
// that no two readers see two dates or two issuers.
//
// The package knows bytes, not truth: dates, authorisation and status are
// judged by package verifier. VC Data Model 2.0; VC-JOSE-COSE; RFC 7519.
package vcjwt

import (
	"aidpass/credential/internal/jwtclaims"
	"aidpass/internal/jose"
	"aidpass/words"
)

// Type is the typ header.
const Type = "vc+jwt"

// MaxText is the longest text read, in bytes (DESIGN 4).
const MaxText = 64 << 10

const (
	maxTypes    = 8 // and as many contexts
	contextV2   = "https://www.w3.org/ns/credentials/v2"
	contextName = "https://www.w3.org/ns/credentials/undefined-terms/v2" // gives every further name a meaning of its issuer's
	baseType    = "VerifiableCredential"
)

// limits of the payload: claims eight deep, within the subject of the credential.
var limits = jose.Limits{Depth: 10, Entries: 256, Values: 4096}

// Fault says why a text is not a credential that can be opened.
type Fault = jwtclaims.Fault

func fault(r words.Reason, format string, args ...any) *Fault {
	return jwtclaims.NewFault(r, format, args...)
}

// ReasonOf maps the errors of this package and the layers below it to the
// refusal vocabulary.
func ReasonOf(err error) words.Reason { return jwtclaims.ReasonOf(err) }
