package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/schemas"
	"aidpass/trust"
)

func (a *app) trustGrantCommand() *cobra.Command {
	var e edit
	var until string
	var types, programmes, countries, replaces []string
	cmd := &cobra.Command{
		Use:   "grant LIST --org ID --type TYPE ...",
		Short: "Give an organisation the right to issue types of credentials",
		Example: `  aidpass trust grant list.draft --org https://relief-a.example/i1 --type eligibility --type registration
  aidpass trust grant list.draft --org https://relief-a.example/i1 --type eligibility --programme K7Q2 --country KEN --until 2027-06-30
  aidpass trust grant list.draft --org https://relief-b.example/i1 --type eligibility --programme K7Q2 --replaces https://relief-a.example/i1`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			vcts, err := typeURIs(types)
			if err != nil {
				return err
			}
			g := trust.Grant{Types: vcts, Programmes: programmes, Countries: countries, Replaces: replaces}
			if until != "" {
				if g.Until, err = parseLastDay(until); err != nil {
					return err
				}
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				return fmt.Sprintf("granted %s to %s", strings.Join(types, " "), a.Org), d.Grant(a.Org, g)
			})
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&types, "type", nil, "name of an embedded type (eligibility, ...) or the vct URI of another; repeat")
	f.StringArrayVar(&programmes, "programme", nil, "only this programme code; repeat")
	f.StringArrayVar(&countries, "country", nil, "only where used in this country; repeat")
	f.StringArrayVar(&replaces, "replaces", nil, "also in the place of this organisation's cards, which agreed to it; repeat")
	f.StringVar(&until, "until", "", "last day")
	e.flags(f)
	return cmd
}

// typeURIs turns names of embedded types into their vct; URIs stay.
func typeURIs(names []string) ([]string, error) {
	var out []string
	for _, n := range names {
		if t := schemas.ByName(n); t != nil {
			out = append(out, t.VCT)
		} else if strings.Contains(n, "://") {
			out = append(out, n)
		} else {
			return nil, usagef("no type %q", n).hint("registration, eligibility, referral, delegation, receipt, or the vct URI of an own type")
		}
	}
	if len(out) == 0 {
		return nil, usagef("which type?").hint("--type eligibility")
	}
	return out, nil
}

func (a *app) trustUngrantCommand() *cobra.Command {
	var e edit
	var types []string
	cmd := &cobra.Command{
		Use:     "ungrant LIST --org ID --type TYPE",
		Short:   "Take a right back",
		Example: `  aidpass trust ungrant trust.list --org https://relief-a.example/i1 --type referral --out list-2.draft`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			vcts, err := typeURIs(types)
			if err != nil {
				return err
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				for _, vct := range vcts {
					if err := d.Ungrant(a.Org, vct); err != nil {
						return "", err
					}
				}
				return "taken back from " + a.Org, nil
			})
		},
	}
	cmd.Flags().StringArrayVar(&types, "type", nil, "name of an embedded type or a vct URI; repeat")
	e.flags(cmd.Flags())
	return cmd
}

func (a *app) trustRemoveCommand() *cobra.Command {
	var e edit
	cmd := &cobra.Command{
		Use:     "remove LIST --org ID",
		Short:   "Take an organisation off the list; its cards are refused from then on",
		Example: `  aidpass trust remove trust.list --org https://relief-a.example/i1 --out list-2.draft`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) { return "removed " + a.Org, d.RemoveOrganisation(a.Org) })
		},
	}
	e.flags(cmd.Flags())
	return cmd
}

func (a *app) trustRecogniseCommand() *cobra.Command {
	var e edit
	var list, recheck string
	var types, countries []string
	cmd := &cobra.Command{
		Use:   "recognise LIST --list OTHER.list --type TYPE --recheck DATE",
		Short: "Admit the issuers of another consortium's list, for named types and a time",
		Long: `Admit the issuers of another consortium's list, for named types and a time.

The anchors of the other list are pinned as OTHER.list has them: compare the six
words that are printed with that consortium, by voice, before anybody signs.`,
		Example: `  aidpass trust recognise trust.list --list other.list --type referral --country KEN --recheck 2027-05-01 --out list-2.draft
  aidpass pack build --trust trust.list --recognised other.list ...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if list == "" || recheck == "" {
				return usagef("--list and --recheck are needed").hint("aidpass trust recognise --help shows an example")
			}
			vcts, err := typeURIs(types)
			if err != nil {
				return err
			}
			at, err := parseAt(recheck)
			if err != nil {
				return err
			}
			_, other, err := readList(list, trust.Anchors{})
			if err != nil {
				return err
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				return fmt.Sprintf("recognised %s; compare its anchors: %s", other.ID, other.Anchors.Words()),
					d.Recognise(trust.Recognition{List: other.ID, Anchors: other.Anchors, Types: vcts, Countries: countries, Recheck: at})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&list, "list", "", "the other consortium's signed list")
	f.StringArrayVar(&types, "type", nil, "type taken from it; repeat")
	f.StringArrayVar(&countries, "country", nil, "only where used in this country; repeat")
	f.StringVar(&recheck, "recheck", "", "day after which it no longer counts")
	e.flags(f)
	return cmd
}

func (a *app) trustAnchorsCommand() *cobra.Command {
	var e edit
	var k int
	var anchors []string
	cmd := &cobra.Command{
		Use:   "anchors LIST --k K --anchor FILE.pub ...",
		Short: "Change the custodians; the old and the new ones sign the next list",
		Example: `  aidpass trust anchors trust.list --k 2 --anchor anchor-1.pub --anchor anchor-4.pub --anchor anchor-5.pub --out list-2.draft
  # that list then travels in packs, for devices that slept through the change
  aidpass pack build --trust list-3 --chain list-2 ...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := readAnchors(k, anchors)
			if err != nil {
				return err
			}
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				return "new anchors: " + set.Words(), d.SetAnchors(set)
			})
		},
	}
	cmd.Flags().IntVar(&k, "k", 2, "how many custodians must sign")
	cmd.Flags().StringArrayVar(&anchors, "anchor", nil, "public half of a custodian's key, all of the new set; repeat")
	e.flags(cmd.Flags())
	return cmd
}

func (a *app) trustResetFloorCommand() *cobra.Command {
	var e edit
	cmd := &cobra.Command{
		Use:   "reset-floor LIST",
		Short: "Make every device forget the times it has seen, after a date in the far future was signed",
		Example: `  # one issuer signed with a clock at 2099: withdraw its key, and let devices start again
  aidpass trust withdraw trust.list --org https://relief-a.example/i1 --kid 496bd8afadf307e5 --out list-2.draft
  aidpass trust reset-floor list-2.draft`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.editDraft(args[0], &e, func(d *draftFile) (string, error) {
				d.FloorReset = true
				return "devices will set their clock floor to the issue time of this list", nil
			})
		},
	}
	e.flags(cmd.Flags())
	return cmd
}
