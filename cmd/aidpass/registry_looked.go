package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/durable"
	"aidpass/issuer/print"
	"aidpass/issuer/registry/rights"
	"aidpass/storage"
	"aidpass/words"
)

func (a *app) registryLookedCommand() *cobra.Command {
	var which whichRecord
	var lang, out string
	cmd := &cobra.Command{
		Use:   "looked ID|NUMBER",
		Short: "Print for a person who looked at her record, and what was done with it",
		Long: `Print for a person who looked at her record, and what was done with it: when, in
which role, by whom, at which desk. Staff stand on it by a code that is the same for
one account and names nobody; audit show --by finds the account of a complaint's code
by the time of the entry.

It tells of her record, of her household's, of their cards, of imports that changed
them and of exports their rows were in. Of a search that found nobody, and of exports
made before this version, it knows nothing.`,
		Example: `  aidpass registry looked HH-0042 --list camp-north --lang ar --out looked.pdf
  aidpass registry looked 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --lang sw`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			catalogue, ok := words.Language(lang)
			if !ok {
				return usagef("no language %q", lang).hint("one of %s", strings.Join(words.Tags(), ", "))
			}
			pdf := strings.EqualFold(filepath.Ext(out), ".pdf")
			if out != "" && !pdf && !strings.EqualFold(filepath.Ext(out), ".txt") {
				return usagef("%s: a page is PDF or text", out).hint("--out looked.pdf, or looked.txt")
			}
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			id, err := which.one(ctx, o, args[0])
			if err != nil {
				return err
			}
			looks, err := o.store.Looked(ctx, id)
			if err != nil {
				return err
			}
			if err := o.store.Note(ctx, a.actor(access.Registrar), access.Entry{Action: "record.read", Object: id.String(), Detail: "looked"}); err != nil {
				return err
			}
			if a.JSON {
				for i := range looks {
					if err := printJSON(a.Stdout, lookJSON(&looks[i])); err != nil {
						return err
					}
				}
				return nil
			}
			house := o.entry.Names[catalogue.Tag()]
			if house == "" {
				house = o.entry.Names["en"]
			}
			page := lookedPage(catalogue, looks, house, id.String(), a.now())
			if !pdf {
				var b bytes.Buffer
				writePage(&b, page)
				if out == "" {
					_, err := a.Stdout.Write(b.Bytes())
					return err
				}
				return durable.WriteFile(out, b.Bytes(), 0o600)
			}
			f, err := print.Pages(ctx, page, print.Options{Lang: lang})
			if err != nil {
				return err
			}
			if err := print.Release(ctx, f, out, nil, nil); err != nil {
				return err
			}
			return a.print(map[string]any{"file": out, "pages": f.Pages, "entries": len(looks)}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %s on %s\n", out, plural(len(looks), "entry", "entries"), plural(f.Pages, "page", "pages"))
			})
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&lang, "lang", "en", "language of the page: "+strings.Join(words.Tags(), ", "))
	cmd.Flags().StringVar(&out, "out", "", "write it to this file, .pdf or .txt, readable to you alone (default: print the text)")
	return cmd
}

func lookJSON(l *storage.Look) map[string]any {
	return map[string]any{"at": l.Time.UTC().Format("2006-01-02T15:04:05Z"), "role": l.Actor.Role, "account": l.Account, "second": textPtr(l.Second),
		"act": l.Action, "kind": lookedAct(l.Action), "desk": textPtr(l.Actor.Device), "reason": textPtr(l.Reason)}
}

// lookedAct is the word for an action in looked.act: the first that begins it.
func lookedAct(a access.Action) string {
	for _, k := range [...]struct{ begin, word string }{
		{"record.read", "read"}, {"person.read", "read"}, {"person.history", "read"}, {"person.print", "read"}, {"record.find", "found"}, {"person.find", "found"}, {"card.find", "found"},
		{"rights.print", "read"}, {"rights.", "changed"}, {"consent.", "changed"}, {"unit.erase", "erased"}, {"unit.", "changed"}, {"record.correct", "changed"}, {"person.double", "double"}, {"double.", "double"}, {"person.", "changed"}, {"recheck.", "read"}, {"quality.export", "exported"}, {"quality.", "read"}, {"registry.export", "exported"}, {"export.", "exported"}, {"registry.", "changed"},
		{"household.", "household"}, {"collector.", "collector"}, {"credential.revoke", "card_stopped"}, {"credential.suspend", "card_stopped"}, {"card.revoke", "card_stopped"}, {"card.suspend", "card_stopped"},
		{"card.print", "card_printed"}, {"card.read", "read"}, {"credential.", "card_made"}, {"card.", "card"}, {"gate.", "card"}, {"batch.handout", "exported"}, {"batch.", "card"}, {"visits.", "visit"}, {"entitlement.", "due"}, {"offer.", "offer"},
	} {
		if strings.HasPrefix(string(a), k.begin) {
			return k.word
		}
	}
	return "other"
}

// lookedPage says the looks in a language.
func lookedPage(c *words.Catalogue, looks []storage.Look, house, number string, now credential.Time) print.Page {
	say := func(key string, pairs ...string) string { return c.Fill("looked."+key, pairs...) }
	page := print.Page{Title: say("title"),
		Lead: []string{say("lead", "organisation", house), say("record", "number", number), say("made", "date", rights.Day(c, now.Std())), say("times")},
		Foot: []string{say("complain")}}
	if len(looks) == 0 {
		page.Lead = append(page.Lead, say("none"))
	}
	for i := range looks {
		l := &looks[i]
		role := say("role." + strings.ReplaceAll(string(l.Actor.Role), "-", "_"))
		beneath := []string{role + " " + l.Account}
		if l.Second != "" {
			beneath = append(beneath, say("with", "account", l.Second))
		}
		if l.Actor.Device != "" {
			beneath = append(beneath, say("desk", "desk", l.Actor.Device))
		}
		act := lookedAct(l.Action)
		if (act == "exported" || l.Actor.Role == access.Partner) && l.Reason != "" { // who got it stands there
			beneath = append(beneath, say("reason", "reason", l.Reason))
		}
		page.Lines = append(page.Lines, [2]string{rights.Day(c, l.Time) + " " + l.Time.UTC().Format("15:04") + "  " + say("act."+act), strings.Join(beneath, " · ")})
	}
	return page
}

// writePage is the page as plain text.
func writePage(w io.Writer, p print.Page) {
	fmt.Fprintf(w, "%s\n\n%s\n\n", p.Title, strings.Join(p.Lead, "\n"))
	for _, l := range p.Lines {
		fmt.Fprintf(w, "%s\n    %s\n", l[0], l[1])
	}
	fmt.Fprintf(w, "\n%s\n", strings.Join(p.Foot, "\n"))
}
