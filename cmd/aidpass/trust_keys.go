package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/schemas"
	"aidpass/trust"
)

func (a *app) trustWithdrawCommand() *cobra.Command {
	var e edit
	var kid, since, out string
	cmd := &cobra.Command{
		Use:   "withdraw LIST --org ID --kid HEX",
		Short: "Say that a key is compromised: nothing under it counts any more",
		Long: `Say that a key is compromised: nothing under it counts any more, whatever date
it bears.

On a draft this is the keeper's act, and the custodians sign. With
--withdrawal-out it is the organisation's own and works at once: LIST is the
signed list in use, a key of the organisation in the --data folder signs, and the
file travels in packs until a new list decides.`,
		Example: `  aidpass trust withdraw trust.list --org https://relief-a.example/i1 --kid 496bd8afadf307e5 --out list-2.draft

  # at once, by the organisation itself
  aidpass trust withdraw trust.list --org https://relief-a.example/i1 --kid 496bd8afadf307e5 --withdrawal-out stolen.withdrawal
  aidpass pack build --trust trust.list --withdrawal stolen.withdrawal ...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseKID(kid)
			if err != nil {
				return err
			}
			at, err := a.at(since)
			if err != nil {
				return err
			}
			if out != "" {
				return a.withdrawOwn(args[0], id, at, out)
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				return fmt.Sprintf("key %x of %s is withdrawn", id, a.Org), d.Withdraw(a.Org, id, at)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&kid, "kid", "", "key id in hex")
	f.StringVar(&since, "since", "", "since when (default now)")
	f.StringVar(&out, "withdrawal-out", "", "sign as the organisation itself and write this file")
	e.flags(f)
	return cmd
}

func parseKID(s string) ([]byte, error) {
	id, err := hex.DecodeString(s)
	if err != nil || len(id) == 0 {
		return nil, usagef("--kid %q is no key id", s).hint("key ids are hex digits; aidpass trust show LIST has them")
	}
	return id, nil
}

// withdrawOwn signs a withdrawal with another key of the organisation, or with
// the withdrawn one where there is no other.
func (a *app) withdrawOwn(list string, kid []byte, at credential.Time, out string) error {
	_, l, err := readList(list, trust.Anchors{})
	if err != nil {
		return err
	}
	d, err := a.openOrgKeys()
	if err != nil {
		return err
	}
	raw, err := d.signWithdrawal(l, kid, at)
	if err != nil {
		return err
	}
	if err := writeNew(out, raw, 0o644); err != nil {
		return err
	}
	if err := d.keepWithdrawal(kid, raw); err != nil {
		return err
	}
	return a.print(map[string]any{"withdrawal": out, "organisation": d.entry.ID, "kid": hex.EncodeToString(kid)}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: key %x of %s is withdrawn as soon as a pack carries this file\n", out, kid, d.entry.ID)
		fmt.Fprintln(w, "next: aidpass pack build --withdrawal", out, "...; then ask the keeper of the list: aidpass trust withdraw")
	})
}

// signWithdrawal makes the withdrawal of a key under a list, which takes it in.
func (o *orgKeys) signWithdrawal(l *trust.List, kid []byte, at credential.Time) ([]byte, error) {
	listed := l.Organisation([]byte(o.entry.ID))
	if listed == nil {
		return nil, usagef("%s is not on list %d", o.entry.ID, l.Sequence).hint("aidpass trust show LIST tells who is")
	}
	signer, key, err := o.signerFor(listed.Keys, kid)
	if err != nil {
		return nil, err
	}
	p, err := trust.PrepareWithdrawal(key, trust.Withdrawal{Org: o.entry.ID, KID: kid, At: at, Sequence: l.Sequence})
	if err != nil {
		return nil, err
	}
	raw, err := attach(p, signer)
	if err != nil {
		return nil, err
	}
	// Read back as every device will.
	if err := l.Withdraw(raw); err != nil {
		return nil, usagef("%w", err).hint("aidpass trust show LIST has the key ids")
	}
	return raw, nil
}

func (a *app) trustRotateCommand() *cobra.Command {
	var e edit
	var use, kid, entry string
	var accept int
	cmd := &cobra.Command{
		Use:   "rotate LIST --org ID --use card --new FILE.org",
		Short: "Publish the successor of a key and retire the old one on the day the new one begins",
		Long: `Publish the successor of a key and retire the old one on the day the new one
begins to sign. The new key must not sign within the next 45 days: service points
need that long to learn of it. What the old key signed counts on until the
longest-lived card of it has ended.`,
		Example: `  # the organisation
  aidpass org rotate --use card --out relief-a-2.org
  # the keeper of the list
  aidpass trust rotate trust.list --org https://relief-a.example/i1 --use card --new relief-a-2.org --out list-2.draft`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := trust.ParseUse(use)
			if err != nil {
				return usagef("%w", err).hint("card, vc, request, status, pack, device-ca, audit or seal")
			}
			o, err := readEntry(entry)
			if err != nil {
				return err
			}
			if a.Org != "" && a.Org != o.ID {
				return usagef("%s is the entry of %s, not of %s", entry, o.ID, a.Org).hint("--org and --new must belong together")
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) { return rotate(d, o, u, kid, accept) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&use, "use", "card", "use of the key")
	f.StringVar(&entry, "new", "", "entry of the organisation with the new key")
	f.StringVar(&kid, "kid", "", "key to retire, in hex, where several are meant")
	f.IntVar(&accept, "accept-days", 0, "how long what the old key signed counts on (default: the longest life of a card)")
	e.flags(f)
	return cmd
}

// rotate finds the old key (listed, not in the new entry) and the new one (the
// other way round) and exchanges them.
func rotate(d *draftFile, o *trust.Organisation, use trust.Use, kid string, acceptDays int) (string, error) {
	listed := d.Organisation(o.ID)
	if listed == nil {
		return "", fmt.Errorf("%s is not on the list", o.ID)
	}
	var olds, news []*trust.Key
	for _, k := range listed.Keys {
		if k.Use == use && k.State == trust.Active && !holds(o.Keys, k) {
			olds = append(olds, k)
		}
	}
	for _, k := range o.Keys {
		if k.Use == use && !holds(listed.Keys, k) {
			news = append(news, k)
		}
	}
	if kid != "" {
		id, err := parseKID(kid)
		if err != nil {
			return "", err
		}
		olds = slices.DeleteFunc(olds, func(k *trust.Key) bool { return !bytes.Equal(k.KID, id) })
	}
	if len(olds) != 1 || len(news) != 1 {
		return "", fmt.Errorf("%d %s keys would go and %d come: one for one is a rotation", len(olds), use, len(news))
	}
	life := credential.Time(acceptDays) * day
	if acceptDays == 0 {
		life = longestLife(listed, use)
	}
	next := news[0]
	return fmt.Sprintf("%s key %x follows %x from %s; the old one is accepted until %s",
		use, next.KID, olds[0].KID, next.NotBefore, next.NotBefore+life), d.Rotate(o.ID, olds[0].KID, *next, next.NotBefore+life)
}

func holds(keys []*trust.Key, k *trust.Key) bool {
	thumb := k.Key.Thumbprint()
	return slices.ContainsFunc(keys, func(x *trust.Key) bool { return x.Key.Thumbprint() == thumb })
}

// longestLife is how long after the last signature something by a key of this use
// may still be shown.
func longestLife(o *trust.Organisation, use trust.Use) credential.Time {
	switch use {
	case trust.UseCard, trust.UseVC:
	case trust.UseDeviceCA:
		return trust.MaxDeviceLife
	default:
		return schemas.MaxFreshness
	}
	var life int64
	for _, g := range o.Grants {
		for _, vct := range g.Types {
			longest := int64(schemas.MaxValidity)
			for _, t := range schemas.Embedded() {
				if t.VCT == vct {
					longest = t.MaxValidity
				}
			}
			life = max(life, longest)
		}
	}
	if life == 0 {
		life = schemas.MaxValidity
	}
	return credential.Time(life)
}
