package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
)

func (a *app) registrySetCommand() *cobra.Command {
	var which whichRecord
	var reason string
	cmd := &cobra.Command{
		Use:   "set ID|NUMBER FIELD=VALUE ... --reason CODE",
		Short: "Correct single values of a person or household",
		Long: `Correct single values of a person or household, and tell what stood there before and
what does now. Values are read as an import reads them, and what an import would
reject is refused; FIELD= removes what is on record. What was wrong and is mended by
it keeps nobody from a card any more. Nothing is written over what somebody else
changed meanwhile.

Of a person:    ` + wrapped(intake.Correctable(registry.KindPerson)) + `
Of a household: ` + wrapped(intake.Correctable(registry.KindHousehold)) + `

consent=yes|no is the answer to being registered, sharing=CODES|yes|no who may be
told, consent.PURPOSE=yes|no any other answer, given today at the desk. Cards that
are out say what they said: replace them.`,
		Example: `  aidpass registry set P-0107 --list camp-north birth=1987-05-12 --reason paper-seen
  aidpass registry set P-0107 --list camp-north name='Amina Yusuf' phone=0712345678 --reason misspelt
  aidpass registry set P-0107 --list camp-north document.national_id=123456 issuer.national_id=KEN --reason paper-seen
  aidpass registry set HH-0042 --list camp-north --kind household size=5 pcode=KE043 sharing=UNICEF --reason counted-again
  aidpass registry set P-0107 --list camp-north phone= --reason not-hers`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			values, err := fieldsOf(args[1:])
			if err != nil {
				return err
			}
			if reason == "" {
				return usagef("why is it corrected?").hint("--reason CODE stands in the audit log: a code, never a name")
			}
			o, id, err := which.open(ctx, a, args[0])
			if err != nil {
				return err
			}
			defer o.close()
			return o.set(ctx, id, values, reason)
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log: a code, never a name")
	return cmd
}

// wrapped writes names in lines that fit a terminal, under the label before them.
func wrapped(names []string) string {
	var b strings.Builder
	width := 0
	for i, n := range names {
		if width+len(n) > 66 {
			b.WriteString("\n                ")
			width = 0
		} else if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(n)
		width += len(n) + 1
	}
	return b.String()
}

// fieldsOf reads FIELD=VALUE, each field once. The values are people's: no error says
// them.
func fieldsOf(args []string) (map[string]string, error) {
	values := map[string]string{}
	for i, arg := range args {
		field, value, ok := strings.Cut(arg, "=")
		if !ok || field == "" {
			return nil, usagef("what is set is written FIELD=VALUE: number %d is not", i+1).hint("FIELD= removes what is on record")
		}
		if _, twice := values[field]; twice {
			return nil, usagef("%s is set twice", field).hint("once")
		}
		values[field] = value
	}
	return values, nil
}

func (o *org) set(ctx context.Context, id registry.ID, values map[string]string, reason string) error {
	desk := o.desk(access.Registrar)
	rec, err := desk.Record(ctx, id)
	if err != nil {
		return registryError(err)
	}
	if rec.Kind != registry.KindPerson && rec.Kind != registry.KindHousehold {
		return usagef("%s is a %s", rec.Called(), rec.Kind).hint("a person or a household is corrected")
	}
	c, err := intake.Correct(rec, values, intake.Options{Country: o.entry.Country, Now: o.a.Now()})
	var rejection *intake.Rejection
	if errors.As(err, &rejection) {
		return usagef("%s: %w", rec.Called(), err).hint("nothing was changed; aidpass registry set --help lists the fields")
	}
	if err != nil {
		return err
	}
	saved, err := desk.Correct(ctx, id, c.Fields, c.Base, reason)
	if err != nil {
		return registryError(err)
	}
	stale, err := o.staleCards(ctx, id, c)
	if err != nil {
		return err
	}
	var changes []map[string]any
	for _, d := range c.Changes {
		changes = append(changes, map[string]any{"field": d.Field, "from": shown(d.From), "to": shown(d.To)})
	}
	codes := func(list []registry.Issue) []string {
		out := []string{}
		for _, i := range list {
			out = append(out, i.Code)
		}
		return out
	}
	notes := []string{}
	for _, n := range c.Notes {
		notes = append(notes, n.What+": "+n.Fix)
	}
	result := map[string]any{"id": id.String(), "number": rec.External, "written": saved.Changed, "changes": append([]map[string]any{}, changes...),
		"mended": codes(c.Mended), "notes": notes, "cards_to_replace": append([]string{}, stale...)}
	return o.a.print(result, func(w io.Writer) {
		if len(c.Changes) == 0 {
			fmt.Fprintln(w, "nothing was changed: so it stands on record")
		}
		for _, d := range c.Changes {
			fmt.Fprintf(w, "%s: %s -> %s\n", d.Field, toldValue(d.Field, d.From), toldValue(d.Field, d.To))
		}
		for _, i := range c.Mended {
			fmt.Fprintln(w, "mended:", i.Text)
		}
		for _, n := range notes {
			fmt.Fprintln(w, "note:", n)
		}
		if len(stale) > 0 {
			fmt.Fprintf(w, "%s what was on record before: aidpass card replace %s\n", plural(len(stale), "card says", "cards say"), stale[0])
		}
	})
}

// staleCards are the good cards of a record of which something was changed that may
// stand on them.
func (o *org) staleCards(ctx context.Context, id registry.ID, c intake.Correction) (numbers []string, err error) {
	onCards := []string{"names", "sex", "birth", "size"}
	if !slices.ContainsFunc(c.Changes, func(d intake.Corrected) bool { return slices.Contains(onCards, d.Field) }) {
		return nil, nil
	}
	cards, err := o.store.Cards(ctx, issuer.Selection{Units: []registry.ID{id}, Active: true})
	for _, card := range cards {
		numbers = append(numbers, card.CardNumber)
	}
	return numbers, err
}

// toldValue writes a value as a clerk compares it: the text of a name or date, not
// how it is stored. Numbers of documents are masked.
func toldValue(field string, v any) string {
	switch v := v.(type) {
	case nil:
		return "(nothing)"
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, toldValue(field, item))
		}
		return strings.Join(parts, "; ")
	case map[string]any:
		switch field {
		case "names":
			return fmt.Sprint(v["text"])
		case "birth":
			return fmt.Sprint(v["edtf"])
		case "contacts":
			return fmt.Sprint(v["value"])
		case "documents":
			number, _ := v["number"].(string)
			return strings.Join(strings.Fields(fmt.Sprint(v["type"], " ", orNothing(v["country"]), " ", lastThree(number))), " ")
		case "consents":
			answer := "no"
			if given, _ := v["given"].(bool); given && v["withdrawn"] == nil {
				answer = "yes"
			}
			return fmt.Sprint(v["purpose"], ": ", answer)
		}
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+" "+inline(v[name]))
		}
		return strings.Join(parts, ", ")
	}
	return inline(shown(v))
}

func orNothing(v any) any {
	if v == nil {
		return ""
	}
	return v
}
