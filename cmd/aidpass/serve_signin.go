package main

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/pflag"

	"aidpass/issuer/offer"
	"aidpass/web/console"
	"aidpass/web/openid"
)

// signInFlags say at which OpenID provider holders sign in.
type signInFlags struct {
	issuer, client, secretFile, claim, roster string
	wallets                                   []string
}

func (f *signInFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.issuer, "oidc-issuer", "", "https address of the OpenID provider at which holders sign in for their offers")
	fl.StringVar(&f.client, "oidc-client", "", "client id of this server there")
	fl.StringVar(&f.secretFile, "oidc-secret-file", "", "file whose first line is its client secret; without: a public client")
	fl.StringVar(&f.claim, "oidc-claim", "sub", "claim of the ID token that is a person's number in the roster")
	fl.StringVar(&f.roster, "oidc-roster", "", "roster that the numbers are of, as --roster of registry import")
	fl.StringArrayVar(&f.wallets, "oidc-wallet", nil, "address that a wallet is sent back to, letter by letter; repeat. This server's own wallet app and ports of the browser's device need none")
}

func (f *signInFlags) given() bool {
	return f.issuer != "" || f.client != "" || f.secretFile != "" || len(f.wallets) > 0
}

// open lets offers of the credential issuer base be taken up by signing in; nil where
// nobody asked for that. The wallet app that this server gives out itself is known.
func (f *signInFlags) open(offers *offer.Service, base string, client *http.Client) (*openid.SignIn, error) {
	if !f.given() {
		return nil, nil
	}
	if f.issuer == "" || f.client == "" {
		return nil, usagef("--oidc-issuer and --oidc-client go together").hint("the provider knows this server by a client id, and sends browsers back to BASE/callback")
	}
	for _, uri := range f.wallets {
		if err := offer.CheckRegistered(uri); err != nil {
			return nil, usagef("--oidc-wallet: %w", err).hint("--oidc-wallet https://wallet.example/back, or org.example.wallet:/back")
		}
	}
	in := &openid.SignIn{Issuer: f.issuer, Client: f.client, Claim: f.claim, Roster: f.roster, HTTP: client, Desk: offers}
	if f.secretFile != "" {
		line, err := firstLine(f.secretFile)
		if err != nil {
			return nil, err
		}
		in.Secret = string(line)
	}
	offers.SignIn, offers.Redirects = true, slices.Clone(f.wallets)
	if u, err := url.Parse(base); err == nil {
		offers.Redirects = append(offers.Redirects, u.Scheme+"://"+u.Host+"/wallet/")
	}
	return in, nil
}

// staffSignIn says at which OpenID provider the organisation's staff sign in to the desk.
type staffSignIn struct{ issuer, client, secretFile string }

func (f *staffSignIn) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.issuer, "desk-oidc-issuer", "", "https address of the OpenID provider at which staff sign in to the desk")
	fl.StringVar(&f.client, "desk-oidc-client", "", "client id of the desk there")
	fl.StringVar(&f.secretFile, "desk-oidc-secret-file", "", "file whose first line is its client secret; without: a public client")
}

// open lets staff sign in to the desk at origin by their provider; nil where nobody asked
// for that.
func (f *staffSignIn) open(origin string, client *http.Client) (*console.SignIn, error) {
	if f.issuer == "" && f.client == "" && f.secretFile == "" {
		return nil, nil
	}
	if f.issuer == "" || f.client == "" || origin == "" {
		return nil, usagef("--desk-oidc-issuer, --desk-oidc-client and --base-url go together").hint("the provider knows the desk by a client id, and sends browsers back to https://HOST/desk/oidc/back")
	}
	in := &console.SignIn{Issuer: f.issuer, Client: f.client, HTTP: client}
	if f.secretFile != "" {
		line, err := firstLine(f.secretFile)
		if err != nil {
			return nil, err
		}
		in.Secret = string(line)
	}
	return in, nil
}
