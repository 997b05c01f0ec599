package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/internal/cose"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

func (a *app) orgCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "org",
		Short: "The organisation on this laptop: its keys, and its entry for the trust list",
		Example: `  aidpass org init --id https://relief-a.example/i1 --name "Relief A" --country KEN --status https://relief-a.example/s/
  aidpass org show`,
	}
	cmd.AddCommand(a.orgInitCommand(), a.orgShowCommand(), a.orgRotateCommand())
	return cmd
}

func (a *app) publicDir() string { return filepath.Join(a.Data, "public") }

func (a *app) publicEntry(id string) string { return filepath.Join(a.publicDir(), slug(id)+".org") }

// actor is who acts, for the audit log: an account, never a person's name.
func (a *app) actor(role access.Role) access.Actor {
	return access.Actor{ID: a.Actor, Role: role, SecondPerson: a.SecondPerson}
}

func (a *app) orgShowCommand() *cobra.Command {
	var entry string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Tell which organisation and keys are on this laptop",
		Example: `  aidpass org show
  aidpass org show --entry relief-a.org`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrgKeys()
			if err != nil {
				return err
			}
			if entry != "" {
				if err := writeFile(entry, o.entryRaw); err != nil {
					return err
				}
			}
			result := organisationJSON(o.entry)
			result["data"], result["hash_words"] = a.Data, entryWords(o.entryRaw)
			return a.print(result, func(w io.Writer) {
				writeOrganisation(w, o.entry)
				fmt.Fprintln(w, "  keys in", o.dir)
				fmt.Fprintln(w, "hash words of the entry:", entryWords(o.entryRaw))
			})
		},
	}
	cmd.Flags().StringVar(&entry, "entry", "", "write the entry for the trust list to this file")
	return cmd
}

func (a *app) orgRotateCommand() *cobra.Command {
	var use, from, out string
	var years int
	var standby bool
	cmd := &cobra.Command{
		Use:   "rotate --use card --out FILE.org",
		Short: "Make the successor of a key; it begins to sign in 46 days",
		Long: `Make the successor of a key; it begins to sign in 46 days, so that service points
can learn of it from the next trust list. Until then the old key signs.

With --standby a new standby card key is made in place of one that is in use or
withdrawn.`,
		Example: `  aidpass org rotate --use card --out relief-a-2.org
  aidpass trust rotate trust.list --org https://relief-a.example/i1 --use card --new relief-a-2.org --out list-2.draft`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			u, err := trust.ParseUse(use)
			if err != nil {
				return usagef("%w", err).hint("card, status, pack, device-ca, audit or seal")
			}
			begin := a.now() + trust.RotationNotice + day
			if from != "" {
				if begin, err = parseAt(from); err != nil {
					return err
				}
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			// A clock behind what was signed here passes: a new key is the way out after
			// something was signed in the future.
			if err := o.plausibleClock(cmd.Context()); err != nil && !a.isEarly(err) {
				return err
			}
			return o.rotate(u, begin, years, standby, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&use, "use", "card", "use of the key: card, status, pack, device-ca, audit, seal")
	f.StringVar(&from, "from", "", "day it begins to sign (default: 46 days from now)")
	f.IntVar(&years, "key-years", 2, "how long it signs")
	f.BoolVar(&standby, "standby", false, "make the standby card key anew")
	f.StringVar(&out, "out", "", "write the new entry to this file too")
	return cmd
}

// org is an organisation with its store open.
type org struct {
	*orgKeys
	db    *storage.DB
	store *storage.Org
}

// openOrg opens the organisation's database with its key.
func (a *app) openOrg(ctx context.Context) (*org, error) {
	keys, err := a.openOrgKeys()
	if err != nil {
		return nil, err
	}
	kek, err := keys.secret(keystore.KEK)
	if err != nil {
		return nil, err
	}
	db, err := storage.Open(ctx, a.Data, storage.Options{Now: a.Now})
	if err != nil {
		return nil, err
	}
	store, err := db.Org(ctx, keys.entry.ID, kek)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	o := &org{orgKeys: keys, db: db, store: store}
	if err := errors.Join(o.tellRestored(ctx), o.vouchSecond(ctx)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return o, nil
}

// tellRestored says loudly what opening the store took in from outside the backup,
// and what it still lacks.
func (o *org) tellRestored(ctx context.Context) error {
	if r := o.store.Replayed(); r.Any() {
		o.a.say("WARNING: the database was older than the files outside the backup: %s", r)
	}
	lists, err := o.store.Unwitnessed(ctx)
	if err != nil {
		return err
	}
	if len(lists) > 0 {
		o.a.say("WARNING: the database was restored without its signing log: what %d status lists last revoked may be forgotten, and they are not published", len(lists))
		o.a.say("hint: aidpass status publish --witnessed FILE: each list's newest published file, from the web server or a device's pack")
	}
	return nil
}

func (o *org) close() error { return o.db.Close() }

// attach signs what was prepared.
func attach(p interface {
	ToBeSigned() []byte
	Attach([]byte) ([]byte, error)
}, signer crypto.Signer) ([]byte, error) {
	sig, err := cose.SignRaw(signer, p.ToBeSigned())
	if err != nil {
		return nil, err
	}
	return p.Attach(sig)
}

// orgDirs lists the organisations whose keys are in the folder, by slug.
func (a *app) orgDirs() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(a.Data, "keys"))
	if notThere(err) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && e.Name()[0] != '.' {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, err
}
