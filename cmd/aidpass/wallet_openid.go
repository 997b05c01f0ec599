package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/wallet"
	"aidpass/wallet/openid"
)

func (a *app) walletAdd(f *walletFlags) *cobra.Command {
	var code, replace string
	var signIn bool
	var copies int
	cmd := &cobra.Command{Use: "add LINK", Short: "Take what an offer gives, or a card by the text of its QR code", Args: cobra.ExactArgs(1),
		Example: "  aidpass wallet add 'openid-credential-offer://?credential_offer_uri=https%3A%2F%2Faid.example%2Fi1%2Foffer%2Fx' --code 493536\n" +
			"  aidpass wallet add 'openid-credential-offer://?credential_offer_uri=https%3A%2F%2Faid.example%2Fi1%2Foffer%2Fx' --sign-in",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.openPurse(f)
			if err != nil {
				return err
			}
			at := credential.FromStd(a.Now())
			var cards []*wallet.Card
			if !openid.IsOffer(args[0]) {
				c, err := p.w.AddPaper(args[0], nil, newCardID, at)
				if err != nil {
					return err
				}
				cards = append(cards, c)
			} else if cards, err = a.takeOffer(cmd.Context(), f, p, args[0], offerWishes{code, copies, replace, signIn}); err != nil {
				return f.walletError(err, args[0])
			}
			if err := p.save(); err != nil {
				return err
			}
			for _, c := range cards {
				fmt.Fprintf(a.Stdout, "%s  %s  %d unused\n", c.ID, walletName(c, f.lang), c.Unused())
				if c.Unproved() {
					a.say("%s is not proved yet: the keys of %s could not be fetched; nobody is shown it until aidpass wallet list --check has proved it", c.ID, c.Issuer)
				}
			}
			return nil
		}}
	cmd.Flags().StringVar(&code, "code", "", "transaction code that the issuer gave")
	cmd.Flags().BoolVar(&signIn, "sign-in", false, "sign in at the issuer with a browser on this machine, in place of a transaction code")
	cmd.Flags().IntVar(&copies, "copies", openid.DefaultCopies, "one-time copies wanted")
	cmd.Flags().StringVar(&replace, "replace", "", "card that the new one takes the place of")
	return cmd
}

// offerWishes is how an offer is taken up.
type offerWishes struct {
	code    string // transaction code
	copies  int
	replace string // card; empty: none
	signIn  bool
}

// maxTries bounds what a server that is down, or that never ends, costs.
const maxTries = 100

func (a *app) takeOffer(ctx context.Context, f *walletFlags, p *purse, link string, want offerWishes) ([]*wallet.Card, error) {
	rules := f.rules()
	rules.SignIn = true
	i, err := openid.Begin(link, rules, rand.Reader)
	if err != nil {
		return nil, err
	}
	way, err := a.walletWay(f)
	if err != nil {
		return nil, err
	}
	lost := 0
	var back *callback // where the browser comes back to; nil: nobody signs in
	defer func() { back.close() }()
	for range maxTries {
		s, err := i.Next(credential.FromStd(a.Now()))
		if err != nil {
			return nil, err
		}
		switch s.Do {
		case openid.Fetch:
			err = i.Take(way.fetch(ctx, s.Request), credential.FromStd(a.Now()))
			var fault *openid.Fault
			switch {
			case err == nil:
				lost = 0
			case errors.As(err, &fault) && fault.Why == openid.NoAnswer && lost < 2:
				lost++
				err = nil
			}
		case openid.Ask:
			if s.Offered.Again {
				return nil, &openid.Fault{Why: openid.WrongCode, Err: errors.New("asked for again")}
			}
			agreed := openid.Agreement{TxCode: want.code, Copies: want.copies}
			if want.signIn && !s.Offered.SignIn {
				return nil, usagef("nobody can sign in for this offer").hint("without --sign-in, with --code where there is one")
			}
			if want.signIn || s.Offered.MustSignIn {
				if back, err = listenForCallback(); err != nil {
					return nil, err
				}
				agreed.SignIn = &openid.SignIn{Client: "aidpass-wallet", Redirect: back.address}
			}
			if s.Offered.TxCode != nil && want.code == "" && agreed.SignIn == nil {
				return nil, usagef("this offer wants a transaction code").hint("--code 493536: it came by another way than the link; or --sign-in, where the issuer lets holders sign in")
			}
			for _, c := range s.Offered.Can {
				agreed.Configurations = append(agreed.Configurations, c.ID)
			}
			fmt.Fprintf(a.Stderr, "%s offers: %s\n", s.Offered.Issuer.ID, strings.Join(agreed.Configurations, ", "))
			yes, cerr := a.confirm("Take them?")
			if cerr != nil || !yes {
				return nil, cerr
			}
			err = i.Agree(agreed)
		case openid.Visit:
			fmt.Fprintf(a.Stderr, "open this in a browser on this machine, and sign in:\n%s\n", s.Redirect)
			err = back.wait(ctx, i.TakeCallback)
		case openid.Keys:
			var keys []*cose.Key
			for range s.Keys {
				k, kerr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
				if kerr != nil {
					return nil, kerr
				}
				pub, kerr := p.add(k)
				if kerr != nil {
					return nil, kerr
				}
				keys = append(keys, pub)
			}
			err = i.TakeKeys(keys)
		case openid.Sign:
			var sigs [][]byte
			if sigs, err = p.sign(s.Sign); err == nil {
				err = i.Signed(sigs)
			}
		case openid.Wait:
			fmt.Fprintf(a.Stderr, "the issuer is not ready; next try at %s\n", time.Unix(int64(s.Until), 0).UTC().Format(time.RFC3339))
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Unix(int64(s.Until), 0).Sub(a.Now())):
			}
		case openid.Done:
			issuer, names := i.Source()
			return p.w.Add(openid.Received(i.Received(), issuer, names), want.replace, newCardID, credential.FromStd(a.Now()))
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, usagef("the issuer does not come to an end").hint("try again later")
}

func (a *app) walletPresent(f *walletFlags) *cobra.Command {
	var refuse, sure bool
	cmd := &cobra.Command{Use: "present LINK", Short: "Answer who asks, with the least that does", Args: cobra.ExactArgs(1),
		Long: `Answer who asks, with the least that does.

It says who asks, what for and what would be shown, and asks at the terminal. Where
there is none nothing is shown without --yes.`,
		Example: "  aidpass wallet present LINK --yes   # from a script: it is shown without a question\n  aidpass wallet present 'openid4vp://?client_id=decentralized_identifier%3Adid%3Aweb%3Ab.example&request_uri=https%3A%2F%2Fb.example%2Fr'",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.openPurse(f)
			if err != nil {
				return err
			}
			return f.walletError(a.answer(cmd.Context(), f, p, args[0], presentWishes{refuse, sure}), args[0])
		}}
	cmd.Flags().BoolVar(&refuse, "refuse", false, "say no; who asks learns that and nothing else")
	cmd.Flags().BoolVar(&sure, "yes", false, "show it without asking; needed where there is no terminal")
	return cmd
}

// presentWishes is how a request is answered.
type presentWishes struct{ refuse, sure bool }

func (a *app) answer(ctx context.Context, f *walletFlags, p *purse, link string, want presentWishes) error {
	k, err := openid.BeginAsking(link, f.rules(), rand.Reader)
	if err != nil {
		return err
	}
	way, err := a.walletWay(f)
	if err != nil {
		return err
	}
	refused := false
	for range maxTries {
		at := credential.FromStd(a.Now())
		s, err := k.Next(at)
		if err != nil {
			return err
		}
		switch s.Do {
		case openid.Fetch:
			err = k.Take(way.fetch(ctx, s.Request), at)
		case openid.Chain:
			err = k.TakeChain("", false) // a command line has no list of roots for who asks
		case openid.Consent:
			if refused, err = a.consent(f, p, k, s.Asked, want, at); err == nil {
				err = p.save() // before anything leaves
			}
		case openid.Sign:
			var sigs [][]byte
			if sigs, err = p.sign(s.Sign); err == nil {
				err = k.Signed(sigs)
			}
		case openid.Done:
			if refused {
				fmt.Fprintln(a.Stdout, "said no; nothing was shown")
			} else {
				fmt.Fprintln(a.Stdout, "answered")
			}
			if s.Redirect != "" {
				fmt.Fprintln(a.Stdout, "go on at", s.Redirect)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) consent(f *walletFlags, p *purse, k *openid.Asking, asked *openid.Asked, want presentWishes, at credential.Time) (refused bool, err error) {
	refuse := want.refuse
	fmt.Fprintf(a.Stderr, "%q asks (known by its %s); the answer goes to %s\nfor: %q\n", asked.Who.Name, asked.Who.How, asked.To, wallet.In(asked.Purpose, f.lang))
	choices, err := k.Search(p.w, at)
	if err != nil {
		return false, err
	}
	if !choices.Possible && !refuse {
		return false, usagef("no card here answers this request").hint("aidpass wallet present LINK --refuse tells who asks; else nothing is sent")
	}
	for _, pick := range choices.Least {
		if refuse {
			break // nothing will be shown
		}
		for _, w := range choices.Wants {
			for _, o := range w.Options {
				if w.ID == pick.Want && o.Card == pick.Card && o.Form == pick.Form {
					fmt.Fprintf(a.Stderr, "shows of %s: %s\n", o.Card, strings.Join(append(o.Always, o.Ways[pick.Way].Claims...), ", "))
					if o.Again {
						fmt.Fprintln(a.Stderr, "every copy was shown before: two who compare will know it for the same; fetch new ones with aidpass wallet add")
					}
				}
			}
		}
	}
	if !refuse {
		yes, err := a.confirmOr("Show this?", want.sure, "nothing was shown")
		if err != nil {
			return false, err
		}
		refuse = !yes
	}
	if refuse {
		return true, k.Refuse(p.w, at)
	}
	return false, k.Answer(p.w, choices.Least, at)
}
