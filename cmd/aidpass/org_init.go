package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

// newOrg is what org init is asked for.
type newOrg struct {
	id, country, status, alg string
	names                    []string
	keyYears                 int
	slips                    bool
}

func (a *app) orgInitCommand() *cobra.Command {
	var n newOrg
	cmd := &cobra.Command{
		Use:   "init --id URI --name NAME --country KEN --status URI",
		Short: "Make an organisation: its database and its keys",
		Long: `Make an organisation: its database and its keys.

The keys (card, a standby card key, status, pack, device-ca, audit, seal) and the
secrets (pseudonyms, sealed claims, records) go to DATA/keys, each in a file
sealed by the passphrase. Copy that folder to a safe place: what is lost cannot
be made again. DATA/public gets the entry to be handed to the keeper of the trust
list.`,
		Example: `  aidpass org init --id https://relief-a.example/i1 --name "Relief A" --name fr="Secours A" --country KEN --status https://relief-a.example/s/
  aidpass org init --data /srv/aid --id https://relief-b.example/i1 --name "Relief B" --country SSD --status https://b.example/s/ --alg ed25519 --passphrase-file p.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.orgInit(cmd.Context(), n) },
	}
	f := cmd.Flags()
	f.StringVar(&n.id, "id", "", "issuer URI: stands on every card, and cannot change")
	f.StringArrayVar(&n.names, "name", nil, "name, in English or as LANGUAGE=NAME; repeat")
	f.StringVar(&n.country, "country", "", "seat, ISO 3166-1 alpha-3")
	f.StringVar(&n.status, "status", "", "https URI prefix under which its status lists will be published; ends in /")
	f.StringVar(&n.alg, "alg", "es256", "how cards are signed: es256 or ed25519")
	f.IntVar(&n.keyYears, "key-years", 2, "how long the keys sign")
	f.BoolVar(&n.slips, "slips", false, "its devices may sign referral slips")
	return cmd
}

// maxURIs is what issuer and status URI may take of a card together before it
// becomes harder to read (DESIGN 4).
const maxURIs = 60

// listName is the length of a status list's own name at the end of its URI.
const listName = 6

func (a *app) orgInit(ctx context.Context, n newOrg) error {
	alg, err := parseAlg(n.alg)
	if err != nil {
		return err
	}
	if n.id == "" || len(n.names) == 0 || n.country == "" || n.status == "" {
		return usagef("--id, --name, --country and --status are needed").hint("aidpass org init --help shows an example")
	}
	if a.Org != "" && a.Org != n.id {
		return usagef("--org names %s and --id %s", a.Org, n.id).hint("leave --org out")
	}
	entry := &trust.Organisation{ID: n.id, Country: n.country, StatusPrefixes: []string{n.status}, UsesStatus: true, Names: namesByLanguage(n.names)}
	if err := checkOrganisation(entry); err != nil {
		return err
	}
	if long := len(n.id) + len(n.status) + listName - maxURIs; long > 0 {
		a.say("warning: issuer and status URI take %d characters more than %d of every card: shorter ones make codes that old phones read better", long, maxURIs)
	}
	dir := filepath.Join(a.Data, "keys", slug(n.id))
	if _, err := os.Stat(dir); err == nil {
		return a.finishInit(ctx, n.id)
	}
	// The keys are made beside their place and moved there whole.
	fresh := filepath.Join(a.Data, "keys", ".new-"+slug(n.id))
	if err := errors.Join(os.RemoveAll(fresh), os.MkdirAll(filepath.Join(a.Data, "keys"), 0o700)); err != nil {
		return err
	}
	o := &orgKeys{a: a, dir: fresh, entry: entry}
	if o.store, err = keystore.Open(fresh); err != nil {
		return err
	}
	o.store.WorkFactor = a.workFactor()
	if err := o.makeKeys(alg, n.keyYears); err != nil {
		return err
	}
	if err := o.writeEntry(n.slips); err != nil {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return err
	}
	return a.finishInit(ctx, n.id)
}

// checkOrganisation refuses, before any key is made, what no trust list takes.
func checkOrganisation(o *trust.Organisation) error {
	any, err := trust.NewAnchors(1, probeKey())
	if err != nil {
		return err
	}
	d := trust.NewDraft("https://check.example", any)
	if err := d.AddOrganisation(o.ID, o.Country, o.Names); err != nil {
		return usagef("%w", err).hint("ids are URIs as https://relief-a.example/i1, countries three capital letters as KEN")
	}
	if err := d.AddStatusPrefix(o.ID, o.StatusPrefixes[0]); err != nil {
		return usagef("%w", err).hint("--status https://relief-a.example/s/")
	}
	if !strings.HasPrefix(o.ID, "https://") {
		return usagef("--id %q is no https URI", o.ID).hint("--id https://relief-a.example/i1")
	}
	return nil
}

func namesByLanguage(list []string) map[string]string {
	names := map[string]string{}
	for _, n := range list {
		lang, name, ok := strings.Cut(n, "=")
		if !ok || len(lang) > 8 || strings.ContainsAny(lang, " .") {
			lang, name = "en", n
		}
		names[lang] = name
	}
	return names
}

// finishInit makes the store of an organisation whose keys are there. It also
// ends an init that a power cut stopped between the keys and the database.
func (a *app) finishInit(ctx context.Context, id string) error {
	a.Org = id
	o, err := a.openOrgKeys()
	if err != nil {
		return err
	}
	kek, err := o.secret(keystore.KEK)
	if err != nil {
		return err
	}
	db, err := storage.Open(ctx, a.Data, storage.Options{Now: a.Now})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.CreateOrg(ctx, id, kek, a.actor(access.OrgAdmin)); err != nil {
		return err
	}
	public := a.publicEntry(id)
	if err := errors.Join(os.MkdirAll(a.publicDir(), 0o755), writeFile(public, o.entryRaw)); err != nil {
		return err
	}
	result := organisationJSON(o.entry)
	result["data"], result["entry"], result["hash_words"] = a.Data, public, entryWords(o.entryRaw)
	return a.print(result, func(w io.Writer) {
		writeOrganisation(w, o.entry)
		fmt.Fprintf(w, `
next:
  copy %s to a safe place, apart from its passphrase
  give %s to the keeper of the trust list: aidpass trust add LIST %[2]s
    and tell the keeper these words on another way: %[3]s
  then take people in: aidpass registry import LIST
  and issue: aidpass issue --all --type eligibility --programme CODE --round 1 --out cards.jsonl
`, o.dir, public, entryWords(o.entryRaw))
	})
}
