package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (a *app) registryShowCommand() *cobra.Command {
	var which whichRecord
	var asOf string
	cmd := &cobra.Command{
		Use:   "show ID|NUMBER",
		Short: "Show what is on record of a person or household",
		Long: `Show what is on record of a person or household, now or as it stood on a day.

It is named by its id, by the number of a card, or by its number in a list. Who
read what stands in the audit log.`,
		Example: `  aidpass registry show HH-0042 --list camp-north
  aidpass registry show 4T7K-9QZX-M2R
  aidpass registry show 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --as-of 2026-10-31`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			id, err := which.one(ctx, o, args[0])
			if err != nil {
				return err
			}
			desk := o.desk(access.Registrar)
			rec, err := desk.Record(ctx, id)
			if err == nil && asOf != "" {
				var at time.Time
				if at, err = parseMoment(asOf, true); err != nil {
					return err
				}
				rec, err = desk.AsOf(ctx, id, at)
			}
			if err != nil {
				return registryError(err)
			}
			var members []registry.ID
			if rec.Kind == registry.KindHousehold && asOf == "" {
				err := o.store.View(ctx, func(v registry.View) (err error) {
					members, err = v.Members(id)
					return err
				})
				if err != nil {
					return err
				}
			}
			if err := o.store.Note(ctx, a.actor(access.Registrar), access.Entry{Action: "record.read", Object: id.String()}); err != nil {
				return err
			}
			return a.printRecord(rec, members)
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&asOf, "as-of", "", "as it stood at the end of this day, or at this time")
	return cmd
}

func (a *app) printRecord(rec registry.Record, members []registry.ID) error {
	fields, err := fieldValues(rec)
	if err != nil {
		return err
	}
	result := map[string]any{"id": rec.ID.String(), "kind": rec.Kind, "list": rec.Source, "number": rec.External,
		"created": rec.CreatedAt.Format(time.RFC3339), "fields": fields}
	if rec.Kind == registry.KindHousehold {
		result["members"] = idTexts(members)
	} else if !rec.Household.IsZero() {
		result["household"] = rec.Household.String()
	}
	return a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s %s\n", rec.Kind, rec.ID)
		if rec.External != "" {
			fmt.Fprintf(w, "  %-14s %s %s\n", "number", rec.External, rec.Source)
		}
		if !rec.Household.IsZero() {
			fmt.Fprintf(w, "  %-14s %s\n", "household", rec.Household)
		}
		for _, m := range members {
			fmt.Fprintf(w, "  %-14s %s\n", "member", m)
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			fmt.Fprintf(w, "  %-14s %s\n", name, inline(fields[name]))
		}
	})
}

// fieldValues reads a record's fields as they are shown; a photo is its size.
func fieldValues(rec registry.Record) (map[string]any, error) {
	out := map[string]any{}
	for name, f := range rec.Fields {
		if f.Data == nil {
			continue
		}
		v, err := registry.ReadValue(f.Data)
		if err != nil {
			return nil, err
		}
		out[name] = shown(v)
	}
	return out, nil
}

func shown(v any) any {
	if b, ok := v.([]byte); ok {
		return plural(len(b), "byte", "bytes")
	}
	return v
}

// inline writes a value in one line: a text as it is, all else as JSON.
func inline(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}

func (a *app) registryFindCommand() *cobra.Command {
	var which whichRecord
	var name, document, country, phone string
	var year int
	cmd := &cobra.Command{
		Use:   "find [TEXT]",
		Short: "Find records by number, card, name and year of birth, document or telephone",
		Long: `Find records by number, card, name and year of birth, document or telephone.

Names are found however they are spelled and in whatever script, as long as the
consonants are heard; with the year of birth. Documents and telephones are found
by their numbers, of which the database holds no readable copy.`,
		Example: `  aidpass registry find HH-0042 --list camp-north
  aidpass registry find --name 'Mohamed Ali' --year 1987
  aidpass registry find --document 123456 --kind-of-document national_id --country KEN
  aidpass registry find --phone 0712345678 --country KEN`,
		Args: cobra.MaximumNArgs(1),
	}
	kindOf := cmd.Flags().String("kind-of-document", "national_id", "what the document is: "+strings.Join(registry.DocumentTypes(), " "))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		var keys []registry.Key
		if name != "" {
			keys = append(keys, registry.NameYearKey(name, year))
		}
		if document != "" {
			d, _ := registry.ParseDocument(*kindOf, country, document)
			keys = append(keys, registry.DocumentKey(d))
		}
		if phone != "" {
			home, _ := registry.Country(country)
			e164, _ := registry.NormalisePhone(phone, home)
			keys = append(keys, registry.Key{Kind: registry.KeyPhone, Text: e164})
		}
		switch {
		case len(args)+len(keys) != 1:
			return usagef("what is looked for?").hint("TEXT, --name with --year, --document, or --phone: one of them")
		case name != "" && year == 0:
			return usagef("--name without --year finds too many").hint("--year 1987")
		case len(keys) == 1 && keys[0].Text == "":
			return usagef("that cannot be looked for").hint("a whole name, a document of four signs or more, a telephone with + or with --country")
		}
		o, err := a.openOrg(ctx)
		if err != nil {
			return err
		}
		defer o.close()
		var ids []registry.ID
		if len(args) == 1 {
			ids, err = which.find(ctx, o, args[0])
		} else {
			err = o.store.View(ctx, func(v registry.View) (err error) {
				ids, err = v.Lookup(keys[0])
				return err
			})
		}
		if err != nil {
			return err
		}
		// Who looks for whom is a trail; what was typed is not.
		if err := o.store.Note(ctx, a.actor(access.Registrar), access.Entry{Action: "record.find", Object: "registry", Detail: fmt.Sprintf("found=%d", len(ids))}); err != nil {
			return err
		}
		for _, id := range ids {
			rec, err := o.desk(access.Registrar).Record(ctx, id)
			if err != nil {
				return registryError(err)
			}
			result := map[string]any{"id": id.String(), "kind": rec.Kind, "list": rec.Source, "number": rec.External}
			err = a.print(result, func(w io.Writer) {
				fmt.Fprintln(w, strings.TrimSpace(fmt.Sprintln(id, rec.Kind, rec.External, rec.Source)))
			})
			if err != nil {
				return err
			}
		}
		if len(ids) == 0 {
			a.say("nobody was found")
		}
		return nil
	}
	which.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "name, in any spelling and script; with --year")
	f.IntVar(&year, "year", 0, "year of birth")
	f.StringVar(&document, "document", "", "number of a document")
	f.StringVar(&phone, "phone", "", "telephone")
	f.StringVar(&country, "country", "", "country of the document or telephone, as KEN")
	return cmd
}

func (a *app) registryHistoryCommand() *cobra.Command {
	var which whichRecord
	cmd := &cobra.Command{
		Use:   "history ID|NUMBER",
		Short: "Tell who changed what of a record, and when",
		Example: `  aidpass registry history HH-0042 --list camp-north
  aidpass registry history 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			id, err := which.one(cmd.Context(), o, args[0])
			if err != nil {
				return err
			}
			changes, err := o.desk(access.Registrar).History(cmd.Context(), id)
			if err != nil {
				return registryError(err)
			}
			if err := o.store.Note(cmd.Context(), a.actor(access.Registrar), access.Entry{Action: "record.read", Object: id.String(), Detail: "history"}); err != nil {
				return err
			}
			for _, c := range changes {
				if err := a.printChange(c); err != nil {
					return err
				}
			}
			return nil
		},
	}
	which.flags(cmd)
	return cmd
}

func (a *app) printChange(c registry.FieldChange) error {
	var value any
	if c.Data != nil {
		v, err := registry.ReadValue(c.Data)
		if err != nil {
			return err
		}
		value = shown(v)
	}
	at := c.At.UTC().Format(time.RFC3339)
	result := map[string]any{"at": at, "by": c.By, "device": c.Device, "field": c.Field, "value": value, "version": c.Base + 1}
	return a.print(result, func(w io.Writer) {
		text := "(removed)"
		if value != nil {
			text = inline(value)
		}
		fmt.Fprintf(w, "%s %-10s %-14s %s\n", at, c.By, c.Field, text)
	})
}

func (a *app) registryCompareCommand() *cobra.Command {
	var which whichRecord
	var from, to string
	cmd := &cobra.Command{
		Use:   "compare ID|NUMBER --from DAY [--to DAY]",
		Short: "Tell field by field how a record differs between two days",
		Example: `  aidpass registry compare HH-0042 --list camp-north --from 2026-10-01 --to 2026-11-01
  aidpass registry compare 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --from 2026-10-01`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			begin, err := parseMoment(from, true)
			if err != nil {
				return err
			}
			end := a.Now()
			if to != "" {
				if end, err = parseMoment(to, true); err != nil {
					return err
				}
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			id, err := which.one(cmd.Context(), o, args[0])
			if err != nil {
				return err
			}
			list, err := o.desk(access.Registrar).Compare(cmd.Context(), id, begin, end)
			if err != nil {
				return registryError(err)
			}
			if err := o.store.Note(cmd.Context(), a.actor(access.Registrar), access.Entry{Action: "record.read", Object: id.String(), Detail: "compare"}); err != nil {
				return err
			}
			for _, d := range list {
				result := map[string]any{"field": d.Field, "from": shown(d.From), "to": shown(d.To), "by": d.By}
				err := a.print(result, func(w io.Writer) {
					fmt.Fprintf(w, "%s %s\n  - %s\n  + %s\n", d.Field, d.By, inline(shown(d.From)), inline(shown(d.To)))
				})
				if err != nil {
					return err
				}
			}
			if len(list) == 0 {
				a.say("nothing differs")
			}
			return nil
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&from, "from", "", "as it stood at the end of this day, or at this time")
	cmd.Flags().StringVar(&to, "to", "", "and at the end of this one (default: now)")
	return cmd
}
