package offer

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"aidpass/internal/jose"
)

// The grant types.
const (
	GrantPreAuthorized     = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
	GrantAuthorizationCode = "authorization_code"
)

// A TokenRequest is the form that came to the token endpoint, each field at most
// once. web/openid refuses repeated ones before.
type TokenRequest struct {
	GrantType string
	Code      string // pre-authorized_code
	TxCode    string
	ClientID  string // may be empty: anonymous access
	Details   string // authorization_details; empty: all of the offer
	// Of the authorisation code grant.
	AuthorizationCode, CodeVerifier, RedirectURI string
	// From tells senders apart for the limit on failures, such as an address; never stored.
	From string
}

// A TokenResponse is sent as JSON, never cached.
type TokenResponse struct {
	AccessToken string
	ExpiresIn   int // seconds
	// Details are authorization_details with the identifiers of what may be asked for;
	// Missing, where the wallet did not ask by them.
	Details jose.Value
}

// JSON is the response of RFC 6749 5.1. It has no c_nonce: there is an endpoint for that.
func (t *TokenResponse) JSON() []byte {
	m := []jose.Member{
		{Name: "access_token", Value: jose.StringOf(t.AccessToken)},
		{Name: "expires_in", Value: jose.IntOf(int64(t.ExpiresIn))},
		{Name: "token_type", Value: jose.StringOf("Bearer")}}
	if t.Details.Kind != jose.Missing {
		m = append([]jose.Member{m[0], {Name: "authorization_details", Value: t.Details}}, m[1:]...)
	}
	return jose.ObjectOf(m...).Append(nil)
}

// maxClient bounds a client_id, in bytes.
const maxClient = 256

// Token makes an access token of a code.
//
// Faults: invalid_request where a transaction code is missing or was not expected,
// invalid_grant for whatever is wrong with the codes and what they are bound to, unsupported_grant_type,
// invalid_authorization_details, slow_down. A wrong transaction code counts; the fifth burns the offer. A code that
// comes a second time ends the token of the first.
//
// OpenID4VCI 6.1 to 6.3.
func (s *Service) Token(ctx context.Context, r TokenRequest) (*TokenResponse, error) {
	if len(r.ClientID) > maxClient {
		return nil, fault(InvalidRequest, "client_id is too long")
	}
	if !s.limits.mayTry("token "+r.From, s.now()) {
		return nil, tooOften
	}
	t, err := s.token(ctx, &r)
	var e *Error
	if errors.As(err, &e) {
		s.limits.failed("token "+r.From, s.now())
	}
	return t, err
}

func (s *Service) token(ctx context.Context, r *TokenRequest) (*TokenResponse, error) {
	token, err := s.random(secret)
	if err != nil {
		return nil, err
	}
	now := s.now()
	t := Try{Until: now.Add(TokenLife), Now: now, Client: r.ClientID}
	if r.Details != "" {
		if t.Wanted, err = s.parseDetails(r.Details); err != nil {
			return nil, err
		}
	}
	named, scope := t.Wanted, []string(nil)
	if r.GrantType == GrantAuthorizationCode && named == nil {
		_, named, scope = splitCode(r.AuthorizationCode) // believed once the code is found to be good
	}
	token = codeWith(token, named, scope)
	t.Token = s.mark(markToken, token)
	response := &TokenResponse{AccessToken: token, ExpiresIn: int(TokenLife / time.Second)}
	if len(named) > 0 {
		response.Details = s.granted(token, named)
	}
	switch {
	case r.GrantType == GrantPreAuthorized:
	case r.GrantType == GrantAuthorizationCode && s.SignIn:
		if err := s.tryAuthorization(ctx, r, t); err != nil {
			return nil, err
		}
		return response, nil
	case r.GrantType == "":
		return nil, fault(InvalidRequest, "grant_type is missing")
	default:
		return nil, fault(UnsupportedGrantType, "this grant type is not supported here")
	}
	if r.Code == "" {
		return nil, fault(InvalidRequest, "pre-authorized_code is missing")
	}
	if b, err := jose.DecodeBase64(r.Code); err != nil || len(b) != len(Mark{}) {
		return nil, fault(InvalidGrant, "the code is not good (any more)") // without asking the store
	}
	t.Code = s.mark(markCode, r.Code)
	if r.TxCode != "" {
		tx := s.mark(markTx, r.Code, readDigits(r.TxCode))
		t.Tx = &tx
	}
	outcome, err := s.Store.TryCode(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("offer: token: %w", err)
	}
	switch outcome {
	case Granted:
		return response, nil
	case NotOffered:
		return nil, notOffered
	case TxMissing:
		return nil, fault(InvalidRequest, "tx_code is missing")
	case TxUnexpected:
		return nil, fault(InvalidRequest, "tx_code is not expected")
	case TxWrong:
		return nil, fault(InvalidGrant, "the transaction code is wrong")
	case TxBurnt:
		return nil, fault(InvalidGrant, "the transaction code was wrong too often: ask for a new offer")
	}
	return nil, fault(InvalidGrant, "the code is not good (any more)")
}

// readDigits reads the digits of Arabic keyboards (U+0660 to 0669, U+06F0 to 06F9)
// as the digits they are. Nothing else is mended: a code with spaces is a wrong one.
func readDigits(s string) string {
	out := []rune(s)
	for i, r := range out {
		switch {
		case '٠' <= r && r <= '٩':
			out[i] = r - '٠' + '0'
		case '۰' <= r && r <= '۹':
			out[i] = r - '۰' + '0'
		}
	}
	return string(out)
}

// bearer returns what an access token is for: of what the offer has, that which the token
// was asked for by authorization_details or scope, if it was.
func (s *Service) bearer(ctx context.Context, token string) (Token, Mark, error) {
	random, details, scope := splitCode(token)
	if len(token) > maxMember || !isSecret(random) {
		return Token{}, Mark{}, noToken
	}
	m := s.mark(markToken, token)
	t, err := s.Store.OfferToken(ctx, m, s.now())
	switch {
	case errors.Is(err, ErrToken):
		return Token{}, Mark{}, noToken
	case err != nil:
		return Token{}, Mark{}, fmt.Errorf("offer: %w", err)
	case !s.limits.mayAsk("offer "+t.Offer.ID, s.now()):
		return Token{}, Mark{}, tooOften
	}
	if named := slices.Concat(details, scope); len(named) > 0 {
		t.Offer.Configurations = slices.DeleteFunc(slices.Clone(t.Offer.Configurations), func(c string) bool { return !slices.Contains(named, c) })
	}
	return t, m, nil
}

// A limiter counts by minutes, for a bounded number of names. The counts of one
// process: codes are too long to be guessed at any speed, this keeps guessing cheap
// to refuse. Where there are too many names, the one that was silent longest is
// forgotten: a crowd gives nobody who keeps coming a new count.
type limiter struct {
	mu     sync.Mutex
	minute int64
	counts map[string]*list.Element // of *tally
	recent *list.List               // the same, who came last in front
}

type tally struct {
	name string
	n    int
}

const (
	maxFailures = 20   // token requests of one sender that fail, a minute
	maxAsks     = 60   // requests with one offer's token, a minute
	maxNames    = 4096 // remembered at a time
)

// of returns the count of a name in this minute, for the caller who holds the lock.
func (l *limiter) of(name string, now time.Time) *tally {
	if m := now.Unix() / 60; m != l.minute || l.counts == nil {
		l.minute, l.counts, l.recent = m, map[string]*list.Element{}, list.New()
	}
	if e := l.counts[name]; e != nil {
		l.recent.MoveToFront(e)
		return e.Value.(*tally)
	}
	if len(l.counts) >= maxNames {
		delete(l.counts, l.recent.Remove(l.recent.Back()).(*tally).name)
	}
	t := &tally{name: name}
	l.counts[name] = l.recent.PushFront(t)
	return t
}

func (l *limiter) mayTry(name string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(name, now).n < maxFailures
}

func (l *limiter) failed(name string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(name, now).n++
}

func (l *limiter) mayAsk(name string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.of(name, now)
	t.n++
	return t.n <= maxAsks
}
