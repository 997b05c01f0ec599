package offer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// bodyLimits of what a wallet posts. An array that is longer is refused whole.
var bodyLimits = jose.Limits{Depth: 8, Entries: 64, Values: 512}

// A CredentialRequest is what a wallet posts to the credential endpoint.
type CredentialRequest struct {
	Configuration string
	Identifier    string      // credential_identifier, of the token response
	Proofs        []string    // of type jwt
	Encryption    *Encryption // of the response; nil: not wanted
}

// An Encryption says how a wallet wants the response.
type Encryption struct {
	JWK jose.Value // its public key, not looked at here
	Enc string
	Zip string // empty: none
}

// A CredentialResponse is what the credential and the deferred endpoint answer.
type CredentialResponse struct {
	Status         int      // 200, or 202 where it is deferred
	Credentials    []string // one for each key that was proved, in their order
	NotificationID string
	TransactionID  string // deferred
	Interval       int    // seconds until the wallet should ask again
	Encryption     *Encryption
}

// JSON is the body, to be sent as it is or encrypted, never cached.
//
// OpenID4VCI 8.3 and 9.2.
func (r *CredentialResponse) JSON() []byte {
	if r.TransactionID != "" {
		return jose.ObjectOf(
			jose.Member{Name: "interval", Value: jose.IntOf(int64(r.Interval))},
			jose.Member{Name: "transaction_id", Value: jose.StringOf(r.TransactionID)}).Append(nil)
	}
	list, size := jose.ArrayOf(), 128
	for _, c := range r.Credentials {
		list.Items = append(list.Items, jose.ObjectOf(jose.Member{Name: "credential", Value: jose.StringOf(c)}))
		size += len(c) + 20
	}
	return jose.ObjectOf(
		jose.Member{Name: "credentials", Value: list},
		jose.Member{Name: "notification_id", Value: jose.StringOf(r.NotificationID)}).Append(make([]byte, 0, size))
}

func badRequest(description string) error { return fault(InvalidCredentialRequest, description) }

// parseBody reads one JSON object.
func parseBody(body []byte, code string) (jose.Value, error) {
	if len(body) > MaxBody {
		return jose.Value{}, fault(code, "the request is too large")
	}
	v, err := jose.ParseJSON(body, bodyLimits)
	switch {
	case errors.Is(err, jose.ErrDuplicate):
		return v, faultOf(code, "a parameter stands twice", err)
	case errors.Is(err, jose.ErrTooLarge):
		return v, faultOf(code, "a list is too long", err)
	case err != nil || v.Kind != jose.Object:
		return v, faultOf(code, "not a JSON object", err)
	}
	return v, nil
}

// ParseCredentialRequest reads the body of a credential request. What it does not
// know is passed over; what earlier drafts had (proof, format) is not enough.
//
// OpenID4VCI 8.2.
func ParseCredentialRequest(body []byte) (*CredentialRequest, error) {
	v, err := parseBody(body, InvalidCredentialRequest)
	if err != nil {
		return nil, err
	}
	r := &CredentialRequest{}
	for _, m := range []struct {
		name string
		into *string
	}{{"credential_configuration_id", &r.Configuration}, {"credential_identifier", &r.Identifier}} {
		switch x := v.Get(m.name); {
		case x.Kind == jose.Missing:
		case x.Kind != jose.String || x.Text == "" || len(x.Text) > maxMember:
			return nil, badRequest(m.name + " is not a short text")
		default:
			*m.into = x.Text
		}
	}
	if (r.Configuration == "") == (r.Identifier == "") {
		return nil, badRequest("exactly one of credential_configuration_id and credential_identifier is needed")
	}
	if r.Encryption, err = parseEncryption(v.Get("credential_response_encryption")); err != nil {
		return nil, err
	}
	proofs := v.Get("proofs")
	switch {
	case proofs.Kind == jose.Missing:
		return nil, fault(InvalidProof, "proofs is missing")
	case proofs.Kind != jose.Object || len(proofs.Members) != 1:
		return nil, fault(InvalidProof, "proofs is not an object of one proof type")
	case proofs.Members[0].Name != "jwt":
		return nil, fault(InvalidProof, "the proof type is not jwt")
	}
	list := proofs.Members[0].Value
	switch {
	case list.Kind != jose.Array || len(list.Items) == 0:
		return nil, fault(InvalidProof, "proofs.jwt is not an array with proofs in it")
	case len(list.Items) > BatchSize:
		return nil, badRequest(fmt.Sprintf("more than %d proofs at once", BatchSize))
	}
	for _, p := range list.Items {
		if p.Kind != jose.String {
			return nil, fault(InvalidProof, "a proof is not a text")
		}
		r.Proofs = append(r.Proofs, p.Text)
	}
	return r, nil
}

func parseEncryption(v jose.Value) (*Encryption, error) {
	if v.Kind == jose.Missing {
		return nil, nil
	}
	jwk, enc, zip := v.Get("jwk"), v.Get("enc"), v.Get("zip")
	if v.Kind != jose.Object || jwk.Kind != jose.Object || enc.Kind != jose.String || zip.Kind != jose.String && zip.Kind != jose.Missing {
		return nil, fault(InvalidEncryptionParameters, "credential_response_encryption needs jwk and enc")
	}
	return &Encryption{JWK: jwk, Enc: enc.Text, Zip: zip.Text}, nil
}

// mayEncrypt holds what a wallet wants against what is offered.
func (s *Service) mayEncrypt(e *Encryption) error {
	switch {
	case e != nil && s.ResponseEncryption.Kind == jose.Missing:
		return fault(InvalidEncryptionParameters, "responses are not encrypted here")
	case e == nil && s.RequireEncryption:
		return fault(InvalidEncryptionParameters, "credential_response_encryption is needed")
	}
	return nil
}

// Credential answers a credential request with the token that came in the
// Authorization header; body is the JSON, decrypted.
//
//  1. the token is good, and lets its bearer have this configuration
//  2. every proof is good: see readProof; no key comes twice
//  3. every nonce is ours, and young
//  4. keys and nonces are bound to the offer in one transaction: a second wallet, a
//     second request in parallel and a proof shown again end here
//  5. the desk issues; asked again with the same keys it gives the same
//
// Errors: *Error of invalid_token (401), those of 8.3.1.2, slow_down; else ours.
func (s *Service) Credential(ctx context.Context, token string, body []byte) (*CredentialResponse, error) {
	t, mark, err := s.bearer(ctx, token)
	if err != nil {
		return nil, err
	}
	r, err := ParseCredentialRequest(body)
	if err != nil {
		return nil, err
	}
	if err := s.mayEncrypt(r.Encryption); err != nil {
		return nil, err
	}
	if r.Identifier != "" {
		i := slices.IndexFunc(t.Offer.Configurations, func(c string) bool { return same(r.Identifier, s.identifier(token, c)) })
		if i < 0 {
			return nil, fault(UnknownCredentialIdentifier, "no such credential_identifier was given out with this token")
		}
		r.Configuration = t.Offer.Configurations[i]
	}
	c := s.configuration(r.Configuration)
	switch {
	case c == nil:
		return nil, fault(UnknownCredentialConfiguration, "no such credential configuration")
	case !slices.Contains(t.Offer.Configurations, r.Configuration):
		return nil, badRequest("the offer has no such credential configuration")
	}
	keys, nonces, err := s.proofs(r.Proofs, t.Client)
	if err != nil {
		return nil, err
	}
	now := s.now()
	err = s.Store.ClaimOffer(ctx, Claim{Token: mark, Offer: t.Offer.ID, Configuration: r.Configuration, Keys: keys, Nonces: nonces,
		Now: now, NoncesUntil: now.Add(NonceLife)})
	switch {
	case errors.Is(err, ErrToken):
		return nil, noToken
	case errors.Is(err, ErrNonceUsed):
		return nil, fault(InvalidNonce, "the nonce was used before: ask the nonce endpoint")
	case errors.Is(err, ErrOtherKeys):
		return nil, fault(CredentialRequestDenied, "it was given to other keys: ask for a new offer")
	case err != nil:
		return nil, fmt.Errorf("offer: credential: %w", err)
	}
	return s.issue(ctx, &t, c, keys, r.Encryption)
}

// proofs checks all proofs, then all nonces: a wallet that hears of its nonce has
// nothing else to mend.
func (s *Service) proofs(list []string, client string) (keys []*cose.Key, nonces []Mark, err error) {
	now := s.now().Unix()
	var said []string
	for _, text := range list {
		p, err := readProof(text, s.Issuer, client, now)
		if err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(keys, func(k *cose.Key) bool { return k.Thumbprint() == p.key.Thumbprint() }) {
			return nil, nil, badProof("one key is proved twice", nil)
		}
		keys, said = append(keys, p.key), append(said, p.nonce)
	}
	for _, nonce := range said {
		m, ok := s.readNonce(nonce)
		if !ok {
			return nil, nil, fault(InvalidNonce, "not a nonce of this issuer, or too old: ask the nonce endpoint")
		}
		if !slices.Contains(nonces, m) {
			nonces = append(nonces, m)
		}
	}
	return keys, nonces, nil
}

// issue has the desk issue what was claimed.
func (s *Service) issue(ctx context.Context, t *Token, c *configuration, keys []*cose.Key, e *Encryption) (*CredentialResponse, error) {
	request, err := readRequest(t.Request, c.Type)
	if err != nil {
		return nil, err
	}
	texts, err := s.Issue(ctx, Order{Offer: t.Offer, Request: request, Type: c.Type, Form: c.Form, Keys: keys})
	var refused *Refused
	switch {
	case errors.Is(err, ErrLater):
		return &CredentialResponse{Status: 202, TransactionID: s.idOf(markTransaction, t.Offer.ID, c.ID), Interval: interval, Encryption: e}, nil
	case errors.As(err, &refused):
		return nil, faultOf(CredentialRequestDenied, "the organisation does not issue it (any more): ask there", err)
	case err != nil:
		return nil, fmt.Errorf("offer: issue: %w", err)
	case len(texts) != len(keys):
		return nil, fmt.Errorf("offer: %d credentials for %d keys", len(texts), len(keys))
	}
	if err := s.Store.OfferIssued(ctx, t.Offer.ID, c.ID); err != nil {
		return nil, fmt.Errorf("offer: issued: %w", err)
	}
	return &CredentialResponse{Status: 200, Credentials: texts, NotificationID: s.idOf(markNotification, t.Offer.ID, c.ID), Encryption: e}, nil
}

// idOf names what one offer gave for one configuration: made, not drawn, so that a
// response that is asked for again is the same and nothing more is kept.
func (s *Service) idOf(purpose, offer, configuration string) string {
	m := s.mark(purpose, offer, configuration)
	return jose.EncodeBase64(m[:secret])
}

// Deferred answers a deferred credential request: 202 again, or the credentials once
// they were made for the keys that were proved. A transaction that is not one of the
// token's, or is over, is invalid_transaction_id.
//
// OpenID4VCI 9.
func (s *Service) Deferred(ctx context.Context, token string, body []byte) (*CredentialResponse, error) {
	t, _, err := s.bearer(ctx, token)
	if err != nil {
		return nil, err
	}
	v, err := parseBody(body, InvalidCredentialRequest)
	if err != nil {
		return nil, err
	}
	e, err := parseEncryption(v.Get("credential_response_encryption"))
	if err == nil {
		err = s.mayEncrypt(e)
	}
	if err != nil {
		return nil, err
	}
	id := v.Get("transaction_id")
	if id.Kind != jose.String {
		return nil, badRequest("transaction_id is missing")
	}
	for _, i := range t.Offer.Issued {
		if !i.Done.IsZero() || !same(id.Text, s.idOf(markTransaction, t.Offer.ID, i.Configuration)) {
			continue
		}
		if c := s.configuration(i.Configuration); c != nil {
			return s.issue(ctx, &t, c, i.Keys, e)
		}
	}
	return nil, fault(InvalidTransactionID, "no such transaction of this token, or it is over")
}

// events are what a wallet may say. OpenID4VCI 11.1.
var events = []string{"credential_accepted", "credential_failure", "credential_deleted"}

// Notification notes what the wallet says of credentials it got; the same again is
// no error. The description that may come along is not kept: it is anybody's text.
//
// OpenID4VCI 11.
func (s *Service) Notification(ctx context.Context, token string, body []byte) error {
	t, _, err := s.bearer(ctx, token)
	if err != nil {
		return err
	}
	v, err := parseBody(body, InvalidNotificationRequest)
	if err != nil {
		return err
	}
	id, event := v.Get("notification_id"), v.Get("event")
	if id.Kind != jose.String || event.Kind != jose.String || !slices.Contains(events, event.Text) {
		return fault(InvalidNotificationRequest, "notification_id and one of the three events are needed")
	}
	for _, i := range t.Offer.Issued {
		if !i.Done.IsZero() && same(id.Text, s.idOf(markNotification, t.Offer.ID, i.Configuration)) {
			if err := s.Store.OfferEvent(ctx, t.Offer.ID, i.Configuration, event.Text); err != nil {
				return fmt.Errorf("offer: notification: %w", err)
			}
			return nil
		}
	}
	return fault(InvalidNotificationID, "no such notification_id of this token")
}
