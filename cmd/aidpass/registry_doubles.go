package main

import (
	"fmt"
	"io"
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
  aidpass registry doubles decide 6f2c... 91aa... same`,
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
			for _, d := range pairs {
				result := map[string]any{"a": d.A.String(), "b": d.B.String(), "why": d.Why, "found": d.FoundAt.UTC().Format(time.RFC3339),
					"decided": d.Decided, "by": d.By}
				err := a.print(result, func(w io.Writer) {
					fmt.Fprintln(w, d.A, d.B, whyWords[d.Why], d.Decided)
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
	return &cobra.Command{
		Use:   "decide A B same|different",
		Short: "Say whether two records are one person",
		Long: `Say whether two records are one person.

same closes the newer record, points it to the older one and revokes its cards; so
it does her household there when nobody else is in it. Nothing is deleted. different
leaves both alone, and opens the newer one again where an earlier decision had closed
it (its cards are to be issued anew).

Where cards would be revoked, or a decision taken back, a second person decides too.`,
		Example: `  aidpass registry doubles decide 6f2c... 91aa... different
  aidpass registry doubles decide 6f2c... 91aa... same --second-person lead-2`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if args[2] != registry.Same && args[2] != registry.Different {
				return usagef("decision %q", args[2]).hint("same or different")
			}
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			ids, err := (whichRecord{kind: "person"}).all(ctx, o, args[:2])
			if err != nil {
				return err
			}
			after, err := o.desk(access.Registrar).DecideDouble(ctx, ids[0], ids[1], args[2])
			if err != nil {
				return registryError(err)
			}
			result := map[string]any{"decided": args[2], "closed": idTexts(after.Revoke), "cards_revoked": after.Stopped, "cards_to_replace": idTexts(after.Stale)}
			return a.print(result, func(w io.Writer) {
				fmt.Fprintln(w, "decided:", args[2])
				for _, id := range after.Revoke {
					fmt.Fprintln(w, "closed:", id)
				}
				leftToDo(after).write(w)
			})
		},
	}
}
