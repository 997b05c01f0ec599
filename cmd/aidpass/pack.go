package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/durable"
	"aidpass/issuer/registry"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/web/console"
)

// packFlags are what pack build is asked for.
type packFlags struct {
	trust, site, country, unlock, above, out               string
	chain, withdrawals, recognised, status, types, devices []string
	programmes, sites, told, fresh, bearer                 []string
	enrolled                                               []access.Device // of the site, by this organisation
	by                                                     access.Actor    // zero: who runs the command
	reason                                                 string          // why it leaves by hand; empty: not asked
	labels                                                 string
	photos, noList                                         bool
	planned                                                bool // of a server: the registry's rounds there too, besides programmes
	days, showFor                                          int
	old                                                    oldLists
}

// oldLists is the site's one-time decision to serve on old lists.
type oldLists struct{ reason, lead, second, ceiling, until string }

func (a *app) packCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pack",
		Short: "Packs: all a service point needs offline, in one file",
		Example: `  aidpass pack build --trust trust.list --site WELL-A --programme K7Q2=1@2026-11-01..2026-12-01 --out well-a.pack
  aidpass pack show well-a.pack`,
	}
	cmd.AddCommand(a.packBuildCommand(), a.packShowCommand())
	return cmd
}

func (a *app) packBuildCommand() *cobra.Command {
	var f packFlags
	cmd := &cobra.Command{
		Use:   "build --site SITE --out FILE.pack",
		Short: "Build and sign the pack of a service point",
		Long: `Build and sign the pack of a service point: trust list, status, types, policy.

Status lists with changes that were not published yet are signed anew first. With
--device and --unlock the keys of sealed claims travel too, sealed to that device
behind the operator's code.

--programme names what is served: CODE for any round at any time, or
CODE=N@FROM..TO for round N from day FROM to day TO, both included; repeat for
several. Without it the site serves the rounds that the registry has there (programme
round --site), those at no site in particular, and programmes without rounds; where no
round names a site, every programme. serve and device add follow the same rule.

What is served by name is also what the pack tells its devices, sealed: what is due,
from the plan, and who is expected, from good cards and the people on record, so that
the screen says what to give and a typed number finds its row. It opens only on a
--device with the operator's code of --unlock; without them it is left out, and said.
--no-list leaves the people out, --photos adds their photos. A round that names sites
goes to those only. Whose answer is consent.name_at_table=no, as for anybody
protected, has no name on the list, and with consent.photo_at_table=no no photo.`,
		Example: `  aidpass pack build --trust trust.list --site WELL-A --programme K7Q2=1@2026-11-01..2026-12-01 --out well-a.pack
  aidpass pack build --trust trust.list --site WELL-A --device tab-1.cert --unlock code.txt --status relief-b/ --days 7 --out well-a.pack
  aidpass pack build --trust trust.list --withdrawal stolen.withdrawal --site WELL-A --out well-a.pack

  # the road is closed: the site lead and a second person open the round on old lists, once
  aidpass pack build --trust trust.list --site WELL-A --old-lists road_closed --lead st-7 --second st-9 --until 2026-12-05 --out well-a.pack`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, needed := range []named{{"--site", f.site}, {"--out", f.out}} {
				if needed.path == "" {
					return usagef("%s is needed", needed.what).hint("aidpass pack build --site WELL-A --out well-a.pack")
				}
			}
			if f.trust == "" {
				f.trust = a.keptPath()
			}
			return a.buildPack(cmd.Context(), f)
		},
	}
	fl := cmd.Flags()
	f.contents(fl)
	fl.IntVar(&f.days, "days", packDays, "days until the pack ends")
	fl.StringVar(&f.site, "site", "", "code of the service point")
	fl.StringArrayVar(&f.devices, "device", nil, "certificate of a device; repeat")
	fl.StringVar(&f.old.reason, "old-lists", "", "reason code: serve on old lists until --until")
	fl.StringVar(&f.old.lead, "lead", "", "account of the site lead, with --old-lists")
	fl.StringVar(&f.old.second, "second", "", "account of the second person, with --old-lists")
	fl.StringVar(&f.old.ceiling, "ceiling", "", "code of the ceiling, with --old-lists: the number at its end is how many collections each device makes")
	fl.StringVar(&f.old.until, "until", "", "day it ends, with --old-lists")
	fl.StringVar(&f.above, "above", "", "newest pack that any device has, after a laptop was lost: numbers go on above it")
	fl.StringVar(&f.out, "out", "", "pack file to write")
	return cmd
}

// packDays is how long a pack is good for, where nothing else was said.
const packDays = 14

// contents are the flags of what goes into every pack, whichever command builds it.
func (f *packFlags) contents(fl *pflag.FlagSet) {
	fl.StringVar(&f.trust, "trust", "", "newest signed trust list (default: the newest that was used here)")
	fl.StringArrayVar(&f.chain, "chain", nil, "older trust list that changed the custodians, oldest first; repeat")
	fl.StringArrayVar(&f.withdrawals, "withdrawal", nil, "withdrawal of a key; repeat; own ones travel by themselves")
	fl.StringArrayVar(&f.recognised, "recognised", nil, "trust list of another consortium that ours recognises; repeat")
	fl.StringArrayVar(&f.status, "status", nil, "status list of another organisation, or a folder of them; repeat")
	fl.StringVar(&f.country, "country", "", "where it stands, ISO 3166-1 alpha-3 (default: the organisation's)")
	fl.StringArrayVar(&f.programmes, "programme", nil, "CODE or CODE=N@FROM..TO; repeat (default: what the registry plans for the site)")
	fl.StringArrayVar(&f.sites, "serves", nil, "other site whose cards are served here; repeat")
	fl.StringArrayVar(&f.told, "tell-site", nil, "own site that a supervisor may be told of: place and hour of an earlier collection; never a protected one; repeat")
	fl.StringArrayVar(&f.fresh, "fresh", nil, "TYPE=DAYS: how old lists may be, in place of the type's; repeat")
	fl.StringArrayVar(&f.bearer, "bearer", nil, "TYPE whose wallet credentials count without the holder's signature; repeat")
	fl.StringVar(&f.unlock, "unlock", "", "file with the operator's code: seals the keys of sealed claims to the devices")
	fl.BoolVar(&f.photos, "photos", false, "add the photos on record to the expected list")
	fl.BoolVar(&f.noList, "no-list", false, "leave the expected list out: cards are judged, and no typed number is found")
	fl.StringVar(&f.labels, "labels", "", "JSON file with what programmes and things are called, by code and language")
	fl.IntVar(&f.showFor, "show-for", 0, "seconds a verdict stays on the screen, 5 to 180 (default 60)")
	fl.StringArrayVar(&f.types, "types", nil, "own credential type (JSON Schema with x-aidpass); repeat")
}

// packBuild gathers the parts of one pack.
type packBuild struct {
	*app
	f     packFlags
	o     *org
	list  *trust.List
	notes *durable.Log // packs.log, locked
	draft verifier.PackDraft

	programmes map[string][]verifier.Round // of the policy; nil: every one

	sealed  []verifier.Part // what is due, who is expected, photos: not sealed yet
	content []byte          // key they are sealed under; nil: none
	// How much is in them.
	served, rows, faces int
	about               []registry.ID // whose rows they are
}

func (a *app) buildPack(ctx context.Context, f packFlags) (err error) {
	for _, read := range append(append(append(append(append([]string{f.trust, f.above, f.unlock, f.labels}, f.chain...), f.withdrawals...), f.recognised...), f.types...), f.devices...) {
		if err := distinct(named{read, read}, named{"--out", f.out}); err != nil && read != f.above {
			return err
		}
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.siteSpelling(ctx, f.site); err != nil {
		return err
	}
	raw, pack, err := o.newPack(ctx, f)
	if err != nil {
		return err
	}
	if err := writeFile(f.out, raw); err != nil {
		return err
	}
	return a.print(a.packJSON(pack, pack.Issued, len(raw)), func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d bytes\n", f.out, len(raw))
		a.writePack(w, pack, pack.Issued)
	})
}

// newPack builds and signs the next pack of f.site, opens it as a device will, and
// writes its number down. The caller hands it out.
func (o *org) newPack(ctx context.Context, f packFlags) (raw []byte, _ *verifier.Pack, err error) {
	a := o.a
	list, listed, err := readList(f.trust, trust.Anchors{})
	if f.trust == a.keptPath() && notThere(err) {
		return nil, nil, usagef("no trust list was seen here yet").coded(console.CannotNoList).hint("--trust trust.list: phones know by it whose cards count")
	}
	if err != nil {
		return nil, nil, err
	}
	if listed.Organisation([]byte(o.entry.ID)) == nil {
		return nil, nil, usagef("%s is not on trust list %d", o.entry.ID, listed.Sequence).coded(console.CannotNotListed).
			hint("the keeper of the list adds it: aidpass trust add LIST %s", a.publicEntry(o.entry.ID))
	}
	now := a.now()
	if err := a.keepTrustList(list, listed, f.chain); err != nil {
		return nil, nil, err
	}
	if err := o.plausibleClock(ctx); err != nil {
		return nil, nil, err
	}
	b := &packBuild{app: a, f: f, o: o, list: listed, draft: verifier.PackDraft{Org: o.entry.ID, Site: f.site,
		Issued: now, Expires: now + credential.Time(f.days)*day}}
	// From reading the newest number to writing the next one down the notes are
	// locked: two packs of one number would each be refused where the other was.
	if b.notes, err = waitForLock(a.packNotes()); err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, b.notes.Close()) }()
	if b.draft.Sequence, err = b.nextSequence(); err != nil {
		return nil, nil, err
	}
	b.add(listed.ID, verifier.PartTrustList, listed.ID, listed.Sequence, list)
	for _, step := range []func(context.Context) error{b.trustParts, b.statusParts, b.othersStatus, b.typesPart, b.policyPart, b.tableParts, b.deviceParts, b.sealParts} {
		if err := step(ctx); err != nil {
			return nil, nil, err
		}
	}
	return b.finish(ctx)
}

func (b *packBuild) add(owner string, kind verifier.PartKind, name string, sequence uint64, data []byte) {
	b.draft.Parts = append(b.draft.Parts, verifier.Part{Owner: owner, Kind: kind, Name: name, Sequence: sequence, Data: data})
}

// A pack's sequence and those of its parts must never fall, on any site. It counts
// the organisation's packs, noted outside the backup; where those notes are lost
// with the laptop, --above goes on from the newest pack that is still somewhere.
type packNote struct {
	Org      string `json:"org"`
	Site     string `json:"site"`
	Sequence uint64 `json:"sequence"`

	// What its sealed parts hold, which the pack itself tells nobody.
	Programmes int `json:"programmes,omitempty"`
	Rows       int `json:"rows,omitempty"`
	Photos     int `json:"photos,omitempty"`
}

func (a *app) packNotes() string { return filepath.Join(a.Data, "outside-backup", "packs.log") }

// noteOf is what this laptop noted of a pack; the zero value where another built it.
func (a *app) noteOf(p *verifier.Pack) (note packNote) {
	b, err := os.ReadFile(a.packNotes())
	if err != nil {
		return note
	}
	for line := range bytes.Lines(b) {
		var n packNote
		if json.Unmarshal(line, &n) == nil && n.Org == p.Org && n.Site == p.Site && n.Sequence == p.Sequence {
			note = n
		}
	}
	return note
}

func (b *packBuild) nextSequence() (uint64, error) {
	var last uint64
	err := b.notes.Lines(func(line []byte) error {
		var n packNote
		if json.Unmarshal(line, &n) == nil && n.Org == b.draft.Org {
			last = max(last, n.Sequence)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if b.f.above != "" {
		raw, err := readFile(b.f.above, verifier.MaxPackBytes)
		if err != nil {
			return 0, err
		}
		p, _, err := verifier.OpenPack(raw, verifier.Floors{}, b.draft.Issued)
		if err != nil {
			return 0, usagef("%s: %w", b.f.above, err).coded(console.CannotPackFiles).hint("the newest pack that any device has is needed")
		}
		if p.Org == b.draft.Org {
			last = max(last, p.Sequence)
		}
	}
	return last + 1, nil
}

// finish signs the manifest, opens the pack as a device will, and notes it.
func (b *packBuild) finish(ctx context.Context) ([]byte, *verifier.Pack, error) {
	signer, key, err := b.o.currentSigner(keystore.Pack)
	if err != nil {
		return nil, nil, err
	}
	p, err := verifier.PreparePack(key, b.draft)
	if err != nil {
		return nil, nil, usagef("%w", err).coded(console.CannotPack).hint("aidpass pack build --help shows examples")
	}
	raw, err := attach(p, signer)
	if err != nil {
		return nil, nil, err
	}
	pack, _, err := verifier.OpenPack(raw, verifier.Floors{}, b.draft.Issued)
	if err != nil {
		return nil, nil, usagef("no device would take this pack: %w", err).coded(console.CannotPack).
			hint("are the organisation's present keys on the trust list? aidpass org show and aidpass trust show tell")
	}
	note, err := json.Marshal(packNote{b.draft.Org, b.draft.Site, b.draft.Sequence, b.served, b.rows, b.faces})
	if err != nil {
		return nil, nil, err
	}
	if err := b.notes.AppendLine(note); err != nil {
		return nil, nil, err
	}
	// In the log before it is in anybody's hands.
	by := b.f.by
	if by.ID == "" {
		by = b.actor(access.Issuer)
	}
	err = b.o.store.NoteAbout(ctx, by, access.Entry{Action: "pack.build", Object: b.f.site, Reason: b.f.reason,
		Detail: fmt.Sprintf("number=%d bytes=%d rows=%d photos=%d", b.draft.Sequence, len(raw), b.rows, b.faces), Digest: sha256.Sum256(raw)}, b.about)
	return raw, pack, err
}
