package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/status"
	"aidpass/storage/keystore"
)

// statusAct is revoke, suspend or resume.
type statusAct struct {
	verb, short, long, done, reason string
	do                              func(*issuer.Desk, context.Context, []issuer.CTI, string) error
}

func (a *app) statusActs() []*cobra.Command {
	acts := []statusAct{
		{"revoke", "Withdraw cards for ever", "A revoked card stays revoked: issue a new one instead. Service points hear of it\nwith the next pack.", "revoked", "withdrawn", (*issuer.Desk).Revoke},
		{"suspend", "Put cards on hold", "aidpass resume ends it. Service points hear of it with the next pack.", "suspended", "on hold", (*issuer.Desk).Suspend},
		{"resume", "End a suspension", "A revoked card does not come back.", "resumed", "released", (*issuer.Desk).Reinstate},
	}
	var cmds []*cobra.Command
	for _, act := range acts {
		cmds = append(cmds, a.statusActCommand(act))
	}
	return cmds
}

func (a *app) statusActCommand(act statusAct) *cobra.Command {
	var unit, kind, roster, reason, only string
	var all bool
	cmd := &cobra.Command{
		Use:   act.verb + " CREDENTIAL|CARD-NUMBER ...",
		Short: act.short,
		Long: act.short + ".\n\n" + act.long + `

A card is named by its identity (14 characters, as in cards.jsonl) or by the
number printed on it; --unit names a person or household by the number in the list,
as H24. A wallet's credentials have the number of the card: where one name means several,
the command says what they are and does nothing; --only wallet or --only paper chooses,
--all takes them all. Then: aidpass status publish, and pack build for service points.`,
		Example: fmt.Sprintf(`  aidpass %[1]s 8Jx0cZ2k3mQ4Zg --reason lost
  aidpass %[1]s 4T7K-9QZX-M2R 7HW2-0B3C-9KD
  aidpass %[1]s --unit HH-0042 --all --reason moved
  aidpass %[1]s 4T7K-9QZX-M2R --only wallet --reason phone_lost
  aidpass pack build ...   # tells the service points`, act.verb),
		RunE: func(cmd *cobra.Command, args []string) error {
			if kind != "" && kind != "person" && kind != "household" {
				return usagef("--kind %q", kind).hint("person or household")
			}
			if unit == "" && (kind != "" || roster != "") {
				return usagef("--kind and --roster say which --unit").hint("--unit with the roster's identifier")
			}
			if unit == "" && len(args) == 0 {
				return usagef("which card?").hint("aidpass %s --help shows examples", act.verb)
			}
			if only != "" && only != "wallet" && only != "paper" {
				return usagef("--only %q", only).hint("wallet or paper")
			}
			return a.actOnStatus(cmd.Context(), act, args, whichUnit{unit, kind, roster}, reason, only, all)
		},
	}
	cmd.Flags().StringVar(&unit, "unit", "", "number of a person or household in the list, as H24")
	cmd.Flags().StringVar(&kind, "kind", "", "with --unit: person or household, where both have the identifier")
	cmd.Flags().StringVar(&roster, "roster", "", "with --unit: name of the roster, as issue was given it")
	cmd.Flags().StringVar(&reason, "reason", act.reason, "why, for the audit log: a code, never a name")
	cmd.Flags().StringVar(&only, "only", "", "wallet (all that phones have of the name) or paper")
	cmd.Flags().BoolVar(&all, "all", false, "all active cards the name means")
	return cmd
}

// whichUnit is --unit, --kind and --roster.
type whichUnit struct{ id, kind, roster string }

// find lists the credentials of the unit. Without --kind and --roster any will
// do, as long as it is one.
func (u whichUnit) find(ctx context.Context, desk *issuer.Desk) ([]issuer.Credential, error) {
	if u.kind == "" && u.roster == "" {
		return desk.Find(ctx, u.id)
	}
	kinds := []string{u.kind}
	if u.kind == "" {
		kinds = []string{"person", "household"}
	}
	var all []issuer.Credential
	for _, kind := range kinds {
		found, err := desk.FindUnit(ctx, issuer.UnitKind(kind), u.roster, u.id)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (a *app) actOnStatus(ctx context.Context, act statusAct, names []string, unit whichUnit, reason, only string, all bool) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	desk := &issuer.Desk{Issuer: o.entry.ID, Store: o.store, Actor: a.actor(access.Issuer), Now: a.Now}
	var ids []issuer.CTI
	var held []heldItem // as they are before
	var lines []map[string]any
	if unit.id != "" {
		names = append(names, unit.id)
	}
	for i, name := range names {
		find := func() ([]issuer.Credential, error) { return desk.Find(ctx, name) }
		if unit.id != "" && i == len(names)-1 {
			find = func() ([]issuer.Credential, error) { return unit.find(ctx, desk) }
		}
		found, err := find()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(found, func(c issuer.Credential) bool { return c.Unit != found[0].Unit }) {
			return usagef("%s means several people or households", name).
				hint("name the card; or --unit %s with --kind person or household, and --roster NAME", name)
		}
		cards := choose(actOn(found, act.verb), only)
		switch {
		case len(cards) == 0 && only != "" && len(actOn(found, act.verb)) > 0:
			return usagef("%s: nothing of it is on %s", name, map[string]string{"wallet": "a phone", "paper": "paper"}[only]).hint("aidpass registry show %s tells what there is", name)
		case len(cards) == 0 && len(found) > 0:
			return usagef("%s: %w", name, issuer.ErrFinal).hint("a revoked card stays revoked: issue a new one")
		case len(cards) == 0:
			return usagef("%s: %w", name, issuer.ErrNotFound).
				hint("name the credential (14 characters, as in cards.jsonl), the card number, or --unit with the roster's identifier")
		}
		items, err := o.heldAs(ctx, cards)
		if err != nil {
			return err
		}
		if len(items) > 1 && !all {
			return several(name, items, only)
		}
		held = append(held, items...)
		for _, c := range cards {
			ids = append(ids, c.ID)
			lines = append(lines, map[string]any{"credential": c.ID.String(), "number": c.CardNumber, "type": c.Type, "now": act.done})
		}
	}
	if err := act.do(desk, ctx, ids, reason); err != nil {
		return err
	}
	return a.print(map[string]any{"done": act.done, "cards": lines}, func(w io.Writer) {
		for i := range held {
			what := held[i].cards[0].ID.String()
			if n := len(held[i].cards); n > 1 {
				what = fmt.Sprintf("%d credentials", n)
			}
			fmt.Fprintf(w, "%s  card %s  %s: %s\n", what, cwt.GroupCardNumber(held[i].cards[0].CardNumber), held[i].medium(), act.done)
		}
		fmt.Fprintln(w, "next: aidpass status publish, for wallets and whoever asks them; aidpass pack build, for service points: neither knows of it before")
	})
}

// actOn picks the credentials an act can be meant for: those that exist and are
// not revoked. Revoking twice is no error.
func actOn(found []issuer.Credential, verb string) []issuer.Credential {
	var active, revoked []issuer.Credential
	for _, c := range found {
		switch {
		case c.State == issuer.Released || c.State == issuer.Reserved:
		case c.Status == status.Invalid:
			revoked = append(revoked, c)
		default:
			active = append(active, c)
		}
	}
	if len(active) == 0 && verb == "revoke" {
		return revoked
	}
	return active
}

func (a *app) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Status lists: what is revoked or suspended, for everybody",
		Example: `  aidpass status publish --out /srv/www/s`,
	}
	cmd.AddCommand(a.statusPublishCommand(), a.statusDeltaCommand())
	return cmd
}

func (a *app) statusPublishCommand() *cobra.Command {
	var out, confirm string
	var witnessed []string
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Sign the status lists anew",
		Long: `Sign the status lists anew and write them to DATA/public/status: the token of the
standard (.cwt), the snapshot for packs and the delta from the publication
before. Put the .cwt files where the cards' status URIs point to.

aidpass pack build does this by itself where something changed.

After a restore without the files outside the backup, lists are published only
once --witnessed shows what was published last, so that no revocation is taken
back. Where nobody has such files, two people may say so: --nothing-newer REASON
--second-person ACCOUNT.`,
		Example: `  aidpass status publish
  aidpass status publish --witnessed /srv/www/s
  aidpass status publish --out /srv/www/s --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			if err := o.witness(cmd.Context(), witnessed, confirm); err != nil {
				return err
			}
			lists, err := a.publish(cmd.Context(), o)
			if err != nil {
				return err
			}
			if len(lists) == 0 {
				return usagef("there is no status list yet").hint("the first card makes one: aidpass issue")
			}
			if out != "" {
				if err := a.writeLists(o, out, lists); err != nil {
					return err
				}
			}
			return a.print(map[string]any{"lists": publishedJSON(lists), "folder": a.statusDir()}, func(w io.Writer) {
				for _, l := range lists {
					fmt.Fprintf(w, "%s  as of %s  token %d bytes, snapshot %d bytes\n", l.URI, l.IssuedAt, len(l.CWT), len(l.Snapshot))
				}
				fmt.Fprintln(w, "files in", a.statusDir())
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the files to this folder too")
	cmd.Flags().StringArrayVar(&witnessed, "witnessed", nil, "newest published .cwt or .snapshot file, or a folder of them, after a restore; repeat")
	cmd.Flags().StringVar(&confirm, "nothing-newer", "", "reason code: nothing newer was published; needs --second-person")
	return cmd
}

// witness takes published files as proof of what was revoked before a restore.
func (o *org) witness(ctx context.Context, paths []string, confirm string) error {
	if len(paths) == 0 && confirm == "" {
		return nil
	}
	desk := &issuer.Desk{Issuer: o.entry.ID, Store: o.store, Actor: o.a.actor(access.Issuer), Now: o.a.Now}
	var files [][]byte
	for _, arg := range paths {
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if ext := filepath.Ext(path); err != nil || d.IsDir() || path != arg && ext != ".cwt" && ext != ".snapshot" {
				return err
			}
			raw, err := readFile(path, status.MaxBytes)
			files = append(files, raw)
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(files) > 0 {
		keys, err := o.statusKeys()
		if err != nil {
			return err
		}
		lists, err := desk.Witness(ctx, keys, files)
		if err != nil {
			return usagef("%w", err).hint("the newest published files of this organisation are needed")
		}
		for _, l := range lists {
			o.a.say("list %s of %s is known again: %d cards of this database were revoked by it", l.URI, l.IssuedAt, l.Ended)
		}
	}
	if confirm == "" {
		return nil
	}
	if o.a.SecondPerson == "" {
		return usagef("--nothing-newer needs --second-person").hint("two people say that nothing newer was published")
	}
	n, err := desk.ConfirmUnwitnessed(ctx, confirm)
	if err == nil {
		o.a.say("%d lists go on as this database has them; %s has confirmed it", n, o.a.SecondPerson)
	}
	return err
}

func publishedJSON(lists []issuer.PublishedList) []map[string]any {
	var lines []map[string]any
	for _, l := range lists {
		lines = append(lines, map[string]any{"uri": l.URI, "issued": l.IssuedAt.String(), "token_bytes": len(l.CWT),
			"snapshot_bytes": len(l.Snapshot), "delta_bytes": len(l.Delta)})
	}
	return lines
}

func (a *app) statusDir() string { return filepath.Join(a.publicDir(), "status") }

// publish signs all lists and writes the files.
func (a *app) publish(ctx context.Context, o *org) ([]issuer.PublishedList, error) {
	signer, _, err := o.currentSigner(keystore.Status)
	if err != nil {
		return nil, err
	}
	desk := &issuer.Desk{Issuer: o.entry.ID, Store: o.store, Actor: a.actor(access.Issuer), Known: a.knownTime(), Now: a.Now}
	lists, err := desk.PublishStatus(ctx, signer, issuer.Publishing{})
	if err != nil {
		return nil, err
	}
	return lists, a.writeLists(o, a.statusDir(), lists)
}

// writeLists puts publications into a folder. A slower publisher never writes an
// older list over a newer one.
func (a *app) writeLists(o *org, dir string, lists []issuer.PublishedList) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := waitForLock(filepath.Join(a.Data, "outside-backup", "publish.lock"))
	if err != nil {
		return err
	}
	defer lock.Close()
	keys, err := o.statusKeys()
	if err != nil {
		return err
	}
	for _, l := range lists {
		base := filepath.Join(dir, slug(l.URI))
		there, err := openSnapshotFile(base+".snapshot", keys)
		if err != nil {
			return err
		}
		if there != nil && there.URI == l.URI && there.IssuedAt > l.IssuedAt {
			continue
		}
		// The snapshot last: it says that the others are there.
		if l.Delta != nil {
			err = writeFile(base+".delta", l.Delta)
		}
		if err := errors.Join(err, writeFile(base+".cwt", l.CWT), writeFile(base+".jwt", l.JWT), writeFile(base+".snapshot", l.Snapshot)); err != nil {
			return err
		}
	}
	return nil
}

// statusKeys finds the organisation's status keys, past ones too.
func (o *orgKeys) statusKeys() (func(kid []byte) *cose.Key, error) {
	infos, err := o.store.List()
	if err != nil {
		return nil, err
	}
	return func(kid []byte) *cose.Key {
		for i := range infos {
			if infos[i].Use == keystore.Status && infos[i].ID == hex.EncodeToString(kid) {
				return infos[i].Key
			}
		}
		return nil
	}, nil
}

// openSnapshotFile returns the list of a published file; nil when it is not there
// or is none that the organisation signed.
func openSnapshotFile(path string, keys func([]byte) *cose.Key) (*status.List, error) {
	raw, err := readFile(path, status.MaxBytes)
	if notThere(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := status.OpenSnapshot(raw, keys)
	if err != nil {
		return nil, nil // it is written anew
	}
	return l, nil
}

// publishAfter is how old a publication may be before a pack gets a new one.
const publishAfter = time.Hour

// snapshots returns the newest snapshot of every list of the organisation. What
// changed, was never published, or was published a while ago is signed anew.
func (a *app) snapshots(ctx context.Context, o *org) (map[string][]byte, error) {
	uris, err := o.store.StatusLists(ctx, a.Now())
	if err != nil {
		return nil, err
	}
	keys, err := o.statusKeys()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	why := ""
	for _, uri := range uris {
		l, err := o.store.StatusList(ctx, uri)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(a.statusDir(), slug(uri)+".snapshot")
		file, err := openSnapshotFile(path, keys)
		if err != nil {
			return nil, err
		}
		changed, err := unpublished(&l)
		switch {
		case err != nil:
			return nil, err
		case changed:
			why = "changes were not published yet"
		case file == nil || file.URI != uri || file.IssuedAt != l.PublishedAt:
			// A crash, a full disk or a slower publisher left another file than the one
			// that is on record; it may lack a revocation.
			why = "a published file is missing or not the newest"
		case a.Now().Sub(l.PublishedAt.Std()) > publishAfter:
			why = "the last publication is " + a.Now().Sub(l.PublishedAt.Std()).Round(time.Minute).String() + " old"
		default:
			if files[uri], err = readFile(path, status.MaxBytes); err != nil {
				return nil, err
			}
		}
	}
	if why == "" {
		return files, nil
	}
	a.say("status lists are signed anew: %s", why)
	lists, err := a.publish(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, l := range lists {
		files[l.URI] = l.Snapshot
	}
	return files, nil
}

// unpublished tells whether a list has changed since it was published.
func unpublished(l *issuer.StatusList) (bool, error) {
	if l.Published == nil {
		return true, nil
	}
	now, err := status.NewRegister(l.URI, l.Size)
	if err != nil {
		return false, err
	}
	for _, e := range l.Entries {
		if err := now.Set(e.Index, e.Value); err != nil {
			return false, err
		}
	}
	return string(now.Bits()) != string(l.Published), nil
}
