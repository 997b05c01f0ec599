package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/trust"
)

func (a *app) trustShowCommand() *cobra.Command {
	var against, at string
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Tell what a trust list, a draft or an organisation's entry says",
		Long: `Tell what a trust list, a draft or an organisation's entry says, and what it
changes against an older list. Of an entry and of a custodian's .pub file it shows
the words to compare by voice with whoever sent it.

Exit code 2 when FILE is a list that does not hold (too few signatures, or signed
by other anchors than those of --against).`,
		Example: `  aidpass trust show trust.list
  aidpass trust show list-2.draft --against trust.list
  aidpass trust show relief-a.org
  aidpass trust show anchor-1.pub`,
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
		// The words of the whole file: its sender reads out the same ones.
		result := organisationJSON(o)
		result["hash_words"] = entryWords(raw)
		return a.print(result, func(w io.Writer) {
			writeOrganisation(w, o)
			fmt.Fprintln(w, "hash words:", entryWords(raw))
		})
	}
	if k, err := readPublic(path); err == nil {
		id, thumb := k.ID(), k.Thumbprint()
		words := trust.HashWords(thumb[:])
		return a.print(map[string]any{"kid": hex.EncodeToString(id[:]), "words": words}, func(w io.Writer) {
			fmt.Fprintf(w, "public key %x\nwords: %s\n", id, words)
		})
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
		grants = append(grants, map[string]any{"types": g.Types, "programmes": g.Programmes, "countries": g.Countries, "until": timePtr(g.Until), "replaces": g.Replaces})
	}
	return map[string]any{"organisation": o.ID, "names": o.Names, "country": o.Country, "keys": keys, "grants": grants,
		"status_prefixes": o.StatusPrefixes, "uses_status": o.UsesStatus, "mixed_script": o.MixedScript}
}

// entryWords are what an organisation and the keeper of the list compare by voice.
func entryWords(entry []byte) string {
	sum := sha256.Sum256(entry)
	return trust.HashWords(sum[:])
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
