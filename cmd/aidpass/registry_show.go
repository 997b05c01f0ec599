package main

import (
	"encoding/json"
	"fmt"
	"io"
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

It is named by its id, by the number of a card, or by its number in a list. Numbers
of documents are shown by their last three signs; --json has every field whole. Who
read what stands in the audit log.`,
		Example: `  aidpass registry show HH-0042 --list camp-north
  aidpass registry show 4T7K-9QZX-M2R
  aidpass registry show 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --as-of 2026-10-31`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, id, err := which.open(ctx, a, args[0])
			if err != nil {
				return err
			}
			defer o.close()
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
			s, err := o.sheetOf(ctx, rec, members, asOf == "")
			if err != nil {
				return err
			}
			read := access.Entry{Action: "record.read", Object: id.String()}
			if a.JSON { // which names nobody else
				s.others = nil
			}
			if err := o.store.NoteAbout(ctx, a.actor(access.Registrar), read, s.others); err != nil {
				return err
			}
			if a.JSON {
				return a.printRecord(rec, members)
			}
			s.write(a.Stdout)
			return nil
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&asOf, "as-of", "", "as it stood at the end of this day, or at this time")
	return cmd
}

// printRecord writes every field as it is stored, for a program.
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
	return printJSON(a.Stdout, result)
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
	if c.Destroyed {
		result["destroyed"] = true
	}
	return a.print(result, func(w io.Writer) {
		text := "(removed)"
		if c.Destroyed {
			text = destroyedPhoto
		} else if value != nil {
			text = inline(value)
		}
		fmt.Fprintf(w, "%s %-10s %-14s %s\n", at, c.By, c.Field, text)
	})
}

// destroyedPhoto stands where a photograph stood that nobody can read any more.
const destroyedPhoto = "(a photograph that was destroyed)"

// compared is one side of a difference, for people.
func compared(v any, gone bool) string {
	if gone {
		return destroyedPhoto
	}
	return inline(shown(v))
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
				if d.FromGone || d.ToGone {
					result["from_destroyed"], result["to_destroyed"] = d.FromGone, d.ToGone
				}
				err := a.print(result, func(w io.Writer) {
					fmt.Fprintf(w, "%s %s\n  - %s\n  + %s\n", d.Field, d.By, compared(d.From, d.FromGone), compared(d.To, d.ToGone))
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
