// Package sdjwt reads and writes the wallet form of a credential: an SD-JWT VC,
// whose holder shows each verifier only the claims it asks for.
//
//	issuer's JWT "~" { disclosure "~" } [ holder's key binding JWT ]
//
// Parse reads the routing hints of a text that nobody has proved. The caller
// finds the key by them; OpenBound, OpenUnbound and OpenIssued read on with it.
// Which of the three is the caller's policy, never the shape of the text: a
// thief would leave the holder's signature out (RFC 9901 9.5).
//
// The package knows bytes, not truth: dates, authorisation and status are
// judged by package verifier. RFC 9901; draft-ietf-oauth-sd-jwt-vc.
package sdjwt

import (
	"aidpass/credential/internal/jwtclaims"
	"aidpass/internal/jose"
	"aidpass/words"
)

// The typ headers. The older vc+sd-jwt is not read.
const (
	Type        = "dc+sd-jwt"
	BindingType = "kb+jwt"
)

// Limits of DESIGN 4.
const (
	MaxText        = 64 << 10 // the whole text, in bytes
	MaxDisclosures = 256      // and as many digests, disclosed or not
	MaxDepth       = 8        // arrays and objects inside each other, disclosures put in
)

// The claim names of RFC 9901 that hold digests and never reach a caller.
const (
	sdName    = "_sd"
	itemName  = "..."
	hashName  = "_sd_alg"
	hashValue = "sha-256" // the one hash we take: HAIP asks everyone for it
)

// mustStand are the claims of a credential that its holder must not be able to
// leave out or choose (draft-ietf-oauth-sd-jwt-vc, "Registered JWT Claims").
// aud is ours: whom a credential is for is not the holder's to say.
var mustStand = map[string]bool{
	"iss": true, "nbf": true, "exp": true, "cnf": true, "vct": true, "vct#integrity": true,
	"aka_vcts": true, "status": true, "aud": true,
}

// limits of one piece of JSON. An array's element may be wrapped in {"...": digest},
// which is one level more than the claims it stands for; so is a disclosure.
var limits = jose.Limits{Depth: MaxDepth + 1, Entries: 256, Values: 4096}

// Fault says why a text is not a credential that can be opened.
type Fault = jwtclaims.Fault

func fault(r words.Reason, format string, args ...any) *Fault {
	return jwtclaims.NewFault(r, format, args...)
}

// ReasonOf maps the errors of this package and the layers below it to the
// refusal vocabulary.
func ReasonOf(err error) words.Reason { return jwtclaims.ReasonOf(err) }
