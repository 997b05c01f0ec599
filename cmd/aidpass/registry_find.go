package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (a *app) registryFindCommand() *cobra.Command {
	var which whichRecord
	var name, document, country, phone string
	var year int
	cmd := &cobra.Command{
		Use:   "find [TEXT]",
		Short: "Find records by number, card, name, document or telephone",
		Long: `Find records by number, card, name, document or telephone.

TEXT is a number of a list or card, and if nothing has it, one or more words of a
name. Names are found however they are spelled and in whatever script, as long as
the consonants are heard; --year narrows to a year of birth. Documents and
telephones are found by their numbers, of which the database holds no readable copy.
The likeliest 50 are shown, with how many there are. Who was shown stands in the
audit log.`,
		Example: `  aidpass registry find HH-0042 --list camp-north
  aidpass registry find amina
  aidpass registry find 'Mohamed Ali' --year 1987
  aidpass registry find --document 123456 --kind-of-document national_id --country KEN
  aidpass registry find --phone 0712345678`,
		Args: cobra.MaximumNArgs(1),
	}
	kindOf := cmd.Flags().String("kind-of-document", "national_id", "what the document is: "+strings.Join(registry.DocumentTypes(), " "))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		asked := 0
		for _, text := range append([]string{name, document, phone}, args...) {
			if strings.TrimSpace(text) != "" {
				asked++
			}
		}
		if asked != 1 {
			return usagef("what is looked for?").hint("TEXT, --name, --document, or --phone: one of them")
		}
		o, err := a.openOrg(ctx)
		if err != nil {
			return err
		}
		defer o.close()
		var ids []registry.ID
		if len(args) == 1 {
			if ids, err = which.find(ctx, o, args[0]); err != nil {
				return err
			}
			if name = args[0]; len(ids) > 0 {
				name = ""
			}
		}
		total := -1 // as many as ids
		if name != "" {
			if ids, total, err = o.findNames(ctx, name, year); err != nil {
				return err
			}
		} else if len(args) == 0 {
			key, ok := o.keyOf(*kindOf, country, document, phone)
			if !ok {
				return usagef("that cannot be looked for").hint("a document of four signs or more, a telephone with + or with --country")
			}
			err := o.store.View(ctx, func(v registry.View) (err error) {
				ids, err = v.Lookup(key)
				return err
			})
			if err != nil {
				return err
			}
		}
		if total = max(total, len(ids)); total > len(ids) {
			a.say("%d of %d who may be meant: more of the name, or --year, tells them apart", len(ids), total)
		}
		// Who looks for whom is a trail; what was typed is not.
		if err := o.store.Note(ctx, a.actor(access.Registrar), access.Entry{Action: "record.find", Object: "registry", Detail: fmt.Sprintf("found=%d", total)}); err != nil {
			return err
		}
		found, err := o.who(ctx, ids[:min(len(ids), registry.MostFound)]...)
		if err != nil {
			return registryError(err)
		}
		for i := range found {
			if err := a.print(&found[i], func(w io.Writer) { fmt.Fprintf(w, "%s %s  %s\n", found[i].ID, found[i].Kind, found[i].line()) }); err != nil {
				return err
			}
		}
		if len(found) == 0 {
			a.say("nobody was found")
		}
		return nil
	}
	which.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "words of a name, in any spelling and script, where a number could be meant too")
	f.IntVar(&year, "year", 0, "of those with the name, who may be born in this year")
	f.StringVar(&document, "document", "", "number of a document")
	f.StringVar(&phone, "phone", "", "telephone")
	f.StringVar(&country, "country", "", "country of the document, or of the telephone (default: the organisation's), as KEN")
	return cmd
}

// findNames looks for people by words of a name.
func (o *org) findNames(ctx context.Context, name string, year int) (ids []registry.ID, total int, err error) {
	if len(registry.NameKeys(name)) == 0 {
		return nil, 0, nil // a number that nobody has
	}
	found, err := o.desk(access.Registrar).FindNames(ctx, name, year)
	for _, m := range found.Matches {
		ids = append(ids, m.Record.ID)
	}
	return ids, found.Total, registryError(err)
}

// keyOf is what a document or telephone is found by.
func (o *org) keyOf(kind, country, document, phone string) (registry.Key, bool) {
	if document != "" {
		d, _ := registry.ParseDocument(kind, country, document)
		k := registry.DocumentKey(d)
		return k, k.Text != ""
	}
	if country == "" {
		country = o.entry.Country
	}
	home, _ := registry.Country(country)
	e164, ok := registry.NormalisePhone(phone, home)
	return registry.Key{Kind: registry.KeyPhone, Text: e164}, ok && e164 != ""
}
