package cwt

import (
	"errors"
	"math"

	"aidpass/credential"
	"aidpass/credential/internal/proven"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// Parse reads a COSE_Sign1 message as far as its routing hints.
//
// raw is the inflated card, at most MaxCardBytes long; the envelope aliases it.
// Nothing is proved and nothing but issuer, key id, type and device certificate
// can be seen. Errors carry the first fault found (ReasonOf).
//
// RFC 9052 4.2; RFC 8392 7.2 steps 1 to 6.
func Parse(raw []byte) (credential.Envelope, error) {
	if len(raw) > MaxCardBytes {
		return credential.Envelope{}, fault(words.TooLarge, "message of %d bytes", len(raw))
	}
	msg, err := cose.ParseSign1(raw)
	if err != nil {
		return credential.Envelope{}, err
	}
	form, err := cbor.Check(msg.Payload, cbor.DefaultLimits)
	if err != nil {
		return credential.Envelope{}, err
	}
	// Lengths that are not said beforehand: no reader of ours takes them, and two
	// texts would be one credential.
	if form&cbor.Indefinite != 0 {
		return credential.Envelope{}, fault(words.NonCanonical, "payload has indefinite lengths")
	}
	var iss, vct, device []byte
	r := cbor.NewReader(msg.Payload)
	if r.Kind() != cbor.Map {
		return credential.Envelope{}, fault(words.BadClaims, "payload is not a map")
	}
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		label, ok := r.Label()
		if !ok {
			r.Skip()
			continue
		}
		switch {
		case label == labelIss && r.Kind() == cbor.Text:
			iss = r.Text()
		case label == labelVct && r.Kind() == cbor.Text:
			vct = r.Text()
		case label == labelAidpass && r.Kind() == cbor.Map:
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				if k, ok := r.Label(); ok && k == aidDevice && r.Kind() == cbor.Bytes {
					device = r.Bytes()
				} else {
					r.Skip()
				}
			}
		default:
			r.Skip()
		}
	}
	if err := r.Err(); err != nil {
		return credential.Envelope{}, err
	}
	kid := msg.KeyID()
	if len(kid) == 0 {
		return credential.Envelope{}, fault(words.KidMissing, "no key id in the headers")
	}
	if len(iss) == 0 {
		return credential.Envelope{}, fault(words.IssMissing, "no issuer among the claims")
	}
	if len(iss) > MaxTextClaim || len(vct) > MaxTextClaim {
		return credential.Envelope{}, fault(words.TooLarge, "issuer or type too long")
	}
	return credential.NewEnvelope(credential.FormCWT, iss, kid, vct, device, proven.Wrap(msg, form)), nil
}

// OpenCard returns the credential in e if k signed it under profile
// aidpass-card-1. scratch is reused for the bytes to be signed; it may be nil.
// Errors: the strict rules of the profile, bad_signature, then the claims'
// shape (bad_claims, exp_missing, cti_missing, too_large, ...).
func OpenCard(e *credential.Envelope, k *cose.Key, scratch []byte) (credential.Credential, error) {
	return openStrict(e, k, scratch, false)
}

// OpenSlip is OpenCard for profile aidpass-slip-1: k is the key in the device
// certificate the caller has checked.
func OpenSlip(e *credential.Envelope, k *cose.Key, scratch []byte) (credential.Credential, error) {
	return openStrict(e, k, scratch, true)
}

func openStrict(e *credential.Envelope, k *cose.Key, scratch []byte, slip bool) (credential.Credential, error) {
	msg, form := proven.Unwrap(e.Body())
	if alg := msg.Protected.Alg; alg != cose.ES256 && alg != cose.EdDSA {
		return credential.Credential{}, fault(words.AlgNotAllowed, "algorithm %d", alg)
	}
	if !k.Accepts(msg.Protected.Alg) {
		return credential.Credential{}, cose.ErrAlgKeyMismatch
	}
	if err := msg.Strict(); err != nil {
		return credential.Credential{}, err
	}
	// The inflated bytes re-encode to themselves: message and header were held to
	// that by Strict, the payload is here.
	if form != 0 {
		return credential.Credential{}, fault(words.NonCanonical, "the payload is not deterministic CBOR")
	}
	if err := msg.Verify(k, scratch, nil, true); err != nil {
		return credential.Credential{}, err
	}
	c := credential.Credential{Form: credential.FormCWT, KeyID: e.KeyID}
	if err := readClaims(&c, msg.Payload, true); err != nil {
		return credential.Credential{}, err
	}
	if slip == (c.DeviceCertificate == nil) {
		return credential.Credential{}, fault(words.BadClaims, "device certificate missing or out of place")
	}
	return credential.New(proven.Checked(), c), nil
}

// OpenForeign reads a Claim 169 card of another system, liberally: any of the
// three taggings, kid in either header, non-deterministic encoding, high-s,
// claim 169 as a map or as bytes holding one, unknown claims. What is required
// is a signature by k, an issuer, claim 169 and well-formed times, and that the
// message does not say it is something else than a CWT (wrong_typ).
func OpenForeign(e *credential.Envelope, k *cose.Key, scratch []byte) (credential.Credential, error) {
	msg, _ := proven.Unwrap(e.Body())
	// RFC 9596: a status list or a token signed by the same key is no identity card.
	for _, h := range []*cose.Header{&msg.Protected, &msg.Unprotected} {
		if h.HasType && string(h.Type) != "application/cwt" {
			return credential.Credential{}, cose.ErrType
		}
	}
	if !k.Accepts(msg.Protected.Alg) {
		return credential.Credential{}, cose.ErrAlgKeyMismatch
	}
	if err := msg.Verify(k, scratch, nil, false); err != nil {
		return credential.Credential{}, err
	}
	c := credential.Credential{Form: credential.FormCWT, KeyID: e.KeyID, Foreign: true}
	if err := readClaims(&c, msg.Payload, false); err != nil {
		return credential.Credential{}, err
	}
	return credential.New(proven.Checked(), c), nil
}

// readClaims fills c from a payload that passed Parse and whose signature held.
func readClaims(c *credential.Credential, payload []byte, strict bool) error {
	r := cbor.NewReader(payload)
	var hasExp, hasIat, hasNbf, hasCti bool
	for n := r.Map(); n > 0; n-- {
		label, ok := r.Label()
		if r.Err() != nil {
			return r.Err()
		}
		if !ok {
			if strict {
				return fault(words.BadClaims, "a claim label is not an integer")
			}
			r.Skip()
			continue
		}
		var err error
		switch label {
		case labelIss:
			c.Issuer, err = text(&r, label)
		case labelVct:
			c.Type, err = text(&r, label)
		case labelExp:
			hasExp = true
			// Long past is past: 0 stands for "not given" and a negative time is read.
			if c.ExpiresAt, err = moment(&r, label, strict); c.ExpiresAt <= 0 {
				c.ExpiresAt = -1
			}
		case labelNbf:
			hasNbf = true
			c.NotBefore, err = moment(&r, label, strict)
		case labelIat:
			hasIat = true
			c.IssuedAt, err = moment(&r, label, strict)
		case labelCti:
			if r.Kind() != cbor.Bytes {
				return fault(words.BadClaims, "cti is not a byte string")
			}
			c.ID = r.Bytes()
			hasCti = len(c.ID) > 0
			if strict && len(c.ID) != CredentialIDN || len(c.ID) > 64 {
				return fault(words.BadClaims, "cti of %d bytes", len(c.ID))
			}
		case labelStatus:
			c.Status, err = statusRef(&r, strict)
		case labelIdentity:
			err = identity(c, &r, strict)
		case labelCnf:
			c.HolderKey, err = holderKey(&r, strict)
		case labelAidpass:
			err = aidpass(c, &r, strict)
		case labelAud:
			if strict {
				return fault(words.BadClaims, "claim 3 is not of this profile")
			}
			c.Audience = r.Raw()
		default:
			if strict {
				return fault(words.BadClaims, "claim %d is not of this profile", label)
			}
			r.Skip()
		}
		if err != nil {
			return err
		}
		if r.Err() != nil {
			return r.Err()
		}
	}
	switch {
	case len(c.Issuer) == 0:
		return fault(words.IssMissing, "no issuer")
	case strict && !hasExp:
		return fault(words.ExpMissing, "no exp")
	case strict && !hasIat:
		return fault(words.BadClaims, "no iat")
	case strict && !hasCti:
		return fault(words.CTIMissing, "no cti")
	case strict && len(c.Type) == 0:
		return fault(words.BadClaims, "no vct")
	case !strict && c.Identity == nil:
		return fault(words.BadClaims, "no claim 169: not an identity card")
	case strict && len(c.Pseudonym) == 0:
		return fault(words.BadClaims, "claim 169 does not hold the pseudonym")
	case strict && c.Replaces != nil && c.DeviceCertificate != nil:
		return fault(words.BadClaims, "a device replaces nobody's card")
	case strict && hasNbf && c.NotBefore <= c.IssuedAt:
		return fault(words.BadClaims, "nbf is written only when later than iat")
	}
	if !hasNbf {
		c.NotBefore = c.IssuedAt
	}
	// A negative exp is long past and is judged as such; what ends before it
	// begins was never valid.
	if hasExp && c.ExpiresAt >= 0 && c.ExpiresAt <= c.NotBefore {
		return fault(words.BadClaims, "exp is not after nbf or iat")
	}
	return nil
}

func text(r *cbor.Reader, label int64) ([]byte, error) {
	if r.Kind() != cbor.Text {
		return nil, fault(words.BadClaims, "claim %d is not text", label)
	}
	b := r.Text()
	if len(b) > MaxTextClaim {
		return nil, fault(words.TooLarge, "claim %d of %d bytes", label, len(b))
	}
	return b, nil
}

// moment reads a NumericDate. RFC 8392 2: no tag 1. Own cards write integers;
// foreign ones may write a finite float, rounded down.
func moment(r *cbor.Reader, label int64, strict bool) (credential.Time, error) {
	switch k := r.Kind(); {
	case k == cbor.Uint:
		if v := r.Uint(); v <= uint64(credential.MaxTime) {
			return credential.Time(v), nil
		}
	case k == cbor.Nint && (!strict || label == labelExp):
		if v := r.Int(); r.Err() == nil && v >= -int64(credential.MaxTime) {
			return credential.Time(v), nil
		}
	case k == cbor.Float && !strict:
		if f := math.Floor(r.Float()); f >= -float64(credential.MaxTime) && f <= float64(credential.MaxTime) {
			return credential.Time(f), nil
		}
	}
	return 0, fault(words.BadClaims, "claim %d is not a time in seconds before the year 10000", label)
}

// statusRef reads {"status_list": {"idx": uint, "uri": tstr}}
// (draft-ietf-oauth-status-list 6.3).
func statusRef(r *cbor.Reader, strict bool) (credential.StatusRef, error) {
	var s credential.StatusRef
	if r.Kind() != cbor.Map {
		return s, fault(words.BadClaims, "status is not a map")
	}
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		if r.Kind() != cbor.Text {
			return s, fault(words.BadClaims, "status has a label that is not text")
		}
		if string(r.Text()) != "status_list" {
			if strict {
				return s, fault(words.BadClaims, "status holds more than a status list")
			}
			r.Skip()
			continue
		}
		if r.Kind() != cbor.Map {
			return s, fault(words.BadClaims, "status_list is not a map")
		}
		var idx, uri bool
		for m := r.Map(); m > 0 && r.Err() == nil; m-- {
			if r.Kind() != cbor.Text {
				return s, fault(words.BadClaims, "status_list has a label that is not text")
			}
			switch string(r.Text()) {
			case "idx":
				if r.Kind() != cbor.Uint {
					return s, fault(words.BadClaims, "status index is not an unsigned integer")
				}
				s.Index, idx = r.Uint(), true
			case "uri":
				b, err := text(r, labelStatus)
				if err != nil {
					return s, err
				}
				s.URI, uri = b, len(b) > 0
			default:
				if strict {
					return s, fault(words.BadClaims, "status_list holds an unknown member")
				}
				r.Skip()
			}
		}
		if !idx || !uri {
			return s, fault(words.BadClaims, "status_list without idx or uri")
		}
		s.Present = true
	}
	if strict && !s.Present && r.Err() == nil {
		return s, fault(words.BadClaims, "status holds no status list")
	}
	return s, r.Err()
}

// identity reads claim 169. IANA and the table of Claim 169 say map; its
// printed example carries a byte string holding one, so foreign cards may.
func identity(c *credential.Credential, r *cbor.Reader, strict bool) error {
	var m []byte
	switch k := r.Kind(); {
	case k == cbor.Map:
		m = r.Raw()
	case k == cbor.Bytes && !strict:
		m = r.Bytes()
		if form, err := cbor.Check(m, cbor.DefaultLimits); err != nil {
			return err
		} else if form&cbor.Indefinite != 0 {
			return fault(words.NonCanonical, "claim 169 has indefinite lengths")
		}
	default:
		return fault(words.BadClaims, "claim 169 is not a map")
	}
	in := cbor.NewReader(m)
	if in.Kind() != cbor.Map {
		return fault(words.BadClaims, "claim 169 does not hold a map")
	}
	for n := in.Map(); n > 0 && in.Err() == nil; n-- {
		label, ok := in.Label()
		switch {
		case ok && label == identityID && in.Kind() == cbor.Text:
			c.Pseudonym = in.Text()
			if len(c.Pseudonym) > MaxTextClaim {
				return fault(words.TooLarge, "identity key 1 of %d bytes", len(c.Pseudonym))
			}
			if strict && !isPseudonym(c.Pseudonym) {
				return fault(words.BadClaims, "identity key 1 is not a pseudonym")
			}
		case in.Kind() == cbor.Text:
			if len(in.Text()) > MaxTextClaim {
				return fault(words.TooLarge, "a text in claim 169 is too long")
			}
			if strict {
				return fault(words.BadClaims, "identity key %d is not of this profile", label)
			}
		case strict:
			return fault(words.BadClaims, "identity key %d is not of this profile", label)
		default:
			in.Skip()
		}
	}
	c.Identity = m
	return in.Err()
}

// isPseudonym: 96 bits are exactly 16 characters of base64url, none unused.
func isPseudonym(b []byte) bool {
	if len(b) != PseudonymLen {
		return false
	}
	for _, c := range b {
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// holderKey reads cnf {1: COSE_Key} (RFC 8747 3.2). Other confirmation methods
// are not read: on own cards they are refused, on foreign ones they count as a
// binding this reader cannot check.
func holderKey(r *cbor.Reader, strict bool) ([]byte, error) {
	if r.Kind() != cbor.Map {
		return nil, fault(words.BadClaims, "cnf is not a map")
	}
	raw := r.Raw()
	in := cbor.NewReader(raw)
	if n := in.Map(); n == 1 && in.Kind() == cbor.Uint && in.Uint() == 1 && in.Kind() == cbor.Map {
		k := in.Raw()
		if _, err := cose.ParseKey(k); err == nil {
			return k, nil
		} else if strict {
			return nil, errors.Join(fault(words.BadClaims, "cnf key"), err)
		}
	}
	if strict {
		return nil, fault(words.BadClaims, "cnf does not hold one key")
	}
	return raw, nil
}

// aidpass reads our private-use claim: {1: plain, 2: sealed, 3: device certificate, 4: replaces}.
func aidpass(c *credential.Credential, r *cbor.Reader, strict bool) error {
	if !strict {
		r.Skip()
		return nil
	}
	if r.Kind() != cbor.Map {
		return fault(words.BadClaims, "claim -70001 is not a map")
	}
	n := r.Map()
	if n == 0 {
		return fault(words.BadClaims, "claim -70001 is empty")
	}
	for ; n > 0 && r.Err() == nil; n-- {
		label, ok := r.Label()
		switch {
		case ok && label == aidPlain && r.Kind() == cbor.Map:
			c.Plain = r.Raw()
			if longText(c.Plain) {
				return fault(words.TooLarge, "a text among the plain claims is too long")
			}
		case ok && label == aidSealed && r.Kind() == cbor.Array:
			c.Sealed = r.Raw()
		case ok && label == aidDevice && r.Kind() == cbor.Bytes:
			c.DeviceCertificate = r.Bytes()
		case ok && label == aidFormer && r.Kind() == cbor.Bytes:
			if c.Replaces = r.Bytes(); len(c.Replaces) != credential.FormerBytes {
				return fault(words.BadClaims, "replaces has %d bytes", len(c.Replaces))
			}
		default:
			return fault(words.BadClaims, "claim -70001 holds an unknown member")
		}
	}
	return r.Err()
}

// longText looks for a text over the limit anywhere in an item that passed Check.
func longText(item []byte) bool {
	r := cbor.NewReader(item)
	for !r.Done() && r.Err() == nil {
		switch r.Kind() {
		case cbor.Text:
			if len(r.Text()) > MaxTextClaim {
				return true
			}
		case cbor.Map:
			r.Map()
		case cbor.Array:
			r.Array()
		case cbor.Tag:
			r.Tag()
		default:
			r.Skip()
		}
	}
	return false
}
