package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/spf13/cobra"

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
	if s.against != "" && d.rivals(d.base, payload) {
		return usagef("%s is list %d, and the list in use, %s, is number %d and says something else", path, d.Sequence, s.against, d.base.Sequence).
			hint("a number is signed once: start the next list with aidpass trust grant %s ... --out next.draft", s.against)
	}
	if err := a.warnOfRival(d, payload); err != nil {
		return err
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
