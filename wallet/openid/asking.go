package openid

import (
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"aidpass/credential"
	"aidpass/credential/dcql"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/wallet"
)

// Further things a step may ask for.
const (
	Chain   Do = "chain"   // check Step.Chain, then TakeChain
	Consent Do = "consent" // show Step.Asked, then Search, and Answer or Refuse
)

// Identified says how it is known who asks.
type Identified string

// The ways of knowing, the best first.
const (
	ByChain        Identified = "certificate" // a certificate that leads to a root the caller trusts
	ByWebsite      Identified = "website"     // the key stands on the website of its name (did:web)
	ByKey          Identified = "key"         // the same key as always, and no name to it
	ByAddress      Identified = "address"     // not signed: only where the answer goes is known
	maxRequestText            = 64 << 10
	requestType               = "oauth-authz-req+jwt"
	selfIssued                = "https://self-issued.me/v2"
	clockSkew                 = 300
)

// Verifier is who asks.
type Verifier struct {
	ClientID string // whole, with its prefix
	How      Identified
	// Name is what identifies it to people: a host, what a certificate says, or a DID.
	Name string
	// Calls are what it calls itself. Nobody has checked them.
	Calls []wallet.Text
}

// Asked is what the holder reads before she answers.
type Asked struct {
	Who     Verifier
	Purpose []wallet.Text // in its own words; may be empty
	To      string        // host that the answer goes to
	Sealed  bool          // the answer is encrypted to it
	Query   *dcql.Query
}

// prefixes of client identifiers that are read (OpenID4VP 5.9.3).
const (
	prefixRedirect = "redirect_uri"
	prefixDID      = "decentralized_identifier"
	prefixHash     = "x509_hash"
)

// asking is where an Asking stands.
type askStage int64

const (
	askObject askStage = iota
	askDocument
	askChain
	askConsent
	askSign
	askSend
	askDone
)

// Asking is one request on its way to an answer.
//
//  1. the request object, where the link only says where it is
//  2. the key of who asks, and whether it signed
//  3. the holder reads who, what and what for, and chooses or says no
//  4. signatures of the keys of what she shows
//  5. the answer, sent to the one address that belongs to who asks
//
// Only what stands in the signed object counts, whatever the link says beside it.
type Asking struct {
	rules Rules
	rand  io.Reader
	stage askStage

	link        string
	clientID    string
	requestURI  string
	post        bool
	walletNonce string
	object      string // the signed request
	document    []byte // did:web
	chain       [][]byte
	trusted     bool
	chainName   string

	token  *jose.Token
	params jose.Value

	asked       Asked
	nonce       string
	state       string
	responseURI string
	encKey      jose.Value
	enc         string

	signing []binding
	tokens  []vpToken
	body    []byte
	// Redirect is where the holder's browser is sent afterwards; "" for nowhere.
	redirect string
}

// binding is what the holder's key signs of one credential: a key binding, or a
// presentation around the whole.
type binding struct {
	prepared interface{ ToBeSigned() []byte }
	attach   func(sig []byte) ([]byte, error)
	key      *cose.Key
	token    int // its place among tokens
}

type vpToken struct{ id, text string }

// IsRequest reports whether a text is a request by its beginning.
func IsRequest(link string) bool {
	if len(link) > MaxLink {
		return false
	}
	_, query, ok := strings.Cut(link, "?")
	return ok && (hasPrefixFold(link, "openid4vp:") || hasPrefixFold(link, "https:") && strings.Contains("&"+query, "&client_id="))
}

// BeginAsking reads the link of a request. random gives what encryption and the
// wallet's own nonce need.
func BeginAsking(link string, rules Rules, random io.Reader) (*Asking, error) {
	if !IsRequest(link) {
		return nil, fault(BadLink, "not a link with a request")
	}
	_, query, _ := strings.Cut(link, "?")
	query, _, _ = strings.Cut(query, "#")
	p, err := form(query)
	if err != nil {
		return nil, err
	}
	a := &Asking{rules: rules, rand: random, link: link, clientID: p["client_id"]}
	if a.clientID == "" || len(a.clientID) > MaxAddress {
		return nil, fault(BadRequest, "a request that does not say who asks")
	}
	object, byValue := p["request"]
	uri, byRef := p["request_uri"]
	method, said := p["request_uri_method"]
	switch {
	case byValue && byRef, said && !byRef, said && method != "get" && method != "post":
		return nil, fault(BadRequest, "a link that carries its request in two ways, or asks for it in none that is known")
	case byRef:
		if err := rules.checkURL(uri); err != nil {
			return nil, err
		}
		a.requestURI, a.post = uri, method == "post"
		if a.post {
			b := make([]byte, 16)
			if _, err := io.ReadFull(random, b); err != nil {
				return nil, err
			}
			a.walletNonce = jose.EncodeBase64(b)
		}
		return a, nil
	case byValue:
		return a, a.takeObject(object)
	}
	return a, a.takeUnsigned(p)
}

// Next says what is to be done. Asked again, it says the same again.
func (a *Asking) Next(credential.Time) (Step, error) {
	switch a.stage {
	case askObject:
		r := &Request{Method: "GET", URL: a.requestURI, Accept: "application/" + requestType, Max: maxRequestText}
		if a.post { // OpenID4VP 5.10
			r.Method, r.Type, r.Body = "POST", formType, appendForm(nil, "wallet_nonce", a.walletNonce)
		}
		return Step{Do: Fetch, Request: r}, nil
	case askDocument:
		url, err := did.WebURL(a.id())
		return Step{Do: Fetch, Request: &Request{Method: "GET", URL: url, Accept: jsonType, Max: did.MaxDocument}}, err
	case askChain:
		return Step{Do: Chain, Chain: a.chain}, nil
	case askConsent:
		return Step{Do: Consent, Asked: &a.asked}, nil
	case askSign:
		s := Step{Do: Sign}
		for _, b := range a.signing {
			s.Sign = append(s.Sign, ToSign{b.key, b.prepared.ToBeSigned()})
		}
		return s, nil
	case askSend:
		return Step{Do: Fetch, Request: &Request{Method: "POST", URL: a.responseURI, Accept: jsonType, Type: formType, Body: a.body, Max: maxErrorDoc}}, nil
	}
	return Step{Do: Done, Redirect: a.redirect}, nil
}

const formType = "application/x-www-form-urlencoded"

// Take takes the answer to the request of the last step. Whether the request is still
// in time is seen by Search.
func (a *Asking) Take(r Response, _ credential.Time) error {
	if err := r.down(); err != nil {
		return err
	}
	switch a.stage {
	case askObject:
		if r.Status != 200 {
			return &Fault{Why: Used, Code: r.errorCode(), Err: errRequestGone}
		}
		if len(r.Body) > maxRequestText {
			return fault(TooLarge, "a request of more than %d bytes", maxRequestText)
		}
		if mediaType(r.Type) != "application/"+requestType {
			return fault(BadAnswer, "a request of another media type")
		}
		return a.takeObject(string(r.Body))
	case askDocument:
		if r.Status != 200 || len(r.Body) > did.MaxDocument || !isJSON(r.Type) {
			return fault(BadAnswer, "the document of who asks is not there")
		}
		a.document = r.Body
		return a.takeDocument()
	case askSend:
		return a.sent(&r)
	}
	return fault(Misused, "an answer to nothing that was asked")
}

var errRequestGone = errors.New("the request is not there any more")

// id is the client identifier without its prefix.
func (a *Asking) id() string {
	_, id, _ := strings.Cut(a.clientID, ":")
	return id
}

func (a *Asking) prefix() string {
	prefix, _, ok := strings.Cut(a.clientID, ":")
	if !ok {
		return ""
	}
	return prefix
}

// takeUnsigned takes the parameters of a link. Nobody signed them, so all that is
// known is where the answer goes. OpenID4VP 5.9.3, redirect_uri.
func (a *Asking) takeUnsigned(p map[string]string) error {
	if a.prefix() != prefixRedirect {
		return fault(BadRequest, "a request that had to be signed and is not")
	}
	v := jose.ObjectOf()
	for name, value := range p {
		m := jose.StringOf(value)
		switch name {
		case "dcql_query", "client_metadata", "purpose":
			parsed, err := jose.ParseJSON([]byte(value), limits)
			if err != nil && name != "purpose" {
				return fault(BadRequest, "%s: %w", name, err)
			}
			if err == nil {
				m = parsed
			}
		}
		v.Members = append(v.Members, member(name, m))
	}
	a.params = v
	a.asked.Who = Verifier{ClientID: a.clientID, How: ByAddress}
	if err := a.read(); err != nil {
		return err
	}
	a.asked.Who.Name = hostOf(a.responseURI)
	a.stage = askConsent
	return nil
}

// takeObject takes a signed request as far as the key that must have signed it.
func (a *Asking) takeObject(text string) error {
	t, err := jose.Parse([]byte(text), maxRequestText)
	if err != nil {
		return fault(BadRequest, "the request object: %w", err)
	}
	if t.Type != requestType {
		return fault(BadRequest, "a request object of typ %.40q", t.Type)
	}
	v, err := t.Claims(limits)
	if err != nil {
		return fault(BadRequest, "the request object: %w", err)
	}
	// Inside and outside letter by letter, prefix and all (OpenID4VP 5.10.1; 14.5).
	if textOf(v, "client_id", MaxAddress) != a.clientID {
		return fault(MixUp, "a request object of somebody else than the link names")
	}
	if textOf(v, "aud", MaxAddress) != selfIssued {
		return fault(BadRequest, "a request object that is not for wallets")
	}
	if a.walletNonce != "" && textOf(v, "wallet_nonce", 512) != a.walletNonce {
		return fault(BadRequest, "a request object made for another wallet")
	}
	a.object, a.token, a.params = text, t, v
	switch a.prefix() {
	case prefixDID:
		return a.byDID()
	case prefixHash:
		return a.byCertificate()
	case prefixRedirect:
		return fault(BadRequest, "a signed request of one who has no key to sign with")
	}
	return fault(Unsupported, "one who asks under a kind of name this wallet cannot check")
}

// byDID finds the key of a decentralised identifier. The key id must be one of its own.
func (a *Asking) byDID() error {
	id := a.id()
	own, _, _ := strings.Cut(a.token.KeyID, "#")
	if own != id {
		return fault(BadRequest, "a request object signed by the key of another identifier")
	}
	a.asked.Who = Verifier{ClientID: a.clientID, How: ByKey, Name: id}
	if strings.HasPrefix(id, "did:web:") {
		url, err := did.WebURL(id)
		if err != nil {
			return fault(BadRequest, "who asks: %w", err)
		}
		if err := a.rules.checkURL(url); err != nil {
			return err
		}
		a.asked.Who.How, a.asked.Who.Name = ByWebsite, strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(url, "/did.json"), "https://"), "/.well-known")
		a.stage = askDocument
		return nil
	}
	k, err := did.KeyAt(a.token.KeyID)
	if err != nil {
		return fault(BadRequest, "who asks: %w", err)
	}
	return a.signedBy(k)
}

func (a *Asking) takeDocument() error {
	keys, err := documentKeys(a.document, a.id())
	if err != nil {
		return err
	}
	for _, k := range keys { // any of the document's: OpenID4VP 5.9.3 asks for no purpose
		if k.id == a.token.KeyID {
			return a.signedBy(k.key)
		}
	}
	return fault(BadSigned, "the document of who asks has no key of that name")
}

// byCertificate takes the key of the certificate whose hash is the name of who asks.
func (a *Asking) byCertificate() error {
	chain, err := chainOf(a.token.Header)
	if err != nil {
		return fault(BadRequest, "%w", err)
	}
	sum := sha256.Sum256(chain[0])
	if jose.EncodeBase64(sum[:]) != a.id() {
		return fault(MixUp, "a certificate of somebody else than the link names")
	}
	k, err := leafKey(chain[0])
	if err != nil {
		return fault(BadRequest, "%w", err)
	}
	a.chain = chain
	a.asked.Who = Verifier{ClientID: a.clientID, How: ByKey, Name: a.clientID}
	if err := a.signedBy(k); err != nil {
		return err
	}
	a.stage = askChain
	return nil
}

// TakeChain takes what the caller found about Step.Chain: whether it leads to a root
// that it trusts at this time, and then whose it is. Where it does not, the request is
// shown as one by an unknown key.
func (a *Asking) TakeChain(name string, trusted bool) error {
	if a.stage != askChain {
		return fault(Misused, "no certificates were to be checked")
	}
	if a.trusted, a.chainName = trusted, name; trusted && name != "" {
		a.asked.Who.How, a.asked.Who.Name = ByChain, name
	}
	a.stage = askConsent
	return nil
}

// signedBy ends the search for a key: only now the request is read on.
func (a *Asking) signedBy(k *cose.Key) error {
	if err := a.token.Verify(k); err != nil {
		return fault(BadSigned, "the request object: %w", err)
	}
	if err := a.read(); err != nil {
		return err
	}
	a.stage = askConsent
	return nil
}

// inTime holds the times of a request object to the clock, where it has any.
func (a *Asking) inTime(at credential.Time) error {
	if exp := a.params.Get("exp"); exp.Kind != jose.Missing {
		if n, ok := exp.Int(); !ok || int64(at) >= n+clockSkew {
			return fault(Used, "the request is too old")
		}
	}
	for _, name := range []string{"iat", "nbf"} {
		if v := a.params.Get(name); v.Kind != jose.Missing {
			if n, ok := v.Int(); !ok || n > int64(at)+clockSkew {
				return fault(BadRequest, "a request from the future")
			}
		}
	}
	return nil
}

// read reads the parameters, once it is known who gave them. OpenID4VP 5.1, 5.2, 8.2.
func (a *Asking) read() error {
	v := a.params
	switch {
	case textOf(v, "response_type", 64) != "vp_token":
		return fault(Unsupported, "a request for another kind of answer than a presentation")
	case v.Get("redirect_uri").Kind != jose.Missing:
		return fault(BadRequest, "a request with a redirect_uri beside its response_uri")
	case v.Get("transaction_data").Kind != jose.Missing:
		return fault(Unsupported, "a request that wants a transaction signed")
	case v.Get("scope").Kind != jose.Missing || v.Get("dcql_query").Kind == jose.Missing:
		return fault(Unsupported, "a request without a query of its own")
	}
	mode := textOf(v, "response_mode", 64)
	if mode != "direct_post" && mode != "direct_post.jwt" {
		return fault(Unsupported, "a request for an answer by another way than a post")
	}
	if a.responseURI = textOf(v, "response_uri", MaxAddress); v.Get("response_uri").Kind == jose.Missing && a.prefix() == prefixRedirect {
		a.responseURI = a.id()
	}
	if err := a.rules.checkURL(a.responseURI); err != nil {
		return err
	}
	// The address is the name here: an answer to another one is for another.
	if a.prefix() == prefixRedirect && a.responseURI != a.id() {
		return fault(MixUp, "a request whose answer goes to somebody else than it names")
	}
	a.nonce, a.state = textOf(v, "nonce", 512), textOf(v, "state", 1024)
	if !urlSafe(a.nonce) || a.nonce == "" || !urlSafe(a.state) || a.state == "" && v.Get("state").Kind != jose.Missing {
		return fault(BadRequest, "a request without a nonce, or with one or a state of odd characters")
	}
	query, err := dcql.Read(v.Get("dcql_query"))
	if err != nil {
		return fault(BadRequest, "%w", err)
	}
	meta := v.Get("client_metadata")
	a.asked.Query, a.asked.To = query, hostOf(a.responseURI)
	a.asked.Purpose = byLanguage(v, "purpose")
	a.asked.Who.Calls = byLanguage(meta, "client_name")
	if mode == "direct_post" {
		return nil
	}
	offered := textsOf(meta, "encrypted_response_enc_values_supported")
	if meta.Get("encrypted_response_enc_values_supported").Kind == jose.Missing {
		offered = []string{"A128GCM"}
	}
	var ok bool
	if a.encKey, ok = encryptionKey(meta.Get("jwks")); !ok {
		return fault(Unsupported, "a request for an encrypted answer without a key for it that this wallet can use")
	}
	if a.enc = chooseEnc(offered); a.enc == "" {
		return fault(Unsupported, "a request for an encryption this wallet has not")
	}
	a.asked.Sealed = true
	return nil
}

// byLanguage reads texts written as name, name#fr (RFC 7591 2.2), or as an object by
// language tag.
func byLanguage(v jose.Value, name string) (out []wallet.Text) {
	add := func(lang string, t jose.Value) {
		if t.Kind == jose.String && t.Text != "" && len(t.Text) <= 1000 && len(lang) <= 35 && len(out) < 32 {
			out = append(out, wallet.Text{Lang: lang, Text: t.Text})
		}
	}
	for _, m := range v.Members {
		if lang, ok := strings.CutPrefix(m.Name, name+"#"); ok {
			add(lang, m.Value)
		} else if m.Name == name {
			add("", m.Value)
			for _, t := range m.Value.Members {
				add(t.Name, t.Value)
			}
		}
	}
	return out
}

// urlSafe: OpenID4VP 5.2 allows these in nonce and state.
func urlSafe(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") == ""
}

// sent takes the verifier's word that it has the answer. OpenID4VP 8.2.
func (a *Asking) sent(r *Response) error {
	if r.Status != 200 {
		f := &Fault{Why: Refused, Code: r.errorCode(), Err: errNotTaken}
		if r.Status == 410 || r.Status == 404 {
			f.Why = Used
		}
		return f
	}
	a.stage = askDone
	if len(r.Body) == 0 {
		return nil
	}
	v, err := r.object(maxErrorDoc, "the verifier's word")
	if err != nil {
		return nil // it has the answer; where to go next is not known
	}
	if uri := textOf(v, "redirect_uri", MaxAddress); uri != "" {
		address, _, _ := strings.Cut(uri, "#")
		if err := a.rules.checkURL(address); err == nil {
			a.redirect = uri
		}
	}
	return nil
}

var errNotTaken = errors.New("who asked did not take the answer")

// Encode gives the bytes to go on from after a reload, up to where the holder
// answers: what she chose is asked again, since copies were marked as shown.
func (a *Asking) Encode() []byte {
	b := cbor.AppendArray(nil, 7)
	b = cbor.AppendText(cbor.AppendInt(b, askingVersion), a.link)
	b = cbor.AppendText(cbor.AppendText(b, a.walletNonce), a.object)
	b = cbor.AppendBytes(b, a.document)
	b = cbor.AppendBool(b, a.trusted)
	name := ""
	if a.stage > askChain {
		name = a.chainName + "."
	}
	return cbor.AppendText(b, name)
}

const askingVersion = 1

// ResumeAsking goes on from what Encode gave, and proves everything again. The error
// is ErrState, or the fault that was found then.
func ResumeAsking(b []byte, rules Rules, random io.Reader) (*Asking, error) {
	if len(b) > MaxState || cbor.CheckDeterministic(b, stateLimits) != nil {
		return nil, ErrState
	}
	r := cbor.NewReader(b)
	if r.Kind() != cbor.Array || r.Array() != 7 || r.Int() != askingVersion {
		return nil, ErrState
	}
	link, nonce, object, document, trusted, name := string(r.Text()), string(r.Text()), string(r.Text()), r.Bytes(), r.Bool(), string(r.Text())
	if !r.Done() {
		return nil, ErrState
	}
	a, err := BeginAsking(link, rules, random)
	if err != nil {
		return nil, err
	}
	if a.stage == askObject {
		if a.post && len(nonce) < 16 || !a.post && nonce != "" {
			return nil, ErrState
		}
		if a.walletNonce = nonce; object == "" {
			return a, nil
		}
		if err := a.takeObject(object); err != nil {
			return nil, err
		}
	}
	if a.stage == askDocument && len(document) > 0 {
		a.document = document
		if err := a.takeDocument(); err != nil {
			return nil, err
		}
	}
	if a.stage == askChain && name != "" {
		if err := a.TakeChain(strings.TrimSuffix(name, "."), trusted); err != nil {
			return nil, err
		}
	}
	return a, nil
}
