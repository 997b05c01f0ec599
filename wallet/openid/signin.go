package openid

import (
	"crypto/sha256"
	"io"
	"strings"

	"aidpass/internal/jose"
)

// SignIn is how a wallet takes an offer up by its holder signing in at the issuer.
type SignIn struct {
	Client string // client_id of this wallet
	// Redirect is where the browser comes back to: an address of this wallet's own, or
	// http on a port of this very machine (RFC 8252 7.3).
	Redirect string
}

// signIn is one on its way.
type signIn struct {
	SignIn
	verifier, state string
	code            string // never encoded: it is good for a minute
}

// maxCallback is the longest query read of an address that a browser came back to.
const maxCallback = 8 << 10

// readSignIn reads what the authorisation server says of the authorisation code grant.
// One that cannot be used here is as none. RFC 8414 2, RFC 9207 3.
func (i *Issuing) readSignIn(v jose.Value) error {
	url := textOf(v, "authorization_endpoint", MaxAddress)
	s256 := false
	for _, m := range textsOf(v, "code_challenge_methods_supported") {
		s256 = s256 || m == "S256"
	}
	i.signInURL = ""
	i.wantIss, _ = v.Get("authorization_response_iss_parameter_supported").Bool()
	if i.rules.SignIn && i.offer.SignIn && s256 && i.rules.checkURL(url) == nil {
		i.signInURL = url
	}
	if i.offer.Code == "" && i.signInURL == "" {
		return fault(Unsupported, "an offer that wants a sign-in this wallet cannot do")
	}
	return nil
}

// beginSignIn makes what the browser is sent with.
func (i *Issuing) beginSignIn(in SignIn, agreed []string) error {
	if i.signInURL == "" || in.Client == "" || in.Redirect == "" {
		return fault(Misused, "nobody can sign in for this offer")
	}
	for _, id := range agreed {
		if i.configuration(id).scope == "" {
			return fault(Unsupported, "a credential without a scope to ask for")
		}
	}
	var random [48]byte
	if _, err := io.ReadFull(i.rand, random[:]); err != nil {
		return err
	}
	i.signIn = &signIn{SignIn: in, verifier: jose.EncodeBase64(random[:32]), state: jose.EncodeBase64(random[32:])}
	return nil
}

// visit is the address the browser goes to. OpenID4VCI 5.1.2, RFC 7636 4.3.
func (i *Issuing) visit() string {
	challenge := sha256.Sum256([]byte(i.signIn.verifier))
	var scopes []string
	for _, id := range i.agreed {
		scopes = append(scopes, i.configuration(id).scope)
	}
	q := appendForm(nil, "response_type", "code")
	for _, p := range [][2]string{{"client_id", i.signIn.Client}, {"redirect_uri", i.signIn.Redirect}, {"state", i.signIn.state}, {"scope", strings.Join(scopes, " ")},
		{"code_challenge", jose.EncodeBase64(challenge[:])}, {"code_challenge_method", "S256"}} {
		q = appendForm(q, p[0], p[1])
	}
	if i.offer.IssuerState != "" {
		q = appendForm(q, "issuer_state", i.offer.IssuerState)
	}
	if i.issuer.server != i.issuer.ID {
		q = appendForm(q, "resource", i.issuer.ID)
	}
	mark := "?"
	if strings.Contains(i.signInURL, "?") {
		mark = "&"
	}
	return i.signInURL + mark + string(q)
}

// TakeCallback takes the query of the address that the browser came back to, after Visit.
// MixUp is an answer to somebody else's question: the right one may still come. After
// Refused this sign-in is over, and Next asks the holder once more.
//
// RFC 6749 4.1.2, RFC 9207 2.4.
func (i *Issuing) TakeCallback(query string) error {
	if i.stage != atSignIn {
		return fault(Misused, "nobody is signing in")
	}
	if len(query) > maxCallback {
		return fault(TooLarge, "an answer of more than %d bytes", maxCallback)
	}
	q, err := form(query)
	if err != nil {
		return err
	}
	iss, told := q["iss"]
	switch {
	case q["state"] != i.signIn.state:
		return fault(MixUp, "an answer to another sign-in")
	case told && iss != i.issuer.server, !told && i.wantIss:
		return fault(MixUp, "an answer of another authorisation server")
	case q["error"] != "":
		i.signIn, i.agreed, i.again, i.stage = nil, nil, false, atAsk
		return &Fault{Why: Refused, Code: codeOf(q["error"]), Err: errSignIn}
	case q["code"] == "" || len(q["code"]) > 4096:
		return fault(BadAnswer, "an answer without a code")
	}
	i.signIn.code, i.stage = q["code"], atToken
	return nil
}

// tokenForm is the body of the token request.
func (i *Issuing) tokenForm() []byte {
	if in := i.signIn; in != nil {
		body := appendForm(nil, "grant_type", grantSignIn)
		for _, p := range [][2]string{{"code", in.code}, {"redirect_uri", in.Redirect}, {"client_id", in.Client}, {"code_verifier", in.verifier}} {
			body = appendForm(body, p[0], p[1])
		}
		return body
	}
	body := appendForm(nil, "grant_type", grantCode)
	body = appendForm(body, "pre-authorized_code", i.offer.Code)
	if i.offer.TxCode != nil {
		body = appendForm(body, "tx_code", i.txCode)
	}
	return body
}
