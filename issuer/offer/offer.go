// Package offer is the desk's side of OpenID4VCI 1.0: an offer that a wallet takes
// up, the code and the token that let it, the proof of its keys, and the
// credentials. HTTP is web/openid's; what is kept is the [Store]'s.
//
// The way of an offer:
//
//  1. Create: an approved request becomes an offer; the wallet gets a link, its
//     holder a transaction code by another way
//  2. Token: the code, and the transaction code, become an access token
//  3. Nonce: the wallet asks for something fresh to sign
//  4. Credential: the wallet proves its keys; what it asks for is bound to them in
//     the store before anything is signed, and then issued by the desk's nine steps
//  5. Notification: the wallet says that it has them
//
// Secrets (the reference of an offer, codes, tokens, nonces) are 128 bits and more
// and are kept as marks only: HMACs under the organisation's key. Whoever reads the
// database can neither take up an offer nor try transaction codes.
//
// Every fault of a wallet is an [*Error], ready to be sent; every other error is
// ours.
package offer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/issuer"
	"aidpass/schemas"
)

// Where the endpoints are, behind the issuer's URL. The offer's path has its
// reference behind it.
const (
	OfferPath        = "/offer/"
	TokenPath        = "/token"
	NoncePath        = "/nonce"
	CredentialPath   = "/credential"
	DeferredPath     = "/deferred"
	NotificationPath = "/notification"
	AuthorizePath    = "/authorize" // only where Service.SignIn is set
)

// Lifetimes.
const (
	DefaultLife = 15 * time.Minute   // of an offer that is taken up on the spot
	MaxLife     = 7 * 24 * time.Hour // of one with a transaction code
	TokenLife   = 5 * time.Minute    // a longer one would need a token bound to its sender
	NonceLife   = 5 * time.Minute
)

// Limits.
const (
	MaxTries  = 5         // wrong transaction codes; the last burns the offer
	BatchSize = 8         // one-time credentials a wallet may ask for at once
	MaxBody   = 128 << 10 // a credential request, in bytes
	txDigits  = 6         // of a transaction code
	secret    = 24        // random bytes of a reference, a token
	interval  = 5         // seconds a wallet waits before it asks for what is deferred
	ahead     = 60        // seconds a wallet's clock may be ahead
)

// A Service acts for one organisation. Its fields are set once; its methods may be
// used by several goroutines, and several services (also in several processes) may
// work on one store.
type Service struct {
	// Issuer is the credential issuer identifier: an https URL without a slash at its
	// end, query or fragment. Wallets compare it byte by byte.
	Issuer string
	Store  Store
	Types  []*schemas.Type // that the organisation may issue to wallets
	// Gives reports whether a type of Types is given at the moment, for the metadata; nil: each is.
	Gives func(*schemas.Type) bool
	Name  map[string]string // of the organisation, by language tag; may be empty
	// SigningAlgs are the JOSE names of what signs SD-JWT VCs and VC-JWTs, for the
	// metadata; empty: it says nothing of it.
	SigningAlgs []string
	// TxCodeHint tells the holder where the transaction code comes from; at most 300
	// bytes, without quotes and backslashes; may be empty.
	TxCodeHint string

	// Issue makes the credentials of one order, one for each key, in their order; the
	// same order again gives the same. See Desk. ErrLater defers, a *Refused denies.
	Issue func(ctx context.Context, o Order) ([]string, error)

	// SignIn serves the authorisation code grant too: whoever answers AuthorizePath
	// identifies the holder and asks Authorize for a code.
	SignIn bool
	// Redirects are where browsers may be sent back to, letter by letter, beside ports of
	// the browser's own device; see CheckRegistered.
	Redirects []string

	// RequestEncryption and ResponseEncryption stand in the metadata as they are; Missing:
	// requests or responses are not encrypted. What is encrypted is the caller's.
	RequestEncryption, ResponseEncryption jose.Value
	// RequireEncryption refuses requests that do not ask for an encrypted response.
	RequireEncryption bool

	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand

	limits limiter
}

// A Draft is an approved request that is to be offered.
type Draft struct {
	By     access.Actor
	Batch  issuer.Batch   // Type, Programme, Round, NotBefore, ExpiresAt, Replace, Reason; its keys and requests are not looked at
	For    issuer.Request // the unit and its claims; without a key
	Forms  []credential.Form
	NoCode bool          // without a transaction code: the wallet is in the room
	Life   time.Duration // 0: DefaultLife; at most MaxLife, without a transaction code DefaultLife
	// Policy is what the gate judged For by, kept for the moment of signing; may be nil.
	Policy []byte
}

// An Offer is what the store keeps of one, in the open.
type Offer struct {
	ID             string // 14 characters; names it in lists and logs
	Unit           issuer.UnitID
	Type           string // name of the credential type
	VCT            string
	Programme      string
	Round          uint64
	Configurations []string // ids of what a wallet may ask for
	TxCode         bool
	Tries          int // wrong transaction codes
	State          State
	By             string // account that made it
	CreatedAt      time.Time
	ExpiresAt      time.Time
	EndedAt        time.Time // redeemed, burnt or withdrawn; zero: open
	Issued         []Issue   // what was asked for with its token
}

// A State is how far an offer has come.
type State string

// The states. An open one whose time is over is nobody's any more.
const (
	Open      State = "open"
	Redeemed  State = "redeemed"  // its code became a token
	Burnt     State = "burnt"     // too many wrong transaction codes, or its code came twice
	Withdrawn State = "withdrawn" // by the organisation, or another offer took its place
)

// An Issue is what one offer gave for one configuration.
type Issue struct {
	Configuration string
	Keys          []*cose.Key // of the wallet, as many as it asked for credentials
	At            time.Time
	Done          time.Time // the credentials were made; zero: not yet
	Event         string    // what the wallet said last of them; empty: nothing
}

// Offered is a new offer with its secrets, which are shown once.
type Offered struct {
	Offer
	Reference string // part of the link by reference
	Code      string // pre-authorised code
	Tx        string // transaction code, six digits; empty: none
}

// An Order is what the desk is to issue.
type Order struct {
	Type    *schemas.Type
	Offer   Offer
	Request *Request
	Form    credential.Form
	Keys    []*cose.Key
}

// ErrLater is what Service.Issue returns where the credentials cannot be made now
// and will be soon: the wallet is asked to come again.
var ErrLater = errors.New("offer: not now")

// A Refused is what Service.Issue returns where there will be no credentials.
type Refused struct{ Code string } // of issuer.Refusal

func (r *Refused) Error() string { return "offer: the desk refuses it: " + r.Code }

func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now().UTC()
	}
	return time.Now().UTC()
}

// random returns n random bytes as base64url.
func (s *Service) random(n int) (string, error) {
	r := s.Rand
	if r == nil {
		r = rand.Reader
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", fmt.Errorf("offer: random bytes: %w", err)
	}
	return jose.EncodeBase64(b), nil
}

// digits returns a random transaction code.
func (s *Service) digits() (string, error) {
	r := s.Rand
	if r == nil {
		r = rand.Reader
	}
	var out []byte
	var b [1]byte
	for len(out) < txDigits {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return "", fmt.Errorf("offer: random bytes: %w", err)
		}
		if b[0] < 250 { // each digit as likely as any other
			out = append(out, '0'+b[0]%10)
		}
	}
	return string(out), nil
}

// The purposes of marks, so that no secret is taken for one of another kind. The
// issuer's URL is in each: what one issuer made is nothing at another, even where
// two of them share a key.
const (
	markReference    = "reference"
	markCode         = "code"
	markTx           = "transaction code"
	markToken        = "token"
	markNonce        = "nonce"
	markNotification = "notification"
	markTransaction  = "transaction"
	markIdentifier   = "credential identifier"

	markAuthorization = "authorization"
	markBound         = "authorization is bound to"
)

func (s *Service) mark(purpose string, values ...string) Mark {
	return s.Store.OfferMark(purpose, append([]string{s.Issuer}, values...)...)
}

// codeOf is the pre-authorised code of the offer with this reference. It is made
// rather than drawn, so that the offer can be shown again to whoever has the
// reference and the store has neither.
func (s *Service) codeOf(reference string) string {
	m := s.mark(markCode, "of", reference)
	return jose.EncodeBase64(m[:])
}

// CheckIssuer reports why u cannot be a credential issuer identifier.
//
// OpenID4VCI 12.2.1.
func CheckIssuer(u string) error {
	p, err := url.Parse(u)
	switch {
	case err != nil || p.Scheme != "https" || p.Host == "" || p.User != nil:
		return fmt.Errorf("offer: the issuer's URL %q is not an https URL", u)
	case p.RawQuery != "" || p.ForceQuery || strings.Contains(u, "#"):
		return fmt.Errorf("offer: the issuer's URL %q has a query or a fragment", u)
	case strings.HasSuffix(u, "/"):
		return fmt.Errorf("offer: the issuer's URL %q ends with a slash: leave it out", u)
	}
	return nil
}

// Create makes an offer of an approved request. An open offer of the same place
// (unit, type, programme, round) is withdrawn in the same step, and so is one whose
// token is good yet: one code at a time. To replace needs a second person
// (issuer.ErrSecondPerson), who vouches that this is the person whose wallet it was.
// Where a credential stands in the way of every wallet the error is a *Held.
func (s *Service) Create(ctx context.Context, d Draft) (*Offered, error) {
	if err := CheckIssuer(s.Issuer); err != nil {
		return nil, err
	}
	life := d.Life
	if life == 0 {
		life = DefaultLife
	}
	switch {
	case d.Batch.Type == nil || !slices.ContainsFunc(s.Types, func(t *schemas.Type) bool { return t.VCT == d.Batch.Type.VCT }):
		return nil, errors.New("offer: a type that is not offered to wallets")
	case d.For.Holder != nil || d.For.Copy != 0 || d.For.PIN != "":
		return nil, errors.New("offer: a request for a wallet has neither key nor PIN yet")
	case len(d.Forms) == 0:
		return nil, errors.New("offer: in which form?")
	case d.Batch.Replace && strings.TrimSpace(d.Batch.Reason) == "":
		return nil, errors.New("offer: to replace a wallet's credentials needs a reason")
	case d.Batch.Replace && d.By.SecondPerson == "":
		return nil, fmt.Errorf("offer: to replace a wallet's credentials: %w", issuer.ErrSecondPerson)
	case life < 0 || life > MaxLife:
		return nil, fmt.Errorf("offer: an offer lives %s at most", MaxLife)
	case d.NoCode && life > DefaultLife:
		return nil, fmt.Errorf("offer: without a transaction code an offer lives %s at most: whoever finds the link has it", DefaultLife)
	}
	now := s.now()
	made := &Offered{Offer: Offer{
		ID: issuer.NewCTI().String(), Unit: d.For.Unit, Type: d.Batch.Type.Name, VCT: d.Batch.Type.VCT, Programme: d.Batch.Programme, Round: d.Batch.Round,
		TxCode: !d.NoCode, State: Open, By: d.By.ID, CreatedAt: now, ExpiresAt: now.Add(life),
	}}
	for _, f := range d.Forms {
		id := configurationID(d.Batch.Type.Name, f)
		if id == "" || slices.Contains(made.Configurations, id) {
			return nil, fmt.Errorf("offer: form %q is not one of a wallet, or named twice", f)
		}
		made.Configurations = append(made.Configurations, id)
	}
	request, err := newRequest(&d)
	if err != nil {
		return nil, err
	}
	var raw []byte
	if raw, err = request.append(nil); err != nil {
		return nil, err
	}
	if made.Reference, err = s.random(secret); err != nil {
		return nil, err
	}
	made.Code = s.codeOf(made.Reference)
	n := NewOffer{Offer: made.Offer, Request: raw, Reference: s.mark(markReference, made.Reference), Code: s.mark(markCode, made.Code),
		Forms: d.Forms, Replace: d.Batch.Replace}
	if n.Rounds, err = d.Batch.RoundsOf(&d.For); err != nil {
		return nil, err
	}
	if made.TxCode {
		if made.Tx, err = s.digits(); err != nil {
			return nil, err
		}
		tx := s.mark(markTx, made.Code, made.Tx)
		n.Tx = &tx
	}
	if err := s.Store.AddOffer(ctx, d.By, n); err != nil {
		return nil, fmt.Errorf("offer: create: %w", err)
	}
	return made, nil
}

// List returns the organisation's offers, the newest first.
func (s *Service) List(ctx context.Context) ([]Offer, error) { return s.Store.Offers(ctx) }

// Get returns an offer, or ErrNotFound.
func (s *Service) Get(ctx context.Context, id string) (Offer, error) { return s.Store.Offer(ctx, id) }

// Withdraw ends an offer and its token for a reason, a code. What was issued stays:
// that is revoked as any credential is. Withdrawing twice is no error.
func (s *Service) Withdraw(ctx context.Context, by access.Actor, id, reason string) error {
	return s.Store.WithdrawOffer(ctx, by, id, reason)
}

// Link is the offer by reference, as a QR code shows it.
//
// OpenID4VCI 4.1.3.
func (s *Service) Link(o *Offered) string {
	return "openid-credential-offer://?credential_offer_uri=" + url.QueryEscape(s.Issuer+OfferPath+o.Reference)
}

// LinkByValue is the offer with everything in it, for wallets that read no reference.
//
// OpenID4VCI 4.1.2.
func (s *Service) LinkByValue(o *Offered) string {
	return "openid-credential-offer://?credential_offer=" + url.QueryEscape(string(s.object(&o.Offer, o.Reference)))
}

// Object returns the JSON of the offer behind a reference. One that cannot be taken
// up (any more) is an *Error of status 404, whatever the cause.
func (s *Service) Object(ctx context.Context, reference string) ([]byte, error) {
	if !isSecret(reference) {
		return nil, noOffer
	}
	o, err := s.Store.OfferByReference(ctx, s.mark(markReference, reference))
	if err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil, noOffer
		}
		return nil, fmt.Errorf("offer: %w", err)
	}
	if o.State != Open || !s.now().Before(o.ExpiresAt) {
		return nil, noOffer
	}
	return s.object(&o, reference), nil
}

// isSecret reports whether s may be a reference or a token of ours, before anybody is asked.
func isSecret(s string) bool {
	b, err := jose.DecodeBase64(s)
	return err == nil && len(b) == secret
}

// object writes an offer. OpenID4VCI 4.1.1.
func (s *Service) object(o *Offer, reference string) []byte {
	grant := []jose.Member{{Name: "pre-authorized_code", Value: jose.StringOf(s.codeOf(reference))}}
	if o.TxCode {
		tx := []jose.Member{{Name: "input_mode", Value: jose.StringOf("numeric")}, {Name: "length", Value: jose.IntOf(txDigits)}}
		if s.TxCodeHint != "" {
			tx = append(tx, jose.Member{Name: "description", Value: jose.StringOf(s.TxCodeHint)})
		}
		grant = append(grant, jose.Member{Name: "tx_code", Value: jose.ObjectOf(tx...)})
	}
	grants := []jose.Member{{Name: GrantPreAuthorized, Value: jose.ObjectOf(grant...)}}
	if s.SignIn {
		grants = append(grants, jose.Member{Name: GrantAuthorizationCode,
			Value: jose.ObjectOf(jose.Member{Name: "issuer_state", Value: jose.StringOf(reference)})})
	}
	return jose.ObjectOf(
		jose.Member{Name: "credential_configuration_ids", Value: stringsOf(o.Configurations)},
		jose.Member{Name: "credential_issuer", Value: jose.StringOf(s.Issuer)},
		jose.Member{Name: "grants", Value: jose.ObjectOf(grants...)}).Sorted().Append(nil)
}

func stringsOf(list []string) jose.Value {
	v := jose.ArrayOf()
	for _, s := range list {
		v.Items = append(v.Items, jose.StringOf(s))
	}
	return v
}
