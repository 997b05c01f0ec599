package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/qrcode"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
	"aidpass/trust"
)

func (a *app) offerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "offer",
		Short: "Offer credentials to the wallets of people's phones",
		Example: `  aidpass offer create --external 17 --type eligibility --programme K7Q2 --round 1 --base-url https://aid.example/i1
  aidpass offer list`,
	}
	cmd.AddCommand(a.offerCreateCommand(), a.offerListCommand(), a.offerShowCommand(), a.offerWithdrawCommand())
	return cmd
}

// offerFlags are what offer create is asked for.
type offerFlags struct {
	issueFlags
	id, external, kind       string
	base, reason, override   string
	forms                    []string
	life                     time.Duration
	noCode, byValue, unitSet bool
}

func (a *app) offerCreateCommand() *cobra.Command {
	var f offerFlags
	cmd := &cobra.Command{
		Use:   "create {--unit ID | --external NUMBER} --type TYPE --programme CODE --round N --base-url URL",
		Short: "Make an offer: a link and a QR code for the wallet, a code for its holder",
		Long: `Make an offer: a link and a QR code for the wallet, a code for its holder.

Whom it is for, and what stands in the credentials, follows from the record, as with
aidpass issue: an entitlement on hold or cancelled gets none, and the quality gate is
asked now and once more when the wallet comes. A provisional credential ends by itself.

The wallet opens the link, or scans the QR code. The transaction code is told to the
person by another way; five wrong ones burn the offer. An offer lives 15 minutes, with
--life up to seven days. --no-tx-code leaves the code out, for a wallet in the same room:
such an offer lives 15 minutes at most.

A person who holds wallet credentials of the place already gets others on another phone
with --replace --reason CODE and a second person, who knows whose wallet it was: the
first phone's, in every form, are revoked as the new one takes its first. Without
--replace the command says who holds the place, since when, and makes no offer; so it
does where a paper card of the place is on hold or was revoked and no second person is
named. A new offer for the same place withdraws the one before. Link and code are shown
once and kept nowhere.

Where the organisation has accounts, an offer is for somebody to whom something is due in
a round of which a second account approved a batch at the desk, or who has a card of the
place; for others a second person answers (--second-person). Without accounts nothing but
this command stands behind an offer, which it says.

--base-url is the address under which aidpass serve answers wallets: it is part of every
secret, so an offer that names another is not known there.`,
		Example: `  aidpass offer create --external 17 --type eligibility --programme K7Q2 --round 1 --base-url https://aid.example/i1
  aidpass offer create --external HH-0042 --roster camp --kind household --type eligibility --programme K7Q2 --round 1 --life 48h --base-url https://aid.example/i1 --out offer.png
  aidpass offer create --external 17 --type eligibility --programme K7Q2 --round 1 --replace --reason phone_lost --second-person acc-lead --base-url https://aid.example/i1
  aidpass offer create --external 17 --type eligibility --programme K7Q2 --round 1 --no-tx-code --form sd-jwt --base-url https://aid.example/i1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.unitSet = cmd.Flags().Changed("kind")
			return a.createOffer(cmd.Context(), &f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.id, "unit", "", "the record's id (32 digits)")
	fl.StringVar(&f.external, "external", "", "or the record's number in its list")
	fl.StringVar(&f.roster, "roster", "", "name of the list, where the number is unique in it alone")
	fl.StringVar(&f.kind, "kind", "person", "person or household, where the programme's plan does not say")
	fl.StringVar(&f.typeName, "type", "eligibility", "registration, eligibility, referral, delegation or receipt")
	fl.StringVar(&f.programme, "programme", "", "opaque code of the programme, as K7Q2")
	fl.Uint64Var(&f.round, "round", 0, "number of the round")
	fl.IntVar(&f.validDays, "valid-days", 0, "days until the credentials end (default: as the type says)")
	fl.StringArrayVar(&f.claims, "claim", nil, "NAME=VALUE; repeat")
	fl.StringSliceVar(&f.seal, "seal", nil, "claims of the sealed part to fill, by name; the holder chooses who reads them")
	fl.StringSliceVar(&f.forms, "form", []string{"sd-jwt", "vc-jwt", "bound"}, "what the wallet may ask for: sd-jwt, vc-jwt, bound (a live card)")
	fl.BoolVar(&f.noCode, "no-tx-code", false, "no transaction code: the wallet is in the room")
	fl.DurationVar(&f.life, "life", offer.DefaultLife, "how long the offer is good, as 15m or 48h")
	fl.BoolVar(&f.replace, "replace", false, "take the place of credentials on another phone, which are revoked")
	fl.StringVar(&f.reason, "reason", "", "why, with --replace: a code such as phone_lost")
	fl.StringVar(&f.override, "gate-override", "", "let the record pass the gate, for a reason: "+strings.Join(issuer.OverrideReasons, ", ")+"; needs a second person")
	fl.StringVar(&f.record.policy, "policy", "", "what the gate wants known (default: required.json in the data folder, else built in)")
	fl.StringVar(&f.trust, "trust", "", "newest signed trust list (default: the newest that was used here)")
	fl.StringVar(&f.base, "base-url", "", "address under which wallets reach the organisation, as https://aid.example/i1")
	fl.BoolVar(&f.byValue, "by-value", false, "the whole offer in the link, for wallets that read no reference")
	fl.StringVar(&f.out, "out", "", "PNG file for the QR code; whoever sees it can try the offer")
	return cmd
}

// checkOffer looks at the flags before anything is opened.
func (f *offerFlags) checkOffer(second string) ([]credential.Form, error) {
	switch {
	case (f.id == "") == (f.external == ""):
		return nil, usagef("for whom?").hint("--unit ID, or --external NUMBER with --roster NAME where lists have numbers of their own")
	case f.base == "":
		return nil, usagef("where do wallets reach the organisation?").hint("--base-url https://aid.example/i1, as aidpass serve is given it")
	case f.replace != (f.reason != ""):
		return nil, usagef("--replace and --reason belong together").hint("--replace --reason phone_lost")
	case f.replace && second == "":
		return nil, usagef("--replace needs a second person, who knows whose wallet it was").hint("--second-person ACCOUNT")
	case f.override != "" && !slices.Contains(issuer.OverrideReasons, f.override):
		return nil, usagef("--gate-override is not a reason for which somebody passes the gate").hint("one of %s", strings.Join(issuer.OverrideReasons, ", "))
	case f.override != "" && second == "":
		return nil, usagef("--gate-override needs a second person").hint("--second-person ACCOUNT")
	case f.out != "" && !strings.HasSuffix(strings.ToLower(f.out), ".png"):
		return nil, usagef("--out %s is not a PNG file", f.out).hint("--out offer.png")
	}
	if err := offer.CheckIssuer(f.base); err != nil {
		return nil, usagef("--base-url: %w", err).hint("as https://aid.example/i1")
	}
	var forms []credential.Form
	for _, name := range f.forms {
		form, copy, err := issuer.ParseFormName(name)
		if err != nil || copy != 0 || !slices.Contains(offer.Forms(), form) || slices.Contains(forms, form) {
			return nil, usagef("--form %s", name).hint("sd-jwt, vc-jwt and bound, each once")
		}
		forms = append(forms, form)
	}
	return forms, nil
}

func (a *app) createOffer(ctx context.Context, f *offerFlags) error {
	forms, err := f.checkOffer(a.SecondPerson)
	if err != nil {
		return err
	}
	out := f.out
	f.unit, f.form = f.kind, "card"
	if f.out == "" {
		f.out = "-" // no cards go anywhere: check asks for a file
	} else if err := mustNotExist(out); err != nil {
		return err
	}
	t, err := f.check()
	if err == nil {
		err = f.record.claims(&f.issueFlags, t)
	}
	if err != nil {
		return err
	}
	if f.trust != "" {
		if err := a.useTrustList(f.trust, nil); err != nil {
			return err
		}
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.plausibleClock(ctx); err != nil {
		return err
	}
	if err := o.mayIssue(t, f.programme); err != nil {
		return err
	}
	service, err := a.offerService(o, f.base, t)
	if err != nil {
		return err
	}
	draft := offer.Draft{By: a.actor(access.Issuer), Forms: forms, NoCode: f.noCode, Life: f.life}
	if draft.Batch, err = f.batch(o, t, a.now()); err != nil {
		return err
	}
	draft.Batch.Reason = f.reason
	policy, err := a.qualityPolicy(f.record.policy)
	if err != nil {
		return err
	}
	if draft.Policy, err = json.Marshal(policy); err != nil {
		return err
	}
	if draft.For, err = f.requestOf(ctx, a, o, t, policy); err != nil {
		return err
	}
	giveBack, err := f.approvedOffer(ctx, a, o, draft.For.Unit)
	if err != nil {
		return err
	}
	made, err := service.Create(ctx, draft)
	if err != nil {
		return errors.Join(offerError(err), giveBack())
	}
	return a.showOffer(service, made, f.byValue, out)
}

// requestOf makes the request of the one record the offer is for, as issue does.
func (f *offerFlags) requestOf(ctx context.Context, a *app, o *org, t *schemas.Type, policy quality.Policy) (issuer.Request, error) {
	run := &issueRun{app: a, f: f.issueFlags, o: o}
	ask := issuer.Ask{Type: t, Programme: f.programme, Round: f.round, Kind: registry.Kind(f.kind), Seal: f.seal, At: a.Now().UTC()}
	counts, err := o.counts(ctx, f.programme)
	switch {
	case err != nil:
		return issuer.Request{}, err
	case counts != "" && f.unitSet && counts != ask.Kind:
		return issuer.Request{}, usagef("programme %s counts by %s", f.programme, counts).hint("leave --kind out")
	case counts != "":
		ask.Kind = counts
	}
	name := f.external
	if f.id != "" {
		name = f.id
		if _, err := registry.ParseID(name); err != nil {
			return issuer.Request{}, usagef("--unit: %w", err).hint("--external NUMBER names a record by its number in a list")
		}
	}
	if ask.Units, err = run.unitsCalled(ctx, []string{name}, ask.Kind); err != nil {
		return issuer.Request{}, err
	}
	c, err := candidate(ctx, o, policy, ask)
	if err != nil {
		return issuer.Request{}, err
	}
	if c.Skipped != "" {
		return issuer.Request{}, skippedError(&c, f.programme, f.round)
	}
	settled := c.Settle(f.override)
	if settled.Refusal != nil {
		return issuer.Request{}, usagef("the gate refuses it: %s", settled.Refusal.Text).
			hint("mend the record; or a second person lets it pass: --gate-override CODE --second-person ACCOUNT")
	}
	q, decision := settled.Request, settled.Decision
	if q.ExpiresAt != 0 {
		a.say("provisional until %s: %s", q.ExpiresAt, strings.Join(decision.Reasons, "; "))
	}
	maps.Copy(q.Claims, f.record.fixed)
	return q, nil
}

// candidate is the one that an Ask of one unit is for.
func candidate(ctx context.Context, o *org, p quality.Policy, ask issuer.Ask) (found issuer.Candidate, err error) {
	err = issuer.Candidates(ctx, o.store, p.Gate(ask.Programme), ask, func(c *issuer.Candidate) error {
		found = *c
		return nil
	})
	return found, err
}

// offerService joins offers to the desk that signs for wallets.
func (a *app) offerService(o *org, base string, types ...*schemas.Type) (*offer.Service, error) {
	issuing, err := a.offerIssuing(o, types...)
	if err != nil {
		return nil, err
	}
	return a.offersAt(o, base, issuing.Issue, types...), nil
}

// offersAt are the organisation's offers under base; issue makes what is taken up.
func (a *app) offersAt(o *org, base string, issue func(context.Context, offer.Order) ([]string, error), types ...*schemas.Type) *offer.Service {
	var algs []string
	for _, k := range o.entry.Keys {
		name := "ES256"
		if k.Key.Alg() != cose.ES256 {
			name = "EdDSA"
		}
		if k.Use == trust.UseVC && !slices.Contains(algs, name) {
			algs = append(algs, name)
		}
	}
	return &offer.Service{Issuer: base, Store: o.store, Types: types, Name: o.entry.Names, SigningAlgs: algs, Issue: issue, Now: a.Now}
}

// walletTypes are the types that the trust list seen here lets the organisation issue
// in some programme; all, where none was seen.
func (o *org) walletTypes() ([]*schemas.Type, error) {
	listed, err := o.listed()
	if err != nil || listed == nil {
		return schemas.Embedded(), err
	}
	return slices.DeleteFunc(schemas.Embedded(), func(t *schemas.Type) bool {
		return !slices.ContainsFunc(listed.Grants, func(g trust.Grant) bool { return slices.Contains(g.Types, t.VCT) })
	}), nil
}

// offerIssuing is the desk that signs for wallets, with the gate of the moment.
func (a *app) offerIssuing(o *org, types ...*schemas.Type) (*offer.Issuing, error) {
	desk, err := a.openWalletIssuer(o, types...)
	if err != nil {
		return nil, err
	}
	return &offer.Issuing{Desk: desk, ProgrammeKey: o.programmeKey, EpochKey: o.epochKey,
		Gate: func(made offer.Offer, asked *offer.Request) issuer.Gate {
			return issuer.StillDue(o.store, made.Programme, made.Round, func(ctx context.Context, u issuer.UnitID) (issuer.Decision, error) {
				return a.gateNow(ctx, o, made, asked.Policy, u)
			})
		}}, nil
}

// gateNow asks the gate about a record at the moment of signing, by the policy that the
// offer was made with; nil: by that of the moment.
func (a *app) gateNow(ctx context.Context, o *org, made offer.Offer, kept []byte, u issuer.UnitID) (issuer.Decision, error) {
	policy, err := a.qualityPolicy("")
	if kept != nil {
		policy, err = quality.ReadPolicy(kept)
	}
	if err != nil {
		return issuer.Decision{}, fmt.Errorf("the policy of offer %s: %w", made.ID, err)
	}
	var kind registry.Kind
	err = o.store.View(ctx, func(v registry.View) error {
		rec, err := v.Record(u)
		kind = rec.Kind
		return err
	})
	if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
		return issuer.Decision{Ruling: issuer.GateRefuse, Final: true, Reasons: []string{"there is no such record any more"}}, nil
	}
	if err != nil {
		return issuer.Decision{}, err
	}
	// The type's claims were fixed when the offer was made: the record is judged, not read again.
	c, err := candidate(ctx, o, policy, issuer.Ask{Type: schemas.ByName(made.Type), Programme: made.Programme, Round: made.Round, Kind: kind,
		Units: []issuer.UnitID{u}, At: a.Now().UTC()})
	if err != nil {
		return issuer.Decision{}, err
	}
	if c.Skipped != "" && c.Skipped != issuer.SkippedClaims {
		return issuer.Decision{Ruling: issuer.GateRefuse, Final: true, Reasons: []string{c.Why}}, nil
	}
	return issuer.DecisionOf(c.Decision), nil
}

// showOffer prints an offer with its secrets, once.
func (a *app) showOffer(s *offer.Service, o *offer.Offered, byValue bool, out string) error {
	link := s.Link(o)
	if byValue {
		link = s.LinkByValue(o)
	}
	if out != "" {
		png, err := qrcode.PNG(link, qrcode.M, modulePixels)
		if err == nil {
			err = writeNew(out, png, 0o600)
		}
		if err != nil {
			return err
		}
	}
	result := offerJSON(&o.Offer, a.Now())
	page := s.Issuer + offer.OfferPath + o.Reference + "/page"
	result["link"], result["page"], result["tx_code"], result["file"] = link, page, textPtr(o.Tx), textPtr(out)
	return a.print(result, func(w io.Writer) {
		if m, err := qrcode.Matrix(link, qrcode.M); err == nil {
			writeBlocks(w, m, a.stdoutIsTerminal())
		}
		fmt.Fprintln(w, link)
		fmt.Fprintf(w, "offer %s, until %s; the wallet scans the code or opens the link\n", o.ID, credential.FromStd(o.ExpiresAt))
		fmt.Fprintf(w, "page for the person: %s\n", page)
		if o.Tx != "" {
			fmt.Fprintf(w, "transaction code %s: tell it to the person, not with the link\n", o.Tx)
		}
		if out != "" {
			fmt.Fprintf(w, "%s has the QR code\n", out)
		}
	})
}

// offerState is the state of an offer, or that its time is over.
func offerState(o *offer.Offer, now time.Time) string {
	if o.State == offer.Open && !now.Before(o.ExpiresAt) {
		return "expired"
	}
	return string(o.State)
}

func offerJSON(o *offer.Offer, now time.Time) map[string]any {
	issued := []map[string]any{}
	for _, i := range o.Issued {
		issued = append(issued, map[string]any{"configuration": i.Configuration, "credentials": len(i.Keys), "at": credential.FromStd(i.At).String(),
			"done": !i.Done.IsZero(), "event": textPtr(i.Event)})
	}
	return map[string]any{"offer": o.ID, "state": offerState(o, now), "unit": o.Unit.String(), "type": o.Type, "programme": o.Programme, "round": o.Round,
		"configurations": o.Configurations, "has_tx_code": o.TxCode, "tries": o.Tries, "by": o.By, "created": credential.FromStd(o.CreatedAt).String(),
		"until": credential.FromStd(o.ExpiresAt).String(), "issued": issued}
}

func (a *app) offerListCommand() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the offers, the newest first",
		Example: `  aidpass offer list
  aidpass offer list --state burnt --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			all, err := o.store.Offers(cmd.Context())
			if err != nil {
				return err
			}
			all = slices.DeleteFunc(all, func(x offer.Offer) bool { return state != "" && offerState(&x, a.Now()) != state })
			lines := []map[string]any{}
			for i := range all {
				lines = append(lines, offerJSON(&all[i], a.Now()))
			}
			return a.print(map[string]any{"offers": lines}, func(w io.Writer) {
				for i := range all {
					x := &all[i]
					fmt.Fprintf(w, "%s  %-9s  %s %s round %d  until %s\n", x.ID, offerState(x, a.Now()), x.Type, x.Programme, x.Round, credential.FromStd(x.ExpiresAt))
				}
				if len(all) == 0 {
					fmt.Fprintln(w, "no offer; aidpass offer create makes one")
				}
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only these: open, expired, redeemed, burnt, withdrawn")
	return cmd
}

// errNoOffer is what a command says of an id that is no offer's.
func errNoOffer(id string, err error) error {
	if errors.Is(err, offer.ErrNotFound) {
		return usagef("no offer %q", id).hint("aidpass offer list shows them")
	}
	return err
}

func (a *app) offerShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show OFFER",
		Short: "Tell how far an offer has come; its link and code are kept nowhere",
		Example: `  aidpass offer show wq3Vb0m8jkYk4g
  aidpass offer show wq3Vb0m8jkYk4g --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			x, err := o.store.Offer(cmd.Context(), args[0])
			if err != nil {
				return errNoOffer(args[0], err)
			}
			return a.print(offerJSON(&x, a.Now()), func(w io.Writer) {
				fmt.Fprintf(w, "%s is %s: %s of programme %s, round %d, for %s, until %s, made by %s\n",
					x.ID, offerState(&x, a.Now()), x.Type, x.Programme, x.Round, x.Unit, credential.FromStd(x.ExpiresAt), x.By)
				if x.Tries > 0 {
					fmt.Fprintf(w, "%s\n", plural(x.Tries, "wrong transaction code", "wrong transaction codes"))
				}
				for _, i := range x.Issued {
					said := "the wallet has not said that it has them"
					if i.Event != "" {
						said = "the wallet says " + i.Event
					}
					if i.Done.IsZero() {
						said = "not issued yet"
					}
					fmt.Fprintf(w, "%s: %s at %s; %s\n", i.Configuration, plural(len(i.Keys), "credential", "credentials"), credential.FromStd(i.At), said)
				}
			})
		},
	}
}

func (a *app) offerWithdrawCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "withdraw OFFER --reason CODE",
		Short:   "End an offer; what a wallet has already is revoked as cards are",
		Example: `  aidpass offer withdraw wq3Vb0m8jkYk4g --reason mistake`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usagef("why?").hint("--reason CODE, as mistake; never a name")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			if err := o.store.WithdrawOffer(cmd.Context(), a.actor(access.Issuer), args[0], reason); err != nil {
				return errNoOffer(args[0], err)
			}
			x, err := o.store.Offer(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(offerJSON(&x, a.Now()), func(w io.Writer) {
				fmt.Fprintf(w, "%s is %s\n", x.ID, offerState(&x, a.Now()))
				if len(x.Issued) > 0 {
					fmt.Fprintf(w, "the wallet has credentials of it: aidpass revoke ends those\n")
				}
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, a code")
	return cmd
}
