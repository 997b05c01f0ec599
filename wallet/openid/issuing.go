package openid

import (
	"io"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/wallet"
)

// MaxCopies is how many one-time copies of a credential a wallet takes at most;
// DefaultCopies how many it asks for unless told otherwise.
const (
	MaxCopies     = 32
	DefaultCopies = 8
)

// Do is what a step asks of the caller.
type Do string

// What is to be done.
const (
	Fetch Do = "fetch" // send Step.Request, then Take
	Ask   Do = "ask"   // show Step.Offered to the holder, then Agree
	Visit Do = "visit" // open Step.Redirect in the holder's browser, then TakeCallback
	Keys  Do = "keys"  // make Step.Keys new P-256 keys, then TakeKeys
	Sign  Do = "sign"  // sign each of Step.Sign, then Signed
	Wait  Do = "wait"  // come back at Step.Until: the issuer is not ready
	Done  Do = "done"
)

// Step is the next thing to be done.
type Step struct {
	Do      Do
	Request *Request
	Offered *Offered
	Keys    int
	Sign    []ToSign
	Until   credential.Time
	// Of an Asking.
	Chain    [][]byte // DER certificates, the signer's first
	Asked    *Asked
	Redirect string // with Done: where the holder's browser goes next; "" for nowhere; also with Visit
}

// ToSign is a text to be signed by ES256: over SHA-256, r||s in 64 bytes, as
// WebCrypto and cose.SignRaw do it.
type ToSign struct {
	Key   *cose.Key // whose private half signs
	Bytes []byte
}

// Offered is what the holder is asked about.
type Offered struct {
	Issuer *Issuer
	// Can are the credentials offered that this wallet can keep. At least one.
	Can []Configuration
	// Cannot are the ids of those it cannot.
	Cannot []string
	TxCode *TxCode // nil: no code is needed
	// SignIn: the holder may sign in, and MustSignIn: there is no other way.
	SignIn, MustSignIn bool
	// Again: the code given before was wrong.
	Again bool
}

// Agreement is what the holder said.
type Agreement struct {
	Configurations []string // ids out of Offered.Can
	TxCode         string   // "" where none is needed
	Copies         int      // wanted of each, 1 to MaxCopies; 0: DefaultCopies
	SignIn         *SignIn  // how the holder signs in; nil: by the offer's code, and TxCode
}

// Issued is one credential received, in as many one-time copies as the issuer gave.
type Issued struct {
	Configuration Configuration
	Issuer        string    // iss, as its copies have it
	Type          string    // vct
	IssuerKey     *cose.Key // what they were proved with; nil for a card, which is proved by whoever scans it, and where the keys could not be fetched
	Copies        []Copy
}

// Copy is one text and the key it is bound to.
type Copy struct {
	Text string
	Key  *cose.Key // nil: bound to nobody
}

// stage is where an Issuing stands.
type stage int64

const (
	atOffer stage = iota
	atIssuer
	atServer
	atAsk
	atSignIn
	atToken
	atKeys
	atNonce
	atSign
	atCredential
	atDeferred
	atProve
	atProveSet
	atNotify
	atDone
)

// Issuing is one offer on its way to credentials.
//
//  1. the offer, where the link only says where it is
//  2. the issuer's metadata, which must name the issuer of the offer
//  3. the authorisation server's, which must name itself
//  4. the holder agrees, and types her code or signs in
//  5. the token
//
// and for each credential agreed on
//
//  6. new keys
//  7. a nonce, where the issuer gives any
//  8. proofs, signed by those keys
//  9. the credentials, at once or later
//
// 10. the issuer's keys, by which they are proved; where they cannot be fetched, later (Prove)
// 11. a word to the issuer that they came, or that they were no good
//
// A lost answer is asked for again: give Take a Response with Status 0. The same
// keys with a new nonce give the same credentials, not second ones.
type Issuing struct {
	rules Rules
	rand  io.Reader

	stage    stage
	offerURI string
	offerDoc []byte
	metaDoc  []byte
	offer    *Offer
	issuer   *Issuer
	tokenURL string
	again    bool

	signInURL string  // authorization_endpoint; "" where nobody can sign in
	wantIss   bool    // the server promises iss in the answer
	signIn    *signIn // nil: by the offer's code

	agreed []string // configurations, those got taken away
	copies int
	txCode string // never encoded
	token  string

	keys    []*cose.Key // of the configuration being fetched
	nonce   string
	nonces  int
	signing []*jose.Prepared
	proofs  []string
	scalar  []byte // the answer is encrypted to; nil: it is not
	body    []byte // of the credential request, nil: to be made
	later   string // transaction_id
	until   credential.Time

	texts    []string // received, not proved yet
	notify   string   // notification_id
	failed   *Fault   // why what was received is no good
	proving  *proving
	received []Issued
}

// Begin reads the link of an offer. random gives what encryption needs.
func Begin(link string, rules Rules, random io.Reader) (*Issuing, error) {
	offer, uri, err := rules.parseOfferLink(link)
	if err != nil {
		return nil, err
	}
	i := &Issuing{rules: rules, rand: random, offerURI: uri, offer: offer}
	if offer != nil {
		_, query, _ := strings.Cut(link, "?")
		query, _, _ = strings.Cut(query, "#")
		params, _ := form(query)
		i.offerDoc = []byte(params["credential_offer"])
		i.stage = atIssuer
	}
	return i, nil
}

// Received are the credentials proved so far.
func (i *Issuing) Received() []Issued { return i.received }

// Source is the credential issuer, and what it is called; "" before its metadata came.
func (i *Issuing) Source() (issuer string, names []wallet.Text) {
	if i.issuer == nil {
		return "", nil
	}
	return i.issuer.ID, i.issuer.Names
}

// Next says what is to be done. Asked again, it says the same again.
func (i *Issuing) Next(at credential.Time) (Step, error) {
	get := func(url string) (Step, error) {
		return Step{Do: Fetch, Request: &Request{Method: "GET", URL: url, Accept: jsonType, Max: MaxAnswer}}, nil
	}
	switch i.stage {
	case atOffer:
		return get(i.offerURI)
	case atIssuer:
		return get(wellKnown(i.offer.Issuer, "openid-credential-issuer"))
	case atServer:
		return get(wellKnown(i.issuer.server, "oauth-authorization-server"))
	case atAsk:
		return Step{Do: Ask, Offered: i.offered()}, nil
	case atSignIn:
		return Step{Do: Visit, Redirect: i.visit()}, nil
	case atToken:
		return Step{Do: Fetch, Request: &Request{Method: "POST", URL: i.tokenURL, Accept: jsonType,
			Type: "application/x-www-form-urlencoded", Body: i.tokenForm(), Max: MaxAnswer}}, nil
	case atKeys:
		return Step{Do: Keys, Keys: i.wanted()}, nil
	case atNonce:
		return Step{Do: Fetch, Request: &Request{Method: "POST", URL: i.issuer.nonce, Accept: jsonType, Max: MaxAnswer}}, nil
	case atSign:
		return i.sign(at)
	case atCredential:
		return i.request(i.issuer.credential, i.credentialRequest)
	case atDeferred:
		if at < i.until {
			return Step{Do: Wait, Until: i.until}, nil
		}
		return i.request(i.issuer.deferred, i.deferredRequest)
	case atProve, atProveSet:
		return get(i.proving.url)
	case atNotify:
		event := "credential_accepted"
		if i.failed != nil {
			event = "credential_failure"
		}
		body := jose.ObjectOf(member("notification_id", jose.StringOf(i.notify)), member("event", jose.StringOf(event)))
		return Step{Do: Fetch, Request: &Request{Method: "POST", URL: i.issuer.notified, Accept: jsonType, Type: jsonType,
			Bearer: i.token, Body: body.Append(nil), Max: MaxAnswer}}, nil
	}
	return Step{Do: Done}, nil
}

// Take takes the answer to the request of the last step.
//
// After NoAnswer and BadAnswer the same step may be tried again; after WrongCode
// Next asks the holder once more. After other faults the matter is over, except
// that the issuer of a credential that is no good is still told so.
func (i *Issuing) Take(r Response, at credential.Time) error {
	if i.stage == atNotify { // whether it arrived does not matter to the holder
		return i.notified()
	}
	if err := r.down(); err != nil {
		switch i.stage {
		case atCredential:
			i.renew() // the nonce may be spent
		case atProve, atProveSet: // what was received must not be lost for that
			if i.proving.lost++; i.proving.lost >= maxLost || r.Status != 0 {
				return i.unproved()
			}
		}
		return err
	}
	switch i.stage {
	case atOffer:
		return i.takeOffer(&r)
	case atIssuer:
		return i.takeIssuer(&r)
	case atServer:
		return i.takeServer(&r)
	case atToken:
		return i.takeToken(&r)
	case atNonce:
		return i.takeNonce(&r)
	case atCredential, atDeferred:
		return i.takeCredential(&r, at)
	case atProve, atProveSet:
		return i.takeIssuerKeys(&r)
	}
	return fault(Misused, "an answer to nothing that was asked")
}

func (i *Issuing) takeOffer(r *Response) error {
	if r.Status != 200 {
		return &Fault{Why: Used, Code: r.errorCode(), Err: errGone}
	}
	if _, err := r.object(maxOfferText, "an offer"); err != nil {
		return err
	}
	offer, err := i.rules.parseOffer(r.Body)
	if err != nil {
		return err
	}
	i.offer, i.offerDoc, i.stage = offer, slices.Clone(r.Body), atIssuer
	return nil
}

func (i *Issuing) takeIssuer(r *Response) error {
	if r.Status != 200 {
		return fault(BadAnswer, "the issuer publishes no metadata: %d", r.Status)
	}
	if _, err := r.object(MaxAnswer, "the issuer's metadata"); err != nil {
		return err
	}
	m, err := i.rules.parseIssuer(r.Body, i.offer.Issuer, i.offer.Server)
	if err != nil {
		return err
	}
	i.issuer, i.metaDoc = m, slices.Clone(r.Body)
	if len(i.offered().Can) == 0 {
		if !slices.ContainsFunc(i.offer.Configurations, func(id string) bool { return i.configuration(id) != nil }) {
			return fault(NotNow, "an offer of nothing that the issuer says it gives")
		}
		return fault(Unsupported, "an offer of nothing this wallet can keep")
	}
	i.stage = atServer
	return nil
}

func (i *Issuing) takeServer(r *Response) error {
	if r.Status != 200 {
		return fault(BadAnswer, "the authorisation server publishes no metadata: %d", r.Status)
	}
	v, err := r.object(MaxAnswer, "the authorisation server's metadata")
	if err != nil {
		return err
	}
	// RFC 8414 3.3: letter by letter, or another server could take the code.
	if textOf(v, "issuer", MaxAddress) != i.issuer.server {
		return fault(MixUp, "metadata of another authorisation server")
	}
	url := textOf(v, "token_endpoint", MaxAddress)
	if err := i.rules.checkURL(url); err != nil {
		return err
	}
	if err := i.readSignIn(v); err != nil {
		return err
	}
	i.tokenURL, i.stage = url, atAsk
	return nil
}

func (i *Issuing) offered() *Offered {
	o := &Offered{Issuer: i.issuer, TxCode: i.offer.TxCode, Again: i.again, SignIn: i.signInURL != "", MustSignIn: i.offer.Code == ""}
	for _, id := range i.offer.Configurations {
		if c := i.configuration(id); c != nil && c.usable() {
			o.Can = append(o.Can, *c)
		} else {
			o.Cannot = append(o.Cannot, id)
		}
	}
	return o
}

func (i *Issuing) configuration(id string) *Configuration {
	for n := range i.issuer.Configurations {
		if c := &i.issuer.Configurations[n]; c.ID == id {
			return c
		}
	}
	return nil
}

// Agree takes what the holder said. A code is sent as it is but for the spaces
// around it, and for digits of other scripts, which become 0 to 9 where the code
// is numeric.
func (i *Issuing) Agree(a Agreement) error {
	if i.stage != atAsk {
		return fault(Misused, "nothing is being asked")
	}
	can := i.offered().Can
	seen := map[string]bool{}
	for _, id := range a.Configurations {
		if seen[id] || !slices.ContainsFunc(can, func(c Configuration) bool { return c.ID == id }) {
			return fault(Misused, "not one of the credentials offered")
		}
		seen[id] = true
	}
	if len(seen) == 0 || a.Copies < 0 || a.Copies > MaxCopies {
		return fault(Misused, "no credential was chosen, or %d copies", a.Copies)
	}
	code := strings.TrimSpace(a.TxCode)
	i.signIn = nil
	if a.SignIn != nil {
		if err := i.beginSignIn(*a.SignIn, a.Configurations); err != nil {
			return err
		}
	} else if i.offer.Code == "" {
		return fault(Misused, "this offer wants a sign-in")
	}
	if tx := i.offer.TxCode; tx != nil && i.signIn == nil {
		if tx.Numeric {
			code = digits(code)
		}
		if code == "" || len(code) > 256 {
			return fault(WrongCode, "the code the issuer gave is missing")
		}
	}
	if i.copies = a.Copies; i.copies == 0 {
		i.copies = DefaultCopies
	}
	i.agreed, i.txCode, i.stage = slices.Clone(a.Configurations), code, atToken
	if i.signIn != nil {
		i.txCode, i.stage = "", atSignIn
	}
	return nil
}

// digits writes the digits of scripts in use where cards are as 0 to 9.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		for _, zero := range []rune{'٠', '۰', '०', '০', '၀', '０'} {
			if r >= zero && r <= zero+9 {
				return '0' + r - zero
			}
		}
		return r
	}, s)
}

func (i *Issuing) takeToken(r *Response) error {
	if r.Status != 200 {
		code := r.errorCode()
		f := &Fault{Why: Refused, Code: code, Err: errToken}
		switch {
		case i.signIn == nil && i.offer.TxCode != nil && (code == "invalid_grant" || code == "invalid_request"):
			// A wrong code and a spent offer have one name in the standard. The
			// holder may try again; the issuer counts.
			f.Why, i.again, i.stage, i.txCode = WrongCode, true, atAsk, ""
		case code == "invalid_grant":
			f.Why = Used
		case code == "":
			f.Why = BadAnswer
		}
		return f
	}
	v, err := r.object(MaxAnswer, "a token")
	if err != nil {
		return err
	}
	token := textOf(v, "access_token", 16<<10)
	if token == "" || strings.ContainsAny(token, " \r\n\t") {
		return fault(BadAnswer, "an answer without a token")
	}
	if !strings.EqualFold(textOf(v, "token_type", 16), "Bearer") {
		return fault(Unsupported, "a token of a kind this wallet cannot use")
	}
	i.token, i.txCode, i.signIn = token, "", nil
	i.begin()
	return nil
}

// begin turns to the next configuration agreed on, or ends.
func (i *Issuing) begin() {
	i.keys, i.nonce, i.nonces, i.signing, i.proofs, i.scalar, i.body = nil, "", 0, nil, nil, nil, nil
	i.later, i.until, i.texts, i.notify, i.proving = "", 0, nil, "", nil
	switch {
	case len(i.agreed) == 0:
		i.stage = atDone
	case i.current().bound:
		i.stage = atKeys
	default:
		i.stage = atCredential
	}
}

func (i *Issuing) current() *Configuration { return i.configuration(i.agreed[0]) }

// wanted is the number of keys for this configuration. A card is shown with its
// pseudonym on it, so that several would hide nothing.
func (i *Issuing) wanted() int {
	if i.current().Format == FormatCard {
		return 1
	}
	return min(i.copies, i.issuer.BatchSize)
}

// TakeKeys takes the public halves of new keys. They are for this credential alone.
func (i *Issuing) TakeKeys(keys []*cose.Key) error {
	if i.stage != atKeys || len(keys) != i.wanted() {
		return fault(Misused, "%d keys, where %s is next", len(keys), "something else")
	}
	for _, k := range keys {
		if k == nil || k.Alg() != cose.ES256 {
			return fault(Misused, "a key that is not one of P-256")
		}
	}
	i.keys = slices.Clone(keys)
	i.afresh()
	return nil
}

// afresh goes where proofs begin.
func (i *Issuing) afresh() {
	i.signing, i.proofs, i.body, i.nonce = nil, nil, nil, ""
	if i.stage = atSign; i.issuer.nonce != "" {
		i.stage = atNonce
	}
}

// renew makes a new request after one whose answer did not come.
func (i *Issuing) renew() {
	if i.body = nil; len(i.keys) > 0 {
		i.afresh()
	}
}

func (i *Issuing) takeNonce(r *Response) error {
	if r.Status != 200 {
		return &Fault{Why: BadAnswer, Code: r.errorCode(), Err: errNonce}
	}
	v, err := r.object(MaxAnswer, "a nonce")
	if err != nil {
		return err
	}
	if i.nonce = textOf(v, "c_nonce", 1024); i.nonce == "" {
		return fault(BadAnswer, "an answer without a nonce")
	}
	i.signing, i.proofs, i.stage = nil, nil, atSign
	return nil
}
