// Package jwtclaims reads the claims and headers that every credential in a JWT
// has alike, whatever stands around them: times, texts, the place in a status
// list, the holder's key, a chain of certificates.
//
// It judges the shape of each and nothing more. RFC 7519, RFC 7800,
// draft-ietf-oauth-status-list.
package jwtclaims

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/words"
)

// Limits of DESIGN 4.
const (
	MaxText         = 1024 // a text claim, in bytes
	MaxCertificates = 8    // of an x5c header
)

// Fault says why a text is not a credential that can be opened.
type Fault struct {
	Reason words.Reason // stable code
	Err    error        // for us; never holds claim values
}

func (f *Fault) Error() string { return fmt.Sprintf("credential: %s: %v", f.Reason, f.Err) }
func (f *Fault) Unwrap() error { return f.Err }

// NewFault is out of line: its copies would weigh on the browser binaries.
//
//go:noinline
func NewFault(r words.Reason, format string, args ...any) *Fault {
	return &Fault{Reason: r, Err: fmt.Errorf(format, args...)}
}

// ReasonOf maps the errors of this package and the layers below it to the
// refusal vocabulary.
func ReasonOf(err error) words.Reason {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Reason
	}
	for _, m := range reasons {
		if errors.Is(err, m.err) {
			return m.reason
		}
	}
	return words.BadJOSE
}

var reasons = []struct {
	err    error
	reason words.Reason
}{
	{jose.ErrTooLarge, words.TooLarge},
	{jose.ErrDuplicate, words.DuplicateKey},
	{jose.ErrAlgMissing, words.AlgMissing},
	{jose.ErrAlgNotAllowed, words.AlgNotAllowed},
	{jose.ErrAlgKeyMismatch, words.AlgKeyMismatch},
	{jose.ErrCrit, words.CritNotUnderstood},
	{jose.ErrType, words.WrongTyp},
	{jose.ErrSignature, words.BadSignature},
	{cose.ErrBadKey, words.BadKey},
	{jose.ErrMalformed, words.BadJOSE},
}

// Text returns the claim called name: nil where it is absent, else a text of 1 to
// MaxText bytes.
func Text(claims jose.Value, name string) ([]byte, error) {
	v := claims.Get(name)
	switch {
	case v.Kind == jose.Missing:
		return nil, nil
	case v.Kind != jose.String || v.Text == "":
		return nil, NewFault(words.BadClaims, "%s is not text", name)
	case len(v.Text) > MaxText:
		return nil, NewFault(words.TooLarge, "%s of %d bytes", name, len(v.Text))
	}
	return []byte(v.Text), nil
}

// Moment reads the claim called name as a NumericDate in whole seconds. An exp
// before 1970 is -1, since 0 stands for "not given".
func Moment(claims jose.Value, name string) (t credential.Time, there bool, err error) {
	v := claims.Get(name)
	if v.Kind == jose.Missing {
		return 0, false, nil
	}
	n, ok := v.Int()
	past := name == "exp" && n <= 0
	if !ok || n > int64(credential.MaxTime) || n < 0 && !past {
		return 0, true, NewFault(words.BadClaims, "%s is not a time in seconds before the year 10000", name)
	}
	if past {
		n = -1
	}
	return credential.Time(n), true, nil
}

// Status reads the claim status: {"status_list": {"idx": 1, "uri": "..."}}. Other
// mechanisms beside it are not read (draft-ietf-oauth-status-list 6.2).
func Status(v jose.Value) (s credential.StatusRef, err error) {
	if v.Kind == jose.Missing {
		return s, nil
	}
	if v.Kind != jose.Object {
		return s, NewFault(words.BadClaims, "status is not an object")
	}
	list := v.Get("status_list")
	if list.Kind == jose.Missing {
		return s, nil
	}
	n, ok := list.Get("idx").Int()
	uri := list.Get("uri")
	switch {
	case !ok || n < 0 || uri.Kind != jose.String || uri.Text == "":
		return s, NewFault(words.BadClaims, "status_list without a good idx or uri")
	case len(uri.Text) > MaxText:
		return s, NewFault(words.TooLarge, "the uri of the status list has %d bytes", len(uri.Text))
	}
	return credential.StatusRef{URI: []byte(uri.Text), Index: uint64(n), Present: true}, nil
}

// StatusOf is the other way round.
func StatusOf(uri string, index uint64) jose.Value {
	list := jose.ObjectOf(jose.Member{Name: "idx", Value: jose.IntOf(int64(index))}, jose.Member{Name: "uri", Value: jose.StringOf(uri)})
	return jose.ObjectOf(jose.Member{Name: "status_list", Value: list})
}

// Holder reads the claim cnf: {"jwk": key} (RFC 7800 3.2). Other confirmation
// methods and kinds of keys are nil: there, but not to be checked by us.
func Holder(cnf jose.Value) (*cose.Key, error) {
	if cnf.Kind == jose.Missing {
		return nil, nil
	}
	jwk := cnf.Get("jwk")
	if cnf.Kind != jose.Object || jwk.Kind != jose.Object && jwk.Kind != jose.Missing {
		return nil, NewFault(words.BadClaims, "cnf is not an object with a key")
	}
	if jwk.Kind == jose.Missing {
		return nil, nil
	}
	k, err := jose.KeyOf(jwk)
	switch {
	case errors.Is(err, jose.ErrAlgNotAllowed):
		return nil, nil
	case errors.Is(err, cose.ErrPrivateKey): // whoever published it signed for everybody
		return nil, NewFault(words.BadJOSE, "cnf holds a private key")
	case err != nil:
		return nil, NewFault(words.BadKey, "the holder's key: %w", err)
	}
	return k, nil
}

// HolderOf is the other way round.
func HolderOf(k *cose.Key) jose.Value {
	return jose.ObjectOf(jose.Member{Name: "jwk", Value: jose.JWKOf(k)})
}

// Certificates reads the header x5c: an array of DER in base64 with padding,
// unlike all else in a JWS (RFC 7515 4.1.6). Nobody has checked the chain.
func Certificates(v jose.Value) (chain [][]byte, err error) {
	if v.Kind == jose.Missing {
		return nil, nil
	}
	if v.Kind != jose.Array || len(v.Items) == 0 {
		return nil, NewFault(words.BadJOSE, "x5c is not an array of certificates")
	}
	if len(v.Items) > MaxCertificates {
		return nil, NewFault(words.TooLarge, "x5c of %d certificates", len(v.Items))
	}
	for _, c := range v.Items {
		der, err := base64.StdEncoding.Strict().DecodeString(c.Text)
		if err != nil || len(der) == 0 || strings.ContainsAny(c.Text, "\r\n") {
			return nil, NewFault(words.BadJOSE, "x5c holds what is not base64 of a certificate")
		}
		chain = append(chain, der)
	}
	return chain, nil
}
