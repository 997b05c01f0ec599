package main

import (
	"errors"
	"net/url"
	"strings"

	"aidpass/wallet/openid"
)

// walletError adds the way out to what went wrong with a link, for its holder.
func (f *walletFlags) walletError(err error, link string) error {
	var fault *openid.Fault
	if !errors.As(err, &fault) {
		return err
	}
	offered := openid.IsOffer(link)
	switch {
	case fault.Why == openid.NotHTTPS && !f.development && leadsHere(link):
		return usagef("%w: the link leads to this very machine", err).hint("--development lets https://localhost and http://localhost through, for trying out")
	case fault.Why == openid.NotHTTPS:
		return usagef("%w", err).hint("the link must lead to https and a name: has it come whole?")
	case fault.Why == openid.BadLink:
		return usagef("%w", err).hint("in quotes, and whole: openid-credential-offer://... for aidpass wallet add, openid4vp://... for aidpass wallet present")
	case fault.Why == openid.WrongCode:
		return usagef("the issuer does not take the code, or the offer was used: %w", err).
			hint("--code with the code that the desk told; after five wrong ones the desk makes another offer (aidpass offer create)")
	case fault.Code == "invalid_grant", fault.Why == openid.Used && offered:
		return usagef("the issuer does not take this offer any more: it was taken up, withdrawn, replaced by a newer one or is too old: %w", err).
			hint("the desk looks with aidpass offer list and makes another with aidpass offer create; each is good once")
	case fault.Why == openid.Used:
		return usagef("%w", err).hint("a request is good for minutes and for one answer: who asks makes another")
	case fault.Why == openid.Refused && offered:
		return usagef("%w", err).hint("the desk knows why: aidpass offer show OFFER there, aidpass registry show NUMBER; another wallet may hold the place, or the entitlement was collected or held back")
	case fault.Why == openid.NotNow:
		return usagef("the desk cannot give this now: %w", err).hint("the desk looks whether its server goes by the trust list the offer was made under, and grants the type; then the same command again")
	case fault.Why == openid.NoAnswer:
		return usagef("%w", err).hint("is the server up, and does its name lead to it? --at HOST=ADDRESS:PORT says where; the same command again goes on where nothing was given yet")
	}
	return err
}

// leadsHere tells whether a link names this very machine.
func leadsHere(link string) bool {
	text, err := url.QueryUnescape(link)
	if err != nil {
		return false
	}
	for _, host := range []string{"://localhost", "://127.0.0.1", "://[::1]"} {
		if strings.Contains(text, host) {
			return true
		}
	}
	return false
}
