package offer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"aidpass/internal/jose"
	"aidpass/issuer"
)

// AuthorizationLife is how long a code of the authorisation code grant is good. The
// wallet waits for it.
const AuthorizationLife = time.Minute

// Limits of an authorisation request, in bytes.
const (
	maxRedirect = 512
	maxState    = 1024
	maxScope    = 1024
)

// An AuthorizationRequest is what a wallet sends its holder's browser with, each
// field at most once. RFC 6749 4.1.1, RFC 7636 4.3, OpenID4VCI 5.1.
type AuthorizationRequest struct {
	ResponseType, ClientID, RedirectURI, State string
	Scope                                      string // ids of configurations, with spaces between them
	Details                                    string // authorization_details; may be empty
	Challenge, Method                          string // code_challenge and its method, S256
	IssuerState                                string // reference of an offer; may be empty
	// From tells senders apart for the limit on requests; never stored.
	From string
}

// A Subject is who was identified, as a person of a roster, or as a household by whoever
// speaks for it.
type Subject struct {
	Kind   issuer.UnitKind
	Roster string // may be empty
	Number string
}

// forbidden are schemes that a browser reads itself, and http, which anybody reads.
var forbidden = []string{"about", "blob", "data", "file", "filesystem", "ftp", "http", "javascript", "mailto", "vbscript", "view-source", "ws", "wss"}

// CheckRegistered reports why wallets cannot be sent back to an address: it must be of
// https, or of a scheme of the wallet's own.
//
// RFC 8252 7.1 and 7.2, RFC 9700 4.1.
func CheckRegistered(uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || !plainAddress(uri) || u.User != nil:
		return fmt.Errorf("offer: %q is no address without user and fragment to send wallets back to", uri)
	case u.Scheme == "https" && u.Host == "", u.Scheme == "", slices.Contains(forbidden, u.Scheme):
		return fmt.Errorf("offer: wallets are sent back to https addresses and schemes of their own, not to %q", uri)
	}
	return nil
}

func plainAddress(uri string) bool {
	return uri != "" && len(uri) <= maxRedirect && strings.IndexFunc(uri, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}#", r) }) < 0
}

// isLoopback reports whether uri is a port of the very machine of the browser, any
// port: a program cannot know its own before (RFC 8252 7.3).
func isLoopback(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Port() == "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Zone() == "" && (ip == netip.IPv6Loopback() || ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}

// CheckRedirect reports whether a browser may be sent to an address with anything at
// all. It is asked first: until then whatever is wrong is told on a page, and nobody is
// sent anywhere. Wallets are not registered one by one, so that a link made by somebody
// else would otherwise carry the code of whoever is signed in already to him.
func (s *Service) CheckRedirect(uri string) error {
	if plainAddress(uri) && (slices.Contains(s.Redirects, uri) || isLoopback(uri)) {
		return nil
	}
	return fault(InvalidRequest, "redirect_uri is not one of those known here, letter by letter, nor a port of this device")
}

// CheckAuthorization judges what stands in an authorisation request before anybody
// signs in. Its address was checked by CheckRedirect: faults go there.
//
// Faults: invalid_request, unsupported_response_type, invalid_scope,
// invalid_authorization_details, slow_down.
func (s *Service) CheckAuthorization(r *AuthorizationRequest) error {
	if !s.limits.mayAsk("authorize "+r.From, s.now()) {
		return tooOften
	}
	switch challenge, err := jose.DecodeBase64(r.Challenge); {
	case r.ResponseType != "code":
		return fault(UnsupportedResponseType, "response_type is code")
	case r.ClientID == "" || len(r.ClientID) > maxClient:
		return fault(InvalidRequest, "client_id is missing or too long")
	case len(r.State) > maxState:
		return fault(InvalidRequest, "state is too long")
	case r.Method != "S256" || err != nil || len(challenge) != sha256.Size:
		return fault(InvalidRequest, "a code_challenge of method S256 is needed")
	case len(r.Scope) > maxScope:
		return fault(InvalidScope, "scope is too long")
	case r.IssuerState != "" && !isSecret(r.IssuerState):
		return fault(InvalidRequest, "issuer_state is not one of an offer")
	}
	scopes := strings.Fields(r.Scope)
	if r.Details != "" {
		if _, err := s.parseDetails(r.Details); err != nil {
			return err
		}
	} else if len(scopes) == 0 && r.IssuerState == "" {
		return fault(InvalidScope, "scope names the credentials that are wanted")
	}
	known := s.configurations()
	for _, id := range scopes {
		if !slices.ContainsFunc(known, func(c configuration) bool { return c.ID == id }) {
			return fault(InvalidScope, "scope names what is not offered here")
		}
	}
	return nil
}

// Authorize makes a code for somebody who was identified: for the open offer to them
// that issuer_state names, else for the one that ends first of those with all
// that scope and authorization_details ask for. The code is good once, for a minute, for
// this client, this address and who knows what the challenge is of, and for what they ask
// for: for the whole offer where issuer_state stands alone.
//
// Fault: access_denied, where there is no such offer. Whether the person is known is
// told to nobody.
func (s *Service) Authorize(ctx context.Context, r *AuthorizationRequest, who Subject) (code string, err error) {
	denied := fault(AccessDenied, "nothing is offered to who signed in")
	now := s.now()
	open, err := s.Store.OpenOffers(ctx, who.Kind, who.Roster, who.Number, now)
	if err != nil {
		return "", fmt.Errorf("offer: authorize: %w", err)
	}
	var details []string
	if r.Details != "" {
		if details, err = s.parseDetails(r.Details); err != nil {
			return "", err
		}
	}
	named := ""
	if r.IssuerState != "" {
		o, err := s.Store.OfferByReference(ctx, s.mark(markReference, r.IssuerState))
		switch {
		case errors.Is(err, ErrNotFound):
			return "", denied
		case err != nil:
			return "", fmt.Errorf("offer: authorize: %w", err)
		}
		named = o.ID
	}
	for i := range open {
		o := &open[i]
		if named != "" && o.ID != named || !containsAll(o.Configurations, append(strings.Fields(r.Scope), details...)) {
			continue
		}
		if code, err = s.random(secret); err != nil {
			return "", err
		}
		code = codeWith(code, details, strings.Fields(r.Scope))
		return code, s.Store.AddAuthorization(ctx, Authorization{Offer: o.ID, Code: s.mark(markAuthorization, code),
			Bound: s.mark(markBound, r.ClientID, r.RedirectURI, r.Challenge), Until: now.Add(AuthorizationLife)})
	}
	return "", denied
}

func containsAll(list, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(s string) bool { return !slices.Contains(list, s) })
}

// tryAuthorization judges a token request of the authorisation code grant. What it names
// by authorization_details must be among what was asked for when the code was made.
func (s *Service) tryAuthorization(ctx context.Context, r *TokenRequest, t Try) error {
	random, details, scope := splitCode(r.AuthorizationCode)
	asked := slices.Concat(details, scope)
	switch {
	case r.AuthorizationCode == "":
		return fault(InvalidRequest, "code is missing")
	case r.CodeVerifier == "" || r.RedirectURI == "" || r.ClientID == "":
		return fault(InvalidRequest, "code_verifier, redirect_uri and client_id are needed")
	case len(asked) > 0 && !containsAll(asked, t.Wanted):
		return notOffered
	case len(r.AuthorizationCode) > maxMember || !isSecret(random):
		return fault(InvalidGrant, "the code is not good (any more)")
	}
	challenge := sha256.Sum256([]byte(r.CodeVerifier))
	t.Code = s.mark(markAuthorization, r.AuthorizationCode)
	ok, err := s.Store.TryAuthorization(ctx, t, s.mark(markBound, r.ClientID, r.RedirectURI, jose.EncodeBase64(challenge[:])))
	switch {
	case errors.Is(err, ErrNotOffered):
		return notOffered
	case err != nil:
		return fmt.Errorf("offer: token: %w", err)
	case !ok:
		return fault(InvalidGrant, "the code is not good (any more)")
	}
	return nil
}
