// Package proven guards the step from bytes that came from outside to a
// credential somebody signed.
//
// Only packages below credential/ can import it, so only the readers of the
// signed forms (cwt, sdjwt, vcjwt) can open an envelope's body or make a
// credential.Credential.
package proven

import (
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// Token is asked for by credential.New. Holding one says: the caller has
// checked the signature.
type Token struct{ ok bool }

// Checked returns the token. Call it right after the signature held.
func Checked() Token { return Token{ok: true} }

// Valid is false for the zero Token.
func (t Token) Valid() bool { return t.ok }

// Body is what an envelope carries unread: the message, and how far its payload
// is from deterministic CBOR.
type Body struct {
	msg  cose.Sign1
	form cbor.Form
}

// Wrap makes the body of an envelope.
func Wrap(msg cose.Sign1, form cbor.Form) Body { return Body{msg: msg, form: form} }

// Unwrap returns the message and the form of its payload.
func Unwrap(b *Body) (*cose.Sign1, cbor.Form) { return &b.msg, b.form }
