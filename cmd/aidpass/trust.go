package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

func (a *app) trustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "The trust list: who may issue what, signed by k of n custodians",
		Long: `The trust list: who may issue what, signed by k of n custodians.

A keeper writes the next list as a draft. Each custodian looks at it on a laptop
of her own and signs; the files come back and are merged once enough have signed.
None of this needs a database, a network or the --data folder.`,
		Example: `  # custodians, each on a laptop of her own
  aidpass trust key --out anchor-1.key

  # the keeper
  aidpass trust init --id https://trust.example/list --k 2 --anchor anchor-1.pub --anchor anchor-2.pub --anchor anchor-3.pub --out list.draft
  aidpass trust add list.draft relief-a.org
  aidpass trust grant list.draft --org https://relief-a.example/i1 --type eligibility --programme K7Q2

  # two custodians
  aidpass trust sign list.draft --key anchor-1.key --out list.sig1
  aidpass trust sign list.draft --key anchor-2.key --out list.sig2

  # the keeper
  aidpass trust sign list.draft --with list.sig1 --with list.sig2 --out trust.list
  aidpass trust show trust.list`,
	}
	cmd.AddCommand(a.trustKeyCommand(), a.trustInitCommand(), a.trustAddCommand(), a.trustUpdateCommand(), a.trustForeignCommand(), a.trustGrantCommand(),
		a.trustUngrantCommand(), a.trustWithdrawCommand(), a.trustRotateCommand(), a.trustRemoveCommand(), a.trustRecogniseCommand(),
		a.trustAnchorsCommand(), a.trustResetFloorCommand(), a.trustSignCommand(), a.trustShowCommand())
	return cmd
}

func (a *app) trustKeyCommand() *cobra.Command {
	var out, alg, label string
	cmd := &cobra.Command{
		Use:   "key --out FILE.key",
		Short: "Make a custodian's anchor key, sealed by a passphrase",
		Long: `Make a custodian's anchor key, sealed by a passphrase.

FILE.key stays with the custodian: keep a copy in a safe place, and never two
custodians' keys on one laptop. FILE.pub goes to the keeper of the list. Compare
the six words by voice.`,
		Example: `  aidpass trust key --out anchor-1.key
  aidpass trust key --out anchor-1.key --alg es256 --label "custodian in Nairobi" --passphrase-file p1.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kind, err := parseAlg(alg)
			switch {
			case err != nil:
				return err
			case out == "":
				return usagef("where to?").hint("--out anchor-1.key")
			}
			public := strings.TrimSuffix(out, ".key") + ".pub"
			if err := mustNotExist(public); err != nil {
				return err
			}
			info, err := keystore.CreateFile(out, a.workFactor(), keystore.Anchor, kind, label, a.passphrase("the anchor key", true), a.Now())
			if err != nil {
				return err
			}
			if err := writeNew(public, info.Key.Append(nil), 0o644); err != nil {
				return err
			}
			thumb := info.Key.Thumbprint()
			return a.print(map[string]any{"key": out, "public": public, "id": info.ID, "words": trust.HashWords(thumb[:])}, func(w io.Writer) {
				fmt.Fprintf(w, "%s  keep it, and a copy elsewhere\n%s  give it to the keeper of the list\nwords: %s\n", out, public, trust.HashWords(thumb[:]))
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "key file to make; the public half goes beside it as .pub")
	f.StringVar(&alg, "alg", "ed25519", "ed25519 or es256")
	f.StringVar(&label, "label", "", "what to call the key")
	return cmd
}

func parseAlg(s string) (keystore.Alg, error) {
	switch s {
	case "es256":
		return keystore.P256, nil
	case "ed25519":
		return keystore.Ed25519, nil
	}
	return "", usagef("no algorithm %q", s).hint("--alg es256 or --alg ed25519")
}

func (a *app) workFactor() int {
	if a.WorkFactor != 0 {
		return a.WorkFactor
	}
	return keystore.DefaultWorkFactor
}

func (a *app) trustInitCommand() *cobra.Command {
	var id, out string
	var k int
	var anchors []string
	var e edit
	cmd := &cobra.Command{
		Use:   "init --id URI --k K --anchor FILE.pub ... --out FILE.draft",
		Short: "Start the first trust list of a consortium",
		Example: `  aidpass trust init --id https://trust.example/list --k 2 --anchor anchor-1.pub --anchor anchor-2.pub --anchor anchor-3.pub --out list.draft
  # one custodian, for a pilot
  aidpass trust init --id https://trust.example/list --k 1 --anchor anchor.pub --out list.draft`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if id == "" || out == "" || len(anchors) == 0 {
				return usagef("--id, --anchor and --out are needed").hint("aidpass trust init --help shows an example")
			}
			set, err := readAnchors(k, anchors)
			if err != nil {
				return err
			}
			if err := mustNotExist(out); err != nil {
				return err
			}
			d := &draftFile{Draft: trust.NewDraft(id, set)}
			return a.saveDraft(d, out, &e, "started")
		},
	}
	f := cmd.Flags()
	f.StringVar(&id, "id", "", "URI that names the consortium's list")
	f.IntVar(&k, "k", 2, "how many custodians must sign")
	f.StringArrayVar(&anchors, "anchor", nil, "public half of a custodian's key; repeat")
	f.StringVar(&out, "out", "", "draft to write")
	e.dates(f)
	return cmd
}

func readAnchors(k int, files []string) (trust.Anchors, error) {
	keys := make([]*cose.Key, 0, len(files))
	for _, path := range files {
		key, err := readPublic(path)
		if err != nil {
			return trust.Anchors{}, err
		}
		keys = append(keys, key)
	}
	set, err := trust.NewAnchors(k, keys...)
	if err != nil {
		return set, usagef("%w", err).hint("--k is from 1 to the number of different --anchor files")
	}
	return set, nil
}

// readPublic reads a public key: a COSE_Key, as bytes or in hex.
func readPublic(path string) (*cose.Key, error) {
	b, err := readFile(path, maxSecretFile)
	if err != nil {
		return nil, err
	}
	if text, err := hex.DecodeString(strings.TrimSpace(string(b))); err == nil {
		b = text
	}
	k, err := cose.ParseKey(b)
	if err != nil {
		return nil, usagef("%s: %w", path, err).hint("a public key is a .pub file, as aidpass trust key writes it, or a COSE_Key in hex")
	}
	return k, nil
}

func (a *app) trustAddCommand() *cobra.Command {
	var e edit
	cmd := &cobra.Command{
		Use:   "add LIST FILE.org",
		Short: "Add an organisation with its keys, from the entry that org init wrote",
		Example: `  aidpass trust add list.draft relief-a.org
  aidpass trust add trust.list relief-b.org --out list-2.draft`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := readEntry(args[1])
			if err != nil {
				return err
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				return "added " + o.ID, addEntry(d.Draft, o)
			})
		},
	}
	e.flags(cmd.Flags())
	return cmd
}

func readEntry(path string) (*trust.Organisation, error) {
	raw, err := readFile(path, trust.MaxListBytes)
	if err != nil {
		return nil, err
	}
	o, err := trust.OpenEntry(raw)
	if err != nil {
		return nil, usagef("%s: %w", path, err).hint("ask the organisation for a new file: aidpass org show --entry FILE writes it")
	}
	return o, nil
}

func addEntry(d *trust.Draft, o *trust.Organisation) error {
	if err := d.AddOrganisation(o.ID, o.Country, o.Names); err != nil {
		return err
	}
	for _, k := range o.Keys {
		if err := d.AddKey(o.ID, *k); err != nil {
			return err
		}
	}
	for _, p := range o.StatusPrefixes {
		if err := d.AddStatusPrefix(o.ID, p); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) trustUpdateCommand() *cobra.Command {
	var e edit
	cmd := &cobra.Command{
		Use:   "update LIST FILE.org",
		Short: "Publish keys of an organisation's new entry that are not listed yet",
		Long: `Publish the keys and status prefixes of an organisation's new entry that are not
listed yet, such as a new standby key. Keys that the entry no longer has stay as
they are: rotate or withdraw them.`,
		Example: `  aidpass org rotate --use card --standby --out relief-a-2.org
  aidpass trust update trust.list relief-a-2.org --out list-2.draft`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := readEntry(args[1])
			if err != nil {
				return err
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				listed := d.Organisation(o.ID)
				if listed == nil {
					return "", fmt.Errorf("%s is not on the list: add it", o.ID)
				}
				added := 0
				for _, k := range o.Keys {
					if holds(listed.Keys, k) {
						continue
					}
					if err := d.AddKey(o.ID, *k); err != nil {
						return "", err
					}
					added++
				}
				for _, p := range o.StatusPrefixes {
					if !slices.Contains(listed.StatusPrefixes, p) {
						if err := d.AddStatusPrefix(o.ID, p); err != nil {
							return "", err
						}
					}
				}
				return fmt.Sprintf("%d keys of %s added", added, o.ID), nil
			})
		},
	}
	e.flags(cmd.Flags())
	return cmd
}

func (a *app) trustForeignCommand() *cobra.Command {
	var e edit
	var id, country, key, kid, status string
	var names map[string]string
	var years int
	cmd := &cobra.Command{
		Use:   "foreign LIST --id URI --name NAME --country KEN --key FILE",
		Short: "Add an identity issuer of another system, whose Claim 169 cards answer KNOWN",
		Example: `  aidpass trust foreign list.draft --id https://id.ministry.example --name en="Ministry" --country KEN --key ministry.pub
  aidpass trust foreign list.draft --id https://id.town.example --name en="Town" --country KEN --key town.hex --kid 6b6579 --status none`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if id == "" || key == "" {
				return usagef("--id and --key are needed").hint("aidpass trust foreign --help shows an example")
			}
			public, err := readPublic(key)
			if err != nil {
				return err
			}
			named, err := hex.DecodeString(kid)
			if err != nil {
				return usagef("--kid %q is not hex", kid).hint("the key id as hex digits, as %s", "6b6579")
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				if err := d.AddOrganisation(id, country, names); err != nil {
					return "", err
				}
				if status != "none" && status != "" {
					if err := d.AddStatusPrefix(id, status); err != nil {
						return "", err
					}
				}
				k := trust.Key{Key: public, KID: named, Use: trust.UseCard, Profile: trust.ProfileForeign169,
					NotBefore: d.Issued - 366*day*5, NotAfter: d.Issued + credential.Time(years)*366*day}
				if err := d.AddKey(id, k); err != nil {
					return "", err
				}
				return "added " + id, d.SetUsesStatus(id, status != "none")
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&id, "id", "", "iss of its cards")
	f.StringToStringVar(&names, "name", nil, "name by language: en=Ministry")
	f.StringVar(&country, "country", "", "seat, ISO 3166-1 alpha-3")
	f.StringVar(&key, "key", "", "file with its public key, a COSE_Key")
	f.StringVar(&kid, "kid", "", "key id its cards name, in hex, where it is another than the thumbprint's")
	f.StringVar(&status, "status", "", "URI prefix of its status lists, or none")
	f.IntVar(&years, "years", 5, "how long the key counts")
	e.flags(f)
	return cmd
}
