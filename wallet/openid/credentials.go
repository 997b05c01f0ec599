package openid

import (
	"errors"

	"aidpass/credential"
	"aidpass/internal/did"
	"aidpass/internal/jose"
)

var (
	errGone   = errors.New("the offer is not there any more")
	errToken  = errors.New("the issuer gives no token")
	errSignIn = errors.New("the sign-in gave the wallet nothing")
	errNonce  = errors.New("the issuer gives no nonce")
	errDenied = errors.New("the issuer gives no credential")
)

const (
	proofType  = "openid4vci-proof+jwt"
	maxWait    = 30 * 86400 // seconds an issuer may send a wallet away for
	maxRenewed = 2          // nonces refused before we give up
)

// sign prepares the proofs, once, and says what is to be signed. OpenID4VCI F.1:
// the key in the header, iss left out since nobody signed in.
func (i *Issuing) sign(at credential.Time) (Step, error) {
	if i.signing == nil {
		claims := jose.ObjectOf(member("aud", jose.StringOf(i.issuer.ID)), member("iat", jose.IntOf(int64(at))))
		if i.nonce != "" {
			claims.Members = append(claims.Members, member("nonce", jose.StringOf(i.nonce)))
		}
		body := claims.Append(nil)
		for _, k := range i.keys {
			kid, more := "", []jose.Member{member("jwk", jose.JWKOf(k))}
			if !i.current().jwk {
				kid, more = did.OfJWK(k)+"#0", nil
			}
			p, err := jose.Prepare(k, proofType, kid, body, jose.DefaultLimits, more...)
			if err != nil {
				return Step{}, err
			}
			i.signing = append(i.signing, p)
		}
	}
	s := Step{Do: Sign}
	for n, p := range i.signing {
		s.Sign = append(s.Sign, ToSign{i.keys[n], p.ToBeSigned()})
	}
	return s, nil
}

// Signed takes the signatures, in the order of Step.Sign. One that does not hold
// is jose.ErrSignature, and the step stays.
func (i *Issuing) Signed(sigs [][]byte) error {
	if i.stage != atSign || len(sigs) != len(i.signing) || len(sigs) == 0 {
		return fault(Misused, "signatures of nothing that was to be signed")
	}
	proofs := make([]string, len(sigs))
	for n, p := range i.signing {
		text, err := p.Attach(sigs[n])
		if err != nil {
			return err
		}
		proofs[n] = string(text)
	}
	i.proofs, i.signing, i.stage = proofs, nil, atCredential
	return nil
}

// request is a POST with the token, encrypted where the issuer can.
func (i *Issuing) request(url string, build func() jose.Value) (Step, error) {
	r := &Request{Method: "POST", URL: url, Accept: jsonType, Type: jsonType, Bearer: i.token, Max: MaxIssued}
	if i.issuer.encryption != nil && i.issuer.requestEnc != "" {
		r.Accept = "application/jwt"
	}
	if i.issuer.requestEnc != "" {
		r.Type = "application/jwt"
	}
	if i.body == nil {
		v := build()
		if r.Accept != jsonType {
			scalar, point, err := newScalar(i.rand)
			if err != nil {
				return Step{}, err
			}
			i.scalar = scalar
			v.Members = append(v.Members, member("credential_response_encryption", jose.ObjectOf(
				member("jwk", jwkOfPoint(point, member("alg", jose.StringOf(algECDH)), member("use", jose.StringOf("enc")), member("kid", jose.StringOf("1")))),
				member("enc", jose.StringOf(i.issuer.encryption.enc)))))
		}
		i.body = v.Append(nil)
		if r.Type != jsonType {
			jwk, ok := encryptionKey(i.issuer.requestKeys)
			if !ok {
				return Step{}, fault(Unsupported, "an issuer whose key for encryption this wallet cannot use")
			}
			text, err := encrypt(jwk, i.issuer.requestEnc, i.body, i.rand)
			if err != nil {
				return Step{}, fault(Unsupported, "an issuer's key for encryption: %w", err)
			}
			i.body = []byte(text)
		}
	}
	r.Body = i.body
	return Step{Do: Fetch, Request: r}, nil
}

func (i *Issuing) credentialRequest() jose.Value {
	v := jose.ObjectOf(member("credential_configuration_id", jose.StringOf(i.agreed[0])))
	if len(i.proofs) > 0 {
		var proofs []jose.Value
		for _, p := range i.proofs {
			proofs = append(proofs, jose.StringOf(p))
		}
		v.Members = append(v.Members, member("proofs", jose.ObjectOf(member("jwt", jose.ArrayOf(proofs...)))))
	}
	return v
}

func (i *Issuing) deferredRequest() jose.Value {
	return jose.ObjectOf(member("transaction_id", jose.StringOf(i.later)))
}

// takeCredential takes credentials, or the word that they come later. OpenID4VCI
// 8.3, 9.2, 9.3.
func (i *Issuing) takeCredential(r *Response, at credential.Time) error {
	if r.Status != 200 && r.Status != 202 {
		return i.denied(r, at)
	}
	if len(r.Body) > MaxIssued {
		return fault(TooLarge, "an answer of more than %d bytes", MaxIssued)
	}
	if i.scalar != nil {
		if mediaType(r.Type) != "application/jwt" {
			return fault(BadAnswer, "an answer in plain that was to be encrypted")
		}
		plain, err := decrypt(string(r.Body), i.scalar, i.issuer.encryption.enc)
		if err != nil {
			return fault(BadAnswer, "%w", err)
		}
		r.Body, r.Type = plain, jsonType
	}
	v, err := r.object(MaxIssued, "an answer with credentials")
	if err != nil {
		return err
	}
	i.body, i.scalar = nil, nil
	list := v.Get("credentials")
	if list.Kind == jose.Missing {
		return i.takeLater(v, at)
	}
	if n := len(list.Items); n == 0 || n > max(1, len(i.keys)) {
		return fault(BadIssued, "%d credentials for %d keys", n, len(i.keys))
	}
	for _, item := range list.Items {
		text := item.Get("credential")
		if text.Kind != jose.String {
			return fault(BadIssued, "a credential that is not text")
		}
		i.texts = append(i.texts, text.Text)
	}
	i.notify = textOf(v, "notification_id", 1024)
	return i.prove()
}

func (i *Issuing) takeLater(v jose.Value, at credential.Time) error {
	id := textOf(v, "transaction_id", 1024)
	if i.later != "" && id == "" { // an answer of the deferred endpoint need not repeat it
		id = i.later
	}
	n, ok := v.Get("interval").Int()
	if id == "" || i.issuer.deferred == "" {
		return fault(BadAnswer, "an answer with neither credentials nor a time to come back")
	}
	if !ok || n < 1 {
		n = 5
	}
	i.later, i.until, i.stage = id, at+credential.Time(min(n, maxWait)), atDeferred
	return nil
}

func (i *Issuing) denied(r *Response, at credential.Time) error {
	code := r.errorCode()
	f := &Fault{Why: Refused, Code: code, Err: errDenied}
	switch {
	case code == "issuance_pending" && i.later != "": // of drafts before 1.0
		i.until = at + 5
		return nil
	case code == "invalid_nonce" && i.nonces < maxRenewed && i.issuer.nonce != "":
		i.nonces++
		i.renew()
		return nil
	case code == "invalid_nonce", code == "invalid_proof":
		f.Why = BadProof
	case code == "invalid_token", r.Status == 401:
		f.Why = Used
	case code == "":
		f.Why = BadAnswer
	}
	return f
}
