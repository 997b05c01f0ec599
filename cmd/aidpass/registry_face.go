package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (a *app) registryFaceCommand() *cobra.Command {
	var which whichRecord
	var name, photo string
	cmd := &cobra.Command{
		Use:   "face PERSON [--name yes|no] [--photo yes|no]",
		Short: "Record what somebody wants printed on her card: her name, her photograph",
		Long: `Record what somebody wants printed on her card: her name, her photograph, both or
neither. Nobody's stands there who did not say yes, and a yes can be taken back at
any desk. Without --name and --photo it tells what was chosen.

For a household's card the choice is that of its primary collector: a head who does
not collect is not named, as being head gives no right. aidpass print --names --photos
prints what was chosen, from the next printing on.`,
		Example: `  aidpass registry face P-0107 --list camp-north --name yes --photo no
  aidpass registry face 91aa...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answers := map[string]bool{}
			for _, f := range []struct{ flag, value, purpose string }{{"name", name, registry.NameOnCard}, {"photo", photo, registry.PhotoOnCard}} {
				switch {
				case !cmd.Flags().Changed(f.flag):
				case f.value != "yes" && f.value != "no":
					return usagef("--%s %s", f.flag, f.value).hint("yes or no, as she answered")
				default:
					answers[f.purpose] = f.value == "yes"
				}
			}
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			which.kind = "person"
			id, err := which.one(ctx, o, args[0])
			if err != nil {
				return err
			}
			desk := o.desk(access.Registrar)
			seen, err := desk.Record(ctx, id)
			if err != nil {
				return registryError(err)
			}
			if seen.Kind != registry.KindPerson {
				return usagef("%s is a household", args[0]).hint("name the person who holds its card")
			}
			p, err := seen.Person()
			if err != nil {
				return err
			}
			switch {
			case len(answers) == 0:
				if err := o.store.Note(ctx, a.actor(access.Registrar), access.Entry{Action: "record.read", Object: id.String()}); err != nil {
					return err
				}
			case !p.Status.Living():
				return registryError(registry.ErrClosed)
			default:
				_, err := desk.EditPerson(ctx, seen, func(now *registry.Person) error {
					for purpose, yes := range answers {
						now.ChooseFace(purpose, yes, "verbal", a.Now().UTC().Format(time.DateOnly))
					}
					p = *now
					return nil
				})
				if err != nil {
					return registryError(err)
				}
			}
			var face registry.CardFace
			if p.CardFace != nil {
				face = *p.CardFace
			}
			return a.print(map[string]any{"id": id.String(), "name": face.Name, "photo": face.Photo, "on": face.On}, func(w io.Writer) {
				fmt.Fprintf(w, "name on her card: %s; photograph: %s\n", yesOrNo(face.Name), yesOrNo(face.Photo))
			})
		},
	}
	cmd.Flags().StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	cmd.Flags().StringVar(&name, "name", "", "yes or no")
	cmd.Flags().StringVar(&photo, "photo", "", "yes or no")
	return cmd
}

func yesOrNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
