package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (a *app) registryDoublesCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "doubles",
		Short: "List pairs of records that may be one person",
		Long: `List pairs of records that may be one person: those entered with the same document,
or with a name that sounds the same and the same year of birth. The newer record
stands first. Nobody is kept from anything by standing here: people decide.`,
		Example: `  aidpass registry doubles
  aidpass registry show 6f2c...; aidpass registry show 91aa...
  aidpass registry doubles decide 6f2c... 91aa... same --second-person lead-2 --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			pairs, err := o.desk(access.Registrar).Doubles(cmd.Context(), all)
			if err != nil {
				return err
			}
			var about []registry.ID
			for _, d := range pairs {
				about = append(about, d.A, d.B)
			}
			read := access.Entry{Action: "record.read", Object: "registry", Detail: fmt.Sprintf("doubles=%d", len(pairs))}
			if err := o.store.NoteAbout(cmd.Context(), a.actor(access.Registrar), read, about); err != nil {
				return err
			}
			for _, d := range pairs {
				result := map[string]any{"a": d.A.String(), "b": d.B.String(), "why": d.Why, "found": d.FoundAt.UTC().Format(time.RFC3339),
					"decided": d.Decided, "by": d.By}
				called, err := o.called(cmd.Context(), d.A, d.B)
				if err != nil {
					return err
				}
				err = a.print(result, func(w io.Writer) {
					fmt.Fprintln(w, strings.TrimSpace(fmt.Sprintln(called[0], called[1], whyWords[d.Why], d.Decided)))
				})
				if err != nil {
					return err
				}
			}
			if len(pairs) == 0 {
				a.say("no pair is open")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that were decided")
	cmd.AddCommand(a.doublesDecideCommand())
	return cmd
}

var whyWords = map[string]string{registry.KeyDocument: "same document", registry.KeyNameYear: "same name and year"}

func (a *app) doublesDecideCommand() *cobra.Command {
	var which whichRecord
	var yes bool
	cmd := &cobra.Command{
		Use:   "decide A B same|different",
		Short: "Say whether two records are one person",
		Long: `Say whether two records are one person.

same closes the newer record, points it to the older one and revokes its cards; so
it does her household there when nobody else is in it. Nothing is deleted. Without
--yes it tells who the two are and which cards would stop. different leaves both
alone, and opens the newer one again where an earlier decision had closed it (its
cards are to be issued anew).

Where cards would be revoked, or a decision taken back, a second person decides too.`,
		Example: `  aidpass registry doubles decide 6f2c... 91aa... different
  aidpass registry doubles decide 6f2c... 91aa... same
  aidpass registry doubles decide 6f2c... 91aa... same --second-person lead-2 --yes`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			decision := args[2]
			if decision != registry.Same && decision != registry.Different {
				return usagef("decision %q", decision).hint("same or different")
			}
			return a.act(cmd.Context(), yes || decision == registry.Different, func(ctx context.Context, o *org) (act deskAct, err error) {
				ids, err := whichRecord{which.list, "person"}.all(ctx, o, args[:2])
				if err != nil {
					return act, err
				}
				return deskAct{"same", ids, func(desk *registry.Registry) (done, error) {
					after, err := desk.DecideDouble(ctx, ids[0], ids[1], decision)
					if err != nil {
						return done{}, err
					}
					called, err := o.called(ctx, after.Revoke...)
					text := "decided: " + decision
					for _, c := range called {
						text += "\nclosed: " + c
					}
					return done{text, map[string]any{"decided": decision, "closed": idTexts(after.Revoke), "cards_revoked": after.Stopped,
						"cards_to_replace": idTexts(after.Stale)}, after}, err
				}}, nil
			})
		},
	}
	cmd.Flags().StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	cmd.Flags().BoolVar(&yes, "yes", false, yesUsage)
	return cmd
}
