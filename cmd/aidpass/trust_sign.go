package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

// signFlags are what trust sign is asked for.
type signFlags struct {
	keys, with   []string
	out, against string
}

func (a *app) trustSignCommand() *cobra.Command {
	var s signFlags
	cmd := &cobra.Command{
		Use:   "sign DRAFT (--key FILE.key | --with FILE ...) --out FILE",
		Short: "Look at a draft and sign it, or bring the custodians' signatures together",
		Long: `Look at a draft and sign it, or bring the custodians' signatures together.

With --key a custodian signs: what the list adds, removes and changes is shown
first, and on a terminal a yes is asked for. Name your own copy of the list in
use with --against, so that nobody chooses for you what it is compared with.
With --with the keeper merges what came back; while signatures are missing it
says how many.

A date before the list in use, or more than 90 days after it, is not signed
unless a second person has looked at a calendar: --second-person NAME.`,
		Example: `  aidpass trust sign list.draft --key anchor-1.key --against trust.list --out list.sig1
  aidpass trust sign list.draft --with list.sig1 --with list.sig2 --out trust.list`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.out == "" || len(s.keys)+len(s.with) == 0 {
				return usagef("--out and --key or --with are needed").hint("aidpass trust sign --help shows an example")
			}
			return a.signList(args[0], s)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&s.keys, "key", nil, "custodian's key file")
	f.StringArrayVar(&s.with, "with", nil, "file that a custodian signed; repeat")
	f.StringVar(&s.out, "out", "", "file to write")
	f.StringVar(&s.against, "against", "", "your own copy of the list in use")
	return cmd
}

func (a *app) signList(path string, s signFlags) error {
	d, err := openDraft(path)
	if err != nil {
		return err
	}
	if d.signed {
		return usagef("%s is a signed list, not a draft", path).hint("start the next one: aidpass trust grant %s ... --out next.draft", path)
	}
	if s.against != "" {
		if _, d.base, err = readList(s.against, trust.Anchors{}); err != nil {
			return err
		}
	}
	payload, err := d.Encode()
	if err != nil {
		return usagef("%w", err).hint("aidpass trust show %s tells what stands in it", path)
	}
	var files [][]byte
	if len(s.keys) > 0 {
		signed, err := a.signAsCustodian(d, payload, s)
		if err != nil {
			return err
		}
		files = append(files, signed)
	}
	for _, w := range s.with {
		raw, err := readFile(w, trust.MaxListBytes)
		if err != nil {
			return err
		}
		files = append(files, raw)
	}
	return a.mergeList(d, payload, files, s.out)
}

// signAsCustodian shows the list, asks, and signs.
func (a *app) signAsCustodian(d *draftFile, payload []byte, s signFlags) ([]byte, error) {
	if err := a.plausible(d); err != nil {
		return nil, err
	}
	text, err := trust.Describe(payload, d.base)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(a.Stderr, text)
	yes, err := a.confirm("Sign this list?")
	if err != nil {
		return nil, err
	}
	if !yes {
		return nil, usagef("not signed").hint("tell the keeper what is wrong with the draft")
	}
	p, err := trust.PrepareList(payload)
	if err != nil {
		return nil, err
	}
	for _, path := range s.keys {
		store, info, err := keystore.OpenFile(path)
		if err != nil {
			return nil, err
		}
		if !d.Anchors.Has(info.Key) && (d.base == nil || !d.base.Anchors.Has(info.Key)) {
			return nil, usagef("%s is no anchor of this list", path).hint("aidpass trust show tells the anchors' key ids; this one is %s", info.ID)
		}
		signer, key, err := store.Signer(info.ID, keystore.Anchor, a.passphrase(path, false))
		if err != nil {
			return nil, err
		}
		sig, err := cose.SignRaw(signer, p.ToBeSigned(key))
		if err != nil {
			return nil, err
		}
		if err := p.Add(key, sig); err != nil {
			return nil, err
		}
	}
	return p.Append(nil), nil
}

// plausible refuses a date that cannot be right: a list dated 2099 would hold
// every device back for years.
func (a *app) plausible(d *draftFile) error {
	now := a.now()
	var err error
	if d.base != nil && !d.FloorReset {
		err = trust.CheckSigningTime(d.Issued, d.base.Issued)
	}
	if err == nil {
		// The draft was dated on another laptop: its clock against this one's.
		err = trust.CheckSigningTime(d.Issued, 0, now)
	}
	if err == nil && now+day < d.Issued {
		err = fmt.Errorf("the draft is dated %s, the clock of this laptop shows %s", d.Issued, now)
	}
	if err == nil || a.SecondPerson != "" {
		if err != nil {
			a.say("warning: %v; %s has confirmed it", err, a.SecondPerson)
		}
		return nil
	}
	return usagef("%w", err).hint("look at a calendar together; if the date is right, add --second-person NAME")
}

// mergeList writes the list with all signatures, once there are enough; a single
// custodian's file is written in any case.
func (a *app) mergeList(d *draftFile, payload []byte, files [][]byte, out string) error {
	var known []trust.Anchors
	if d.base != nil {
		known = append(known, d.base.Anchors)
	}
	merged, err := trust.Merge(files, known...)
	if err != nil {
		return usagef("%w", err).hint("every custodian must sign the same draft; if it was changed meanwhile, all sign again")
	}
	m, err := cose.ParseMulti(merged, 2*trust.MaxAnchors)
	if err != nil {
		return err
	}
	if !bytes.Equal(m.Payload, payload) {
		return usagef("the files are signatures of another list than this draft").hint("sign the draft as it is now")
	}
	missing, err := missingSignatures(merged, d.base, d.Anchors)
	if err != nil {
		return err
	}
	l, err := trust.ParsePayload(payload)
	if err != nil {
		return err
	}
	digest := l.Digest()
	if missing > 0 && len(files) > 1 {
		return usagef("%d more of the custodians must sign", missing).
			hint("send them the draft: aidpass trust sign DRAFT --key THEIRS.key --out FILE; then merge all files again")
	}
	if missing == 0 {
		pinned := trust.Anchors{}
		if d.base != nil {
			pinned = d.base.Anchors
		}
		if _, err := trust.Open(merged, pinned); err != nil {
			return err
		}
	}
	if err := writeNew(out, merged, 0o644); err != nil {
		return err
	}
	result := map[string]any{"file": out, "list": l.ID, "sequence": l.Sequence, "missing": missing,
		"hash_words": trust.HashWords(digest[:]), "sha256": hex.EncodeToString(digest[:])}
	return a.print(result, func(w io.Writer) {
		if missing == 0 {
			fmt.Fprintf(w, "%s: list %d is signed and complete\n", out, l.Sequence)
		} else {
			fmt.Fprintf(w, "%s: signed; %d more custodian(s) must sign. Send this file to the keeper of the list\n", out, missing)
		}
		fmt.Fprintln(w, "hash words:", trust.HashWords(digest[:]))
	})
}

// missingSignatures counts what the set before and the set named still lack.
func missingSignatures(raw []byte, base *trust.List, own trust.Anchors) (int, error) {
	missing := 0
	sets := []trust.Anchors{own}
	if base != nil {
		sets = append(sets, base.Anchors)
	}
	for _, set := range sets {
		signed, err := trust.Signers(raw, set)
		if err != nil {
			return 0, err
		}
		missing = max(missing, set.K-len(signed))
	}
	return missing, nil
}

func (a *app) trustShowCommand() *cobra.Command {
	var against, at string
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Tell what a trust list, a draft or an organisation's entry says",
		Long: `Tell what a trust list, a draft or an organisation's entry says, and what it
changes against an older list.

Exit code 2 when FILE is a list that does not hold (too few signatures, or signed
by other anchors than those of --against).`,
		Example: `  aidpass trust show trust.list
  aidpass trust show list-2.draft --against trust.list
  aidpass trust show relief-a.org`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := a.at(at)
			if err != nil {
				return err
			}
			return a.showTrust(args[0], against, t)
		},
	}
	cmd.Flags().StringVar(&against, "against", "", "older signed list to compare with")
	cmd.Flags().StringVar(&at, "at", "", "tell ages as of this time")
	return cmd
}

func (a *app) showTrust(path, against string, at credential.Time) error {
	raw, err := readFile(path, draftLimit)
	if err != nil {
		return err
	}
	if o, err := trust.OpenEntry(raw); err == nil {
		return a.print(organisationJSON(o), func(w io.Writer) { writeOrganisation(w, o) })
	}
	var before *trust.List
	if against != "" {
		if _, before, err = readList(against, trust.Anchors{}); err != nil {
			return err
		}
	}
	payload, signatures, fault := raw, "a draft: nobody has signed", error(nil)
	if m, err := cose.ParseMulti(raw, 2*trust.MaxAnchors); err == nil && string(m.Type) == trust.TypeList {
		payload = m.Payload
		pinned := trust.Anchors{}
		if before != nil {
			pinned = before.Anchors
		}
		signatures, fault = signatureState(raw, payload, pinned, before)
	} else {
		d, err := openDraft(path)
		if err != nil {
			return err
		}
		if before == nil {
			before = d.base
		}
		if payload, err = d.Encode(); err != nil {
			return err
		}
	}
	list, err := trust.ParsePayload(payload)
	if err != nil {
		return usagef("%s: %w", path, err).hint("is it a trust list?")
	}
	text, err := trust.Describe(payload, before)
	if err != nil {
		return usagef("%s: %w", path, err).hint("is it a trust list?")
	}
	err = a.print(listJSON(list, before, signatures, fault == nil, at), func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n", path, signatures)
		fmt.Fprint(w, text)
		if list.Expired(at) {
			fmt.Fprintln(w, "note: the next list is overdue: devices answer unsure, trustlist_expired")
		}
	})
	return errors.Join(err, fault)
}

// signatureState says in words whether a signed list holds; the error says why not.
func signatureState(raw, payload []byte, pinned trust.Anchors, before *trust.List) (string, error) {
	list, err := trust.ParsePayload(payload)
	if err != nil {
		return "it cannot be read", usagef("%w", err).hint("load it again from a source you know")
	}
	signed, err := trust.Signers(raw, list.Anchors)
	if err != nil {
		return "it cannot be read", usagef("%w", err).hint("load it again from a source you know")
	}
	state := fmt.Sprintf("signed by %d of its %d anchors, %d are needed", len(signed), len(list.Anchors.Keys), list.Anchors.K)
	if _, err := trust.Open(raw, pinned); err != nil {
		hint := "merge more signatures: aidpass trust sign DRAFT --with FILE --with FILE --out LIST"
		if before != nil {
			hint = "a list with new anchors needs the old custodians' signatures too"
		}
		return state, usagef("%w", err).hint("%s", hint)
	}
	return state, nil
}

func listJSON(l *trust.List, before *trust.List, signatures string, holds bool, at credential.Time) map[string]any {
	digest := l.Digest()
	var orgs []any
	for _, o := range l.Organisations {
		orgs = append(orgs, organisationJSON(o))
	}
	var faults []map[string]any
	for _, f := range l.Faults {
		faults = append(faults, map[string]any{"organisation": f.Org, "kid": hex.EncodeToString(f.KID), "reason": f.Reason, "text": f.Text})
	}
	out := map[string]any{
		"list": l.ID, "sequence": l.Sequence, "issued": l.Issued.String(), "next_update": l.NextUpdate.String(),
		"age": int64(at - l.Issued), "expired": l.Expired(at), "floor_reset": l.FloorReset,
		"anchors":     map[string]any{"k": l.Anchors.K, "n": len(l.Anchors.Keys), "words": l.Anchors.Words()},
		"hash_words":  trust.HashWords(digest[:]),
		"sha256":      hex.EncodeToString(digest[:]),
		"signatures":  signatures,
		"holds":       holds,
		"faults":      faults,
		"changes":     changesJSON(before, l),
		"recognised":  len(l.Recognitions),
		"withdrawals": len(l.Withdrawals),
	}
	out["organisations"] = orgs
	return out
}

func changesJSON(before, after *trust.List) []string {
	var out []string
	if before == nil {
		return out
	}
	for _, c := range trust.Changes(before, after) {
		out = append(out, c.Sign+" "+c.String())
	}
	return out
}

func organisationJSON(o *trust.Organisation) map[string]any {
	var keys []any
	for _, k := range o.Keys {
		keys = append(keys, map[string]any{"kid": hex.EncodeToString(k.KID), "use": k.Use.String(), "profile": k.Profile.String(),
			"state": k.State.String(), "not_before": k.NotBefore.String(), "not_after": k.NotAfter.String(),
			"accept_until": timePtr(k.AcceptUntil), "since": timePtr(k.Since)})
	}
	var grants []any
	for _, g := range o.Grants {
		grants = append(grants, map[string]any{"types": g.Types, "programmes": g.Programmes, "countries": g.Countries, "until": timePtr(g.Until)})
	}
	return map[string]any{"organisation": o.ID, "names": o.Names, "country": o.Country, "keys": keys, "grants": grants,
		"status_prefixes": o.StatusPrefixes, "uses_status": o.UsesStatus, "mixed_script": o.MixedScript}
}

func writeOrganisation(w io.Writer, o *trust.Organisation) {
	fmt.Fprintf(w, "organisation %s: %s, %s\n", o.ID, nameIn(o.Names, "en"), o.Country)
	for _, k := range o.Keys {
		fmt.Fprintf(w, "  %-9s key %x  %s, signs %s to %s\n", k.Use, k.KID, k.State, k.NotBefore, k.NotAfter)
	}
	for _, p := range o.StatusPrefixes {
		fmt.Fprintf(w, "  status lists under %s\n", p)
	}
}
